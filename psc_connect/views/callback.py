"""The browser comes back: the answer is taken once, and the person whom it names is signed in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib import auth
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView
from typing_extensions import override

from psc_connect.backends import CodeGrant, prepared_backend
from psc_connect.current_professional import reset_current_professional
from psc_connect.dry_run import run
from psc_connect.exceptions import LoginRefused
from psc_connect.login import pending, site_urls
from psc_connect.login.failures import REFUSALS, announce_failed_login
from psc_connect.login.redirects import landing_page
from psc_connect.login.session import SessionLogin, finished_login_page, open_session, session_login
from psc_connect.login.site_urls import activity_url, login_url
from psc_connect.models import Provider, RequireIssuer
from psc_connect.oidc.authorization import check_issuer, parse_authorization_response
from psc_connect.oidc.errors import AuthorizationResponseError
from psc_connect.professional.snapshot import changes
from psc_connect.signals import account_created, account_linked, professional_changed, signed_in
from psc_connect.views.base import ProviderView, enabled_provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from psc_connect.backends import CompletedLogin, ProSanteConnectBackend
    from psc_connect.login.failures import Refusal
    from psc_connect.login.pending import PendingLogin
    from psc_connect.oidc.authorization import AuthorizationResponse

logger = logging.getLogger("psc_connect")


class CallbackView(ProviderView, OIDCAuthenticationCallbackView):
    """Takes the provider's answer, once, and signs in the person whom it names."""

    login: PendingLogin | None = None

    # dispatch() itself is not overridden: the marks of the base class's, such as login_not_required, would be lost.
    @override
    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        if self.login is not None and isinstance(response, HttpResponse):
            pending.delete(response, self.login, secure=site_urls.is_secure(self.request))
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
        if login is not None and login.dry_run_by:
            return self._end_dry_run(request, login, parameters)
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

    @sensitive_variables()
    def _end_dry_run(self, request: HttpRequest, login: PendingLogin, parameters: dict[str, list[str]]) -> HttpResponse:
        """Nobody is signed in, and no receiver of ours hears of it: the administrator reads what came of it.

        An answer that belongs to no dry run of this browser is refused like any other.
        """
        self.login = login
        row = Provider.objects.filter(slug=self.kwargs["provider"]).first()
        if row is None or login.provider != row.slug:
            raise LoginRefused("authorization_provider_mismatch")
        found = run.finish(request, row, login, parameters)
        logger.info("dry_run.finished provider=%s code=%s", row.slug, found.code or "none")
        return HttpResponseRedirect(reverse("admin:psc_connect_provider_dry_run", args=[row.pk]))

    def _begun_here(self, request: HttpRequest, states: list[str]) -> PendingLogin | None:
        """Return the login that this browser began with the state; its page is kept whatever else is wrong."""
        if len(states) != 1:
            return None
        login = pending.load(request, states[0], secure=site_urls.is_secure(request))
        self.next_page = login.next if login is not None else ""
        return login

    def _over_already(self, request: HttpRequest, answer: AuthorizationResponse) -> HttpResponse:
        """Answer a reload of a callback that signed this session in with its page; anything else is refused."""
        if request.user.is_authenticated:
            page = finished_login_page(request, pending.digest(answer.state))
            if page is not None:
                self.next_page = page
                return self._on_to_the_page(request)
        raise AuthorizationResponseError("authorization_state_unknown")

    def _begun_twice(self, request: HttpRequest, login: PendingLogin) -> HttpResponse:
        """Answer the second of two clicks: the code is spent, but the person's session at the provider is open."""
        if request.user.is_authenticated:
            return self._on_to_the_page(request)
        if login.is_retry:
            raise LoginRefused("authorization_state_used")
        return HttpResponseRedirect(login_url(login.provider, login.next, again="1"))

    @sensitive_variables()
    def _sign_in(self, request: HttpRequest, provider: Provider, login: PendingLogin, code: str) -> HttpResponse:
        backend = prepared_backend(request, provider)
        grant = CodeGrant.of(request, provider, login, code)
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
        found = done.resolution
        said = {"request": request, "user": user, "account": found.account, "claims": done.person.claims}
        try:
            open_session(
                request,
                user,
                login,
                id_token=done.id_token,
                auth_time=done.auth_time,
                details=_session_login(login, done),
            )
            reset_current_professional(request)
            if found.created:
                account_created.send(sender=type(backend), **said)
            if found.linked:
                account_linked.send(sender=type(backend), **said)
            signed_in.send(sender=type(backend), **said)
            self._tell_what_changed(backend, said)
        except REFUSALS:
            # A receiver of the site's said no, or the database did: the page that says so is no lie.
            auth.logout(request)
            raise
        logger.info(
            "login.succeeded provider=%s account=%s created=%s linked=%s",
            login.provider,
            found.account.pk,
            found.created,
            found.linked,
        )
        return self._on_to_the_page(request)

    def _on_to_the_page(self, request: HttpRequest) -> HttpResponse:
        """Lead to the page that the login was for, past the question in what capacity where it has no answer yet."""
        kept = session_login(request)
        if kept.must_choose:
            return HttpResponseRedirect(activity_url(kept.provider, self.next_page))
        return HttpResponseRedirect(self.success_url)

    def _tell_what_changed(self, backend: ProSanteConnectBackend, said: dict[str, Any]) -> None:
        before, after = backend.completed.resolution.before, backend.completed.person.professional
        if before is not None and (changed := changes(before, after)):
            professional_changed.send(sender=type(backend), **said, before=before, after=after, changes=changed)

    @property
    @override
    def success_url(self) -> str:
        return landing_page(self.next_page)


def _session_login(login: PendingLogin, done: CompletedLogin) -> SessionLogin:
    choice = done.resolution.choice
    return SessionLogin(
        provider=login.provider,
        account=done.resolution.account.pk,
        acr=done.person.acr,
        means=done.person.professional.means,
        activity_choice=choice.activity_choice.key if choice.activity_choice else "",
        must_choose=choice.must_ask,
    )


def _taken_parameters(request: HttpRequest) -> dict[str, list[str]]:
    """Take the parameters out of the request, so that no error mail, monitor or receiver finds the code there."""
    parameters = dict(request.GET.lists())
    request.GET = QueryDict()
    request.META["QUERY_STRING"] = ""
    # Copies that gunicorn, uWSGI, mod_wsgi and waitress put there.
    for name in {"RAW_URI", "REQUEST_URI", "UNENCODED_URL", "waitress.client_raw_uri"} & request.META.keys():
        request.META[name] = request.path
    return parameters
