"""A login begins: the browser goes to the provider, with a pending login in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views import View
from mozilla_django_oidc.utils import generate_code_challenge
from mozilla_django_oidc.views import OIDCAuthenticationRequestView
from typing_extensions import override

from psc_connect import origin, pending
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Provider
from psc_connect.next_page import landing_page, safe_next
from psc_connect.oidc.authorization import authorization_url
from psc_connect.origin import login_url
from psc_connect.pending import PendingLogin
from psc_connect.views.base import ProviderView, enabled_provider

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class LoginView(ProviderView, OIDCAuthenticationRequestView):
    """Sends the browser to the provider, with a pending login in a cookie (OpenID Connect Core 3.1.2.1)."""

    @override
    def __init__(self, **kwargs: Any) -> None:
        # mozilla-django-oidc's reads OIDC_* settings here.
        View.__init__(self, **kwargs)

    @override
    def get(self, request: HttpRequest, provider: str = "") -> HttpResponse:
        self.next_page = safe_next(request.GET.get("next"))
        if origin.is_other_host(request) and "rehosted" not in request.GET:
            # The provider will send the browser to the base host: the cookie must be there. Once, since a proxy
            # that hides the host would make it turn in circles.
            return HttpResponseRedirect(origin.site_origin(request) + login_url(provider, self.next_page, rehosted="1"))
        if request.user.is_authenticated:
            return self._already_signed_in(request)
        if not _is_visit(request):
            raise LoginRefused("login_not_a_visit")
        if provider:
            return self._authorization_request(request, enabled_provider(provider))
        choices = list(Provider.objects.filter(enabled=True))
        if not choices:
            raise LoginRefused("no_provider")
        return (
            self._authorization_request(request, choices[0])
            if len(choices) == 1
            else render(request, "psc_connect/chooser.html")
        )

    def _authorization_request(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        login = PendingLogin(provider=provider.slug, next=self.next_page, is_second_try="again" in request.GET)
        parameters = {
            # A site's own parameters first: they never replace one of ours.
            **self.get_extra_params(request),
            "response_type": "code",
            "scope": provider.scope,
            "client_id": provider.client_id,
            "redirect_uri": origin.redirect_uri(request, provider),
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": generate_code_challenge(login.code_verifier, "S256"),
            "code_challenge_method": "S256",
        }
        optional = {"acr_values": provider.acr_values, "prompt": provider.prompt, "max_age": provider.max_age}
        parameters |= {name: str(value) for name, value in optional.items() if value not in ("", None)}
        response = HttpResponseRedirect(authorization_url(provider.parsed_metadata, parameters))
        pending.remember(request, response, login, secure=origin.is_secure(request))
        return response

    @override
    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Return what a site adds to the authorization request; parameters of the protocol cannot be replaced."""
        return {}

    def _already_signed_in(self, request: HttpRequest) -> HttpResponse:
        # A missing permission always names the page that it guards: only then is a redirect a loop.
        if "again" in request.GET or not self.next_page:
            return HttpResponseRedirect(landing_page(self.next_page))
        context = {"home_url": origin.home_url(), "username": request.user.get_username()}
        return render(request, "psc_connect/already_signed_in.html", context, status=403)


def _is_visit(request: HttpRequest) -> bool:
    """Whether a person opens the page: an image, a frame or a prefetch must not push real logins out of the cookies.

    Browsers too old for these headers (https://www.w3.org/TR/fetch-metadata/) send none, and are let through.
    """
    destination = request.headers.get("Sec-Fetch-Dest", "document")
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return destination == "document" and "prefetch" not in purposes
