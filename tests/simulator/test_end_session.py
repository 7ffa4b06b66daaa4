from __future__ import annotations

from dataclasses import replace

import pytest

from psc_connect.simulator import Simulator
from tests.simulator.service import CLIENT, LOGGED_OUT, Service


def test_a_hint_ends_the_session_and_redirects_with_the_state(simulator: Simulator, service: Service) -> None:
    tokens = service.tokens()
    response = service.end_session(
        id_token_hint=tokens["id_token"],
        client_id=CLIENT.client_id,
        post_logout_redirect_uri=LOGGED_OUT,
        state="the-state",
    )

    assert (response.status_code, response.headers["Location"]) == (302, LOGGED_OUT + "?state=the-state")
    assert response.headers["Set-Cookie"].startswith(f"{simulator.cookie_name}=; Path=/; Max-Age=0")
    assert service.userinfo(tokens["access_token"]).status_code == 401
    assert service.authorize().status_code == 200


def test_without_a_state_the_redirect_has_none(service: Service) -> None:
    hint = service.tokens()["id_token"]
    response = service.end_session(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT)

    assert response.headers["Location"] == LOGGED_OUT


def test_without_a_redirect_uri_the_provider_shows_a_page(service: Service) -> None:
    response = service.end_session(id_token_hint=service.tokens()["id_token"])

    assert response.status_code == 200
    assert "Votre session Pro Santé Connect est fermée" in response.text


def test_an_expired_hint_is_accepted(simulator: Simulator, service: Service) -> None:
    hint = service.tokens()["id_token"]
    simulator.clock_offset = 3600

    assert service.end_session(id_token_hint=hint).status_code == 200


def test_a_hint_signed_by_a_withdrawn_key_is_refused_and_the_session_stays_open(
    simulator: Simulator, service: Service
) -> None:
    hint = service.tokens()["id_token"]
    simulator.rotate_keys(withdraw_old=True)

    assert service.end_session(id_token_hint=hint).status_code == 400
    assert service.authorize().status_code == 302


def test_post_works_like_get(service: Service) -> None:
    form = {"id_token_hint": service.tokens()["id_token"], "post_logout_redirect_uri": LOGGED_OUT}
    url = service.endpoint("end_session")
    response = service.session.post(url, data=form, allow_redirects=False, timeout=10)

    assert (response.status_code, response.headers["Location"]) == (303, LOGGED_OUT)


def test_a_code_of_the_ended_session_is_refused(service: Service) -> None:
    hint = service.tokens()["id_token"]
    code = service.code()
    service.end_session(id_token_hint=hint)

    assert service.exchange(code).status_code == 400


def test_the_hint_of_an_ended_session_still_redirects(service: Service) -> None:
    hint = service.tokens()["id_token"]
    service.end_session(id_token_hint=hint)
    response = service.end_session(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT)

    assert response.headers["Location"] == LOGGED_OUT


def test_without_a_hint_the_session_ends_after_confirmation(service: Service) -> None:
    tokens = service.tokens()
    page = service.end_session(client_id=CLIENT.client_id, post_logout_redirect_uri=LOGGED_OUT, state="the-state")

    assert page.status_code == 200
    assert service.userinfo(tokens["access_token"]).status_code == 200
    response = service.press(page)
    assert (response.status_code, response.headers["Location"]) == (303, LOGGED_OUT + "?state=the-state")
    assert service.userinfo(tokens["access_token"]).status_code == 401


def test_a_confirmation_works_once(service: Service) -> None:
    service.code()
    page = service.end_session(client_id=CLIENT.client_id)
    service.press(page)

    assert service.press(page).status_code == 400


def test_without_a_session_the_confirmation_is_shown_too(service: Service) -> None:
    page = service.end_session()

    assert page.status_code == 200
    assert service.press(page).status_code == 200


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"post_logout_redirect_uri": LOGGED_OUT}, "unknown_post_logout_redirect_uri"),
        (
            {"client_id": CLIENT.client_id, "post_logout_redirect_uri": LOGGED_OUT.rstrip("/")},
            "unknown_post_logout_redirect_uri",
        ),
        (
            {"client_id": CLIENT.client_id, "post_logout_redirect_uri": "https://evil.example/"},
            "unknown_post_logout_redirect_uri",
        ),
        ({"client_id": "nobody"}, "unknown_client"),
        ({"id_token_hint": "junk"}, "wrong_hint"),
        ({"id_token_hint": "e30.e30.e30"}, "wrong_hint"),
    ],
)
def test_an_invalid_request_shows_an_error_page(service: Service, parameters: dict[str, str], reason: str) -> None:
    response = service.end_session(**parameters)

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert f"<code>{reason}</code>" in response.text


def test_a_repeated_redirect_uri_shows_an_error_page(service: Service) -> None:
    hint = service.tokens()["id_token"]
    pairs = [("id_token_hint", hint), *[("post_logout_redirect_uri", LOGGED_OUT)] * 2]
    response = service.session.get(service.endpoint("end_session"), params=pairs, timeout=10)

    assert response.status_code == 400


def test_the_hint_of_another_client_is_refused(simulator: Simulator, service: Service) -> None:
    simulator.register(replace(CLIENT, client_id="another"))
    response = service.end_session(id_token_hint=service.tokens()["id_token"], client_id="another")

    assert response.status_code == 400
    assert service.authorize().status_code == 302


def test_an_access_token_is_not_accepted_as_hint(service: Service) -> None:
    assert service.end_session(id_token_hint=service.tokens()["access_token"]).status_code == 400


@pytest.mark.parametrize("fault", ["flipped_signature_bit", "bad_signature", "unknown_kid", "wrong_issuer"])
def test_a_forged_hint_is_refused(simulator: Simulator, service: Service, fault: str) -> None:
    with simulator.fault(fault):
        hint = service.tokens()["id_token"]

    assert service.end_session(id_token_hint=hint).status_code == 400
    assert service.authorize().status_code == 302
