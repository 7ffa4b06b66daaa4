"""``psc_required`` beside other decorators, by ``method_decorator`` on an asynchronous class."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required, user_passes_test
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.test import Client as Browser
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from psc_connect.decorators import PSCRequiredMixin, psc_required
from tests.support.browser_session import BrowserSession
from tests.urls import urlpatterns as common

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Podiatrists(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for podiatrists")

    async def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("posted")


def counting(view: Callable[..., Any]) -> Callable[..., Any]:
    """A site's own decorator, which knows nothing of asynchronous views."""

    @wraps(view)
    def counted(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return counted


OTHERS: dict[str, Any] = {
    "login_required": login_required,
    "csrf_exempt": csrf_exempt,
    "require_http_methods": require_http_methods(["GET"]),
    "own": counting,
    "psc_required": psc_required(mode="L"),
}
restricted = psc_required(profession="80")


def combined(*decorators: Any) -> Callable[..., Any]:
    """Return the view of a new class with these decorators, the outermost first."""
    new_class: type[View] = method_decorator(decorators, name="dispatch")(type("Combined", (Podiatrists,), {}))
    return new_class.as_view()


def combined_twice(*decorators: Any) -> Callable[..., Any]:
    """Return the view of a new class that gets these decorators one by one, the outermost first."""
    new_class: Any = type("CombinedTwice", (Podiatrists,), {})
    for decorator in reversed(decorators):
        new_class = method_decorator(decorator, name="dispatch")(new_class)
    view: Callable[..., Any] = new_class.as_view()
    return view


@method_decorator([counting, require_http_methods(["GET"])], name="dispatch")
class Decorated(Podiatrists):
    """A class of the site, below our mixin."""


class Mixed(PSCRequiredMixin, Decorated):
    psc_required = {"profession": "80"}  # noqa: RUF012


PAGES = {
    **{f"outside-{name}/": combined(restricted, other) for name, other in OTHERS.items()},
    **{f"inside-{name}/": combined(other, restricted) for name, other in OTHERS.items()},
    **{f"outside-twice-{name}/": combined_twice(restricted, other) for name, other in OTHERS.items()},
    **{f"inside-twice-{name}/": combined_twice(other, restricted) for name, other in OTHERS.items()},
    "between/": combined(counting, restricted, counting, login_required, counting),
    "mixin/": Mixed.as_view(),
    "refusing/": combined(restricted, user_passes_test(lambda _user: False, login_url="/elsewhere/")),
}
urlpatterns = [*[path(url, view) for url, view in PAGES.items()], *common]
RESTRICTED = sorted(set(PAGES) - {"refusing/"})


@pytest.fixture
def podiatrist(provider: Any, person: BrowserSession) -> Browser:
    person.sign_in()
    return person.browser


@pytest.fixture
def by_password(provider: Any) -> Browser:
    User.objects.create_user("anna", password="p-5b1")
    browser = Browser()
    assert browser.login(username="anna", password="p-5b1")
    return browser


async def _ask(browser: Browser, url: str) -> Any:
    client = AsyncClient()
    client.cookies = browser.cookies
    return await client.get(url)


@pytest.mark.parametrize("url", RESTRICTED)
def test_combined_view_is_restricted_under_a_synchronous_server(
    podiatrist: Browser, by_password: Browser, url: str
) -> None:
    accepted = podiatrist.get(f"/{url}")
    assert (accepted.content, accepted["Cache-Control"]) == (b"for podiatrists", "private")
    assert by_password.get(f"/{url}").status_code == 403


@pytest.mark.parametrize("url", RESTRICTED)
def test_combined_view_is_restricted_under_an_async_server(podiatrist: Browser, by_password: Browser, url: str) -> None:
    accepted = async_to_sync(_ask)(podiatrist, f"/{url}")
    assert (accepted.content, accepted["Cache-Control"]) == (b"for podiatrists", "private")
    assert async_to_sync(_ask)(by_password, f"/{url}").status_code == 403


@pytest.mark.parametrize("url", ["outside-require_http_methods/", "outside-twice-require_http_methods/", "mixin/"])
def test_answer_of_a_synchronous_decorator_is_given(podiatrist: Browser, url: str) -> None:
    assert podiatrist.post(f"/{url}").status_code == 405


def test_redirect_of_a_synchronous_decorator_is_given(podiatrist: Browser) -> None:
    assert podiatrist.get("/refusing/")["Location"] == "/elsewhere/?next=/refusing/"
