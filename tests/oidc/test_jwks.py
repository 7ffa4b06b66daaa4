"""The key set (RFC 7517): usable keys, ignored keys and the reasons, what may be stored."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from psc_connect.oidc.error_codes import CODES
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import parse_jwks, strip_private_members

from .tokens import b64, claims, ec_key, jwk, rsa_key, sign, validate

METADATA = {"issuer": "https://auth.example.test", "jwks_uri": "https://auth.example.test/keys"}
PEM = rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_jwk(**members: Any) -> dict[str, Any]:
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key())), "kid": "private", **members}


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def off_curve() -> dict[str, Any]:
    good = jwk(ec_key())
    return {**good, "y": b64(b"\x01" * 32)}


IGNORED: list[Any] = [
    pytest.param(jwk(rsa_key(), use="enc"), "encryption", marks=pytest.mark.case("JO11"), id="use-enc"),
    pytest.param(jwk(rsa_key(), key_ops=["sign"]), "operations", marks=pytest.mark.case("JO11"), id="key-ops"),
    pytest.param(jwk(rsa_key(), key_ops="verify"), "operations", marks=pytest.mark.case("JO11"), id="key-ops-text"),
    pytest.param(jwk(rsa_key(), alg="RSA-OAEP"), "algorithm", marks=pytest.mark.case("JO11"), id="alg-encryption"),
    pytest.param(jwk(rsa_key(), alg="HS256"), "algorithm", marks=pytest.mark.case("JO02"), id="alg-hmac"),
    pytest.param(jwk(rsa_key(), alg="ES256"), "algorithm", marks=pytest.mark.case("JO05"), id="alg-of-another-type"),
    pytest.param(jwk(ec_key("P-384"), alg="ES256"), "algorithm", marks=pytest.mark.case("JO05"), id="alg-other-curve"),
    pytest.param({"kty": "AKP", "pub": "AAAA"}, "unknown_type", marks=pytest.mark.case("JO13"), id="post-quantum"),
    pytest.param({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "unknown_type", id="ed25519"),
    pytest.param(jwk(rsa_key("r", 1024)), "too_short", marks=pytest.mark.case("JO12"), id="rsa-1024"),
    pytest.param({"kty": "RSA", "n": number(3 << 510), "e": "AQAB"}, "too_short", id="rsa-512"),
    pytest.param(
        {"kty": "RSA", "n": number((1 << 2046) + 1), "e": "AQAB"},
        "too_short",
        marks=pytest.mark.case("JO12"),
        id="rsa-2047",
    ),
    pytest.param({"kty": "RSA", "n": number((1 << 8192) + 1), "e": "AQAB"}, "too_long", id="rsa-8193"),
    pytest.param(jwk(rsa_key("e3", 2048, 3)), "exponent", marks=pytest.mark.case("JO12"), id="e-3"),
    pytest.param(jwk(rsa_key(), e="AQ"), "exponent", marks=pytest.mark.case("JO12"), id="e-1"),
    pytest.param(jwk(rsa_key(), e=number(65536)), "exponent", marks=pytest.mark.case("JO12"), id="e-even"),
    pytest.param(jwk(rsa_key(), e=number(2**64 + 1)), "exponent", id="e-huge"),
    pytest.param(off_curve(), "broken", marks=pytest.mark.case("JO12"), id="ec-off-curve"),
    pytest.param({**jwk(ec_key()), "x": "AA", "y": "AA"}, "broken", id="ec-short-coordinates"),
    pytest.param(
        {**jwk(ec_key()), "crv": "secp256k1"}, "unknown_curve", marks=pytest.mark.case("JO12"), id="ec-other-curve"
    ),
    pytest.param({**jwk(rsa_key()), "n": "AQAB="}, "broken", marks=pytest.mark.case("JO18"), id="padded"),
    pytest.param({**jwk(rsa_key()), "n": 5}, "broken", id="n-number"),
    pytest.param({"kty": "RSA", "e": "AQAB"}, "broken", id="n-missing"),
    pytest.param({"kty": "RSA", "n": "", "e": "AQAB"}, "too_short", id="n-empty"),
    pytest.param({"kty": "EC", "x": "AA", "y": "AA"}, "broken", id="crv-missing"),
    pytest.param(jwk(rsa_key(), kid=None) | {"kid": 5}, "broken", id="kid-number"),
    pytest.param(jwk(rsa_key()) | {"kid": "k" * 257}, "broken", marks=pytest.mark.case("JO10"), id="kid-long"),
    pytest.param(jwk(rsa_key()) | {"alg": ["RS256"]}, "broken", id="alg-list"),
    pytest.param(jwk(rsa_key()) | {"use": 1}, "broken", id="use-number"),
    pytest.param({}, "broken", id="empty"),
    pytest.param("text", "broken", id="text"),
    pytest.param(None, "broken", id="null"),
    pytest.param([jwk(rsa_key())], "broken", id="list"),
    pytest.param({"kty": "oct", "k": "c2VjcmV0"}, "symmetric", marks=pytest.mark.case("JO14"), id="oct"),
    pytest.param({"kty": "RSA", "k": "c2VjcmV0"}, "symmetric", marks=pytest.mark.case("JO14"), id="k-in-rsa"),
    pytest.param(private_jwk(), "private", marks=pytest.mark.case("JO14"), id="private-rsa"),
    pytest.param(jwk(ec_key()) | {"d": "AA"}, "private", marks=pytest.mark.case("JO14"), id="private-ec"),
    pytest.param({"kty": "OKP", "d": "AA"}, "private", marks=pytest.mark.case("JO14"), id="private-okp"),
    pytest.param({"kty": "AKP", "priv": "AA"}, "private", marks=pytest.mark.case("JO14"), id="private-post-quantum"),
    *[
        pytest.param(jwk(rsa_key()) | {member: "AA"}, "private", marks=pytest.mark.case("JO14"), id=f"only-{member}")
        for member in ("p", "q", "dp", "dq", "qi", "oth")
    ],
]


@pytest.mark.parametrize(("key", "reason"), IGNORED)
def test_key_that_cannot_be_used_is_ignored_with_the_reason_and_the_rest_kept(key: Any, reason: str) -> None:
    parsed = parse_jwks({"keys": [key, jwk(rsa_key(), kid="good")]})
    assert [good.kid for good in parsed.keys] == ["good"]
    assert [ignored.reason for ignored in parsed.ignored] == [f"jwks_key_{reason}"]
    assert parsed.ignored[0].reason in CODES


@pytest.mark.parametrize(("key", "reason"), IGNORED)
def test_stored_key_set_gives_the_same_result_for_every_key(key: Any, reason: str) -> None:
    key_set = {"keys": [key, jwk(rsa_key())]}
    stored = json.loads(json.dumps(strip_private_members(key_set)))
    assert parse_jwks(stored).keys == parse_jwks(key_set).keys
    assert parse_jwks(stored).ignored[0].reason == f"jwks_key_{reason}"


@pytest.mark.case("JO12")
@pytest.mark.parametrize(
    ("key", "size", "kty"),
    [
        (rsa_key(), 2048, "RSA"),
        (ec_key("P-256"), 256, "EC"),
        (ec_key("P-384"), 384, "EC"),
        (ec_key("P-521"), 521, "EC"),
    ],
    ids=["rsa", "p-256", "p-384", "p-521"],
)
def test_usable_key_has_the_details_that_administrators_compare(key: Any, size: int, kty: str) -> None:
    (parsed,) = parse_jwks({"keys": [jwk(key)]}).keys
    assert (parsed.kid, parsed.kty, parsed.use, parsed.alg, parsed.size) == ("key-1", kty, "sig", None, size)


def test_thumbprint_is_that_of_the_standard_s_example() -> None:
    """RFC 7638 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    (key,) = parse_jwks({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}]}).keys
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


