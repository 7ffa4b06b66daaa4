"""Choice of the key that verifies a token (OIDC Core 10.1, RFC 8725 3.1): by `kid`, type and purpose."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.oidc.errors import UnknownKey
from psc_connect.oidc.jwks import KeySet

from .tokens import ABSENT, SUBJECT, claims, code_of, ec_key, jwk, key_set, rsa_key, sign, validate


@pytest.mark.case("JO05")
def test_key_bound_to_another_algorithm_is_not_used() -> None:
    assert code_of(sign(claims()), keys=key_set(jwk(rsa_key(), alg="PS256"))) == "id_token_key_unfit"


@pytest.mark.case("JO05")
@pytest.mark.parametrize(("algorithm", "curve"), [("ES256", "P-384"), ("ES384", "P-256"), ("ES512", "P-256")])
def test_elliptic_algorithm_accepts_its_own_curve_only(algorithm: str, curve: str) -> None:
    raw = sign(claims(), header={"alg": algorithm})
    assert code_of(raw, keys=key_set(jwk(ec_key(curve))), algorithm=algorithm) == "id_token_key_unfit"


@pytest.mark.case("JO05")
def test_elliptic_algorithm_does_not_accept_an_rsa_key() -> None:
    assert code_of(sign(claims(), header={"alg": "ES256"}), algorithm="ES256") == "id_token_key_unfit"


@pytest.mark.case("JO08")
def test_without_kid_the_only_key_is_tried() -> None:
    assert validate(sign(claims(), header={"kid": ABSENT})).subject == SUBJECT


@pytest.mark.case("JO08")
def test_without_kid_every_fitting_key_is_tried() -> None:
    keys = key_set(jwk(rsa_key("other"), kid="a"), jwk(ec_key(), kid="b"), jwk(rsa_key(), kid="c"))
    assert validate(sign(claims(), header={"kid": ABSENT}), keys=keys).subject == SUBJECT


@pytest.mark.case("JO09")
def test_unknown_kid_raises_unknown_key() -> None:
    with pytest.raises(UnknownKey) as raised:
        validate(sign(claims(), header={"kid": "key-2"}))
    assert raised.value.code == "id_token_unknown_key"


@pytest.mark.case("JO09")
@pytest.mark.parametrize("kid", ["key-1", ABSENT])
def test_empty_key_set_raises_unknown_key(kid: Any) -> None:
    with pytest.raises(UnknownKey):
        validate(sign(claims(), header={"kid": kid}), keys=KeySet((), ()))


@pytest.mark.case("JO09")
def test_key_without_kid_does_not_match_a_kid() -> None:
    with pytest.raises(UnknownKey):
        validate(sign(claims()), keys=key_set(jwk(rsa_key(), kid=None)))


@pytest.mark.case("JO10")
@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "a\nb", "\x00", "\x1b[31m", ""])
def test_hostile_kid_is_only_looked_up(kid: str) -> None:
    with pytest.raises(UnknownKey) as raised:
        validate(sign(claims(), header={"kid": kid}))
    assert not kid.strip() or kid not in str(raised.value)


@pytest.mark.case("JO10")
@pytest.mark.parametrize("kid", ["k" * 257, 5, ["key-1"], {"a": 1}, True])
def test_kid_that_is_not_a_short_text_is_refused(kid: Any) -> None:
    assert code_of(sign(claims(), header={"kid": kid})) == "id_token_header_malformed"


@pytest.mark.case("JO10", "JO16")
def test_kid_of_a_megabyte_is_too_large() -> None:
    assert code_of(sign(claims(), header={"kid": "k" * 1_000_000})) == "id_token_too_large"


@pytest.mark.case("JO11")
@pytest.mark.parametrize("members", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": []}])
def test_key_that_is_not_for_verifying_is_not_used(members: dict[str, Any]) -> None:
    with pytest.raises(UnknownKey):
        validate(sign(claims()), keys=key_set({**jwk(rsa_key()), **members}))


@pytest.mark.case("JO13")
@pytest.mark.parametrize(
    "other",
    [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "pq"},
        {"kty": "RSA", "kid": "key-1", "n": "!", "e": "AQAB"},
        "not even an object",
        {},
    ],
    ids=["no-kid", "post-quantum", "broken-with-the-same-kid", "text", "empty"],
)
def test_unusable_key_does_not_prevent_verification(other: Any) -> None:
    assert validate(sign(claims()), keys=key_set(other, jwk(rsa_key()))).subject == SUBJECT


@pytest.mark.case("JO13")
@pytest.mark.parametrize("position", [0, 1])
def test_both_keys_of_one_kid_are_tried(position: int) -> None:
    keys = [jwk(rsa_key("other"))]
    keys.insert(position, jwk(rsa_key()))
    assert validate(sign(claims()), keys=key_set(*keys)).subject == SUBJECT


@pytest.mark.case("JO13")
def test_key_of_the_same_kid_for_another_algorithm_is_skipped() -> None:
    keys = key_set(jwk(ec_key()), jwk(rsa_key(), alg="RSA-OAEP", use="enc"), jwk(rsa_key(), alg="RS256"))
    assert validate(sign(claims()), keys=keys).subject == SUBJECT


@pytest.mark.case("TN01")
def test_keys_of_one_provider_do_not_verify_tokens_of_another() -> None:
    raw = sign(claims(), key=rsa_key("provider-b"))
    assert validate(raw, keys=key_set(jwk(rsa_key("provider-b")))).subject == SUBJECT
    assert code_of(raw, keys=key_set(jwk(rsa_key("provider-a")))) == "id_token_signature_invalid"
