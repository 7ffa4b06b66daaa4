"""Valid tokens and keys, made with PyJWT, an implementation independent of josepy. Each test changes one thing."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from psc_connect.oidc.errors import OIDCError
from psc_connect.oidc.id_token import IDToken, IDTokenRules, validate_id_token
from psc_connect.oidc.jwks import KeySet, parse_jwks

ISSUER = "https://auth.example.test/auth/realms/esante-wallet"
CLIENT_ID = "hospital"
NONCE = "n-0S6_WzA2Mj"
ACCESS_TOKEN = "SlAV32hkKG"
NOW = 1_900_000_000
SUBJECT = "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700000000"
RULES = IDTokenRules(issuer=ISSUER, client_id=CLIENT_ID)
ABSENT: Any = object()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def rsa_key(name: str = "provider", bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


@cache
def ec_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[curve])


def jwk(key: Any, *, kid: str | None = "key-1", **members: Any) -> dict[str, Any]:
    """Return the public JWK of a key, as a provider publishes it."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    public = kind.to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    named = {"kid": kid} if kid is not None else {}
    return {**public, **named, "use": "sig", **members}


def key_set(*keys: dict[str, Any]) -> KeySet:
    return parse_jwks({"keys": list(keys) or [jwk(rsa_key())]})


def at_hash(access_token: str, hash_name: str = "sha256") -> str:
    digest = hashlib.new(hash_name, access_token.encode()).digest()
    return b64(digest[: len(digest) // 2])


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a PSC ID token with these changes; ABSENT removes a claim."""
    good = {
        "exp": NOW + 120,
        "iat": NOW,
        "auth_time": NOW - 30,
        "jti": "85283206-0000-0000-0000-000000000000",
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": SUBJECT,
        "typ": "ID",
        "azp": CLIENT_ID,
        "nonce": NONCE,
        "session_state": "044b9c35-1d8f-4925-8ae8-22cf585e079c",
        "at_hash": at_hash(ACCESS_TOKEN),
        "sid": "044b9c35-1d8f-4925-8ae8-22cf585e079c",
        "acr": "eidas1",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ABSENT}


def sign(
    payload: dict[str, Any] | bytes, *, key: Any = None, algorithm: str = "RS256", header: dict[str, Any] | None = None
) -> str:
    """Return a compact JWS. `header` adds members, or removes those that are ABSENT. Bytes are signed unchanged."""
    members = {"alg": algorithm, "typ": "JWT", "kid": "key-1", **(header or {})}
    members = {name: value for name, value in members.items() if value is not ABSENT}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return sign_raw(json.dumps(members).encode(), body, key=key, algorithm=algorithm)


def sign_raw(header: bytes, payload: bytes, *, key: Any = None, algorithm: str = "RS256") -> str:
    signed = f"{b64(header)}.{b64(payload)}"
    maker = jwt.get_algorithm_by_name(algorithm)
    return f"{signed}.{b64(maker.sign(signed.encode(), rsa_key() if key is None else key))}"


def validate(raw: str, *, keys: KeySet | None = None, now: float = NOW, **rules: Any) -> IDToken:
    return validate_id_token(
        raw,
        rules=replace(RULES, **rules),
        keys=key_set() if keys is None else keys,
        nonce=NONCE,
        access_token=ACCESS_TOKEN,
        now=now,
    )


def code_of(raw: str, **kwargs: Any) -> str:
    with pytest.raises(OIDCError) as refused:
        validate(raw, **kwargs)
    return refused.value.code
