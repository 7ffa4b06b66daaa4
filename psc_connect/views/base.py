"""The base class of the views of a login, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, requires_csrf_token
from typing_extensions import override

from psc_connect.backends import default_setting
from psc_connect.exceptions import LoginRefused
from psc_connect.login.failures import REFUSALS, refusal_page
from psc_connect.login.site_urls import home_url
from psc_connect.login.visits import is_fetched_by_script
from psc_connect.models import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from psc_connect.login.failures import Refusal


# No open transaction during requests to the provider (ATOMIC_REQUESTS); no login required (LoginRequiredMiddleware).
# Pages of each view have a form, whose token needs a cookie: the site may not have CsrfViewMiddleware.
@method_decorator(
    [transaction.non_atomic_requests, login_not_required, never_cache, requires_csrf_token], name="dispatch"
)
class ProviderView(View):
    """Base class of the login views. Each failure shows a page with an explanation, not a 500."""

    next_page = ""
    # Of the person that the provider has identified.
    id_token = ""
    get_settings = staticmethod(default_setting)

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        _ignore_impossible_session(request)
        try:
            response = self.handle(request, *args, **kwargs)
        except REFUSALS as exc:
            response = self.refuse(request, exc)
        if isinstance(response, HttpResponseRedirect) and request.method == "GET" and is_fetched_by_script(request):
            response = page_for_scripts(request, response)
        return self.finish(response)

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer by the method of the request. What this raises gets a page too."""
        return super().dispatch(request, *args, **kwargs)

    @override
    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.refuse(request, LoginRefused("login_method_not_allowed"))
        # RFC 9110 15.5.6.
        response.headers["Allow"] = ", ".join(self._allowed_methods())  # type: ignore[attr-defined]  # not in the stubs
        return response

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        return response

    def refuse(self, request: HttpRequest, exc: Refusal) -> HttpResponse:
        slug = self.kwargs.get("provider", "")
        return refusal_page(request, exc, provider=slug, next_page=self.next_page, id_token=self.id_token)


def page_for_scripts(request: HttpRequest, redirect: HttpResponseRedirect) -> HttpResponse:
    """Return a page with a plain link to the target of ``redirect``, and its cookies.

    A script cannot follow a redirect to another origin. A service worker cannot show a page that it was redirected to.
    """
    page = render(request, "psc_connect/continue.html", {"url": redirect.url})
    page.cookies = redirect.cookies
    return page


def _ignore_impossible_session(request: HttpRequest) -> None:
    """Give the request an empty session if its session key is text that no site has sent.

    Databases refuse to compare some of it, such as NUL, which a cookie can contain as ``\\000``.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not (key.isascii() and key.isprintable()):
        request.session = type(request.session)()


# csrf_exempt: a POST changes nothing, and gets a page of ours instead of Django's.
@method_decorator(csrf_exempt, name="dispatch")
class GetView(ProviderView):
    """Base class of the login views that only accept GET. HEAD and OPTIONS must not start a login or spend a code."""

    http_method_names: Sequence[str] = ("get",)


def already_signed_in(request: HttpRequest, *, status: int = 200, form_is_stale: bool = False) -> HttpResponse:
    """Return the page that names the signed-in user and has the logout button."""
    context = {"home_url": home_url(), "username": request.user.get_username(), "form_is_stale": form_is_stale}
    return render(request, "psc_connect/already_signed_in.html", context, status=status)


def enabled_provider(slug: str) -> Provider:
    try:
        return Provider.objects.get_with_keys(slug=slug, enabled=True)
    except Provider.DoesNotExist:
        raise LoginRefused("no_provider") from None
