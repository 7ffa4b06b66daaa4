"""What an administrator does with signing keys: looks at what an import would change, accepts it, pins, retires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from psc_connect.models import DeclarationChange, Provider
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import KeySet, parse_jwks
from psc_connect.providers import audit
from psc_connect.providers.keys import KEY_FIELDS, set_keys, supersede_fetch, usable, with_pinned
from psc_connect.providers.serialization import diff, key_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User

    from psc_connect.oidc.jwks import SigningKey

ADMIN = DeclarationChange.Origin.ADMIN


class KeysChangedMeanwhile(Exception):
    """The row's keys are no longer those that the administrator was shown."""


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What a key set would bring. A key that is ``changed`` has the name of one of the row's, and is another.

    ``found``: the set as it would be kept, pinned keys included.
    """

    found: KeySet
    new: tuple[SigningKey, ...]
    changed: tuple[SigningKey, ...]
    gone: tuple[SigningKey, ...]
    same: tuple[SigningKey, ...]

    @property
    def has_any(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def compare_keys(provider: Provider, document: object) -> KeyChanges:
    """Hold a key set against the row's. Raises JWKSError, also where no key of it can verify a signature."""
    found = usable(parse_jwks(with_pinned(provider, document)), retired=provider.jwks_retired)
    present = _present_keys(provider)
    known = {key.thumbprint for key in present}
    names = {key.kid for key in present if key.kid}
    fresh = [key for key in found.keys if key.thumbprint not in known]
    kept = {key.thumbprint for key in found.keys}
    return KeyChanges(
        found=found,
        new=tuple(key for key in fresh if key.kid not in names),
        changed=tuple(key for key in fresh if key.kid in names),
        gone=tuple(key for key in present if key.thumbprint not in kept),
        same=tuple(key for key in found.keys if key.thumbprint in known),
    )


def _present_keys(provider: Provider) -> tuple[SigningKey, ...]:
    try:
        return provider.key_set().keys
    except JWKSError:
        return ()


def accept_keys(provider: Provider, document: Mapping[str, Any], *, seen: object, by: User) -> KeySet:
    """Keep a key set in the place of the row's, which must still be what the administrator has ``seen``.

    Raises JWKSError, KeysChangedMeanwhile.
    """
    with transaction.atomic():
        row = Provider.objects.select_for_update().get(pk=provider.pk)
        if row.jwks != seen:
            raise KeysChangedMeanwhile
        before = row.jwks
        keys = set_keys(row, document)
        row.save(update_fields=KEY_FIELDS)
        audit.record(row, diff({"jwks": before}, {"jwks": row.jwks}), origin=ADMIN, by=by)
    return keys


def decide(provider: Provider, thumbprint: str, decision: str, *, by: User) -> None:
    """Note what an administrator decides of one key: ``pin``, ``unpin``, ``retire``, ``restore``.

    Raises KeyError for a key that is not on the row, or another decision.
    """
    field, is_added = {
        "pin": ("jwks_pinned", True),
        "unpin": ("jwks_pinned", False),
        "retire": ("jwks_retired", True),
        "restore": ("jwks_retired", False),
    }[decision]
    with transaction.atomic():
        row = Provider.objects.select_for_update().get(pk=provider.pk)
        listed = getattr(row, field)
        if thumbprint not in key_names(row.jwks) and thumbprint not in listed:
            raise KeyError(thumbprint)
        decided = sorted({*listed, thumbprint} if is_added else {*listed} - {thumbprint})
        changes = diff({field: listed}, {field: decided})
        setattr(row, field, decided)
        # A fetch that is under way does not know of it.
        supersede_fetch(row)
        row.save(update_fields=[field, "jwks_fetch_began_at"])
        audit.record(row, changes, origin=ADMIN, by=by)
