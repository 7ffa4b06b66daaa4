"""Validation of the ID token (OpenID Connect Core 3.1.3.7): a valid token with one thing wrong → the error code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.oidc.errors import IDTokenError
from psc_connect.oidc.id_token import validate_id_token

from .tokens import (
    ABSENT,
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    RULES,
    SUBJECT,
    at_hash,
    claims,
    code_of,
    ec_key,
    jwk,
    key_set,
    rsa_key,
    sign,
    validate,
)

HOUR, WEEK = 3600, 7 * 24 * 3600


def case(*ids: str) -> pytest.MarkDecorator:
    return pytest.mark.case(*ids)


REFUSED: list[Any] = [
    pytest.param({"iss": "https://auth.evil.test/realms/x"}, "issuer_mismatch", marks=case("ID01"), id="iss-other"),
    pytest.param({"iss": ISSUER + "/"}, "issuer_mismatch", marks=case("ID01"), id="iss-slash"),
    pytest.param({"iss": ISSUER[:-1]}, "issuer_mismatch", marks=case("ID01"), id="iss-prefix"),
    pytest.param({"iss": ISSUER.upper()}, "issuer_mismatch", marks=case("ID01"), id="iss-case"),
    pytest.param({"iss": [ISSUER]}, "issuer_mismatch", marks=case("ID01"), id="iss-list"),
    pytest.param({"iss": ABSENT}, "issuer_missing", marks=case("ID02"), id="iss-missing"),
    pytest.param({"aud": "another-client"}, "audience_mismatch", marks=case("ID03"), id="aud-other"),
    pytest.param({"aud": ["another-client"]}, "audience_mismatch", marks=case("ID03"), id="aud-list-other"),
    pytest.param({"aud": CLIENT_ID + "2"}, "audience_mismatch", marks=case("ID03"), id="aud-longer"),
    pytest.param({"aud": f"x {CLIENT_ID}"}, "audience_mismatch", marks=case("ID03"), id="aud-spaced"),
    pytest.param({"aud": ABSENT}, "audience_missing", marks=case("ID04"), id="aud-missing"),
    pytest.param({"aud": []}, "audience_missing", marks=case("ID04"), id="aud-empty"),
    pytest.param({"aud": {CLIENT_ID: 1}}, "audience_missing", marks=case("ID04"), id="aud-object"),
    pytest.param({"aud": [CLIENT_ID, 5]}, "audience_missing", marks=case("ID04"), id="aud-number-in-list"),
    pytest.param(
        {"aud": [CLIENT_ID, "other"], "azp": ABSENT}, "authorized_party_missing", marks=case("ID05"), id="aud-two"
    ),
    pytest.param(
        {"aud": [CLIENT_ID, "other"], "azp": "other"}, "authorized_party_mismatch", marks=case("ID05"), id="aud-two-azp"
    ),
    pytest.param({"azp": "another-client"}, "authorized_party_mismatch", marks=case("ID06"), id="azp-other"),
    pytest.param({"aud": [CLIENT_ID, "other"], "azp": None}, "authorized_party_missing", id="aud-two-azp-null"),
    pytest.param({"iat": NOW - 720, "exp": NOW - 600}, "expired", marks=case("ID08"), id="exp-past"),
    pytest.param({"iat": NOW - 180, "exp": NOW - 60}, "expired", marks=case("ID08"), id="exp-just-out-of-leeway"),
    pytest.param({"exp": ABSENT}, "expiry_missing", marks=case("ID09"), id="exp-missing"),
    pytest.param({"iat": ABSENT}, "issued_at_missing", marks=case("ID10"), id="iat-missing"),
    pytest.param({"iat": NOW - WEEK}, "lifetime", marks=case("ID11"), id="iat-a-week-old"),
    pytest.param({"iat": NOW - 601}, "issued_long_ago", marks=case("ID11"), id="iat-eleven-minutes-old"),
    pytest.param({"iat": NOW + HOUR, "exp": NOW + HOUR + 120}, "issued_in_future", marks=case("ID12"), id="iat-future"),
    pytest.param({"iat": NOW + 61, "exp": NOW + 181}, "issued_in_future", marks=case("ID12"), id="iat-61-s-ahead"),
    pytest.param({"nbf": NOW + HOUR}, "not_yet_valid", marks=case("ID13"), id="nbf-future"),
    pytest.param({"nbf": NOW + 61}, "not_yet_valid", marks=case("ID13"), id="nbf-61-s-ahead"),
    pytest.param({"nonce": "of-another-login"}, "nonce_mismatch", marks=case("ID15", "ID17"), id="nonce-other"),
    pytest.param({"nonce": NONCE + "x"}, "nonce_mismatch", marks=case("ID15"), id="nonce-longer"),
    pytest.param({"nonce": [NONCE]}, "nonce_mismatch", marks=case("ID15"), id="nonce-list"),
    pytest.param({"nonce": "é"}, "nonce_mismatch", marks=case("ID15"), id="nonce-not-ascii"),
    pytest.param({"nonce": ABSENT}, "nonce_missing", marks=case("ID16"), id="nonce-missing"),
    pytest.param({"nonce": ""}, "nonce_missing", marks=case("ID16"), id="nonce-empty"),
    pytest.param({"sub": ABSENT}, "subject_missing", marks=case("ID18"), id="sub-missing"),
    pytest.param({"sub": None}, "subject_missing", marks=case("ID18"), id="sub-null"),
    pytest.param({"sub": ""}, "subject_missing", marks=case("ID19"), id="sub-empty"),
    pytest.param({"sub": "x" * 300}, "subject_malformed", marks=case("ID20"), id="sub-300"),
    pytest.param({"sub": "x" * 256}, "subject_malformed", marks=case("ID20"), id="sub-256"),
    pytest.param({"sub": 899700000000}, "subject_malformed", marks=case("ID21"), id="sub-number"),
    pytest.param({"sub": "docteur-é"}, "subject_malformed", marks=case("ID21"), id="sub-not-ascii"),
    pytest.param({"sub": "a\nb"}, "subject_malformed", marks=case("ID21", "LG03"), id="sub-newline"),
    pytest.param({"exp": str(NOW + 120)}, "time_malformed", marks=case("ID22"), id="exp-text"),
    pytest.param({"exp": 1e300}, "time_malformed", marks=case("ID22"), id="exp-1e300"),
    pytest.param({"exp": 10**300}, "time_malformed", marks=case("ID22"), id="exp-huge-integer"),
    pytest.param({"exp": True}, "time_malformed", marks=case("ID22"), id="exp-true"),
    pytest.param({"exp": -1}, "time_malformed", marks=case("ID22"), id="exp-negative"),
    pytest.param({"exp": [NOW + 120]}, "time_malformed", marks=case("ID22"), id="exp-list"),
    pytest.param({"exp": -0.5}, "time_malformed", marks=case("ID22"), id="exp-negative-decimal"),
    pytest.param({"exp": 2.0**53 + 2}, "time_malformed", marks=case("ID22"), id="exp-over-the-safe-integers"),
    pytest.param({"exp": None}, "expiry_missing", marks=case("ID22"), id="exp-null"),
    pytest.param({"iat": None}, "issued_at_missing", marks=case("ID22"), id="iat-null"),
    pytest.param({"iat": NOW - 180.5, "exp": NOW - 60.5}, "expired", marks=case("ID22"), id="exp-decimal-past"),
    pytest.param({"iat": NOW + 60.5, "exp": NOW + 180}, "issued_in_future", marks=case("ID22"), id="iat-decimal-ahead"),
    pytest.param({"iat": 1e300}, "time_malformed", marks=case("ID22"), id="iat-1e300"),
    pytest.param({"iat": False}, "time_malformed", marks=case("ID22"), id="iat-false"),
    pytest.param({"nbf": NOW + 60.5}, "not_yet_valid", marks=case("ID22"), id="nbf-decimal-ahead"),
    pytest.param({"nbf": 1e300}, "time_malformed", marks=case("ID22"), id="nbf-1e300"),
    pytest.param({"nbf": True}, "time_malformed", marks=case("ID22"), id="nbf-true"),
    pytest.param({"auth_time": 1e300}, "claim_malformed", marks=case("ID22"), id="auth-time-1e300"),
    pytest.param({"auth_time": True}, "claim_malformed", marks=case("ID22"), id="auth-time-true"),
    pytest.param({"auth_time": -1}, "claim_malformed", marks=case("ID22"), id="auth-time-negative"),
    pytest.param({"auth_time": NOW + 61}, "authentication_in_future", marks=case("NW14"), id="auth-time-61-s-ahead"),
    pytest.param({"auth_time": NOW + 60.5}, "authentication_in_future", marks=case("NW14"), id="auth-time-decimal"),
    pytest.param({"auth_time": 2**53 - 1}, "authentication_in_future", marks=case("NW14"), id="auth-time-2-to-the-53"),
    pytest.param({"exp": 32_503_680_000}, "lifetime", marks=case("ID22"), id="exp-in-2999"),
    pytest.param({"exp": NOW + 24 * HOUR + 1}, "lifetime", marks=case("ID22"), id="exp-over-a-day"),
    pytest.param({"exp": NOW, "iat": NOW}, "lifetime", marks=case("ID22"), id="life-of-nothing"),
    pytest.param({"iat": str(NOW)}, "time_malformed", marks=case("ID22"), id="iat-text"),
    pytest.param({"nbf": "now"}, "time_malformed", marks=case("ID22"), id="nbf-text"),
    pytest.param({"at_hash": at_hash("another")}, "at_hash_mismatch", marks=case("ID23"), id="at-hash-other"),
    pytest.param({"at_hash": ""}, "at_hash_mismatch", marks=case("ID23"), id="at-hash-empty"),
    pytest.param({"typ": "Bearer", "aud": "account"}, "wrong_type", marks=case("ID24"), id="access-token"),
    pytest.param({"typ": "Logout"}, "wrong_type", marks=case("ID24"), id="typ-logout"),
    pytest.param({"typ": 5}, "wrong_type", marks=case("ID24"), id="typ-number"),
    pytest.param({"events": {}}, "wrong_type", marks=case("ID24", "LO16"), id="logout-token"),
    pytest.param({"acr": 1}, "claim_malformed", marks=case("ID25"), id="acr-number"),
    pytest.param({"auth_time": "1"}, "claim_malformed", marks=case("ID25"), id="auth-time-text"),
    pytest.param({"sid": ["x"]}, "claim_malformed", id="sid-list"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_id_token_with_one_thing_wrong_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(IDTokenError) as refused:
        validate(sign(claims(**change)))
    assert refused.value.code == f"id_token_{reason}"


ACCEPTED: list[Any] = [
    pytest.param({}, id="as-it-comes"),
    pytest.param({"aud": [CLIENT_ID]}, marks=case("ID07"), id="aud-list-of-one"),
    pytest.param({"aud": [CLIENT_ID], "azp": ABSENT}, marks=case("ID07"), id="aud-list-of-one-without-azp"),
    pytest.param({"aud": [CLIENT_ID, "other"]}, marks=case("ID05"), id="two-audiences-and-azp-is-us"),
    pytest.param({"iat": NOW + 5}, marks=case("ID14"), id="iat-5-s-ahead"),
    pytest.param({"exp": NOW - 5, "iat": NOW - 125}, marks=case("ID14"), id="exp-5-s-past"),
    pytest.param({"nbf": NOW + 59}, marks=case("ID14"), id="nbf-59-s-ahead"),
    pytest.param({"azp": ABSENT}, id="no-azp"),
    pytest.param({"typ": ABSENT}, id="no-typ"),
    pytest.param({"at_hash": ABSENT}, id="no-at-hash"),
    pytest.param({"acr": ABSENT, "sid": ABSENT, "auth_time": ABSENT}, id="no-optional-claim"),
    pytest.param({"exp": NOW + 120.5}, marks=case("ID22"), id="exp-float"),
    pytest.param({"exp": 1.90000012e9}, marks=case("ID22"), id="exp-with-an-exponent"),
    pytest.param({"iat": NOW + 59.5, "nbf": NOW + 59.999, "auth_time": NOW + 59.5}, marks=case("ID22"), id="decimals"),
    pytest.param({"exp": NOW - 59.5, "iat": NOW - 125.25}, marks=case("ID14", "ID22"), id="exp-decimal-in-the-leeway"),
    *(
        pytest.param({name: None}, id=f"{name}-null")
        for name in ("acr", "sid", "auth_time", "azp", "at_hash", "nbf", "typ", "jti", "amr", "session_state")
    ),
    pytest.param({"auth_time": NOW + 59}, marks=case("NW14"), id="auth-time-59-s-ahead"),
    pytest.param({"sub": "x" * 255}, id="sub-255"),
    pytest.param({"iat": NOW - 600}, id="iat-ten-minutes-old"),
]


@pytest.mark.parametrize("change", ACCEPTED)
def test_id_token_is_accepted(change: dict[str, Any]) -> None:
    assert validate(sign(claims(**change))).subject


def test_id_token_has_the_values_of_the_claims() -> None:
    token = validate(sign(claims()))
    assert (token.claims["iss"], token.subject, token.claims["aud"]) == (ISSUER, SUBJECT, CLIENT_ID)
    assert (token.claims["iat"], token.claims["exp"], token.auth_time) == (NOW, NOW + 120, NOW - 30)
    assert (token.claims["acr"], token.claims["sid"]) == ("eidas1", "044b9c35-1d8f-4925-8ae8-22cf585e079c")


def test_claims_of_an_id_token_are_read_only() -> None:
    token = validate(sign(claims()))
    with pytest.raises(TypeError):
        token.claims["sub"] = "somebody else"  # type: ignore[index]


@pytest.mark.case("LG01", "LG02")
def test_repr_of_an_id_token_shows_neither_the_token_nor_the_person() -> None:
    token = validate(sign(claims(given_name="KIT")))
    assert token.raw not in repr(token)
    assert "KIT" not in repr(token)
    assert SUBJECT not in repr(token)


@pytest.mark.case("CK01")
@pytest.mark.parametrize("seconds", [-45, 45])
def test_clock_45_seconds_off_is_accepted(seconds: int) -> None:
    assert validate(sign(claims()), now=NOW + seconds).subject == SUBJECT


@pytest.mark.case("CK01")
@pytest.mark.parametrize(
    ("seconds", "code"), [(-120, "id_token_issued_in_future"), (240, "id_token_expired")], ids=["slow", "fast"]
)
def test_clock_too_far_off_is_refused_with_the_reason(seconds: int, code: str) -> None:
    with pytest.raises(IDTokenError) as refused:
        validate(sign(claims()), now=NOW + seconds)
    assert refused.value.code == code


@pytest.mark.case("CK02")
@pytest.mark.parametrize("moment", [2**31 - 30, 2**31 + 30, 2**32 - 30], ids=["before-2038", "after-2038", "2106"])
def test_times_beyond_32_bits_are_plain_numbers(moment: int) -> None:
    raw = sign(claims(iat=moment, exp=moment + 120, auth_time=moment))
    assert validate(raw, now=float(moment)).claims["exp"] == moment + 120


@pytest.mark.case("ID15", "ID16")
def test_login_without_a_nonce_accepts_no_token() -> None:
    with pytest.raises(IDTokenError) as refused:
        validate_id_token(
            sign(claims(nonce="")), rules=RULES, keys=key_set(), nonce="", access_token=ACCESS_TOKEN, now=NOW
        )
    assert refused.value.code == "id_token_nonce_missing"


@pytest.mark.case("ID25", "AZ22")
@pytest.mark.parametrize(
    ("acr", "code"),
    [("eidas1", "id_token_acr_refused"), (ABSENT, "id_token_acr_missing"), ("", "id_token_acr_missing")],
    ids=["lower", "absent", "empty"],
)
def test_acr_outside_the_accepted_ones_is_refused(acr: Any, code: str) -> None:
    with pytest.raises(IDTokenError) as refused:
        validate(sign(claims(acr=acr)), accepted_acr=("eidas2", "eidas3"))
    assert refused.value.code == code


@pytest.mark.case("ID25")
def test_acr_among_the_accepted_ones_is_accepted() -> None:
    assert validate(sign(claims(acr="eidas3")), accepted_acr=("eidas2", "eidas3")).claims["acr"] == "eidas3"


@pytest.mark.case("AZ22")
@pytest.mark.parametrize(
    ("auth_time", "code"),
    [
        (ABSENT, "id_token_auth_time_missing"),
        (None, "id_token_auth_time_missing"),
        (NOW - 7200, "id_token_authentication_too_old"),
        (NOW - 361, "id_token_authentication_too_old"),
        (NOW - 360.5, "id_token_authentication_too_old"),
        (NOW + 61, "id_token_authentication_in_future"),
    ],
    ids=["absent", "null", "two-hours-old", "just-too-old", "too-old-by-decimals", "future"],
)
def test_auth_time_is_checked_if_max_age_is_set(auth_time: Any, code: str) -> None:
    with pytest.raises(IDTokenError) as refused:
        validate(sign(claims(auth_time=auth_time)), max_age=300)
    assert refused.value.code == code


@pytest.mark.case("AZ22")
@pytest.mark.parametrize("auth_time", [NOW, NOW - 300, NOW - 359])
def test_auth_time_within_max_age_is_accepted(auth_time: int) -> None:
    assert validate(sign(claims(auth_time=auth_time)), max_age=300).auth_time == auth_time


def test_decimals_of_auth_time_are_cut() -> None:
    token = validate(sign(claims(auth_time=NOW - 30.75)))
    assert (token.auth_time, type(token.auth_time)) == (NOW - 31, int)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
def test_time_that_is_not_finite_is_refused(name: str, number: str) -> None:
    payload = json.dumps(claims(**{name: "here"})).replace('"here"', number).encode()
    assert code_of(sign(payload)) == "id_token_not_json"


@pytest.mark.case("ID23")
@pytest.mark.parametrize(("algorithm", "hash_name"), [("RS384", "sha384"), ("PS512", "sha512"), ("ES512", "sha512")])
def test_at_hash_uses_the_hash_of_the_algorithm(algorithm: str, hash_name: str) -> None:
    key = ec_key("P-521") if algorithm == "ES512" else rsa_key()
    raw = sign(claims(at_hash=at_hash(ACCESS_TOKEN, hash_name)), key=key, algorithm=algorithm)
    assert validate(raw, keys=key_set(jwk(key)), algorithm=algorithm).subject == SUBJECT


@pytest.mark.case("ID26")
@pytest.mark.parametrize("name", ["sub", "acr", "iss"])
def test_payload_with_a_duplicate_key_is_refused(name: str) -> None:
    text = json.dumps(claims())
    payload = text.replace(f'"{name}":', f'"{name}": "x", "{name}":', 1).encode()
    with pytest.raises(IDTokenError) as refused:
        validate(sign(payload))
    assert refused.value.code == "id_token_not_json"


@pytest.mark.case("ID27")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"sub": "\xff"}', "not_json"),
        (b"", "not_json"),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "not_json"),
        (b"[" * 10_000, "not_json"),
        (b'{"sub": "\\ud800"}', "not_json"),
        (b'{"exp": NaN}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
    ],
    ids=["list", "text", "null", "not-utf-8", "empty", "deep", "deep-10k", "surrogate", "nan", "bom"],
)
def test_payload_that_is_not_a_strict_json_object_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(IDTokenError) as refused:
        validate(sign(payload))
    assert refused.value.code == f"id_token_{reason}"
