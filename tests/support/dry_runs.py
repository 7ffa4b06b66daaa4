"""A dry run, as an administrator goes through it."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.support.browser_session import BrowserSession, error_code_of


def begin(session: BrowserSession, provider: Provider) -> str:
    """Start a dry run; return the address at the provider."""
    response = session.browser.get(f"/admin/psc_connect/provider/{provider.pk}/begin-dry-run/")
    assert response.status_code == 302, response
    return response["Location"]


def dry_run(session: BrowserSession, provider: Provider) -> Any:
    """Go through a whole dry run; return the page of its result."""
    response = session.come_back(session.authorize(begin(session, provider)))
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == f"/admin/psc_connect/provider/{provider.pk}/dry-run/"
    return session.browser.get(response["Location"])


def code_of(session: BrowserSession, response: Any) -> str:
    """Return the code with which the callback of a dry run ended, or "" if the person would be signed in.

    It is on the error page, in a step that failed or in the preview.
    """
    if response.status_code != 302:
        return error_code_of(response)
    page = session.browser.get(response["Location"])
    result, preview = page.context["result"], page.context["preview"]
    assert (preview is None) == bool(result.code)
    if preview is None:
        return str(result.code)
    assert (preview.outcome == "refused") == bool(preview.code)
    return str(preview.code)


def steps_of(page: Any) -> dict[str, tuple[str, str]]:
    result = page.context["result"]
    assert [step.name for step in result.steps][:2] == ["state", "response_issuer"]
    return {step.name: (step.status, step.code) for step in result.steps}


def all_passed(steps: dict[str, tuple[str, str]]) -> bool:
    """Return whether every step passed that the provider's settings require."""
    not_required = {name for name, outcome in steps.items() if outcome == ("not_required", "")}
    passed = {name for name, outcome in steps.items() if outcome == ("passed", "")}
    return not_required <= {"acr", "auth_time"} and passed | not_required == {*steps}
