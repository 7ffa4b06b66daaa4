"""Single sign-on sessions (OIDC Core 3.1.2.3): when people must sign in, and for how long a session lasts."""

from __future__ import annotations

import pytest

from psc_connect.simulator import Simulator
from tests.simulator.conftest import NOW
from tests.simulator.service import Service, answer_of, browser


def test_a_second_login_is_silent(service: Service) -> None:
    first = answer_of(service.press(service.authorize(), person="podiatrist"))
    second = answer_of(service.authorize())

    assert second["session_state"] == first["session_state"]
    assert second["code"] != first["code"]


def test_another_browser_must_sign_in(service: Service) -> None:
    service.code()
    with browser() as session:
        assert Service(service.simulator, session=session).authorize().status_code == 200


def test_other_cookies_do_not_hide_the_session(service: Service) -> None:
    service.code()
    sent = "; ".join(f"{cookie.name}={cookie.value}" for cookie in service.session.cookies)
    service.session.cookies.clear()
    service.session.headers["Cookie"] = f'a@b=1; "bad"=2; expires=3; {sent}; c=d'

    assert service.authorize().status_code == 302


def test_prompt_login_asks_again(service: Service) -> None:
    service.code()

    assert service.authorize(prompt="login").status_code == 200


def test_prompt_none_without_a_session_is_login_required(service: Service) -> None:
    assert answer_of(service.authorize(prompt="none"))["error"] == "login_required"


def test_prompt_none_with_a_session_is_silent(service: Service) -> None:
    service.code()

    assert "code" in answer_of(service.authorize(prompt="none"))


@pytest.mark.parametrize(("elapsed", "status"), [(60, 302), (61, 200)])
def test_max_age_asks_again_when_the_sign_in_is_older(
    simulator: Simulator, service: Service, elapsed: int, status: int
) -> None:
    service.code()
    simulator.clock_offset = elapsed

    assert service.authorize(max_age="60").status_code == status


def test_auth_time_stays_that_of_the_sign_in(simulator: Simulator, service: Service) -> None:
    service.code()
    simulator.clock_offset = 300

    assert service.verified(service.tokens()["id_token"])["auth_time"] == NOW


@pytest.mark.parametrize(("elapsed", "status"), [(1799, 302), (1800, 200)])
def test_a_session_ends_after_half_an_hour_without_use(
    simulator: Simulator, service: Service, elapsed: int, status: int
) -> None:
    service.code()
    simulator.clock_offset = elapsed

    assert service.authorize().status_code == status


def test_a_session_ends_after_four_hours(simulator: Simulator, service: Service) -> None:
    service.code()
    for elapsed in range(1200, 4 * 3600, 1200):
        simulator.clock_offset = elapsed
        assert service.authorize().status_code == 302
    simulator.clock_offset = 4 * 3600

    assert service.authorize().status_code == 200


def test_people_with_ended_sessions_must_sign_in_again(simulator: Simulator, service: Service) -> None:
    service.code()
    simulator.end_sessions()

    assert service.authorize().status_code == 200


def test_a_person_signed_in_beforehand_needs_no_page(simulator: Simulator, service: Service) -> None:
    simulator.sign_in("nurse")
    tokens = service.tokens()

    assert service.userinfo(tokens["access_token"]).json() == simulator.people["nurse"].userinfo


def test_signing_in_none_lists_people_again(simulator: Simulator, service: Service) -> None:
    simulator.sign_in(simulator.people["nurse"])
    simulator.sign_in(None)

    assert service.authorize().status_code == 200


def test_an_unknown_person_cannot_be_signed_in_beforehand(simulator: Simulator) -> None:
    with pytest.raises(KeyError):
        simulator.sign_in("nobody")


def test_max_age_zero_always_asks_again(service: Service) -> None:
    service.code()

    assert service.authorize(max_age="0").status_code == 200
