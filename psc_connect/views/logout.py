"""The logout: of this site first, then of the provider, and the page shown after both."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import auth
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from mozilla_django_oidc.views import OIDCLogoutView
from typing_extensions import override

from psc_connect.exceptions import LoginRefused
from psc_connect.login import recent_logins, site_urls
from psc_connect.login.logout import (
    CLOSE,
    SIGN_IN,
    can_end_session,
    id_token_of_refused_login,
    posted_logout,
    returned_logout,
)
from psc_connect.login.session import session_id_token, session_login
from psc_connect.login.site_urls import login_link
from psc_connect.models import Provider
from psc_connect.oidc.errors import MetadataError
from psc_connect.oidc.logout import end_session_url
from psc_connect.providers.keys import accepts_hint
from psc_connect.views.base import GetView, already_signed_in
from psc_connect.views.csrf import CSRFProtectedView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.login.logout import Logout

logger = logging.getLogger("psc_connect")


class LogoutView(CSRFProtectedView, OIDCLogoutView):
    """Ends the session of this site, then that of the provider (OpenID Connect RP-Initiated Logout 1.0)."""

    http_method_names = ("get", "head", "post")

    @override
    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        """Show the page that has the logout button. A GET changes nothing: another site can trigger it."""
        if not request.user.is_authenticated:
            return HttpResponseRedirect(_logged_out_url(provider))
        return already_signed_in(request, form_is_stale=self.form_is_stale)

    @override
    @method_decorator(sensitive_post_parameters("id_token"))
    # Also hides the variables of what it calls.
    @sensitive_variables()
    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        logout, login = posted_logout(request, provider), session_login(request)
        of_refusal, of_session = id_token_of_refused_login(request, logout), session_id_token(request)
        # First: if the provider is down, the session of this site must still end.
        auth.logout(request)
        row = Provider.objects.filter(slug=provider).first()
        # The slug may be another provider's now, which must not get the ID token.
        opened_session = row is not None and (login.provider, login.issuer) == (provider, row.issuer)
        id_token = of_refusal or (of_session if opened_session else "")
        ends_there = _ends_at_provider(logout, has_hint=bool(id_token), opened_session=opened_session)
        url = self._end_session_url(request, row, logout, id_token) if row is not None and ends_there else ""
        response = self._answer(request, logout, url)
        logout.browser.store(response)
        # Who signs out and in again does not go round in a loop.
        recent_logins.forget(request, response)
        return response

    def _answer(self, request: HttpRequest, logout: Logout, url: str) -> HttpResponse:
        if not url:
            return HttpResponseRedirect(_logged_out_url(logout.provider, logout))
        # Not an HTTP redirect: after a POST, Chromium checks its target against the site's `form-action`.
        return render(request, "psc_connect/signing_out.html", {"end_session_url": url})

    def _end_session_url(self, request: HttpRequest, provider: Provider, logout: Logout, id_token: str) -> str:
        if id_token and not accepts_hint(provider, id_token):
            # Keycloak answers an error to this hint, and leaves the session open. Without one, it asks the person.
            logger.info("logout.without_hint provider=%s", provider.slug)
            id_token = ""
        try:
            return end_session_url(
                provider.parsed_metadata,
                client_id=provider.client_id,
                post_logout_redirect_uri=site_urls.post_logout_redirect_uri(request, provider),
                state=logout.state,
                id_token_hint=id_token,
            )
        except (MetadataError, LoginRefused) as exc:
            logger.warning("logout.site_only code=%s provider=%s", exc.code, provider.slug)
            return ""


def _ends_at_provider(logout: Logout, *, has_hint: bool, opened_session: bool) -> bool:
    """Return whether the session at the provider is to be ended too."""
    if logout.then == SIGN_IN:
        # Without the ID token, the login of the other person makes the provider ask for identification instead.
        return has_hint
    return logout.then == CLOSE or opened_session


def _logged_out_url(provider: str, logout: Logout | None = None) -> str:
    """Return the URL of the logged-out page for a logout of this site alone."""
    query = {"site_only": "1"}
    if logout is not None and logout.then == SIGN_IN:
        query["state"] = logout.state
    return reverse("psc_connect:logged_out", args=[provider], query=query)


class LoggedOutView(GetView):
    """The page to which the provider redirects after the logout, with or without ``state``.

    It changes nothing: it can be reloaded, and another site can link to it.
    """

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        logout = returned_logout(request, provider)
        # Reached with the back button or by typing the URL: still signed in, or perhaps so.
        if request.user.is_authenticated or (logout is None and _session_may_be_withheld(request)):
            return HttpResponseRedirect(site_urls.home_url())
        signs_in = logout is not None and logout.then == SIGN_IN
        # Only the provider's redirect brings the state back. Without it, the session there may be open.
        is_closed = logout is not None and "site_only" not in request.GET
        next_page = logout.next if logout is not None else ""
        as_other = {"as": "other"} if signs_in and not is_closed else {}
        can_close = not is_closed and can_end_session(provider)
        context = {
            "ended_at_provider": is_closed,
            # The person was not signed in here: from the page of a refused login, or from this one.
            "ended_at_provider_only": logout is not None and logout.then == CLOSE and is_closed,
            "signs_in": signs_in,
            "provider": provider,
            "next": next_page,
            "home_url": site_urls.home_url(),
            "login_url": login_link(provider, next_page or site_urls.home_url(), **as_other),
            "logout_url": reverse("psc_connect:logout", args=[provider]) if can_close else "",
        }
        return render(request, "psc_connect/logged_out.html", context)


def _session_may_be_withheld(request: HttpRequest) -> bool:
    """Return whether the browser does not send the session cookie, as it comes from another site."""
    is_strict = (settings.SESSION_COOKIE_SAMESITE or "").lower() == "strict"
    return is_strict and request.headers.get("Sec-Fetch-Site") == "cross-site"
