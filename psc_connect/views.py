"""The four pages of a login: begun, come back, signed out, come back again."""

from __future__ import annotations

import logging
import secrets
import sys
from typing import TYPE_CHECKING, Any

from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.utils import generate_code_challenge
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
    OIDCLogoutView,
)

from psc_connect import origin, pending
from psc_connect.backends import CodeGrant, default_setting, installed_backend
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Provider, RequireIssuer
from psc_connect.next_page import landing_page, safe_next
from psc_connect.oidc.authorization import authorization_url, check_issuer, parse_authorization_response
from psc_connect.oidc.errors import AuthorizationResponseError, MetadataError
from psc_connect.oidc.logout import end_session_url
from psc_connect.pending import PendingLogin
from psc_connect.refusals import REFUSALS, announce_failed_login, login_url, refusal_page
from psc_connect.session import KeptLogin, kept_login, landing_of, open_session
from psc_connect.signals import account_created, account_linked, signed_in

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from psc_connect.backends import ProSanteConnectBackend
    from psc_connect.oidc.authorization import AuthorizationResponse
    from psc_connect.refusals import Refusal

logger = logging.getLogger("psc_connect")


# No transaction is open while a provider is waited for; nobody need be signed in.
@method_decorator([transaction.non_atomic_requests, login_not_required, never_cache], name="dispatch")
class ProviderView(View):
    """What the pages have in common: where something is wrong, a page in plain words, never a 500."""

    next_page = ""
    get_settings = staticmethod(default_setting)

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = super().dispatch(request, *args, **kwargs)
        except REFUSALS as exc:
            response = self.refuse(request, exc)
        return self.finish(request, response)

    def finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response

    def refuse(self, request: HttpRequest, exc: Refusal) -> HttpResponse:
        return refusal_page(request, exc, provider=self.kwargs.get("provider", ""), next_page=self.next_page)


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
            return self._already_signed_in(request, provider)
        if not _is_visit(request):
            raise LoginRefused("login_not_a_visit")
        if provider:
            return self._authorization_request(request, enabled_provider(provider))
        choices = list(Provider.objects.filter(enabled=True))
        if not choices:
            raise LoginRefused("no_provider")
        return self._authorization_request(request, choices[0]) if len(choices) == 1 else self._chooser(choices)

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

    def _already_signed_in(self, request: HttpRequest, provider: str) -> HttpResponse:
        if "again" in request.GET:
            return HttpResponseRedirect(landing_page(self.next_page))
        slug = kept_login(request).provider or provider
        context = {
            "next_url": self.next_page,
            "home_url": resolve_url("/"),
            "username": request.user.get_username(),
            "logout_action": reverse("psc_connect:logout", args=[slug]) if slug else "",
        }
        return render(request, "psc_connect/already_signed_in.html", context, status=403)

    def _chooser(self, choices: list[Provider]) -> HttpResponse:
        shown = [
            {
                "text": provider.button_text or _("Sign in with Pro Santé Connect"),
                "logo": static(provider.button_logo) if provider.button_logo else "",
                "url": login_url(provider.slug, self.next_page),
                "environment": provider.get_environment_display(),
            }
            for provider in choices
        ]
        return render(self.request, "psc_connect/chooser.html", {"choices": shown})


