"""Valid and invalid key sets."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

EC_PRIVATE = ec.generate_private_key(ec.SECP256R1())


def jwk(key: Any, algorithm: Any, **members: Any) -> dict[str, Any]:
    return {**algorithm.to_jwk(key, as_dict=True), **members}


EC_KEY = jwk(EC_PRIVATE.public_key(), jwt.algorithms.ECAlgorithm, kid="ec", use="sig", alg="ES256")
OTHER_KEY = jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), jwt.algorithms.ECAlgorithm)
PRIVATE_KEY = jwk(EC_PRIVATE, jwt.algorithms.ECAlgorithm, kid="leaked")
WEAK_KEY = jwk(
    rsa.generate_private_key(65537, 1024).public_key(),
    jwt.algorithms.RSAAlgorithm,
    kid="weak",
)
# The error code of each unusable key, and the key.
UNUSABLE = {
    "jwks_key_encryption": {**EC_KEY, "kid": "enc", "use": "enc"},
    "jwks_key_unknown_type": {"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA"},
    "jwks_key_too_short": WEAK_KEY,
    "jwks_key_symmetric": {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
    "jwks_key_private": PRIVATE_KEY,
    "jwks_key_broken": {**EC_KEY, "kid": "broken", "x": "***"},
}


def key_set(*keys: dict[str, Any]) -> str:
    return json.dumps({"keys": keys})
