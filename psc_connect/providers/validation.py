"""What a provider gets when it is declared, and what must be true of every declaration, whoever writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from psc_connect import conf
from psc_connect.environments import environment_of_issuer, load_metadata
from psc_connect.mapping.presets import MINIMAL
from psc_connect.models import AccessRule, Environment, ExportedAttribute, Provider, secret_allowed_for_issuer
from psc_connect.models.user_fields import assignable_fields
from psc_connect.oidc.metadata import discovery_candidates
from psc_connect.providers.metadata import check_metadata, fetch_document, secret_recipient
from psc_connect.providers.serialization import (
    KEY_FIELDS,
    ORDERED_ROWS,
    PROVIDER_FIELDS,
    ROWS,
    serialize_rows,
    stored_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db import models

    from psc_connect.fields import StoredSecret

SLUGS = {
    Environment.PRODUCTION: "psc",
    Environment.SANDBOX: "psc-sandbox",
    Environment.SIMULATOR: "psc-simulator",
    Environment.CUSTOM: "custom",
}
# The documents that ANS publishes, and the environment whose accounts each of them makes.
PUBLISHED = {
    "production": Environment.PRODUCTION,
    "sandbox": Environment.SANDBOX,
    "sandbox-2020": Environment.SANDBOX,
}
GROUP = AccessRule.Outcome.GROUP


def default_slug(environment: object) -> str:
    """Return the identifier of the first provider of an environment; of an unknown one, a custom provider's."""
    return SLUGS.get(environment, SLUGS[Environment.CUSTOM])  # type: ignore[call-overload, no-any-return]


def unused_slug(environment: str) -> str:
    base = default_slug(environment)
    used = set(Provider.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for slug in (base, *(f"{base}-{number}" for number in range(2, len(used) + 3))) if slug not in used
    )


def environment_metadata(environment: str) -> dict[str, Any]:
    """Return what ANS publishes for the environment; for the simulator, what it answers now (in 10 s at most).

    A custom provider has none. Raises ProviderUnavailable, MetadataError.
    """
    if environment == Environment.CUSTOM:
        return {}
    if environment == Environment.SIMULATOR:
        return fetch_document(discovery_candidates(_simulator_issuer())[0])
    return load_metadata(environment)


def _simulator_issuer() -> str:
    return conf.simulator_url() + "/auth/realms/esante-wallet"


def is_well_known(issuer: str) -> bool:
    """Whether an issuer is ANS's or the simulator's: any other says of itself who its people are."""
    return bool(environment_of_issuer(issuer)) or issuer == _simulator_issuer()


def default_attributes(provider: Provider | None = None) -> Iterator[ExportedAttribute]:
    """Yield the first rows of a mapping, unsaved: names and username, as far as the user model has the fields."""
    fields = {field.name for field in assignable_fields()}
    for row in MINIMAL:
        if row.fields[0] in fields:
            yield ExportedAttribute(provider=provider, claim=row.claim, user_field=row.fields[0], when=row.when)


def add_default_attributes(provider: Provider) -> None:
    ExportedAttribute.objects.bulk_create(default_attributes(provider))


def default_mapping() -> dict[str, list[dict[str, Any]]]:
    """Return the mapping that every provider begins with, as a declaration has it."""
    name = "exported_attributes"
    return {name: serialize_rows(name, default_attributes()), "exported_groups": []}


def replace_rows(provider: Provider, name: str, rows: Iterable[models.Model]) -> None:
    """Replace the rows that the provider has under ``name`` (``serialization.ROWS``) by these unsaved ones."""
    unsaved: list[Any] = [*rows]
    if serialize_rows(name, unsaved) == stored_rows(provider, name):
        return
    for number, row in enumerate(unsaved):
        row.provider = provider
        if name in ORDERED_ROWS:
            row.position = number
    present = getattr(provider, name).all()
    present.delete()
    present.bulk_create(unsaved)


# Beside the rows, what decides who comes to one that gives a group, and in which capacity.
GROUPING = ("others_may_sign_in", "ask_activity")


