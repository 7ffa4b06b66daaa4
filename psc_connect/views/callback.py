"""The callback: accepts the provider's authorization response, once, and signs the person in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.contrib import auth
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView
from typing_extensions import override

from psc_connect.backends import prepared_backend
from psc_connect.current_professional import reset_current_professional
from psc_connect.dry_run import run
from psc_connect.exceptions import LoginRefused
from psc_connect.login import pending, recent_logins, site_urls
from psc_connect.login.browser_secret import BrowserSecret
from psc_connect.login.failures import REFUSALS, announce_failed_login
from psc_connect.login.redirects import landing_page
from psc_connect.login.session import SessionLogin, finished_login_page, open_session, session_login
from psc_connect.login.site_urls import activity_url, login_url
from psc_connect.login_steps import CuredByRestart, IdentificationTooOld, read_response
from psc_connect.models import Provider
from psc_connect.oidc.authorization import parse_authorization_response
from psc_connect.oidc.errors import AuthorizationResponseError
from psc_connect.professional.snapshot import changes
from psc_connect.signals import account_created, account_linked, professional_changed, signed_in
from psc_connect.views.base import GetView, enabled_provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from psc_connect.backends import CompletedLogin, ProSanteConnectBackend
    from psc_connect.login.failures import Refusal
    from psc_connect.login.pending import PendingLogin
    from psc_connect.oidc.authorization import AuthorizationResponse

logger = logging.getLogger("psc_connect")


class CallbackView(GetView, OIDCAuthenticationCallbackView):
    """The page to which the provider sends the browser back, after a login or a dry run.

    Only with GET: a POST of the provider (``response_mode=form_post``) has none of our cookies, because it is
    cross-site. A HEAD or OPTIONS request must not spend the code.
    """

    # Its cookie is deleted, unless the login page needs it.
    login: PendingLogin | None = None
    backend: ProSanteConnectBackend | None = None

    # Not an override of dispatch(): that would lose the attributes that decorators set on it (login_not_required).
    @override
    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        if self.login is not None and isinstance(response, HttpResponse):
            pending.delete(response, self.login, secure=site_urls.is_secure(self.request))
        # The address of this page holds a code, which no referrer may contain. Not "no-referrer": browsers would send
        # the form of a refused person with "Origin: null", which Django's CSRF protection refuses.
        response.headers["Referrer-Policy"] = "strict-origin"
        return response

    @override
    @sensitive_variables()
    def refuse(self, request: HttpRequest, exc: Refusal) -> HttpResponse:
        announce_failed_login(request, exc, provider=self.kwargs["provider"])
        if self.backend is not None:
            self.id_token = self.backend.observer.id_token
        response = super().refuse(request, exc)
        if isinstance(exc, recent_logins.LoginLoop):
            recent_logins.forget(request, response)
        return response

    @override
    # Also hides the variables of what it calls.
    @sensitive_variables()
    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        parameters = _take_parameters(request)
        login = self._recall_login(request, parameters.get("state", []))
        if login is None:
            return self._answer_reload(request, parse_authorization_response(parameters))
        if login.provider != provider:
            raise LoginRefused("authorization_provider_mismatch")
        self.login = login
        if login.dry_run_by:
            return self._finish_dry_run(request, login, parameters)
        row = enabled_provider(provider)
        try:
            grant = read_response(request, row, login, parameters)
        except CuredByRestart as exc:
            return self._restart(request, login, exc)
        recent_logins.refuse_loop(request, login)
        self.backend = backend = prepared_backend(request, row)
        # Only our backend: django.contrib.auth.authenticate() would pass the code and its verifier to all others too.
        try:
            user = backend.authenticate(request, code_grant=grant)
        except IdentificationTooOld:
            # Once: the next login sends `max_age`, and accepts what the provider answers.
            return self._redirect_to_login(login, identify="1")
        if user is None:
            raise LoginRefused("account_refused_by_site")
        return self._sign_in(request, backend, user, login)

    def _finish_dry_run(
        self, request: HttpRequest, login: PendingLogin, parameters: dict[str, list[str]]
    ) -> HttpResponse:
        """Keep the result for the administrator. Nobody is signed in and no signal is sent."""
        provider = Provider.objects.filter(slug=login.provider).first()
        if provider is None:
            raise LoginRefused("authorization_provider_mismatch")
        result = run.finish(request, provider, login, parameters)
        logger.info("dry_run.finished provider=%s code=%s", provider.slug, result.code or "none")
        return HttpResponseRedirect(reverse("admin:psc_connect_provider_dry_run", args=[provider.pk]))

    def _recall_login(self, request: HttpRequest, states: list[str]) -> PendingLogin | None:
        """Return the login that this browser began with the state. A refusal page leads back to its next page."""
        if len(states) != 1:
            return None
        login = pending.load(request, states[0], secure=site_urls.is_secure(request))
        self.next_page = login.next if login is not None else ""
        return login

    def _answer_reload(self, request: HttpRequest, response: AuthorizationResponse) -> HttpResponse:
        """Redirect a reload of a callback that has signed this session in. Refuse all else."""
        if request.user.is_authenticated:
            page = finished_login_page(request, pending.digest(response.state))
            if page is not None:
                self.next_page = page
                return self._redirect_to_page(request)
        raise AuthorizationResponseError("authorization_state_unknown")

    def _restart(self, request: HttpRequest, login: PendingLogin, exc: CuredByRestart) -> HttpResponse:
        """Start again, once."""
        if request.user.is_authenticated:
            return self._redirect_to_page(request)
        if login.is_retry:
            raise exc
        return self._redirect_to_login(login, again="1")

    def _redirect_to_login(self, login: PendingLogin, **parameters: str) -> HttpResponse:
        """Start the login again, with these parameters and those that it was started with."""
        started_with = {"again": login.is_retry, "identify": login.identify}
        kept = {name: "1" for name, is_set in started_with.items() if is_set}
        kept |= {"as": "other"} if login.as_other_person else {}
        kept |= {"restarted": login.short_digest}
        # The login page reads the cookie, and deletes it: a redirect from the provider does not show the first click.
        self.login = None
        return HttpResponseRedirect(login_url(login.provider, login.next, **{**kept, **parameters}))

    def _sign_in(
        self, request: HttpRequest, backend: ProSanteConnectBackend, user: User, login: PendingLogin
    ) -> HttpResponse:
        completed = backend.completed
        result = completed.result
        try:
            open_session(
                request,
                user,
                login,
                id_token=completed.id_token.raw,
                auth_time=completed.id_token.auth_time,
                details=_session_login(login, completed),
            )
            reset_current_professional(request)
            _send_signals(backend, request=request, user=user)
        except REFUSALS:
            # A receiver of the site refused the login, or the database failed: the page must not show a session.
            auth.logout(request)
            raise
        logger.info(
            "login.succeeded provider=%s account=%s created=%s linked=%s",
            login.provider,
            result.account.pk,
            result.created,
            result.linked,
        )
        response = self._redirect_to_page(request)
        recent_logins.record(request, response, login.next, finished_before=login.finished_before)
        # The session at the provider is open again: no logged-out page or refusal from before is true any longer.
        BrowserSecret.forget(request, response)
        return response

    def _redirect_to_page(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the page that the login was for, or first to the page where the person chooses an activity."""
        login = session_login(request)
        if login.must_choose:
            return HttpResponseRedirect(activity_url(login.provider, self.next_page))
        return HttpResponseRedirect(self.success_url)

    @property
    @override
    def success_url(self) -> str:
        return landing_page(self.next_page)


