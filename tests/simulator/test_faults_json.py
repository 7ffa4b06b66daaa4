"""Faults of JSON responses and of redirects: their only difference from the correct response."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from psc_connect.simulator import Simulator
from psc_connect.simulator.signing_keys import unpublished_key
from tests.simulator.service import CALLBACK, CLIENT, LOGGED_OUT, Service, answer_pairs

ABSENT = None
OTHER_ISSUER = "https://evil.example/auth/realms/esante-wallet"


def difference(correct: dict[str, Any], wrong: dict[str, Any], *, ignored: tuple[str, ...] = ()) -> dict[str, Any]:
    names = (correct.keys() | wrong.keys()) - set(ignored)
    return {name: wrong.get(name) for name in names if wrong.get(name) != correct.get(name)}


TOKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "token_response",
        {"members": {"expires_in": "soon"}, "drop": ["scope"]},
        {"expires_in": "soon", "scope": ABSENT},
    ),
    ("no_id_token", {}, {"id_token": ABSENT}),
    ("no_access_token", {}, {"access_token": ABSENT}),
    ("token_type", {}, {"token_type": "mac"}),
    ("token_type", {"value": "bEARER"}, {"token_type": "bEARER"}),
]


@pytest.mark.parametrize(("fault", "options", "differences"), TOKEN, ids=lambda value: str(value)[:30])
def test_one_member_of_the_token_response_is_wrong(
    simulator: Simulator, service: Service, fault: str, options: dict[str, Any], differences: dict[str, Any]
) -> None:
    correct = service.tokens()
    with simulator.fault(fault, **options):
        wrong = service.tokens()

    fresh = {"access_token", "id_token", "refresh_token"} - differences.keys()
    assert difference(correct, wrong, ignored=tuple(fresh)) == differences


USERINFO: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "userinfo_claims",
        {"claims": {"family_name": "\0"}, "drop": ["otherIds"]},
        {"family_name": "\0", "otherIds": ABSENT},
    ),
    ("other_sub", {}, {"sub": "f:0:somebody-else"}),
    ("userinfo_without_sub", {}, {"sub": ABSENT}),
]


@pytest.mark.parametrize(("fault", "options", "differences"), USERINFO, ids=lambda value: str(value)[:30])
def test_one_claim_of_the_userinfo_is_wrong(
    simulator: Simulator, service: Service, fault: str, options: dict[str, Any], differences: dict[str, Any]
) -> None:
    access_token = service.tokens()["access_token"]
    correct = service.userinfo(access_token).json()
    with simulator.fault(fault, **options):
        wrong = service.userinfo(access_token).json()

    assert difference(correct, wrong) == differences
    assert service.userinfo(access_token).json() == correct  # the person is unchanged


SIGNED_USERINFO: list[tuple[str, dict[str, Any]]] = [
    ("userinfo_signed", {}),
    ("userinfo_signed_by_another_key", {}),
    ("userinfo_signed_for_another_client", {"aud": "another-client"}),
    ("userinfo_signed_by_another_issuer", {"iss": "https://evil.example"}),
]


@pytest.mark.parametrize(("fault", "differences"), SIGNED_USERINFO)
def test_the_userinfo_is_signed(
    simulator: Simulator, service: Service, fault: str, differences: dict[str, Any]
) -> None:
    """OIDC Core 5.3.2: with `iss` and `aud`."""
    access_token = service.tokens()["access_token"]
    with simulator.fault(fault):
        response = service.userinfo(access_token)
    forged = fault == "userinfo_signed_by_another_key"
    key = unpublished_key("RS256") if forged else simulator.keys.current
    claims = jwt.decode(response.text, key.private.public_key(), algorithms=["RS256"], options={"verify_aud": False})

    assert response.headers["Content-Type"] == "application/jwt"
    assert jwt.get_unverified_header(response.text)["kid"] == simulator.keys.current.kid
    correct = {"iss": simulator.issuer, "aud": CLIENT.client_id, **simulator.people["podiatrist"].userinfo}
    assert difference(correct, claims) == differences


STATE, ISSUER = ("state", "the-state"), ("iss", "ISSUER")
CALLBACK_HEALTHY = [("code", "*"), ("session_state", "*"), STATE, ISSUER]

# fault, options, the parameters of the callback in order ("*": any value)
CALLBACK_ROWS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    (
        "callback_parameters",
        {"add": [("a", "b")], "drop": ["code"]},
        [("session_state", "*"), STATE, ISSUER, ("a", "b")],
    ),
    ("wrong_iss_in_callback", {}, [*CALLBACK_HEALTHY[:3], ("iss", OTHER_ISSUER)]),
    ("no_iss_in_callback", {}, CALLBACK_HEALTHY[:3]),
    ("repeated_parameter", {}, [("state", "evil"), *CALLBACK_HEALTHY]),
    ("repeated_parameter", {"name": "code", "value": "c"}, [("code", "c"), *CALLBACK_HEALTHY]),
    ("wrong_state", {}, [*CALLBACK_HEALTHY[:2], ("state", "evil"), ISSUER]),
    ("no_state", {}, [*CALLBACK_HEALTHY[:2], ISSUER]),
    ("error_and_code", {}, [*CALLBACK_HEALTHY, ("error", "access_denied")]),
    ("callback_error", {}, [("error", "server_error"), STATE, ISSUER]),
    (
        "callback_error",
        {"error": "invalid_request", "description": "<b>\u202e"},
        [("error", "invalid_request"), ("error_description", "<b>\u202e"), STATE, ISSUER],
    ),
]


@pytest.mark.parametrize(("fault", "options", "expected"), CALLBACK_ROWS, ids=lambda value: str(value)[:30])
def test_the_callback_is_wrong(
    simulator: Simulator,
    service: Service,
    fault: str,
    options: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    with simulator.fault(fault, **options):
        response = service.press(service.authorize(), person="podiatrist")
    shown = {simulator.issuer: "ISSUER"}
    found = [(name, shown.get(value, value)) for name, value in answer_pairs(response)]
    anything = {name for name, value in expected if value == "*"}

    assert response.headers["Location"].startswith(CALLBACK)
    kept = [(name, value) for name, value in expected if value != "*"]
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [pair for pair in found if pair[0] not in anything or pair in kept] == kept


LOGOUT: list[tuple[str, str]] = [
    ("forget_logout_state", LOGGED_OUT),
    ("wrong_logout_state", LOGGED_OUT + "?state=evil"),
]


@pytest.mark.parametrize(("fault", "location"), LOGOUT)
def test_the_logout_redirect_is_wrong(simulator: Simulator, service: Service, fault: str, location: str) -> None:
    hint = service.tokens()["id_token"]
    with simulator.fault(fault):
        response = service.end_session(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT, state="the-state")

    assert response.headers["Location"] == location


# fault, options, metadata or key set, the members that differ
DOCUMENTS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "metadata_members",
        {"members": {"issuer": OTHER_ISSUER}, "drop": ["jwks_uri"]},
        "metadata",
        {"issuer": OTHER_ISSUER, "jwks_uri": ABSENT},
    ),
    ("jwks_empty", {}, "jwks", {"keys": []}),
    ("jwks_without_keys", {}, "jwks", {"keys": ABSENT}),
    ("jwks_more_keys", {"keys": [{"kty": "oct"}]}, "jwks", {"keys": [{"kty": "oct"}, "SIG", "ENC"]}),
    ("jwks_keys", {"members": {"use": "enc"}, "drop": ["kid"]}, "jwks", {"keys": ["SIG-", "ENC-"]}),
]


@pytest.mark.parametrize("row", DOCUMENTS, ids=lambda row: row[0])
def test_the_metadata_or_key_set_is_wrong(
    simulator: Simulator, service: Service, row: tuple[str, dict[str, Any], str, dict[str, Any]]
) -> None:
    fault, options, name, differences = row
    url = simulator.discovery_url if name == "metadata" else simulator.metadata["jwks_uri"]
    correct = service.session.get(url, timeout=10).json()
    with simulator.fault(fault, **options):
        wrong = service.session.get(url, timeout=10).json()
    if name == "jwks":
        signing, encryption = correct["keys"]
        known = {"SIG": signing, "ENC": encryption, "SIG-": _as_enc(signing), "ENC-": _as_enc(encryption)}
        keys = differences["keys"]
        differences = {"keys": keys and [known.get(key, key) if isinstance(key, str) else key for key in keys]}

    assert difference(correct, wrong) == differences
    assert service.session.get(url, timeout=10).json() == correct


def _as_enc(key: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "kid"} | {"use": "enc"}
