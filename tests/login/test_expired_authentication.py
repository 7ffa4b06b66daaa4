"""Keycloak's answer after its sign-in form was sent twice: the login starts again, once."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import ClaimedState
from psc_connect.simulator import Simulator
from tests.support.browser_session import PAGE, BrowserSession, query_of, restart_parameters
from tests.support.dry_runs import begin, code_of
from tests.support.refusals import assert_refused, pending_cookies

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]

EXPIRED = {"error": "temporarily_unavailable", "description": "authentication_expired"}


def test_expired_authentication_restarts_the_login_and_signs_in(simulator: Simulator, person: BrowserSession) -> None:
    with simulator.fault("callback_error", **EXPIRED):
        restart = person.sign_in(PAGE)
    assert restart_parameters(restart) == {"next": PAGE, "again": "1"}
    assert not ClaimedState.objects.exists()
    started = person.browser.get(restart["Location"])
    assert len(pending_cookies(person)) == 1
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    assert person.is_signed_in


def test_second_expired_authentication_says_what_happened(simulator: Simulator, person: BrowserSession) -> None:
    with simulator.fault("callback_error", **EXPIRED):
        restart = person.sign_in(PAGE)
        started = person.browser.get(restart["Location"])
        response = person.come_back(person.authorize(started["Location"]))
    assert_refused(person, response, "authorization_authentication_expired", simulator=simulator, next_page=PAGE)
    assert response.status_code == 400
    assert "does not answer" not in response.content.decode()


def test_restart_for_another_person_still_asks_for_the_identification(
    simulator: Simulator, person: BrowserSession
) -> None:
    """Silent, it would sign the person in who was refused before."""
    asked = person.browser.get("/psc/psc/login/", {"next": PAGE, "as": "other"})
    with simulator.fault("callback_error", **EXPIRED):
        restart = person.come_back(person.authorize(asked["Location"].replace("prompt=login", "")))
    assert restart_parameters(restart) == {"next": PAGE, "again": "1", "as": "other"}
    assert query_of(person.browser.get(restart["Location"])["Location"])["prompt"] == "login"


def test_expired_authentication_of_a_user_signed_in_meanwhile_redirects_to_the_page(
    simulator: Simulator, person: BrowserSession
) -> None:
    first, second = person.begin(PAGE), person.begin(PAGE)
    person.come_back(person.authorize(first))
    with simulator.fault("callback_error", **EXPIRED):
        assert person.come_back(person.authorize(second))["Location"] == PAGE


@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("temporarily_unavailable", ""),
        ("temporarily_unavailable", "authentication_expired "),
        ("server_error", "authentication_expired"),
        ("access_denied", "authentication_expired"),
        ("authentication_expired", "authentication_expired"),
    ],
)
def test_other_errors_do_not_restart_the_login(
    simulator: Simulator, person: BrowserSession, error: str, description: str
) -> None:
    code = "unrecognised" if error == "authentication_expired" else error
    with simulator.fault("callback_error", error=error, description=description):
        response = person.sign_in(PAGE)
    assert_refused(person, response, f"authorization_{code}", simulator=simulator, next_page=PAGE)


def test_answer_that_belongs_to_no_login_does_not_start_one(simulator: Simulator, person: BrowserSession) -> None:
    person.begin(PAGE)
    parameters = {"error": EXPIRED["error"], "error_description": EXPIRED["description"], "state": "A" * 43}
    response = person.browser.get("/psc/psc/callback/", parameters)
    assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


def test_dry_run_says_that_the_authentication_expired(
    simulator: Simulator, person: BrowserSession, admin_user: Any, provider: Any
) -> None:
    person.browser.force_login(admin_user)
    with simulator.fault("callback_error", **EXPIRED):
        response = person.come_back(person.authorize(begin(person, provider)))
    assert code_of(person, response) == "authorization_authentication_expired"
