"""Validation of the userinfo (OpenID Connect Core 5.3): subject, signature, and what a database can store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import psc_connect
from psc_connect.oidc.errors import OIDCError, UnknownKey
from psc_connect.oidc.http import Answer
from psc_connect.oidc.userinfo import validate_userinfo

from .tokens import ABSENT, CLIENT_ID, ISSUER, NOW, RULES, SUBJECT, claims, jwk, key_set, rsa_key, sign, validate

PAYLOADS = sorted((Path(psc_connect.__file__).parent / "claims" / "samples").glob("*.json"))
PERSON = {"sub": SUBJECT, "given_name": "KIT", "otherIds": [{"identifiant": "899700000000", "origine": "RPPS"}]}


def read(body: bytes | dict[str, Any], content_type: str = "application/json", **options: Any) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    options.setdefault("keys", key_set())
    subject = options.pop("subject", SUBJECT)
    return validate_userinfo(
        Answer(200, content_type, raw), id_token=validate(sign(claims(sub=subject))), rules=RULES, now=NOW, **options
    )


def refused(body: bytes | dict[str, Any], content_type: str = "application/json", **options: Any) -> str:
    with pytest.raises(OIDCError) as raised:
        read(body, content_type, **options)
    return raised.value.code.removeprefix("userinfo_")


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_real_answer_is_read_whole(path: Path) -> None:
    payload = json.loads(path.read_text())
    assert read(path.read_bytes(), subject=payload["sub"]) == payload


def test_there_are_real_answers() -> None:
    assert len(PAYLOADS) >= 5


@pytest.mark.case("UI01")
@pytest.mark.parametrize("subject", ["somebody-else", SUBJECT + " ", SUBJECT.upper(), 5, [SUBJECT], True])
def test_answer_with_another_subject_is_refused(subject: Any) -> None:
    assert refused({**PERSON, "sub": subject}) == "subject_mismatch"


@pytest.mark.case("UI02")
@pytest.mark.parametrize("person", [{}, {"sub": None}, {"sub": ""}, {"given_name": "KIT"}])
def test_answer_without_a_subject_is_refused(person: dict[str, Any]) -> None:
    assert refused(person) == "subject_missing"


@pytest.mark.case("UI03")
@pytest.mark.parametrize(
    "name", ["iss", "aud", "azp", "exp", "iat", "nbf", "acr", "amr", "auth_time", "nonce", "sid", "typ", "events"]
)
def test_claims_that_only_the_id_token_may_have_are_removed(name: str) -> None:
    assert read({**PERSON, name: "forged"}) == PERSON


@pytest.mark.case("UI08")
def test_distributed_claims_are_not_fetched() -> None:
    elsewhere = {
        "_claim_names": {"address": "src1"},
        "_claim_sources": {"src1": {"endpoint": "http://169.254.169.254/", "access_token": "x"}},
    }
    assert read({**PERSON, **elsewhere}) == PERSON


@pytest.mark.case("UI04")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"not json", "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"sub": "a", "sub": "b"}', "not_json"),
        (b'{"sub": NaN}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"sub": "\xff"}', "not_json"),
        (b'{"a":' * 10_000, "not_json"),
    ],
)
def test_answer_that_is_not_a_strict_json_object_is_refused(body: bytes, code: str) -> None:
    assert refused(body) == code


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", "APPLICATION/JSON", "text/plain", ""])
def test_any_media_type_other_than_jwt_is_read_as_json(content_type: str) -> None:
    assert read(PERSON, content_type) == PERSON


@pytest.mark.case("UI09")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("x" * 10_001, "text_refused"),
        ("x" * 1_000_000, "text_refused"),
        ("a\x00b", "text_refused"),
        ({"a\x00": 1}, "text_refused"),
        ([{"deep": ["\x00"]}], "text_refused"),
        (["x"] * 1_001, "list_too_long"),
        (["x"] * 10_000, "list_too_long"),
        ({str(n): n for n in range(1_001)}, "list_too_long"),
        (2**53 + 1, "number_refused"),
        (-(10**300), "number_refused"),
    ],
)
def test_claim_that_cannot_be_stored_is_refused(value: Any, code: str) -> None:
    assert refused({**PERSON, "claim": value}) == code


@pytest.mark.case("UI09")
def test_lone_surrogate_is_refused() -> None:
    assert refused(b'{"sub": "x", "given_name": "\\ud800"}') == "not_json"


@pytest.mark.case("UI09")
@pytest.mark.parametrize("value", ["x" * 10_000, ["x"] * 1_000, 2**53, [], {}, "", None, False, 1.5, "é\n"])
def test_claim_at_the_bounds_is_kept(value: Any) -> None:
    assert read({**PERSON, "claim": value})["claim"] == value


def signed(**changes: Any) -> bytes:
    members = {**PERSON, "iss": ISSUER, "aud": CLIENT_ID, **changes}
    return sign({name: value for name, value in members.items() if value is not ABSENT}).encode()


def refused_jwt(body: bytes, **options: Any) -> str:
    return refused(body, "application/jwt", signed_algorithm="RS256", **options)


@pytest.mark.parametrize("content_type", ["application/jwt", "Application/JWT; charset=utf-8"])
def test_signed_answer_is_accepted_if_configured(content_type: str) -> None:
    assert read(signed(), content_type, signed_algorithm="RS256") == PERSON


@pytest.mark.case("UI06")
def test_unsigned_answer_is_refused_if_a_signed_one_is_configured() -> None:
    assert refused(PERSON, signed_algorithm="RS256") == "not_signed"


@pytest.mark.case("UI06")
def test_signed_answer_is_refused_if_plain_json_is_configured() -> None:
    assert refused(signed(), "application/jwt") == "signed_unexpectedly"


@pytest.mark.case("UI05")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": "https://evil.test"}, "issuer_mismatch"),
        ({"iss": ABSENT}, "issuer_missing"),
        ({"aud": "another-client"}, "audience_mismatch"),
        ({"aud": ABSENT}, "audience_missing"),
        ({"sub": "somebody-else"}, "subject_mismatch"),
        ({"typ": "Bearer"}, "wrong_type"),
        ({"typ": "ID"}, "wrong_type"),
        ({"events": {}}, "wrong_type"),
        ({"exp": NOW - 60}, "expired"),
        ({"exp": "soon"}, "time_malformed"),
        ({"nbf": NOW + 61}, "not_yet_valid"),
        ({"exp": NOW - 60.5}, "expired"),
        ({"nbf": NOW + 60.5}, "not_yet_valid"),
        ({"nbf": 1e300}, "time_malformed"),
    ],
)
def test_signed_answer_with_one_thing_wrong_is_refused(change: dict[str, Any], code: str) -> None:
    assert refused_jwt(signed(**change)) == code


def test_times_of_a_signed_answer_have_the_same_leeway() -> None:
    body = signed(exp=NOW - 59.5, nbf=NOW + 60.0)
    assert read(body, "application/jwt", signed_algorithm="RS256") == PERSON


@pytest.mark.parametrize("name", ["exp", "nbf", "typ", "events", "azp"])
def test_null_claim_of_a_signed_answer_counts_as_absent(name: str) -> None:
    assert read(signed(**{name: None}), "application/jwt", signed_algorithm="RS256") == PERSON


@pytest.mark.case("UI05")
def test_signed_answer_of_a_wrong_key_is_refused() -> None:
    assert refused_jwt(signed(), keys=key_set(jwk(rsa_key("other")))) == "signature_invalid"


@pytest.mark.case("UI05")
def test_signed_answer_of_an_unknown_key_raises_unknown_key() -> None:
    with pytest.raises(UnknownKey) as raised:
        read(signed(), "application/jwt", signed_algorithm="RS256", keys=key_set(jwk(rsa_key(), kid="other")))
    assert raised.value.code == "userinfo_unknown_key"


@pytest.mark.case("UI05")
@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "not_compact"), (b"{}", "not_compact"), (b"\xff.a.b", "not_compact"), (b"a.b.c.d.e", "encrypted")],
)
def test_signed_answer_that_is_not_a_token_is_refused(body: bytes, code: str) -> None:
    assert refused_jwt(body) == code


@pytest.mark.case("UI05", "JO03")
def test_signed_answer_of_another_algorithm_is_refused() -> None:
    assert refused(signed(), "application/jwt", signed_algorithm="PS256") == "algorithm_refused"
