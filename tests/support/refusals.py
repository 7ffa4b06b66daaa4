"""Assertions for every refused login: a page with an error code, and no data changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings

from psc_connect.simulator import Simulator
from tests.support.browser_session import BACK_CHANNEL, PAGE, BrowserSession, error_code_of

EMPTY: Mapping[str, Any] = MappingProxyType({})
# Tables that are not empty before the first login, and the claimed states, which a refused login keeps.
IGNORED_TABLES = {
    "auth.group",
    "auth.group_permissions",
    "auth.permission",
    "contenttypes.contenttype",
    "psc_connect.claimedstate",
    "psc_connect.declarationchange",
    "psc_connect.exportedattribute",
    "psc_connect.provider",
    "psc_connect.providerfetchtimes",
    "psc_connect.signingkey",
}


def assert_refused(
    person: BrowserSession,
    response: Any,
    code: str,
    *,
    simulator: Simulator,
    calls: tuple[str, ...] = (),
    next_page: str = "",
    before: Mapping[str, Any] = EMPTY,
) -> None:
    """Assert that the login was refused with this code and changed nothing.

    ``calls`` are the endpoints that the site requested, none after the failure; ``before`` is the `stored_data` of
    this person before the login.
    """
    assert error_code_of(response) == code
    assert response.status_code in {400, 403, 404, 405, 429, 503}
    assert ("Retry-After" in response) == (response.status_code in {429, 503})
    assert "no-store" in response["Cache-Control"]
    if "/callback/" in response.request["PATH_INFO"]:
        assert response["Referrer-Policy"] == "strict-origin"
    assert not person.is_signed_in
    assert stored_data(person) == before
    assert [request.endpoint for request in simulator.requests if request.endpoint in BACK_CHANNEL] == list(calls)
    # No redirect, header or claim made us request an address that is not an endpoint.
    assert all(request.endpoint for request in simulator.requests)
    if next_page:
        assert start_again_link(person.slug, next_page) in response.content.decode()


def assert_sign_in_is_refused(
    code: str,
    *,
    person: BrowserSession,
    simulator: Simulator,
    calls: tuple[str, ...] = ("token", "userinfo"),
    come_back: Callable[[BrowserSession], Any] = lambda person: person.sign_in(PAGE),
) -> Any:
    """Sign in and assert that it is refused; return the response."""
    before = stored_data(person)
    simulator.clear_requests()
    response = come_back(person)
    next_page = PAGE if response.context["explanation"].can_start_again else ""
    assert_refused(person, response, code, simulator=simulator, calls=calls, next_page=next_page, before=before)
    return response


def stored_data(person: BrowserSession) -> dict[str, Any]:
    """Return every row that a login can create or change, and the session cookie, without the empty ones."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    rows = {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in models
        if model._meta.label_lower not in IGNORED_TABLES
    }
    cookie = person.browser.cookies.get(settings.SESSION_COOKIE_NAME)
    stored = {**rows, "cookie of the session": cookie.value if cookie else ""}
    return {name: value for name, value in stored.items() if value}


def start_again_link(slug: str, next_page: str) -> str:
    query = urlencode({"next": next_page, "clicked": "1"})
    return f'href="{escape(f"/psc/{slug}/login/?{query}")}"'


def pending_cookies(person: BrowserSession) -> dict[str, str]:
    """Return the cookies of the pending logins of this browser."""
    return {
        name: morsel.value for name, morsel in person.browser.cookies.items() if "psc_auth_" in name and morsel.value
    }