NO_KEY_SET: list[Any] = [
    (None, "not_an_object"),
    ([jwk(rsa_key())], "not_an_object"),
    (5, "not_an_object"),
    ({}, "keys_missing"),
    ({"keys": {}}, "keys_missing"),
    ({"keys": None}, "keys_missing"),
    (METADATA, "looks_like_metadata"),
    (jwk(rsa_key()), "looks_like_key"),
    ("<!DOCTYPE html><html>", "looks_like_html"),
    ("  <html>", "looks_like_html"),
    (PEM.decode(), "looks_like_certificate"),
    (PEM, "looks_like_certificate"),
    ("https://auth.example.test/keys", "looks_like_url"),
    ("{", "not_json"),
    ({"keys": [{}] * 101}, "too_many_keys"),
    ({"keys": [{}] * 10_000}, "too_many_keys"),
]


@pytest.mark.case("JO15")
@pytest.mark.parametrize(("value", "reason"), NO_KEY_SET)
@pytest.mark.parametrize("read", [parse_jwks, strip_private_members])
def test_value_that_is_not_a_key_set_is_refused(read: Any, value: Any, reason: str) -> None:
    with pytest.raises(JWKSError) as refused:
        read(value)
    assert refused.value.code == f"jwks_{reason}"


@pytest.mark.case("JO15")
def test_empty_key_set_is_a_key_set() -> None:
    assert parse_jwks({"keys": []}).keys == ()


