"""Signatures and JWS headers (RFC 7515, RFC 8725): the known attacks on JOSE are refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from psc_connect.oidc.algorithms import ALGORITHMS
from psc_connect.oidc.errors import IDTokenError, UnknownKey

from .tokens import ABSENT, SUBJECT, b64, claims, code_of, ec_key, jwk, key_set, rsa_key, sign, sign_raw, validate

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key_for(algorithm: str) -> Any:
    return ec_key(CURVES[algorithm]) if algorithm in CURVES else rsa_key()


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_token_of_another_implementation_is_accepted(algorithm: str) -> None:
    key = key_for(algorithm)
    raw = sign(claims(at_hash=ABSENT), key=key, algorithm=algorithm)
    assert validate(raw, keys=key_set(jwk(key)), algorithm=algorithm).subject == SUBJECT


def test_nine_algorithms_can_be_chosen_and_none_is_symmetric() -> None:
    assert {name[:2] for name in ALGORITHMS} == {"RS", "PS", "ES"}
    assert len(ALGORITHMS) == 9


def unsigned(alg: Any) -> str:
    return f"{b64(json.dumps({'alg': alg, 'kid': 'key-1'}).encode())}.{b64(json.dumps(claims()).encode())}."


@pytest.mark.case("JO01")
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", None, 5, ["RS256"]])
def test_token_without_a_signature_algorithm_is_refused(alg: Any) -> None:
    assert code_of(unsigned(alg)) == "id_token_algorithm_refused"


@pytest.mark.case("JO01")
def test_token_that_names_no_algorithm_is_refused() -> None:
    assert code_of(sign(claims(), header={"alg": ABSENT})) == "id_token_algorithm_refused"


def hmac_signed(secret: bytes, algorithm: str = "HS256") -> str:
    signed = f"{b64(json.dumps({'alg': algorithm, 'kid': 'key-1'}).encode())}.{b64(json.dumps(claims()).encode())}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


@pytest.mark.case("JO02")
def test_hmac_with_the_public_key_is_refused() -> None:
    pem = (
        rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert code_of(hmac_signed(pem)) == "id_token_algorithm_refused"


@pytest.mark.case("JO03")
def test_hmac_with_the_client_secret_is_refused() -> None:
    assert code_of(hmac_signed(b"the client secret")) == "id_token_algorithm_refused"


@pytest.mark.case("JO03")
@pytest.mark.parametrize("algorithm", ["HS256", "none", ""])
def test_provider_with_an_unsafe_algorithm_accepts_no_token(algorithm: str) -> None:
    assert code_of(hmac_signed(b"secret", algorithm), algorithm=algorithm) == "id_token_algorithm_refused"


@pytest.mark.case("JO04")
@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_key_in_the_token_header_is_ignored(member: str) -> None:
    value = {
        "jwk": jwk(rsa_key("attacker")),
        "jku": "http://127.0.0.1:9/keys",
        "x5u": "http://127.0.0.1:9/cert",
        "x5c": ["!"],
    }[member]
    forged = sign(claims(), key=rsa_key("attacker"), header={member: value})
    assert code_of(forged) == "id_token_signature_invalid"
    assert validate(sign(claims(), header={member: value})).subject == SUBJECT


@pytest.mark.case("JO05")
def test_signature_of_another_algorithm_than_the_header_says_is_refused() -> None:
    assert code_of(sign(claims(), algorithm="PS256", header={"alg": "RS256"})) == "id_token_signature_invalid"


@pytest.mark.case("JO05")
@pytest.mark.parametrize("algorithm", ["PS256", "RS512"])
def test_algorithm_of_another_provider_is_refused(algorithm: str) -> None:
    assert code_of(sign(claims(), algorithm=algorithm)) == "id_token_algorithm_refused"


@pytest.mark.case("JO06")
@pytest.mark.parametrize(
    "header", [{"crit": ["x-evil"], "x-evil": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}]
)
def test_critical_extension_is_refused(header: dict[str, Any]) -> None:
    assert code_of(sign(claims(), header=header)) == "id_token_critical_header"


def flipped(raw: str) -> str:
    signed, _, signature = raw.rpartition(".")
    return f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


@pytest.mark.case("JO07")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
def test_flipped_signature_is_refused(algorithm: str) -> None:
    key = key_for(algorithm)
    raw = flipped(sign(claims(), key=key, algorithm=algorithm))
    assert code_of(raw, keys=key_set(jwk(key)), algorithm=algorithm) == "id_token_signature_invalid"


@pytest.mark.case("JO07")
def test_removed_signature_is_refused() -> None:
    assert code_of(sign(claims()).rpartition(".")[0] + ".") == "id_token_signature_invalid"


@pytest.mark.case("JO07")
def test_swapped_payload_is_refused() -> None:
    header, _, signature = sign(claims()).split(".")
    forged = b64(json.dumps(claims(sub="somebody-else")).encode())
    assert code_of(f"{header}.{forged}.{signature}") == "id_token_signature_invalid"


@pytest.mark.case("JO16")
@pytest.mark.parametrize("size", [32 * 1024, 5_000_000])
def test_token_over_32_kb_is_refused_before_it_is_decoded(size: int) -> None:
    assert code_of("!" * (size + 1)) == "id_token_too_large"


@pytest.mark.case("JO16")
def test_header_of_256_kb_is_refused() -> None:
    assert code_of(sign(claims(), header={"x": "x" * 256_000})) == "id_token_too_large"


@pytest.mark.case("JO17")
def test_encrypted_token_is_refused() -> None:
    assert code_of("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d") == "id_token_encrypted"


@pytest.mark.case("JO17", "JO18")
@pytest.mark.parametrize("raw", ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f", "é.é.é", "....", "\ud800.a.b"])
def test_text_that_is_not_a_compact_jws_is_refused(raw: str) -> None:
    assert code_of(raw) in {"id_token_not_compact", "id_token_encrypted", "id_token_header_malformed"}


def with_other_unused_bits(raw: str) -> str:
    """Return the token with other unused bits at its end: a tolerant decoder reads the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return raw[:-1] + alphabet[alphabet.index(raw[-1]) ^ 1]