def give_groups(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether access rules, as ``document.ROWS`` has them, put people into groups."""
    return any(row["outcome"] == GROUP for row in rows)


def changes_group_grants(present: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether access rules put people into groups otherwise than those before.

    Whatever row is changed: those above one that gives a group decide who comes to it, those below who is let in.
    """
    return present != wanted and give_groups((*present, *wanted))


# What decides as which user somebody signs in for the first time: as much as what is written into users.
LINKING = ("link_user_field", "link_privileged_users")
# What a provider has of its own: its name, its environment, whom it believes.
_NOT_COPIED = {
    "environment",
    "enabled",
    "comment",
    "client_id",
    "acr_values",
    "metadata",
    *KEY_FIELDS,
}


def copy_options(provider: Provider, of: Provider, *, with_mapping: bool, with_selection_rules: bool) -> None:
    """Give a new provider the options and the rows of another one: production those of the sandbox, as tried.

    ``with_mapping``: also what is written into users, else the mapping that every provider begins with;
    ``with_selection_rules``: also which visitors are sent there, rules and order. Each takes a right of its own.
    """
    left_out = (
        _NOT_COPIED | (set() if with_selection_rules else {"sort_order"}) | (set() if with_mapping else {*LINKING})
    )
    copied = [name for name in PROVIDER_FIELDS if name not in left_out]
    for name in copied:
        setattr(provider, name, getattr(of, name))
    provider.save(update_fields=copied)
    for name in ROWS:
        if not (with_selection_rules if name == "selection_rules" else with_mapping or name not in default_mapping()):
            continue
        # A rule that gives a group writes into users too; without it the others decide as before.
        rows = [row for row in getattr(of, name).all() if with_mapping or getattr(row, "outcome", "") != GROUP]
        for row in rows:
            row.pk = None
        replace_rows(provider, name, rows)
    if not with_mapping:
        add_default_attributes(provider)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a declaration shall say of whom the site believes. ``secret``: a new one, or None to keep the present.

    ``may_replace_issuer``: whoever asks has the provider before them, and knows that it becomes another one.
    """

    environment: str
    metadata: object
    secret: StoredSecret | None = None
    may_replace_issuer: bool = True


def problems(present: Provider | None, wanted: Wanted) -> Iterator[tuple[str, ValidationError]]:
    """Yield ``(field, error)`` for what must not be saved, ``present`` being the row as it is.

    A changed issuer or token endpoint would send the stored secret to somebody else, and make other people of the
    accounts. Raises MetadataError where the metadata cannot be used at all.
    """
    issuer = check_metadata(wanted.metadata).issuer
    yield from _of_the_environment(wanted.environment, issuer)
    if wanted.secret and not secret_allowed_for_issuer(issuer, wanted.secret):
        message = _("The setting PSC_CONNECT_SECRET_ISSUERS does not allow this name for the issuer.")
        yield "client_secret", ValidationError(message, code="secret_reference_not_for_issuer")
    if present is not None and not wanted.may_replace_issuer:
        yield from _of_the_same_provider(present, wanted.environment, issuer)
    if present is None or secret_recipient(present.metadata) == secret_recipient(wanted.metadata):
        return
    if _has_accounts_of_another_issuer(present, issuer):
        message = _("This provider has accounts of its current issuer: declare a second provider instead.")
        field = "environment" if wanted.environment != present.environment else "metadata"
        yield field, ValidationError(message, code="issuer_has_accounts")
    elif present.client_secret and not wanted.secret:
        message = _("The issuer or the host of the token endpoint changes: enter the client secret again.")
        yield "client_secret", ValidationError(message, code="secret_required_again")


def _of_the_environment(environment: str, issuer: str) -> Iterator[tuple[str, ValidationError]]:
    """The people of the sandbox are not those of production, nor somebody else's those of either."""
    published = PUBLISHED.get(environment_of_issuer(issuer))
    if published is None:
        if environment not in PUBLISHED.values():
            return
        message = _("The issuer of this metadata, %(issuer)s, is not ANS's: choose the environment “Custom” for it.")
        yield "metadata", ValidationError(message, code="metadata_of_somebody_else", params={"issuer": issuer})
    elif published != environment:
        message = _("The issuer of this metadata is that of the environment “%(environment)s”: choose it.")
        params = {"environment": published.label}
        yield "environment", ValidationError(message, code="environment_mismatch", params=params)


def _of_the_same_provider(present: Provider, environment: str, issuer: str) -> Iterator[tuple[str, ValidationError]]:
    """A file that happens to use a provider's identifier must not make the sandbox of production."""
    if present.issuer and (present.environment, present.issuer) != (environment, issuer):
        message = _(
            "“%(slug)s” would become another provider (%(old)s → %(new)s): use another identifier (slug). On the "
            "command line, --replace-issuer allows it."
        )
        params = {
            "slug": present.slug,
            "old": f"{present.get_environment_display()}, {present.issuer}",
            "new": f"{Environment(environment).label}, {issuer}",
        }
        yield "environment", ValidationError(message, code="issuer_replaced", params=params)


def _has_accounts_of_another_issuer(provider: Provider, issuer: str) -> bool:
    return any(known != issuer for known in provider.accounts.values_list("issuer", flat=True).distinct())


# Whom the site believes, where it sends what only the provider may see, and where people identify themselves.
TRUSTED_MEMBERS = (
    "issuer",
    "jwks_uri",
    "token_endpoint",
    "userinfo_endpoint",
    "authorization_endpoint",
    "end_session_endpoint",
)


def changes_trust(present: object, wanted: object) -> bool:
    """Whether other metadata would make the site believe somebody else; for this a permission of its own is asked."""
    old, new = (each if isinstance(each, dict) else {} for each in (present, wanted))
    return any(old.get(name) != new.get(name) for name in TRUSTED_MEMBERS)
