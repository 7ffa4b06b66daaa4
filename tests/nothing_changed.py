"""A sign-in that is refused leaves everything that was there before it as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from psc_connect.models import Account
from psc_connect.simulator import Simulator
from tests.journey import Person, code_on
from tests.refusals import start_again_link

PAGE = "/page/one/"
BACK_CHANNEL = ("token", "userinfo", "jwks", "metadata")


def assert_sign_in_is_refused(
    code: str,
    *,
    person: Person,
    simulator: Simulator,
    calls: tuple[str, ...] = ("token", "userinfo"),
    come_back: Callable[[Person], Any] = lambda person: person.sign_in(PAGE),
) -> Any:
    """Sign in and be refused: this code, no session, nothing made or changed, no call to the provider but ``calls``."""
    before = everything_kept()
    simulator.clear_requests()
    response = come_back(person)
    assert code_on(response) == code
    assert response.status_code in {400, 403, 404, 502, 503}
    assert not person.is_signed_in
    assert everything_kept() == before
    made = [request.endpoint for request in simulator.requests if request.endpoint in BACK_CHANNEL]
    assert made == list(calls)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    if response.context["explanation"].can_start_again:
        assert start_again_link(person.slug, PAGE) in response.content.decode()
    return response


def everything_kept() -> dict[str, list[dict[str, Any]]]:
    """The rows that a login could make or change; the state that it claimed is its own."""
    models = (get_user_model(), Account, Session)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}