class CallbackView(ProviderView, OIDCAuthenticationCallbackView):
    """Takes the provider's answer, once, and signs in the person whom it names."""

    login: PendingLogin | None = None

    # dispatch() itself is not overridden: the marks of the base class's, such as login_not_required, would be lost.
    @override
    def finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if self.login is not None and isinstance(response, HttpResponse):
            pending.forget(response, self.login, secure=origin.is_secure(request))
        # The address of this page holds a code: whatever the next page links to must not learn it.
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @override
    def refuse(self, request: HttpRequest, exc: Refusal) -> HttpResponse:
        announce_failed_login(request, exc, provider=self.kwargs["provider"])
        return super().refuse(request, exc)

    @override
    @sensitive_variables()
    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        parameters = _taken_parameters(request)
        login = self._begun_here(request, parameters.get("state", []))
        answer = parse_authorization_response(parameters)
        if login is None:
            return self._over_already(request, answer)
        if login.provider != provider:
            raise LoginRefused("authorization_provider_mismatch")
        self.login = login
        if login.is_expired:
            raise LoginRefused("authorization_state_expired")
        row = enabled_provider(provider)
        check_issuer(answer, metadata=row.parsed_metadata, require=row.require_iss == RequireIssuer.ANNOUNCED)
        if answer.error:
            raise LoginRefused(f"authorization_{answer.error}")
        if not pending.claim(login):
            return self._begun_twice(request, login)
        return self._sign_in(request, row, login, answer.code)

    def _begun_here(self, request: HttpRequest, states: list[str]) -> PendingLogin | None:
        """Return the login that this browser began with the state; its page is kept whatever else is wrong."""
        if len(states) != 1:
            return None
        login = pending.recall(request, states[0], secure=origin.is_secure(request))
        self.next_page = login.next if login is not None else ""
        return login

    def _over_already(self, request: HttpRequest, answer: AuthorizationResponse) -> HttpResponse:
        """Answer a reload of a callback that signed this session in with its page; anything else is refused."""
        if request.user.is_authenticated:
            page = landing_of(request, pending.digest(answer.state))
            if page is not None:
                return HttpResponseRedirect(landing_page(page))
        raise AuthorizationResponseError("authorization_state_unknown")

    def _begun_twice(self, request: HttpRequest, login: PendingLogin) -> HttpResponse:
        """Answer the second of two clicks: the code is spent, but the person's session at the provider is open."""
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.success_url)
        if login.is_second_try:
            raise LoginRefused("authorization_state_used")
        return HttpResponseRedirect(login_url(login.provider, login.next, again="1"))

    @sensitive_variables()
    def _sign_in(self, request: HttpRequest, provider: Provider, login: PendingLogin, code: str) -> HttpResponse:
        backend = installed_backend()
        grant = CodeGrant(
            provider=provider,
            redirect_uri=origin.redirect_uri(request, provider),
            code=code,
            code_verifier=login.code_verifier,
            nonce=login.nonce,
        )
        # Our backend alone: django.contrib.auth.authenticate() would offer the code and its verifier to every other.
        user = backend.authenticate(request, code_grant=grant)
        if user is None:
            raise LoginRefused("account_refused_by_site")
        return self._welcome(request, backend, user, login)

    @sensitive_variables()
    def _welcome(
        self,
        request: HttpRequest,
        backend: ProSanteConnectBackend,
        user: User,
        login: PendingLogin,
    ) -> HttpResponse:
        done = backend.completed
        said = {"request": request, "user": user, "account": done.account, "claims": done.claims}
        try:
            open_session(request, user, login, id_token=done.id_token)
            if done.created:
                account_created.send(sender=type(backend), **said)
            if done.linked:
                account_linked.send(sender=type(backend), **said)
            signed_in.send(sender=type(backend), **said)
        except REFUSALS:
            # A receiver of the site's said no, or the database did: the page that says so is no lie.
            auth.logout(request)
            raise
        logger.info(
            "login.succeeded provider=%s account=%s created=%s linked=%s",
            login.provider,
            done.account.pk,
            done.created,
            done.linked,
        )
        return HttpResponseRedirect(self.success_url)

    @property
    @override
    def success_url(self) -> str:
        return landing_page(self.next_page)


@method_decorator(csrf_protect, name="dispatch")
class LogoutView(ProviderView, OIDCLogoutView):
    """Ends the session of this site, then the provider's (OpenID Connect RP-Initiated Logout 1.0)."""

    http_method_names = ("post",)

    @override
    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        kept = kept_login(request)
        # First, and whatever follows: a provider that is down must not keep a session of ours open.
        auth.logout(request)
        url = self._end_session_url(request, provider, kept) if kept.provider == provider else ""
        if not url:
            return HttpResponseRedirect(reverse("psc_connect:logged_out", args=[provider]) + "?here=1")
        # A page that moves on, not a redirect: Chromium applies a site's `form-action` to redirects after a POST.
        return render(request, "psc_connect/signing_out.html", {"end_session_url": url})

    def _end_session_url(self, request: HttpRequest, slug: str, kept: KeptLogin) -> str:
        provider = Provider.objects.filter(slug=slug).first()
        try:
            if provider is None or not provider.parsed_metadata.end_session_endpoint:
                return ""
            return end_session_url(
                provider.parsed_metadata,
                client_id=provider.client_id,
                post_logout_redirect_uri=origin.post_logout_redirect_uri(request, provider),
                # Sent because PSC asks for it; not needed on return, since the page there does nothing.
                state=secrets.token_urlsafe(16),
                id_token_hint=kept.id_token,
            )
        except (MetadataError, LoginRefused) as exc:
            logger.warning("logout.here_only code=%s provider=%s", exc.code, slug)
            return ""


class LoggedOutView(ProviderView):
    """Where the provider sends the browser after the sign-out; it lands here with and without a ``state``."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        context = {
            "ended_at_provider": "here" not in request.GET,
            "home_url": resolve_url("/"),
            "login_url": login_url(provider, ""),
        }
        return render(request, "psc_connect/logged_out.html", context)


def enabled_provider(slug: str) -> Provider:
    try:
        return Provider.objects.get(slug=slug, enabled=True)
    except Provider.DoesNotExist:
        raise LoginRefused("no_provider") from None


def _is_visit(request: HttpRequest) -> bool:
    """Whether a person opens the page: an image, a frame or a prefetch must not push real logins out of the cookies.

    Browsers too old for these headers (https://www.w3.org/TR/fetch-metadata/) send none, and are let through.
    """
    destination = request.headers.get("Sec-Fetch-Dest", "document")
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return destination == "document" and "prefetch" not in purposes


def _taken_parameters(request: HttpRequest) -> dict[str, list[str]]:
    """Take the parameters out of the request, so that no error mail, monitor or receiver finds the code there."""
    parameters = dict(request.GET.lists())
    request.GET = QueryDict()
    request.META["QUERY_STRING"] = ""
    return parameters
