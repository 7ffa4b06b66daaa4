"""What josepy itself checks and does not check. An upgrade that changes this makes a test fail."""

from __future__ import annotations

import json
from typing import Any

import josepy
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from psc_connect.oidc.algorithms import ALGORITHMS

from .test_jws import with_other_unused_bits
from .tokens import b64, claims, ec_key, jwk, rsa_key, sign, sign_raw


def compact(header: bytes, signature: str = "AAAA") -> bytes:
    return f"{b64(header)}.{b64(b'{}')}.{signature}".encode()


@pytest.mark.case("JO01")
@pytest.mark.parametrize(
    ("header", "raised"),
    [(b'{"alg":"none"}', KeyError), (b'{"kid":"a"}', AssertionError), (b'{"x":' * 100_000, RecursionError)],
    ids=["none", "missing", "deep"],
)
def test_josepy_raises_errors_that_are_not_its_own(header: bytes, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        josepy.JWS.from_compact(compact(header))


@pytest.mark.case("JO02")
def test_josepy_takes_the_algorithm_from_the_token_and_fails_on_hmac() -> None:
    public = josepy.JWKRSA(key=rsa_key().public_key())
    with pytest.raises(TypeError):
        josepy.JWS.from_compact(compact(b'{"alg":"HS256"}')).verify(public)


def josepy_accepts(raw: str, key: Any) -> bool:
    return josepy.JWS.from_compact(raw.encode()).verify(key)


@pytest.mark.case("JO18")
def test_josepy_accepts_padding_and_other_spellings_of_base64() -> None:
    raw, key = sign(claims()), josepy.JWKRSA(key=rsa_key().public_key())
    assert josepy_accepts(raw, key)
    assert josepy_accepts(raw + "==", key)
    assert josepy_accepts(raw + "\n" * 4, key)
    assert josepy_accepts(raw.replace(".", "!!!!."), key)
    assert josepy_accepts(with_other_unused_bits(raw), key)


@pytest.mark.case("ID26")
def test_josepy_accepts_duplicate_keys_of_a_header() -> None:
    raw = sign_raw(b'{"alg":"none","alg":"RS256"}', b"{}")
    assert josepy_accepts(raw, josepy.JWKRSA(key=rsa_key().public_key()))


@pytest.mark.case("JO06")
def test_josepy_does_not_know_b64() -> None:
    raw = sign(claims(), header={"b64": False})
    assert josepy_accepts(raw, josepy.JWKRSA(key=rsa_key().public_key()))


@pytest.mark.case("JO05")
def test_josepy_accepts_es256_with_a_p384_key() -> None:
    key = josepy.JWKEC(key=ec_key("P-384"))
    raw = josepy.JWS.sign(b"{}", key=key, alg=josepy.ES256, include_jwk=False, protect=frozenset({"alg"})).to_compact()
    assert josepy_accepts(raw.decode(), key.public_key())


@pytest.mark.case("JO12")
def test_josepy_loads_weak_rsa_keys() -> None:
    weak = rsa.generate_private_key(3, 1024).public_key()
    assert josepy.JWK.from_json(jwt.algorithms.RSAAlgorithm.to_jwk(weak, as_dict=True))


@pytest.mark.case("JO11")
def test_josepy_drops_the_metadata_of_a_jwk() -> None:
    loaded = josepy.JWK.from_json(jwk(rsa_key(), alg="RS256", key_ops=["verify"]))
    assert set(loaded.to_json()) == {"kty", "n", "e"}


@pytest.mark.case("JO14")
def test_josepy_loads_private_keys_from_a_key_set() -> None:
    private = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key()))
    loaded: Any = josepy.JWK.from_json(private)
    assert isinstance(loaded.key._wrapped, rsa.RSAPrivateKey)


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_josepy_signs_pss_with_a_salt_that_others_refuse(algorithm: str) -> None:
    signature = josepy.JWASignature.from_json(algorithm).sign(rsa_key(), b"text")
    assert not jwt.get_algorithm_by_name(algorithm).verify(b"text", rsa_key().public_key(), signature)


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_josepy_verifies_pss_with_a_salt_of_any_length(algorithm: str) -> None:
    theirs = josepy.JWASignature.from_json(algorithm)
    assert theirs.verify(rsa_key().public_key(), b"text", theirs.sign(rsa_key(), b"text"))
    assert josepy_accepts(sign(claims(), algorithm=algorithm), josepy.JWKRSA(key=rsa_key().public_key()))


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_our_pss_uses_and_accepts_only_the_standard_salt_length(algorithm: str) -> None:
    """RFC 7518 3.5."""
    ours, theirs = ALGORITHMS[algorithm].jwa, josepy.JWASignature.from_json(algorithm)
    assert jwt.get_algorithm_by_name(algorithm).verify(b"text", rsa_key().public_key(), ours.sign(rsa_key(), b"text"))
    assert not ours.verify(rsa_key().public_key(), b"text", theirs.sign(rsa_key(), b"text"))
