"""Several declarations of one issuer: they lead to the same accounts, whichever keys and endpoints each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from psc_connect.models import Provider

KEYS = "jwks"
# The userinfo has the numbers by which accounts are found.
COMPARED = ("token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What a save would make different from another declaration of the issuer.

    ``slug``: of the other declaration. ``name``: a member of the metadata (``COMPARED``), or ``jwks`` for a key given
    by hand that the other declaration does not have. ``value``: the new one, of a key its thumbprint.
    """

    slug: str
    name: str
    value: str


def disagreements(
    present: Provider | None, metadata: object, others: Iterable[Provider], *, given_keys: Collection[str] = ()
) -> list[Disagreement]:
    """Return what saving this metadata, or these keys, would make different from other declarations of the issuer.

    What differed before is not returned: it has been confirmed. ``present``: the stored provider, None for a new one.
    ``given_keys``: the thumbprints of the keys that a person gives, which the provider did not have.
    """
    if not isinstance(metadata, dict):
        return []
    same_issuer = [each for each in others if each.issuer and each.issuer == metadata.get("issuer")]
    is_known = present is not None and present.issuer == metadata.get("issuer")
    kept = present.metadata if present is not None and is_known else {}
    changed = [name for name in COMPARED if not is_known or kept.get(name) != metadata.get(name)]
    return [
        *(
            Disagreement(each.slug, name, str(metadata.get(name) or ""))
            for each in same_issuer
            for name in changed
            if (metadata.get(name) or "") != (each.metadata.get(name) or "")
        ),
        *(
            Disagreement(each.slug, KEYS, thumbprint)
            for each in same_issuer
            for thumbprint in sorted({*given_keys} - {key.thumbprint for key in each.key_set().keys})
        ),
    ]


def what_they_mean(found: Iterable[Disagreement]) -> str:
    """Return a sentence for the person who must confirm these disagreements."""
    found = [*found]
    labels = {KEYS: _("signing keys")}
    return _(
        "The issuer is declared here as %(slugs)s too, with other values (%(names)s). Both declarations lead to the "
        "same accounts: the keys and the endpoints of each one decide who signs in as these people, superusers "
        "included."
    ) % {
        "slugs": ", ".join(dict.fromkeys(each.slug for each in found)),
        "names": ", ".join(dict.fromkeys(str(labels.get(each.name, each.name)) for each in found)),
    }
