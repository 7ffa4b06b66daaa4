"""A dry run, as an administrator goes through it."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.support.browser_session import BrowserSession


def begin(person: BrowserSession, provider: Provider) -> str:
    response = person.browser.get(f"/admin/psc_connect/provider/{provider.pk}/begin-dry-run/")
    assert response.status_code == 302, response
    return response["Location"]


def rehearse(person: BrowserSession, provider: Provider) -> Any:
    """Go through the whole dry run; return its page."""
    response = person.come_back(person.authorize(begin(person, provider)))
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == f"/admin/psc_connect/provider/{provider.pk}/dry-run/"
    return person.browser.get(response["Location"])


def steps_of(page: Any) -> dict[str, tuple[str, str]]:
    found = page.context["result"]
    assert [step.name for step in found.steps][:2] == ["state", "response_issuer"]
    return {step.name: (step.status, step.code) for step in found.steps}


def all_passed(steps: dict[str, tuple[str, str]]) -> bool:
    """Whether nothing failed, and only what the provider's row does not demand was not looked at."""
    not_required = {name for name, outcome in steps.items() if outcome == ("not_required", "")}
    passed = {name for name, outcome in steps.items() if outcome == ("passed", "")}
    return not_required <= {"acr", "auth_time"} and passed | not_required == {*steps}
