"""Faults of the ID token, compared with a correct token of the same person, request and second."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from psc_connect.simulator import Simulator
from psc_connect.simulator.signing_keys import unpublished_key
from tests.simulator.conftest import NOW
from tests.simulator.service import CLIENT, SECRET, Service, decoded, payload_of

OTHER_ISSUER = "https://evil.example/auth/realms/esante-wallet"
OTHER_CLIENT = "another-client"
EVENTS: dict[str, dict[str, Any]] = {"http://schemas.openid.net/event/backchannel-logout": {}}
ABSENT = None


def id_of(value: object) -> str:
    """Return an id that is the same in every process, unlike the address of a function."""
    return "" if callable(value) else str(value)[:30]


# fault, options, the claims that differ from those of the correct token (ABSENT: left out)
CLAIMS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("id_token_claims", {"claims": {"sub": 7}, "drop": ["typ"]}, {"sub": 7, "typ": ABSENT}),
    ("expired_id_token", {}, {"exp": NOW - 600, "iat": NOW - 720}),
    ("expired_id_token", {"seconds": 5}, {"exp": NOW - 5, "iat": NOW - 125}),
    ("missing_exp", {}, {"exp": ABSENT}),
    ("endless_id_token", {}, {"exp": NOW + 10 * 365 * 86_400}),
    ("missing_iat", {}, {"iat": ABSENT}),
    ("iat_in_the_future", {}, {"iat": NOW + 3600, "exp": NOW + 3720}),
    ("iat_long_ago", {}, {"iat": NOW - 7 * 86_400}),
    ("nbf_in_the_future", {}, {"nbf": NOW + 3600}),
    ("wrong_issuer", {}, {"iss": OTHER_ISSUER}),
    ("missing_issuer", {}, {"iss": ABSENT}),
    ("wrong_audience", {}, {"aud": OTHER_CLIENT, "azp": OTHER_CLIENT}),
    ("missing_audience", {}, {"aud": ABSENT}),
    ("second_audience", {}, {"aud": [CLIENT.client_id, OTHER_CLIENT], "azp": OTHER_CLIENT}),
    ("audience_list", {}, {"aud": [CLIENT.client_id]}),
    ("other_azp", {}, {"azp": OTHER_CLIENT}),
    ("wrong_nonce", {}, {"nonce": "the-nonce-of-another-login"}),
    ("missing_nonce", {}, {"nonce": ABSENT}),
    ("missing_sub", {}, {"sub": ABSENT}),
    ("wrong_at_hash", {}, {"at_hash": "A" * 22}),
    ("missing_acr", {}, {"acr": ABSENT}),
    ("lower_acr", {}, {"acr": "0"}),
    ("old_auth_time", {}, {"auth_time": NOW - 7200}),
    ("missing_auth_time", {}, {"auth_time": ABSENT}),
    ("logout_token_as_id_token", {}, {"typ": "Logout", "events": EVENTS}),
    ("access_token_as_id_token", {}, {"typ": "Bearer", "aud": "account"}),
    ("giant_id_token", {"size": 9}, {"padding": "x" * 9}),
]


@pytest.mark.parametrize(("fault", "options", "differences"), CLAIMS, ids=id_of)
def test_one_claim_is_wrong_and_the_signature_valid(
    simulator: Simulator, service: Service, fault: str, options: dict[str, Any], differences: dict[str, Any]
) -> None:
    correct = service.verified(service.tokens()["id_token"])
    with simulator.fault(fault, **options):
        wrong = service.verified(service.tokens()["id_token"])

    ignored = {"jti", "at_hash"} - differences.keys()
    names = (correct.keys() | wrong.keys()) - ignored
    assert {name: wrong.get(name) for name in names if wrong.get(name) != correct.get(name)} == differences


def test_a_logout_token_has_its_type_in_the_header(simulator: Simulator, service: Service) -> None:
    with simulator.fault("logout_token_as_id_token"):
        assert jwt.get_unverified_header(service.tokens()["id_token"])["typ"] == "logout+jwt"


def _algorithm(name: str) -> Callable[[Simulator, str], bool]:
    return lambda _, raw: jwt.get_unverified_header(raw)["alg"] == name


def _kid(value: str | None) -> Callable[[Simulator, str], bool]:
    return lambda _, raw: jwt.get_unverified_header(raw).get("kid") == value


def _hmac(secret: Callable[[Simulator], bytes]) -> Callable[[Simulator, str], bool]:
    def verify(simulator: Simulator, raw: str) -> bool:
        signing_input, _, signature = raw.rpartition(".")
        digest = hmac.digest(secret(simulator), signing_input.encode(), hashlib.sha256)
        return jwt.get_unverified_header(raw)["alg"] == "HS256" and decoded(signature) == digest

    return verify


def _signed_by_the_unpublished_key(simulator: Simulator, raw: str) -> bool:
    key = unpublished_key("RS256")
    options: Any = {"verify_signature": True, **LENIENT}
    jwt.decode(raw, key.private.public_key(), algorithms=["RS256"], options=options)
    return key.kid not in {published["kid"] for published in simulator.jwks["keys"]}


LENIENT: Any = dict.fromkeys(("verify_exp", "verify_aud", "verify_iat"), False)

# fault, options, a check of the token; the key that its header names does not verify the signature
SIGNATURES: list[tuple[str, dict[str, Any], Callable[[Simulator, str], bool]]] = [
    ("alg_none", {}, _algorithm("none")),
    ("alg_none", {"spelling": "nOnE"}, _algorithm("nOnE")),
    ("hs256_with_client_secret", {}, _hmac(lambda _: SECRET.encode())),
    ("hs256_with_public_key", {}, _hmac(lambda simulator: simulator.keys.current.public_pem)),
    ("unknown_kid", {}, _kid("an-unpublished-key")),
    ("missing_kid", {}, _kid(None)),
    ("bad_signature", {}, _signed_by_the_unpublished_key),
    ("embedded_key", {}, _signed_by_the_unpublished_key),
    ("flipped_signature_bit", {}, lambda _, raw: len(decoded(raw.split(".")[2])) == 256),
    ("removed_signature", {}, lambda _, raw: raw.endswith(".") and raw.count(".") == 2),
    ("tampered_payload", {}, lambda _, raw: payload_of(raw)["sub"] == "somebody-else"),
    ("other_algorithm", {"algorithm": "PS256", "announced": "RS256"}, _algorithm("RS256")),
]


@pytest.mark.parametrize(("fault", "options", "holds"), SIGNATURES, ids=id_of)
def test_the_signature_is_wrong(
    simulator: Simulator,
    service: Service,
    fault: str,
    options: dict[str, Any],
    holds: Callable[[Simulator, str], bool],
) -> None:
    with simulator.fault(fault, **options):
        raw = service.tokens()["id_token"]

    assert holds(simulator, raw)
    with pytest.raises((jwt.InvalidTokenError, KeyError)):
        service.verified(raw)


def test_a_flipped_signature_differs_in_one_bit(simulator: Simulator, service: Service) -> None:
    with simulator.fault("flipped_signature_bit"):
        head, payload, signature = service.tokens()["id_token"].split(".")
    wrong = decoded(signature)
    right = bytes([wrong[0] ^ 1]) + wrong[1:]

    key = simulator.keys.current
    assert right == key.sign(f"{head}.{payload}".encode())  # RSASSA-PKCS1-v1_5 is deterministic


def test_a_tampered_payload_differs_in_one_claim(simulator: Simulator, service: Service) -> None:
    with simulator.fault("tampered_payload", claim="acr", value="eidas3"):
        assert payload_of(service.tokens()["id_token"])["acr"] == "eidas3"


def test_the_embedded_key_is_in_the_header(simulator: Simulator, service: Service) -> None:
    with simulator.fault("embedded_key"):
        header = jwt.get_unverified_header(service.tokens()["id_token"])

    assert header["jwk"] == unpublished_key("RS256").public
    assert header["kid"] == header["jwk"]["kid"]


# Each of these has a test below.
UNVERIFIED = [
    ("id_token_payload",),
    ("duplicated_claim",),
    ("id_token_header",),
    ("encrypted_id_token",),
    ("other_algorithm",),
    ("giant_id_token",),
]


def _signature_verifies(simulator: Simulator, raw: str) -> bool:
    signing_input, _, signature = raw.rpartition(".")
    return simulator.keys.current.sign(signing_input.encode()) == decoded(signature)


def test_any_payload_can_be_signed(simulator: Simulator, service: Service) -> None:
    with simulator.fault("id_token_payload", payload=b"[\xff"):
        raw = service.tokens()["id_token"]

    assert decoded(raw.split(".")[1]) == b"[\xff"
    assert _signature_verifies(simulator, raw)


def test_a_claim_can_be_duplicated(simulator: Simulator, service: Service) -> None:
    with simulator.fault("duplicated_claim"):
        raw = service.tokens()["id_token"]
    pairs = json.loads(decoded(raw.split(".")[1]), object_pairs_hook=list)

    assert [value for name, value in pairs if name == "sub"] == [
        "somebody-else",
        simulator.people["podiatrist"].subject,
    ]
    assert _signature_verifies(simulator, raw)


def test_any_header_can_be_signed(simulator: Simulator, service: Service) -> None:
    with simulator.fault("id_token_header", header={"crit": ["x-evil"], "x-evil": 1}, drop=["typ"]):
        raw = service.tokens()["id_token"]
    header = json.loads(decoded(raw.split(".")[0]))

    assert header == {"alg": "RS256", "kid": simulator.keys.current.kid, "crit": ["x-evil"], "x-evil": 1}
    assert _signature_verifies(simulator, raw)


def test_an_encrypted_token_has_five_parts(simulator: Simulator, service: Service) -> None:
    with simulator.fault("encrypted_id_token"):
        assert service.tokens()["id_token"].count(".") == 4


def test_another_algorithm_can_be_announced_correctly(simulator: Simulator, service: Service) -> None:
    with simulator.fault("other_algorithm", algorithm="PS384"):
        raw = service.tokens()["id_token"]
    key = jwt.PyJWK({**simulator.jwks["keys"][0], "alg": "PS384"})

    assert jwt.decode(raw, key, algorithms=["PS384"], audience=CLIENT.client_id, options=LENIENT | {"verify_aud": True})


def test_a_giant_token_is_five_megabytes(simulator: Simulator, service: Service) -> None:
    with simulator.fault("giant_id_token"):
        assert len(service.tokens()["id_token"]) > 5_000_000