@pytest.mark.case("JO18")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + "\n",
        lambda raw: raw + "=",
        lambda raw: raw + "==",
        lambda raw: " " + raw,
        lambda raw: raw.replace(".", "=.", 1),
        lambda raw: raw.replace(".", "\n.", 1),
        lambda raw: raw.replace(".", "!!!!.", 1),
        lambda raw: raw.replace("-", "+").replace("_", "/"),
        with_other_unused_bits,
    ],
    ids=[
        "newline",
        "padding",
        "padding-2",
        "space",
        "padded-header",
        "newline-inside",
        "foreign",
        "other-alphabet",
        "malleable",
    ],
)
def test_other_encoding_of_the_same_token_is_refused(spoil: Any) -> None:
    assert code_of(spoil(sign(claims()))) == "id_token_not_compact"


@pytest.mark.case("JO18")
@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
@pytest.mark.parametrize("number", [0, 1])
def test_ecdsa_signature_of_trivial_numbers_is_refused(algorithm: str, number: int) -> None:
    key = key_for(algorithm)
    length = (key.curve.key_size + 7) // 8
    signed = sign(claims(), key=key, algorithm=algorithm).rpartition(".")[0]
    raw = f"{signed}.{b64(number.to_bytes(length, 'big') * 2)}"
    assert code_of(raw, keys=key_set(jwk(key)), algorithm=algorithm) == "id_token_signature_invalid"


@pytest.mark.case("JO18")
def test_ecdsa_signature_in_der_is_refused() -> None:
    raw = sign(claims(), key=ec_key(), algorithm="ES256")
    signed = raw.rpartition(".")[0]
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    der = ec_key().sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    assert decode_dss_signature(der)
    code = code_of(f"{signed}.{b64(der)}", keys=key_set(jwk(ec_key())), algorithm="ES256")
    assert code == "id_token_signature_invalid"


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"RS256","alg":"RS256","kid":"key-1"}',
        b"[]",
        b'"RS256"',
        b"",
        b"\xff",
        b'{"alg":"RS256",}',
        b'{"alg":"RS256","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=["duplicate-key", "list", "text", "empty", "not-utf-8", "trailing-comma", "deep"],
)
@pytest.mark.case("JO16")
def test_header_that_is_not_a_strict_json_object_is_refused(header: bytes) -> None:
    assert code_of(sign_raw(header, json.dumps(claims()).encode())) == "id_token_header_malformed"


@pytest.mark.case("ID24")
@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "application/at+jwt", "jose", "JWE"])
def test_typ_of_another_kind_of_token_is_refused(typ: str) -> None:
    assert code_of(sign(claims(), header={"typ": typ})) == "id_token_wrong_type"


@pytest.mark.case("ID24")
@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/jwt", ABSENT])
def test_typ_jwt_or_none_is_accepted(typ: Any) -> None:
    assert validate(sign(claims(), header={"typ": typ})).subject == SUBJECT


@pytest.mark.parametrize("typ", [5, ["JWT"], True])
def test_typ_that_is_not_text_is_refused(typ: Any) -> None:
    assert code_of(sign(claims(), header={"typ": typ})) == "id_token_header_malformed"


def test_refusal_is_an_id_token_error() -> None:
    with pytest.raises(IDTokenError):
        validate(sign(claims(), header={"typ": "logout+jwt"}))


def test_signature_of_another_key_raises_unknown_key() -> None:
    """The provider may have changed its key under the same `kid`."""
    with pytest.raises(UnknownKey) as raised:
        validate(flipped(sign(claims())))
    assert raised.value.code == "id_token_signature_invalid"
