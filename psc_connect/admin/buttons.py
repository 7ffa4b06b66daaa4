"""The two buttons of a provider's page that call the provider: fetch its metadata, import its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext

from psc_connect import declaration, keys
from psc_connect.admin.documents import explain, problems_of
from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError, MetadataError, ProviderUnavailable
from psc_connect.oidc.metadata import discovery_candidates

if TYPE_CHECKING:
    from django.http import HttpRequest

    from psc_connect.oidc.jwks import KeySet

PRIVATE = "jwks_key_private"


def report_keys(request: HttpRequest, found: KeySet) -> None:
    """Say what was found; a published private key is an alarm, whatever else is in the set."""
    text = ngettext("%(count)s signing key is now kept.", "%(count)s signing keys are now kept.", len(found.keys)) % {
        "count": len(found.keys)
    }
    messages.success(request, text)
    if any(key.reason == PRIVATE for key in found.ignored):
        messages.error(request, explain(PRIVATE))


def import_keys(request: HttpRequest, provider: Provider) -> bool:
    """Import the keys and report; return whether the row has changed."""
    try:
        if not provider.parsed_metadata.jwks_uri:
            messages.warning(request, gettext("The metadata names no jwks_uri: paste the key set of the provider."))
            return False
        found = keys.import_keys(provider)
    except (MetadataError, ProviderUnavailable, JWKSError) as exc:
        messages.warning(
            request,
            gettext("The keys could not be imported: the first login will try again. %(reason)s")
            % {"reason": explain(exc.code)},
        )
        return False
    report_keys(request, found)
    return True


def default_discovery_url(provider: Provider) -> str:
    return discovery_candidates(provider.issuer)[0] if provider.issuer else ""


def fetch_metadata(request: HttpRequest, provider: Provider, discovery_url: str) -> bool:
    """Fetch the metadata, save it if it may take the place of the present one, and report; return whether it did."""
    try:
        document = declaration.fetch_document(discovery_url)
        metadata = declaration.check_metadata(document)
    except (ProviderUnavailable, MetadataError) as exc:
        return _refuse(request, " ".join(ValidationError(problems_of(exc)).messages))
    # OpenID Connect Discovery 1.0 section 4.3: the document must be of the issuer that the URL is made of.
    if discovery_url not in discovery_candidates(metadata.issuer):
        reason = gettext("Its issuer is %(issuer)s, which has another discovery URL.")
        return _refuse(request, reason % {"issuer": metadata.issuer})
    if declaration.secret_recipient(document) != declaration.secret_recipient(provider.metadata):
        reason = gettext(
            "Its issuer or the host of its token endpoint is not the present one: paste the document into the form "
            "and enter the client secret again, or declare a second provider."
        )
        return _refuse(request, reason)
    if document == provider.metadata:
        messages.info(request, gettext("The metadata has not changed."))
        return False
    provider.metadata = document
    provider.save(update_fields=["metadata"])
    messages.success(request, gettext("The metadata has been replaced by the document of the provider."))
    return True


def _refuse(request: HttpRequest, reason: str) -> bool:
    messages.error(request, gettext("Nothing has been saved. %(reason)s") % {"reason": reason})
    return False
