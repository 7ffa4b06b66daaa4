"""The logout: of this site first, then of the provider, and the page shown after both."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from django.contrib import auth
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from mozilla_django_oidc.views import OIDCLogoutView
from typing_extensions import override

from psc_connect.exceptions import LoginRefused
from psc_connect.login import site_urls
from psc_connect.login.session import session_id_token, session_login
from psc_connect.login.site_urls import login_link
from psc_connect.models import Provider
from psc_connect.oidc.errors import MetadataError
from psc_connect.oidc.logout import end_session_url
from psc_connect.views.base import ProviderView, already_signed_in

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.login.session import SessionLogin

logger = logging.getLogger("psc_connect")


@method_decorator(csrf_protect, name="dispatch")
class LogoutView(ProviderView, OIDCLogoutView):
    """Ends the session of this site, then that of the provider (OpenID Connect RP-Initiated Logout 1.0)."""

    http_method_names = ("get", "head", "post")

    @override
    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        """Show the page that has the logout button. A GET changes nothing: another site can trigger it."""
        if not request.user.is_authenticated:
            return HttpResponseRedirect(_logged_out_url(provider))
        return already_signed_in(request)

    @override
    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        login, id_token = session_login(request), session_id_token(request)
        # First: if the provider is down, the session of this site must still end.
        auth.logout(request)
        url = self._end_session_url(request, login, id_token) if login.provider == provider else ""
        if not url:
            return HttpResponseRedirect(_logged_out_url(provider))
        # Not an HTTP redirect: after a POST, Chromium checks its target against the site's `form-action`.
        return render(request, "psc_connect/signing_out.html", {"end_session_url": url})

    def _end_session_url(self, request: HttpRequest, login: SessionLogin, id_token: str) -> str:
        provider = Provider.objects.filter(slug=login.provider).first()
        try:
            # The slug may be another provider's now, which must not get the ID token.
            if provider is None or provider.issuer != login.issuer:
                return ""
            return end_session_url(
                provider.parsed_metadata,
                client_id=provider.client_id,
                post_logout_redirect_uri=site_urls.post_logout_redirect_uri(request, provider),
                # PSC requires a state. It is not checked on return: the page changes nothing.
                state=secrets.token_urlsafe(16),
                id_token_hint=id_token,
            )
        except (MetadataError, LoginRefused) as exc:
            logger.warning("logout.site_only code=%s provider=%s", exc.code, login.provider)
            return ""


def _logged_out_url(provider: str) -> str:
    """Return the URL of the logged-out page for a logout of this site alone."""
    return reverse("psc_connect:logged_out", args=[provider], query={"site_only": "1"})


class LoggedOutView(ProviderView):
    """The page to which the provider redirects after the logout, with or without ``state``."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        # Reached with the back button or by typing the URL: still signed in.
        if request.user.is_authenticated:
            return HttpResponseRedirect(site_urls.home_url())
        context = {
            "ended_at_provider": "site_only" not in request.GET,
            "home_url": site_urls.home_url(),
            "login_url": login_link(provider, site_urls.home_url()),
        }
        return render(request, "psc_connect/logged_out.html", context)
