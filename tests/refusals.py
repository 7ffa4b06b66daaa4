"""What every refusal must leave behind, whatever refused it: a page with a code, and nothing else."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from psc_connect.models import Account
from psc_connect.simulator import Simulator
from tests.journey import Person, code_on


def assert_refused(
    person: Person,
    response: Any,
    code: str,
    *,
    simulator: Simulator,
    calls: tuple[int, int] = (0, 0),
    next_page: str = "",
) -> None:
    """``calls``: requests to the token and the userinfo endpoint since the start, none of them after the failure."""
    assert code_on(response) == code
    assert 400 <= response.status_code < 600
    assert response.status_code != 500
    assert "no-store" in response["Cache-Control"]
    assert settings.SESSION_COOKIE_NAME not in person.browser.cookies
    assert not Session.objects.exists()
    assert not get_user_model().objects.exists()
    assert not Account.objects.exists()
    assert (simulator.count("token"), simulator.count("userinfo")) == calls
    # Nor did a redirection, a header or a claim send us to an address that is no endpoint.
    assert all(request.endpoint for request in simulator.requests)
    if next_page:
        assert start_again_link(person.slug, next_page) in response.content.decode()


def start_again_link(slug: str, next_page: str) -> str:
    query = urlencode({"next": next_page})
    return f'href="{escape(f"/psc/{slug}/login/?{query}")}"'


def pending_cookies(person: Person) -> dict[str, str]:
    """Return the cookies of logins that this browser has begun and not finished."""
    return {
        name: morsel.value for name, morsel in person.browser.cookies.items() if "psc_auth_" in name and morsel.value
    }
