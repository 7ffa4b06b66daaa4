"""What a declaration in JSON would make of a provider, told first and then carried out: all of it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from psc_connect.error_messages import explain
from psc_connect.fields import StoredSecret
from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.oidc.unexpected_content import classify_content
from psc_connect.providers import audit, keys, validation
from psc_connect.providers.metadata import secret_recipient
from psc_connect.providers.serialization import FORMAT, PROVIDER_FIELDS, SECRET, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from django.db import models


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a declaration cannot be carried out: where in the document, and a sentence."""

    where: str
    text: str


class ConfigurationError(Exception):
    """The document cannot be read at all."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(slots=True)
class Plan:
    """What would become of one provider. ``rows`` are unsaved; ``problems`` keep all of it from being carried out.

    ``secret``: a new one; ``gives_secret``: whether the declaration has one at all, perhaps the one that is kept.
    ``planned_on``: the recipient of the secret, and the secret as it was kept, or None of a new provider.
    """

    provider: Provider
    is_new: bool
    diff: tuple[Difference, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    rows: dict[str, list[models.Model]] = field(default_factory=dict)
    secret: StoredSecret | None = field(default=None, repr=False)
    gives_secret: bool = False
    planned_on: tuple[tuple[str, str], str] | None = field(default=None, repr=False)
    # Whether the document says the identifier, or it is only the usual one of the environment.
    is_named: bool = True
    wants_keys: bool = False
    # It would be enabled, and has no client secret.
    waits_for_secret: bool = False

    @property
    def shown_differences(self) -> tuple[Difference, ...]:
        """What tells something: of a new provider no empty field, and of its metadata whom the site will believe.

        The secret is told apart, by ``secret``.
        """
        if not self.is_new:
            return tuple(each for each in self.diff if each.name != SECRET)
        trusted = {f"metadata.{member}" for member in validation.TRUSTED_MEMBERS}
        return tuple(
            each
            for each in self.diff
            if each.new not in (None, "", {}, [])
            and each.name != SECRET
            and (each.name in trusted or not each.name.startswith("metadata."))
        )

    @property
    def secret_told(self) -> str:
        """What may be said of the new secret; "" where there is none."""
        if self.secret is None:
            return ""
        return self.secret.reference() or (_("stored") if self.is_new else _("replaced"))

    @property
    def changes_something(self) -> bool:
        return self.is_new or bool(self.diff) or self.secret is not None


def read_document(document: object) -> list[dict[str, Any]]:
    """Return the declarations of a document that ``psc_export`` wrote, or that was written like one.

    Raises ConfigurationError.
    """
    if not isinstance(document, dict) or document.get("psc_connect") != FORMAT:
        text = what_it_is(document) or _(
            'This is no configuration of this package: it begins with {"psc_connect": %(format)s, "providers": […]}.'
        )
        raise ConfigurationError(Problem("", text % {"format": FORMAT}))
    listed = document.get("providers")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ConfigurationError(Problem("providers", _("A list of declarations is expected here.")))
    return listed


def what_it_is(document: object) -> str:
    """Say what was given instead of a configuration; "" for what looks like nothing that is known."""
    known = {
        "looks_like_html": _("This is an HTML page, not a configuration in JSON: download the file itself."),
        "looks_like_certificate": _("This is a certificate or a key in PEM, not a configuration in JSON."),
        "looks_like_private_key": explain("metadata_looks_like_private_key"),
        "looks_like_url": _("This is an address, not a configuration in JSON: give what it serves."),
    }
    return known.get(classify_content(document), "")


def carry_out(plans: list[Plan], *, origin: str, by: User | None = None) -> None:
    """Save every plan, or none. Keys are not fetched: see ``missing_keys``.

    Raises ValueError where a plan has problems, ConfigurationError where somebody else has saved another secret, or
    another recipient of it, since the plans were made.
    """
    if any(plan.problems for plan in plans):
        raise ValueError("a plan with problems cannot be carried out")
    with transaction.atomic():
        for plan in plans:
            if plan.changes_something:
                _check_that_it_holds(plan)
                with audit.recorded(plan.provider, origin=origin, by=by):
                    _save(plan)


def _check_that_it_holds(plan: Plan) -> None:
    """Make sure, until all is saved, that the secret of this plan goes to whom it was planned to go."""
    row = Provider.objects.select_for_update().filter(slug=plan.provider.slug).first()
    present = None if row is None else (secret_recipient(row.metadata), row.client_secret.ciphertext)
    if present != plan.planned_on:
        text = _("This provider has been changed meanwhile: begin anew.")
        raise ConfigurationError(Problem(plan.provider.slug, text))


def _save(plan: Plan) -> None:
    provider = plan.provider
    if plan.is_new:
        provider.save()
    else:
        provider.save(update_fields=_changed_fields(plan))
    for name, rows in plan.rows.items():
        validation.replace_rows(provider, name, rows)


def _changed_fields(plan: Plan) -> set[str]:
    """What somebody else, or a login, has saved since the plan was made stays: only what it changes is written."""
    changed = {difference.name.partition(".")[0] for difference in plan.diff} & {*PROVIDER_FIELDS}
    if plan.secret is not None:
        changed.add(SECRET)
    if "jwks" in changed:
        changed |= {*keys.KEY_FIELDS, *keys.DECIDED_FIELDS}
    if changed & {*keys.DECIDED_FIELDS}:
        # A fetch that is under way does not know of it.
        keys.supersede_fetch(plan.provider)
        changed.add("jwks_fetch_began_at")
    return changed


def missing_keys(plans: list[Plan], *, origin: str, by: User | None = None) -> Iterator[tuple[Provider, str]]:
    """Import the keys of providers that have none yet; yield each that failed with its sentence."""
    for plan in plans:
        if plan.wants_keys:
            try:
                keys.import_keys(plan.provider, origin=origin, by=by)
            except (MetadataError, ProviderUnavailable, JWKSError) as exc:
                yield plan.provider, explain(exc.code)
