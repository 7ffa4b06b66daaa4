"""Defaults of new providers, and the checks that every writer of a provider makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from psc_connect import conf
from psc_connect.environments import environment_of_issuer, load_metadata
from psc_connect.mapping.presets import MINIMAL
from psc_connect.models import AccessRule, Account, Environment, ExportedAttribute, Provider, secret_allowed_for_issuer
from psc_connect.models.user_fields import assignable_fields
from psc_connect.oidc.metadata import discovery_candidates, secret_recipient
from psc_connect.providers.metadata import check_metadata, fetch_document
from psc_connect.providers.serialization import (
    KEY_FIELDS,
    ORDERED_ROWS,
    PROVIDER_FIELDS,
    ROWS,
    serialize_rows,
    stored_rows,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from django.db import models

    from psc_connect.fields import StoredSecret

SLUGS = {
    Environment.PRODUCTION: "psc",
    Environment.SANDBOX: "psc-sandbox",
    Environment.SIMULATOR: "psc-simulator",
    Environment.CUSTOM: "custom",
}
# The metadata that ANS publishes, and the environment that each belongs to.
PUBLISHED = {
    "production": Environment.PRODUCTION,
    "sandbox": Environment.SANDBOX,
    "sandbox-2020": Environment.SANDBOX,
}
GROUP = AccessRule.Outcome.GROUP


def default_slug(environment: object) -> str:
    """Return the identifier of the first provider of an environment; for an unknown one, that of a custom provider."""
    return SLUGS.get(environment, SLUGS[Environment.CUSTOM])  # type: ignore[call-overload, no-any-return]


def unused_slug(environment: str) -> str:
    base = default_slug(environment)
    used = set(Provider.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for slug in (base, *(f"{base}-{number}" for number in range(2, len(used) + 3))) if slug not in used
    )


def environment_metadata(environment: str) -> dict[str, Any]:
    """Return the metadata that ANS publishes for the environment, or that the simulator answers (in 10 s at most).

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
    """Return whether an issuer is ANS's or the simulator's."""
    return bool(environment_of_issuer(issuer)) or issuer == _simulator_issuer()


def is_in_use(issuer: str) -> bool:
    """Return whether an issuer is declared or has accounts: another declaration of it would replace its keys."""
    return bool(Provider.of_issuer(issuer)) or Account.objects.filter(issuer=issuer).exists()


def default_attributes(provider: Provider | None = None) -> Iterator[ExportedAttribute]:
    """Yield the default rows of a mapping, unsaved: names and username, if the user model has the fields."""
    fields = {field.name for field in assignable_fields()}
    for row in MINIMAL:
        if row.fields[0] in fields:
            yield ExportedAttribute(provider=provider, claim=row.claim, user_field=row.fields[0], when=row.when)


def add_default_attributes(provider: Provider) -> None:
    ExportedAttribute.objects.bulk_create(default_attributes(provider))


def default_mapping() -> dict[str, list[dict[str, Any]]]:
    """Return the default mapping, serialized."""
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


# Beside the rows, these decide who joins the groups of the rows: who reaches them, and for which activity.
GROUPING = {"access_rules": ("others_may_sign_in", "ask_activity"), "exported_groups": ("ask_activity",)}


