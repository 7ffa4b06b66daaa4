from __future__ import annotations

import pytest

from psc_connect.simulator import Client, Simulator
from tests.simulator.service import CALLBACK, CHALLENGE, CLIENT, Service, answer_of, answer_pairs


def test_without_a_session_people_are_listed(simulator: Simulator, service: Service) -> None:
    page = service.authorize()

    assert page.status_code == 200
    for slug in simulator.people:
        assert f'name="person" value="{slug}"' in page.text


def test_choosing_a_person_redirects_with_code_state_issuer_and_session(simulator: Simulator, service: Service) -> None:
    response = service.press(service.authorize(), person="podiatrist")

    assert response.status_code == 303
    assert response.headers["Location"].startswith(CALLBACK + "?")
    answer = answer_of(response)
    assert set(answer) == {"code", "state", "iss", "session_state"}
    assert answer["state"] == "the-state"
    assert answer["iss"] == simulator.issuer


def test_a_post_request_is_answered_like_get(service: Service) -> None:
    """OIDC Core 3.1.2.1."""
    url = service.endpoint("authorization")

    assert service.session.post(url, data=service.request(), timeout=10).status_code == 200


def test_a_trailing_slash_is_accepted(service: Service) -> None:
    url = service.endpoint("authorization") + "/"

    assert service.session.get(url, params=service.request(), timeout=10).status_code == 200


def test_the_query_of_a_redirect_uri_is_kept(simulator: Simulator, service: Service) -> None:
    uri = CALLBACK + "?tenant=a"
    simulator.register(Client(CLIENT.client_id, CLIENT.client_secret, redirect_uris=(uri,)))
    response = service.press(service.authorize(redirect_uri=uri), person="podiatrist")

    assert response.headers["Location"].startswith(uri + "&code=")


def test_cancelling_redirects_with_access_denied(simulator: Simulator, service: Service) -> None:
    answer = answer_of(service.press(service.authorize(), cancel="1"))

    assert answer["error"] == "access_denied"
    assert answer["state"] == "the-state"
    assert answer["iss"] == simulator.issuer
    assert "code" not in answer


def test_a_page_works_once(service: Service) -> None:
    page = service.authorize()
    service.press(page, person="podiatrist")
    again = service.press(page, person="podiatrist")

    assert again.status_code == 400
    assert "unknown_interaction" in again.text


def test_an_unknown_person_cannot_be_chosen(service: Service) -> None:
    response = service.press(service.authorize(), person="nobody")

    assert response.status_code == 400
    assert "unknown_person" in response.text


def test_the_session_cookie_is_http_only(simulator: Simulator, service: Service) -> None:
    response = service.press(service.authorize(), person="podiatrist")

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"{simulator.cookie_name}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")


def test_the_redirect_is_not_stored_and_sends_no_referrer(service: Service) -> None:
    response = service.press(service.authorize(), person="podiatrist")

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


# No redirect to an address that is not registered (RFC 6749 3.1.2.4)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "nobody"}, "unknown_client"),
        ({"client_id": None}, "unknown_client"),
        ({"redirect_uri": None}, "unknown_redirect_uri"),
        ({"redirect_uri": CALLBACK.rstrip("/")}, "unknown_redirect_uri"),
        ({"redirect_uri": CALLBACK.upper()}, "unknown_redirect_uri"),
        ({"redirect_uri": CALLBACK + "?a=b"}, "unknown_redirect_uri"),
        ({"redirect_uri": CALLBACK.replace("127.0.0.1:1", "127.0.0.1:2")}, "unknown_redirect_uri"),
        ({"redirect_uri": "https://evil.example/"}, "unknown_redirect_uri"),
    ],
)
def test_an_unknown_client_or_redirect_uri_shows_an_error_page(
    service: Service, changes: dict[str, str | None], reason: str
) -> None:
    response = service.authorize(**changes)

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert f"<code>{reason}</code>" in response.text


def test_the_error_page_shows_both_addresses_escaped(service: Service) -> None:
    response = service.authorize(redirect_uri="http://localhost:1/<b>/callback/")

    assert "http://localhost:1/&lt;b&gt;/callback/" in response.text
    assert CALLBACK in response.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_shows_an_error_page(service: Service, name: str) -> None:
    parameters = service.request()
    pairs = [*parameters.items(), (name, parameters[name])]
    response = service.session.get(service.endpoint("authorization"), params=pairs, timeout=10)

    assert response.status_code == 400


# Other errors are sent by redirect (RFC 6749 4.1.2.1)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://a.example/"}, "request_uri_not_supported"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "scope_all"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "whatever"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"acr_values": "eidas9"}, "invalid_request"),
    ],
)
def test_an_invalid_request_redirects_with_its_error(
    simulator: Simulator, service: Service, changes: dict[str, str | None], error: str
) -> None:
    response = service.authorize(**changes)

    assert response.headers["Location"].startswith(CALLBACK + "?")
    answer = answer_of(response)
    assert answer["error"] == error
    assert answer["state"] == "the-state"
    assert answer["iss"] == simulator.issuer
    assert "code" not in answer


def test_a_parameter_given_twice_is_an_invalid_request(service: Service) -> None:
    """RFC 6749 3.1."""
    pairs = [*service.request().items(), ("state", "another")]
    url = service.endpoint("authorization")
    response = service.session.get(url, params=pairs, allow_redirects=False, timeout=10)

    assert answer_of(response)["error"] == "invalid_request"


@pytest.mark.parametrize("changes", [{"acr_values": None}, {"acr_values": "eidas2 eidas1"}, {"nonce": None}])
def test_optional_parameters_may_be_left_out(service: Service, changes: dict[str, str | None]) -> None:
    assert service.authorize(**changes).status_code == 200


def test_a_request_without_state_is_answered_without_state(service: Service) -> None:
    response = service.press(service.authorize(state=None), person="podiatrist")

    assert "state" not in dict(answer_pairs(response))


def test_an_empty_state_is_returned_empty(service: Service) -> None:
    response = service.press(service.authorize(state=""), person="podiatrist")

    assert answer_of(response)["state"] == ""


def test_accepted_acr_values_can_exclude_eidas2(simulator: Simulator, service: Service) -> None:
    simulator.accepted_acr = frozenset({"eidas1"})

    assert answer_of(service.authorize(acr_values="eidas2"))["error"] == "invalid_request"
    assert service.authorize(acr_values="eidas1").status_code == 200
