"""The authorization request, and the pending login that is stored with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.utils.translation import get_language
from mozilla_django_oidc.utils import generate_code_challenge

from psc_connect import conf
from psc_connect.login import pending, site_urls
from psc_connect.oidc.authorization import with_query
from psc_connect.oidc.id_token import LEEWAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from psc_connect.login.pending import PendingLogin
    from psc_connect.models import Provider


def send_to_provider(
    request: HttpRequest,
    provider: Provider,
    login: PendingLogin,
    *,
    extra: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Redirect the browser to the provider (OpenID Connect Core 3.1.2.1). Raises MetadataError, LoginRefused."""
    url = authorization_url(
        provider,
        login,
        redirect_uri=site_urls.redirect_uri(request, provider),
        prompt="login" if login.as_other_person else provider.prompt,
        extra=extra,
    )
    response = HttpResponseRedirect(url)
    pending.store(request, response, login, secure=site_urls.is_secure(request))
    return response


def authorization_url(
    provider: Provider,
    login: PendingLogin,
    *,
    redirect_uri: str,
    prompt: str,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Return the URL of the authorization request of a login. Raises MetadataError."""
    parameters = {
        # Extra parameters first, so that they cannot replace those of the protocol.
        **(extra or {}),
        **provider.extra_parameters,
        "response_type": "code",
        "scope": provider.scope,
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "state": login.state,
        "nonce": login.nonce,
        "code_challenge": generate_code_challenge(login.code_verifier, "S256"),
        "code_challenge_method": "S256",
    }
    optional = {
        "acr_values": provider.acr_values,
        "prompt": prompt,
        "max_age": _max_age(provider, login),
        "display": provider.display,
        "ui_locales": get_language() if provider.ui_locales == "auto" else provider.ui_locales,
    }
    parameters |= {name: str(value) for name, value in optional.items() if value not in ("", None)}
    return with_query(provider.parsed_metadata.authorization_endpoint, parameters)


def _max_age(provider: Provider, login: PendingLogin) -> int | None:
    """Return the oldest identification to accept, in seconds: the provider's own, or that of a session if asked for."""
    longest = conf.session_max_age()
    if not login.identify or longest is None:
        return provider.max_age
    # The provider's clock may be slow: it must not find young enough what is too old here.
    max_age = max(longest - LEEWAY, 0)
    return max_age if provider.max_age is None else min(max_age, provider.max_age)