def give_groups(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether serialized access rules, or rows of exported groups, put people into groups."""
    # Each row of exported groups does, without an outcome.
    return any(row.get("outcome", GROUP) == GROUP for row in rows)


def changes_group_grants(present: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Return whether access rules change who joins which group.

    Any changed row counts: rows above a group decide who reaches it, rows below who may sign in.
    """
    return present != wanted and give_groups((*present, *wanted))


def groups_given(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    """Return the names of the groups that people may join by wanted rows, and could not by the present ones.

    Both are serialized, and hold what a person edits. Any change of the access rules, their order or ``GROUPING`` can
    let people reach each of the wanted rules; another activity can let them match each exported group.
    """
    changed = {name for name in ("access_rules", *GROUPING["access_rules"]) if present.get(name) != wanted.get(name)}
    known = () if changed & {*GROUPING["exported_groups"]} else present.get("exported_groups", ())
    giving = [row for row in wanted.get("exported_groups", ()) if row not in known]
    if changed:
        giving += wanted.get("access_rules", ())
    return {row["group"] for row in giving if row.get("group")}


# They decide which user a first sign-in is linked to, superusers included: only a superuser sets them.
LINKING = ("link_user_field", "link_privileged_users")
# What belongs to one provider: its environment, its client, its metadata and keys.
_NOT_COPIED = {
    "environment",
    "enabled",
    "comment",
    "client_id",
    "acr_values",
    "metadata",
    *KEY_FIELDS,
}


def copy_options(
    provider: Provider,
    of: Provider,
    *,
    with_mapping: bool,
    with_linking: bool,
    with_selection_rules: bool,
    without_groups: Collection[str],
) -> None:
    """Copy the options and the rows of another provider to a new one, for example from the sandbox to production.

    ``with_mapping``: also what is written into users, else the default mapping; ``with_linking``: also ``LINKING``;
    ``with_selection_rules``: also the provider selection rules and the sort order. Each needs its own permission.
    ``without_groups``: the names of groups that the copy does not give.
    """
    left_out = (
        _NOT_COPIED | (set() if with_selection_rules else {"sort_order"}) | (set() if with_linking else {*LINKING})
    )
    copied = [name for name in PROVIDER_FIELDS if name not in left_out]
    for name in copied:
        setattr(provider, name, getattr(of, name))
    provider.save(update_fields=copied)
    for name in ROWS:
        if not (with_selection_rules if name == "selection_rules" else with_mapping or name not in default_mapping()):
            continue
        # A rule that gives a group writes into users too; without it, the others decide as before.
        rows = [row for row in getattr(of, name).all() if with_mapping or getattr(row, "outcome", "") != GROUP]
        rows = [row for row in rows if str(getattr(row, "group", "")) not in without_groups]
        for row in rows:
            row.pk = None
        replace_rows(provider, name, rows)
    if not with_mapping:
        add_default_attributes(provider)


def problems(
    present: Provider | None,
    *,
    environment: str,
    metadata: object,
    secret: StoredSecret | None,
    may_replace_issuer: bool = True,
) -> Iterator[tuple[str, ValidationError]]:
    """Yield ``(field, error)`` for each value that must not be saved; ``present`` is the stored provider.

    A changed issuer or token endpoint would send the stored secret to somebody else, and give the accounts to other
    people. ``secret``: a new one, or None to keep the present one. ``may_replace_issuer``: the provider may become
    another one, since the user sees it. Raises MetadataError where the metadata cannot be used at all.
    """
    issuer = check_metadata(metadata).issuer
    yield from _of_the_environment(environment, issuer)
    if secret and not secret_allowed_for_issuer(issuer, secret):
        message = _("The setting PSC_CONNECT_SECRET_ISSUERS does not allow this name for the issuer.")
        yield "client_secret", ValidationError(message, code="secret_reference_not_for_issuer")
    if present is not None and not may_replace_issuer:
        yield from _of_the_same_provider(present, environment, issuer)
    if present is None or present.secret_recipient == secret_recipient(metadata):
        return
    if _has_accounts_of_another_issuer(present, issuer):
        message = _(
            "This provider has accounts of its current issuer: declare a second provider, and move the accounts to it."
        )
        field = "environment" if environment != present.environment else "metadata"
        yield field, ValidationError(message, code="issuer_has_accounts")
    elif present.client_secret and not secret:
        message = _("The issuer or the host of the token endpoint changes: enter the client secret again.")
        yield "client_secret", ValidationError(message, code="secret_required_again")


def _of_the_environment(environment: str, issuer: str) -> Iterator[tuple[str, ValidationError]]:
    """Check that the issuer belongs to the environment: people of the sandbox are not those of production."""
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
    """Check that a file does not turn one provider into another by using its identifier."""
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


# The members that decide who the site trusts, where it sends secrets and codes, and where people authenticate.
TRUSTED_MEMBERS = (
    "issuer",
    "jwks_uri",
    "token_endpoint",
    "userinfo_endpoint",
    "authorization_endpoint",
    "end_session_endpoint",
)


def changes_trust(present: object, wanted: object) -> bool:
    """Return whether other metadata would make the site trust somebody else; this needs its own permission."""
    old, new = (each if isinstance(each, dict) else {} for each in (present, wanted))
    return any(old.get(name) != new.get(name) for name in TRUSTED_MEMBERS)
