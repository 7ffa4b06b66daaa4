from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jwt
import pytest

from psc_connect.simulator import Simulator
from tests.simulator.conftest import NOW
from tests.simulator.service import CLIENT, SECRET, Service, browser, payload_of


def test_the_response_has_the_members_of_keycloaks(service: Service) -> None:
    tokens = service.tokens()

    assert list(tokens) == [
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "refresh_token",
        "token_type",
        "id_token",
        "not-before-policy",
        "session_state",
        "scope",
    ]
    assert tokens["expires_in"] == 120
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "openid scope_all"


def test_the_response_is_not_stored(service: Service) -> None:
    response = service.exchange(service.code())

    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"


def test_the_id_token_has_the_claims_of_pro_sante_connect(simulator: Simulator, service: Service) -> None:
    tokens = service.tokens("doctor-two-activities")
    claims = service.verified(tokens["id_token"])
    session = tokens["session_state"]

    assert list(claims) == [
        *("exp", "iat", "auth_time", "jti", "iss", "aud", "sub", "typ", "azp", "nonce", "session_state"),
        *("at_hash", "sid", "authMode", "acr"),
        *("SubjectNameID", "preferred_username", "given_name", "family_name"),
    ]
    del claims["jti"], claims["at_hash"]
    assert claims == {
        "exp": NOW + 120,
        "iat": NOW,
        "auth_time": NOW,
        "iss": simulator.issuer,
        "aud": "the-service",
        "sub": "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700427885",
        "typ": "ID",
        "azp": "the-service",
        "nonce": "the-nonce",
        "session_state": session,
        "sid": session,
        "authMode": "CARD",
        "acr": "eidas3",
        "SubjectNameID": "899700427885",
        "preferred_username": "899700427885",
        "given_name": "KIT",
        "family_name": "DOC0042788",
    }


def test_the_access_token_has_the_claims_of_pro_sante_connect(simulator: Simulator, service: Service) -> None:
    tokens = service.tokens("doctor-two-activities")
    claims = service.verified(tokens["access_token"])
    session = tokens["session_state"]

    del claims["jti"]
    assert claims == {
        "exp": NOW + 120,
        "iat": NOW,
        "auth_time": NOW,
        "iss": simulator.issuer,
        "sub": "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700427885",
        "typ": "Bearer",
        "azp": "the-service",
        "nonce": "the-nonce",
        "session_state": session,
        "acr": "eidas3",
        "scope": "openid scope_all",
        "sid": session,
        "authMode": "CARD",
        "otherIds": [{"identifiant": "899700427885", "origine": "RPPS", "qualite": 1}],
        "preferred_username": "899700427885",
    }


def test_without_a_nonce_the_id_token_has_none_and_the_access_token_an_empty_one(service: Service) -> None:
    tokens = service.tokens(nonce=None)

    assert "nonce" not in service.verified(tokens["id_token"])
    assert service.verified(tokens["access_token"])["nonce"] == ""


def test_the_header_names_algorithm_type_and_key(simulator: Simulator, service: Service) -> None:
    header = jwt.get_unverified_header(service.tokens()["id_token"])

    assert header == {"alg": "RS256", "typ": "JWT", "kid": simulator.keys.current.kid}


def test_at_hash_is_the_left_half_of_the_access_tokens_hash(service: Service) -> None:
    """OIDC Core 3.1.3.6."""
    tokens = service.tokens()
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]

    expected = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert service.verified(tokens["id_token"])["at_hash"] == expected


def test_two_tokens_never_share_an_identifier(service: Service) -> None:
    first, second = service.tokens(), service.tokens()
    tokens = [response[name] for response in (first, second) for name in ("id_token", "access_token")]

    assert len({payload_of(token)["jti"] for token in tokens}) == 4


# Codes (RFC 6749 4.1.2 and 4.1.3)


def test_a_code_used_twice_is_refused_and_revokes_the_first_tokens(service: Service) -> None:
    code = service.code()
    access_token = service.exchange(code).json()["access_token"]
    assert service.userinfo(access_token).status_code == 200
    second = service.exchange(code)

    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert service.userinfo(access_token).status_code == 401


def test_at_most_one_of_two_parallel_uses_of_a_code_succeeds(service: Service) -> None:
    for _ in range(5):
        code = service.code()
        with ThreadPoolExecutor(2) as pool, browser() as one, browser() as other:
            services = [replace(service, session=session) for session in (one, other)]
            responses = list(pool.map(Service.exchange, services, [code, code]))
        tokens = [response.json()["access_token"] for response in responses if response.status_code == 200]

        assert sorted(response.status_code for response in responses) == [200, 400]
        assert service.userinfo(tokens[0]).status_code == 401


@pytest.mark.parametrize(("elapsed", "status"), [(59, 200), (60, 400)])
def test_a_code_is_valid_for_sixty_seconds(simulator: Simulator, service: Service, elapsed: int, status: int) -> None:
    code = service.code()
    simulator.clock_offset = elapsed

    assert service.exchange(code).status_code == status


def test_a_code_of_another_client_is_refused(simulator: Simulator, service: Service) -> None:
    simulator.register(replace(CLIENT, client_id="another"))
    response = service.exchange(service.code(), client_id="another")

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "junk"}, "invalid_grant"),
        ({"code": None}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_an_invalid_token_request_is_refused(service: Service, changes: dict[str, Any], error: str) -> None:
    response = service.exchange(**{"code": service.code(), **changes})

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert "access_token" not in response.json()


def test_a_parameter_given_twice_is_an_invalid_request(service: Service) -> None:
    pairs = [("grant_type", "authorization_code"), ("code", "a"), ("code", "b")]
    response = service.session.post(service.endpoint("token"), data=pairs, timeout=10)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_parameters_in_the_query_are_not_read(service: Service) -> None:
    """RFC 6749 3.2: they must be in the body."""
    parameters = {"grant_type": "authorization_code", "client_id": CLIENT.client_id, "client_secret": SECRET}
    response = service.session.post(service.endpoint("token"), params=parameters, timeout=10)

    assert response.json()["error"] == "invalid_client"


def test_the_token_endpoint_refuses_get(service: Service) -> None:
    assert service.session.get(service.endpoint("token"), timeout=10).status_code == 405
