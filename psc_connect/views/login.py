"""A login begins: the browser goes to the provider, with a pending login in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views import View
from mozilla_django_oidc.views import OIDCAuthenticationRequestView
from typing_extensions import override

from psc_connect.exceptions import LoginRefused
from psc_connect.login import site_urls
from psc_connect.login.authorization_request import is_visit, send_to_provider
from psc_connect.login.pending import PendingLogin
from psc_connect.login.provider_selection import enabled_providers, preselected
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.site_urls import login_url
from psc_connect.providers.metadata import follow_if_due
from psc_connect.views.base import ProviderView, already_signed_in, enabled_provider

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import Provider


class LoginView(ProviderView, OIDCAuthenticationRequestView):
    """Sends the browser to the provider, with a pending login in a cookie (OpenID Connect Core 3.1.2.1)."""

    @override
    def __init__(self, **kwargs: Any) -> None:
        # mozilla-django-oidc's reads OIDC_* settings here.
        View.__init__(self, **kwargs)

    @override
    def get(self, request: HttpRequest, provider: str = "") -> HttpResponse:
        self.next_page = safe_next(request.GET.get("next"))
        if site_urls.is_other_host(request) and "rehosted" not in request.GET:
            return self._rehosted(request, provider)
        if request.user.is_authenticated:
            return self._already_signed_in(request)
        if not is_visit(request):
            raise LoginRefused("login_not_a_visit")
        if provider:
            return self._authorization_request(request, enabled_provider(provider))
        choices = enabled_providers()
        if not choices:
            raise LoginRefused("no_provider")
        chosen = choices[0] if len(choices) == 1 else self._preselected(request, choices)
        if chosen is None:
            return render(request, "psc_connect/chooser.html")
        return self._authorization_request(request, chosen)

    def _rehosted(self, request: HttpRequest, provider: str) -> HttpResponse:
        """Go on at the host to which the provider will send the browser back: the cookie must be there.

        Once, since a proxy that hides the host would make it turn in circles. A rule about hosts is asked before.
        """
        chosen = None if provider else self._preselected(request, enabled_providers())
        parameters = {"rehosted": "1"} | ({"choose": "1"} if "choose" in request.GET else {})
        parameters |= {"as": "other"} if _is_somebody_else(request) else {}
        path = login_url(chosen.slug if chosen else provider, self.next_page, **parameters)
        return HttpResponseRedirect(site_urls.site_origin(request) + path)

    def _preselected(self, request: HttpRequest, choices: list[Provider]) -> Provider | None:
        # Whoever wants to choose is asked, whatever the rules say.
        return preselected(request, choices) if len(choices) > 1 and "choose" not in request.GET else None

    def _authorization_request(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        # Before the person identifies for nothing: the callback could only refuse them.
        provider.secret_for_its_issuer()
        follow_if_due(provider)
        login = PendingLogin(provider=provider.slug, next=self.next_page, is_second_try="again" in request.GET)
        return send_to_provider(
            request,
            provider,
            login,
            extra=self.get_extra_params(request),
            as_somebody_else=_is_somebody_else(request),
        )

    @override
    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Return what a site adds to the authorization request; parameters of the protocol cannot be replaced."""
        return {}

    def _already_signed_in(self, request: HttpRequest) -> HttpResponse:
        # A missing permission always names the page that it guards: only then is a redirect a loop.
        if "again" in request.GET or not self.next_page:
            return HttpResponseRedirect(landing_page(self.next_page))
        return already_signed_in(request, status=403)


def _is_somebody_else(request: HttpRequest) -> bool:
    """Whether the link of a refusal was followed: the session at the provider is another person's."""
    return request.GET.get("as") == "other"
