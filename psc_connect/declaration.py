"""What a provider gets when it is declared: its identifier, its metadata, its first exported attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from psc_connect import conf
from psc_connect.attributes import assignable_fields
from psc_connect.environments import load_metadata
from psc_connect.keys import IMPORT_SECONDS, http_policy
from psc_connect.models import Environment, ExportedAttribute, Provider
from psc_connect.oidc.client import Deadline, fetch_metadata
from psc_connect.oidc.metadata import discovery_candidates

if TYPE_CHECKING:
    from psc_connect.oidc.metadata import ProviderMetadata

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
DEFAULT_ATTRIBUTES = (
    ("given_name", "first_name", ExportedAttribute.When.LOGIN),
    ("family_name", "last_name", ExportedAttribute.When.LOGIN),
    ("SubjectNameID", "username", ExportedAttribute.When.CREATION),
)


def unused_slug(environment: str) -> str:
    base = SLUGS[Environment(environment)]
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
        return fetch_document(discovery_candidates(conf.simulator_url() + "/auth/realms/esante-wallet")[0])
    return load_metadata(environment)


def fetch_document(discovery_url: str) -> dict[str, Any]:
    """Return the whole metadata document, unchecked, in 10 s at most. Raises ProviderUnavailable, MetadataError."""
    return fetch_metadata(discovery_url, http=http_policy(), deadline=Deadline(IMPORT_SECONDS))


def check_metadata(document: object) -> ProviderMetadata:
    """Check a document as this site's settings allow it. Raises MetadataError with every problem."""
    return Provider(metadata=document).parsed_metadata


def environment_of_issuer(issuer: str) -> Environment | None:
    """Return the environment that ANS gives this issuer to, or None for an issuer of somebody else's."""
    return next((kind for name, kind in PUBLISHED.items() if load_metadata(name)["issuer"] == issuer), None)


def add_default_attributes(provider: Provider) -> None:
    """Export names and username, as far as the user model has the fields."""
    fields = {field.name for field in assignable_fields()}
    ExportedAttribute.objects.bulk_create(
        ExportedAttribute(provider=provider, claim=claim, user_field=user_field, when=when)
        for claim, user_field, when in DEFAULT_ATTRIBUTES
        if user_field in fields
    )


def secret_recipient(document: object) -> tuple[str, str]:
    """Return the issuer and the origin of the token endpoint: where the client secret would go. Never fails."""
    if not isinstance(document, dict):
        return "", ""
    try:
        parts = urlsplit(str(document.get("token_endpoint", "")))
    except ValueError:
        return str(document.get("issuer", "")), ""
    return str(document.get("issuer", "")), f"{parts.scheme}://{parts.netloc}".lower()


def has_accounts_of_another_issuer(provider: Provider, issuer: str) -> bool:
    return any(known != issuer for known in provider.accounts.values_list("issuer", flat=True).distinct())