def _send_signals(backend: ProSanteConnectBackend, *, request: HttpRequest, user: User) -> None:
    result, identity, sender = backend.completed.result, backend.completed.identity, type(backend)
    arguments = {"request": request, "user": user, "account": result.account, "claims": identity.claims}
    if result.created:
        account_created.send(sender=sender, **arguments)
    if result.linked:
        account_linked.send(sender=sender, **arguments)
    signed_in.send(sender=sender, **arguments)
    before, after = result.before, identity.professional
    if before is not None and (changed := changes(before, after)):
        professional_changed.send(sender=sender, **arguments, before=before, after=after, changes=changed)


def _session_login(login: PendingLogin, completed: CompletedLogin) -> SessionLogin:
    choice = completed.result.choice
    return SessionLogin(
        provider=login.provider,
        issuer=completed.result.account.issuer,
        account=completed.result.account.pk,
        acr=completed.identity.acr,
        means=completed.identity.professional.means,
        activity_choice=choice.activity_choice.key if choice.activity_choice else "",
        must_choose=choice.must_ask,
    )


def _take_parameters(request: HttpRequest) -> dict[str, list[str]]:
    """Remove the parameters from the request, so that no error mail, monitor or receiver finds the code in it."""
    parameters = dict(request.GET.lists())
    request.GET = QueryDict()
    request.META["QUERY_STRING"] = ""
    # Copies of the address that gunicorn, uWSGI, mod_wsgi and waitress add.
    for name in {"RAW_URI", "REQUEST_URI", "UNENCODED_URL", "waitress.client_raw_uri"} & request.META.keys():
        request.META[name] = request.path
    return parameters
