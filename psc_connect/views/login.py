"""The start of a login: select the provider and redirect the browser to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views import View
from mozilla_django_oidc.views import OIDCAuthenticationRequestView
from typing_extensions import override

from psc_connect.exceptions import LoginRefused
from psc_connect.login import pending, recent_logins, site_urls
from psc_connect.login.authorization_request import send_to_provider
from psc_connect.login.pending import PendingLogin
from psc_connect.login.provider_selection import enabled_providers, select_provider
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.site_urls import login_url
from psc_connect.login.visits import is_fetched_by_script, is_from_this_site, is_visit, start_of
from psc_connect.providers.metadata import follow_if_due
from psc_connect.views.base import GetView, already_signed_in, enabled_provider

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import Provider


class LoginView(GetView, OIDCAuthenticationRequestView):
    """Redirects the browser to the provider, with a pending login in a cookie (OpenID Connect Core 3.1.2.1)."""

    @override
    def __init__(self, **kwargs: Any) -> None:
        # The method of mozilla-django-oidc requires OIDC_* settings.
        View.__init__(self, **kwargs)

    @override
    def get(self, request: HttpRequest, provider: str = "") -> HttpResponse:
        self.next_page = safe_next(request.GET.get("next"))
        if is_fetched_by_script(request) and not _may_start_in_script(request):
            # dispatch() makes it a page with a link: a script could not follow the redirects after this one.
            return HttpResponseRedirect(self._this_login(request, provider, fetched="1", clicked="1"))
        if site_urls.is_other_host(request) and "from_other_host" not in request.GET:
            return self._redirect_to_site_host(request, provider)
        if request.user.is_authenticated:
            return self._already_signed_in(request)
        if not is_visit(request) and not is_fetched_by_script(request):
            raise LoginRefused("login_not_a_visit")
        if provider:
            return self._authorization_request(request, enabled_provider(provider))
        choices = enabled_providers()
        if not choices:
            raise LoginRefused("no_provider")
        chosen = choices[0] if len(choices) == 1 else self._select_provider(request, choices)
        if chosen is None:
            return render(request, "psc_connect/choose_provider.html")
        return self._authorization_request(request, chosen)

    def _redirect_to_site_host(self, request: HttpRequest, provider: str) -> HttpResponse:
        """Continue on the host of the redirect URI, which must receive the login's cookie.

        Once only: behind a proxy that hides the host it would be an endless loop. Selection rules about the host are
        applied before.
        """
        chosen = None if provider else self._select_provider(request, enabled_providers())
        path = self._this_login(request, chosen.slug if chosen else provider, from_other_host="1")
        return HttpResponseRedirect(site_urls.site_origin(request) + path)

    def _this_login(self, request: HttpRequest, provider: str, **parameters: str) -> str:
        """Return the login URL with the parameters of this request and these."""
        kept = {name: "1" for name in ("again", "choose", "clicked", "fetched", "identify") if name in request.GET}
        kept |= {"as": "other"} if _is_other_person(request) else {}
        kept |= {"restarted": restarted} if (restarted := _restarted(request)) else {}
        return login_url(provider, self.next_page, **{**kept, **parameters})

    def _select_provider(self, request: HttpRequest, choices: list[Provider]) -> Provider | None:
        # ?choose=1 asks, even if a rule matches.
        return select_provider(request, choices) if len(choices) > 1 and "choose" not in request.GET else None

    def _authorization_request(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        # Before the person identifies: without the secret, the callback can only refuse.
        provider.secret_for_its_issuer()
        follow_if_due(provider)
        secure = site_urls.is_secure(request)
        restarted = pending.load_restarted(request, _restarted(request), secure=secure)
        login = PendingLogin(
            provider=provider.slug,
            provider_id=provider.pk,
            next=self.next_page,
            is_retry="again" in request.GET,
            identify="identify" in request.GET,
            start=restarted.start if restarted is not None else start_of(request),
            as_other_person=_is_other_person(request),
            finished_before=recent_logins.count(request, self.next_page),
        )
        response = send_to_provider(request, provider, login, extra=self.get_extra_params(request))
        if restarted is not None:
            pending.delete(response, restarted, secure=secure)
        return response

    @override
    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Return extra parameters of the authorization request. They cannot replace those of the protocol."""
        return {}

    def _already_signed_in(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(landing_page(self.next_page))
        if {"again", "identify"} & request.GET.keys():
            return response
        # A page that lacked a permission sent its path as ?next=: redirecting there would be an endless loop. A link of
        # ours was clicked on a page that was loaded before the person signed in.
        stale_link = "clicked" in request.GET and not _is_other_person(request)
        # All the same, the page may be the one that sent the browser here.
        page = recent_logins.SIGNED_IN + self.next_page
        visits = recent_logins.count(request, page)
        if (self.next_page and not stale_link) or visits >= recent_logins.MAX_LOGINS:
            return already_signed_in(request, status=403)
        if is_visit(request):
            recent_logins.record(request, response, page, finished_before=visits)
        return response


def _may_start_in_script(request: HttpRequest) -> bool:
    """Return whether a login may start although a script fetches the page, or somebody is signed in.

    The first time, a script gets a page with a plain link, and nothing starts: it may fetch links that the person never
    opens. Where a service worker fetches that link too, the person has opened it.
    """
    return request.user.is_authenticated or ("fetched" in request.GET and is_from_this_site(request))


def _is_other_person(request: HttpRequest) -> bool:
    """Return whether the provider's session may belong to another person (the link on the page of a refusal)."""
    return request.GET.get("as") == "other"


def _restarted(request: HttpRequest) -> str:
    """Return the ``short_digest`` of the login that is started again, or ""."""
    restarted = request.GET.get("restarted", "")
    return restarted if pending.SHORT_DIGEST.fullmatch(restarted) else ""