@pytest.mark.case("JO14")
def test_private_members_are_not_stored() -> None:
    private = private_jwk()
    stored = json.dumps(strip_private_members({"keys": [private, {"kty": "oct", "k": "c2VjcmV0"}], "d": private["d"]}))
    assert not [member for member in ("d", "p", "q", "dp", "dq", "qi") if private[member] in stored]
    assert "c2VjcmV0" not in stored


@pytest.mark.case("JO14")
def test_private_key_in_pem_instead_of_a_jwk_is_not_stored() -> None:
    assert strip_private_members({"keys": ["-----BEGIN PRIVATE KEY-----"]}) == {
        "keys": [{"kid": None, "kty": "", "psc_connect_ignored": "jwks_key_broken"}]
    }


@pytest.mark.case("JO14")
def test_unknown_members_of_a_key_are_not_stored() -> None:
    stored = strip_private_members({"keys": [jwk(rsa_key()) | {"backup": {"d": "secret"}, "x5c": ["MIIB"], "n2": "x"}]})
    assert set(stored["keys"][0]) == {"kty", "kid", "use", "n", "e", "x5c"}


@pytest.mark.case("JO14")
def test_kid_of_an_ignored_key_is_kept() -> None:
    (ignored,) = parse_jwks(strip_private_members({"keys": [private_jwk(kid="leaked")]})).ignored
    assert (ignored.kid, ignored.kty, ignored.reason) == ("leaked", "RSA", "jwks_key_private")


@pytest.mark.parametrize("member", ["kid", "alg", "use", "key_ops", "x5c"])
def test_member_that_is_null_is_an_absent_one(member: str) -> None:
    key = jwk(rsa_key()) | {member: None}
    assert parse_jwks({"keys": [key]}).keys
    assert parse_jwks(strip_private_members({"keys": [key]})).keys == parse_jwks({"keys": [key]}).keys


@pytest.mark.parametrize("marker", ["anything", "jwks_key_encryption", 5, None])
def test_foreign_marker_does_not_hide_a_good_key(marker: Any) -> None:
    assert parse_jwks({"keys": [jwk(rsa_key(), psc_connect_ignored=marker)]}).keys


@pytest.mark.case("JO12")
def test_ignored_key_verifies_no_signature() -> None:
    weak = rsa_key("weak", 1024)
    with pytest.raises(Exception, match="id_token_unknown_key"):
        validate(sign(claims(), key=weak), keys=parse_jwks({"keys": [jwk(weak)]}))


def test_repr_of_a_key_set_is_short() -> None:
    assert len(repr(parse_jwks({"keys": [jwk(rsa_key())]}))) < 300


def test_keys_of_keycloak_are_read() -> None:
    """Keycloak publishes an encryption key beside the signing one, certificates included."""
    key_set = {
        "keys": [
            jwk(rsa_key("enc"), kid="enc", alg="RSA-OAEP", use="enc", x5c=["MIIB"], x5t="AA"),
            jwk(rsa_key(), kid="sig", alg="RS256", x5c=["MIIB"], **{"x5t#S256": "AA"}),
        ]
    }
    parsed = parse_jwks(key_set)
    assert [(key.kid, key.alg) for key in parsed.keys] == [("sig", "RS256")]
    assert [(key.kid, key.reason) for key in parsed.ignored] == [("enc", "jwks_key_encryption")]


def test_types_of_key_that_are_ignored_really_exist() -> None:
    """The OKP row of the table is a real key."""
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    okp_key = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key))
    assert parse_jwks({"keys": [okp_key]}).ignored[0].reason == "jwks_key_unknown_type"
    assert not isinstance(key, rsa.RSAPublicKey)
