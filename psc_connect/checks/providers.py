"""System checks of the enabled providers (``manage.py check --database default``), without network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import WARNING, CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.utils.translation import gettext as _

from psc_connect.administrator_messages import explain
from psc_connect.environments import environment_of_issuer
from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable
from psc_connect.models.user_fields import linkable_fields
from psc_connect.oidc.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psc_connect.models import Provider


@register(Tags.database)
def check_providers(databases: Sequence[str] | None = None, **_kwargs: Any) -> Iterator[CheckMessage]:
    from psc_connect.models import Provider  # noqa: PLC0415 - models are loaded by the time a check runs

    if DEFAULT_DB_ALIAS not in (databases or ()):
        return
    try:
        enabled = list(Provider.objects.filter(enabled=True))
    # Not migrated yet: Django says so itself.
    except DatabaseError:
        return
    for provider in enabled:
        for message in check_provider(provider):
            # `migrate` runs these checks too, and stops at an error: no row may keep a site from being migrated.
            message.level = min(message.level, WARNING)
            yield message


def check_provider(provider: Provider) -> Iterator[CheckMessage]:
    """Yield what keeps a provider's logins from working, or makes them less secure."""
    for check in (_environment, _secret, _metadata_and_keys, _mapping, _access_rules):
        for message in check(provider):
            message.obj = provider
            yield message


def _environment(provider: Provider) -> Iterator[CheckMessage]:
    if settings.DEBUG or not provider.enabled:
        return
    if provider.environment == "simulator":
        yield Error(
            _("The provider “%(slug)s” is a simulator, which authenticates nobody, and DEBUG is off.")
            % {"slug": provider.slug},
            hint=_("Disable it on its page: this site looks like one for real people."),
            id="psc_connect.E017",
        )
    elif provider.environment == "sandbox" or environment_of_issuer(provider.issuer).startswith("sandbox"):
        yield Caution(
            _("The provider “%(slug)s” is the sandbox, whose people are invented, and DEBUG is off.")
            % {"slug": provider.slug},
            hint=_("On a site for real people, disable it."),
            id="psc_connect.W005",
        )


def _secret(provider: Provider) -> Iterator[CheckMessage]:
    try:
        provider.secret_for_its_issuer()
    except SecretUnavailable as exc:
        yield Error(
            _("The client secret of the provider “%(slug)s” cannot be used: nobody can sign in.")
            % {"slug": provider.slug},
            hint=str(SECRET_PROBLEMS[exc.code]),
            id="psc_connect.E018",
        )
    if provider.client_secret.is_encrypted_with_secret_key():
        yield Caution(
            _("The client secret of the provider “%(slug)s” is still encrypted with a key derived from SECRET_KEY.")
            % {"slug": provider.slug},
            hint=_("Enter it again on the provider's page: it is encrypted with PSC_CONNECT_ENCRYPTION_KEYS then."),
            id="psc_connect.W009",
        )


def _metadata_and_keys(provider: Provider) -> Iterator[CheckMessage]:
    try:
        metadata = provider.parsed_metadata
    except MetadataError:
        yield Error(
            _("The metadata of the provider “%(slug)s” cannot be used: nobody can sign in.") % {"slug": provider.slug},
            hint=_("Open its page in the admin and save it: each problem is named there."),
            id="psc_connect.E019",
        )
        return
    key_set = provider.key_set()
    are_retired = any(key.reason == "jwks_key_retired" for key in key_set.ignored)
    if are_retired and not key_set.keys:
        yield Error(
            _("All signing keys of the provider “%(slug)s” are retired: nobody can sign in.") % {"slug": provider.slug},
            hint=explain("jwks_all_retired"),
            id="psc_connect.E021",
        )
    elif not key_set.keys:
        kind, id_ = (Caution, "psc_connect.W006") if metadata.jwks_uri else (Error, "psc_connect.E020")
        yield kind(
            _("The provider “%(slug)s” has no signing key that can be used.") % {"slug": provider.slug},
            hint=_("The first sign-in fetches them; to be sure, import them on its page.")
            if metadata.jwks_uri
            else _("Its metadata names no jwks_uri: paste the key set on its page, or nobody can sign in."),
            id=id_,
        )
    announced = provider.metadata.get("id_token_signing_alg_values_supported")
    if isinstance(announced, list) and provider.id_token_signed_response_alg not in announced:
        yield Caution(
            _("The provider “%(slug)s” does not announce to sign ID tokens with %(algorithm)s.")
            % {"slug": provider.slug, "algorithm": provider.id_token_signed_response_alg},
            hint=_("Choose, under “ID token signature”, an algorithm that it announces."),
            id="psc_connect.W007",
        )


def _mapping(provider: Provider) -> Iterator[CheckMessage]:
    from psc_connect.backends import creation_is_impossible  # noqa: PLC0415 - it needs the loaded models

    if provider.link_user_field and provider.link_user_field not in {field.name for field in linkable_fields()}:
        yield Error(
            _("The provider “%(slug)s” looks for RPPS numbers in a field that the user model does not have.")
            % {"slug": provider.slug},
            hint=_("Choose another one on its page, under “Users”, or none."),
            id="psc_connect.E023",
        )
    if creation_is_impossible(provider):
        yield Caution(
            _("No exported attribute of the provider “%(slug)s” gives new users their username.")
            % {"slug": provider.slug},
            hint=_("Add a row for it, or override ProSanteConnectBackend.create_user; or turn the creation off."),
            id="psc_connect.W008",
        )


def _access_rules(provider: Provider) -> Iterator[CheckMessage]:
    from psc_connect.access.rules import denies_everyone, rules_of  # noqa: PLC0415 - it needs the loaded models

    rules = rules_of(provider)
    for number, rule in enumerate(rules, start=1):
        params = {"slug": provider.slug, "row": number}
        if not rule.is_well_formed:
            yield Error(
                _("Access rule %(row)s of the provider “%(slug)s” cannot be read: people who reach it are refused.")
                % params,
                hint=_("It was not written by the admin or psc_configure: enter it again, or delete it."),
                id="psc_connect.E025",
            )
            continue
        if rule.has_lost_its_group:
            yield Caution(
                _("Access rule %(row)s of the provider “%(slug)s” gives a group that has been deleted.") % params,
                hint=_("Choose another group, or delete the row."),
                id="psc_connect.W015",
            )
        if unknown := [code for condition in rule.parsed_conditions for code in condition.unknown_codes]:
            yield Caution(
                _("Access rule %(row)s of the provider “%(slug)s” names codes that no table here has: %(codes)s.")
                % {**params, "codes": ", ".join(unknown)},
                hint=_("They may be newer than the tables, or mistyped."),
                id="psc_connect.W017",
            )
    if all(rule.is_well_formed for rule in rules) and denies_everyone(provider, rules):
        yield Caution(
            _("The access rules of the provider “%(slug)s” refuse everyone.") % {"slug": provider.slug},
            hint=_("Add a rule that lets people sign in; to close the provider, disable it."),
            id="psc_connect.W016",
        )
