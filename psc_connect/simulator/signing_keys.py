"""The simulator's signing keys."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import Algorithm, ECAlgorithm, RSAAlgorithm, get_default_algorithms

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*_RSA, *_CURVES)
_THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, used with one algorithm only (RFC 8725 3.1)."""

    private: PrivateKey = field(repr=False)
    algorithm: str
    use: str = "sig"

    def sign(self, data: bytes) -> bytes:
        signer: Algorithm = get_default_algorithms()[self.algorithm]
        return signer.sign(data, self.private)

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517 4)."""
        return {"kid": self.kid, "alg": self.algorithm, "use": self.use, **self._members}

    @property
    def kid(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        text = json.dumps(self._members, separators=(",", ":"), sort_keys=True)
        return base64url(hashlib.sha256(text.encode()).digest())

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def _members(self) -> dict[str, str]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}


def generate(algorithm: str) -> PrivateKey:
    """Generate a private key for `algorithm`. Raises ValueError for an unsupported one."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm in _RSA:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    raise ValueError(f"signing_algorithm must be one of {', '.join(ALGORITHMS)}")


@cache
def unpublished_key(algorithm: str) -> SigningKey:
    """Return a key that no simulator publishes, to forge signatures with."""
    return SigningKey(generate(algorithm), algorithm)


@cache
def encryption_key() -> SigningKey:
    """Return the encryption key that Keycloak also publishes; it must never verify a signature (RFC 7517 4.2)."""
    return SigningKey(generate("RS256"), "RSA-OAEP", use="enc")


class SimulatorKeys:
    """The keys of one simulator, newest first.

    Generating RSA keys is slow, so a stopped simulator passes its keys on to the next one of the process. Two running
    simulators never share a key.
    """

    _idle: dict[str, list[PrivateKey]] = {}  # noqa: RUF012  (shared by all instances on purpose)
    _lock = threading.Lock()

    def __init__(self, algorithm: str = "RS256") -> None:
        self.algorithm = algorithm
        self._all: list[SigningKey] = []
        self.published: list[SigningKey] = []
        self.rotate()

    @property
    def current(self) -> SigningKey:
        return self.published[0]

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public for key in (*self.published, encryption_key())]}

    def rotate(self, *, withdraw_old: bool = False) -> SigningKey:
        key = SigningKey(self._reuse_or_generate(), self.algorithm)
        self._all.append(key)
        self.published = [key] if withdraw_old else [key, *self.published]
        return key

    def find(self, kid: str) -> SigningKey | None:
        """Return the published key with this kid. Keycloak too refuses an ID token hint whose key is withdrawn."""
        return next((key for key in self.published if key.kid == kid), None)

    def release(self) -> None:
        """Make these keys available to the next simulator of this process."""
        with self._lock:
            self._idle.setdefault(self.algorithm, []).extend(key.private for key in self._all)
        self._all.clear()

    def _reuse_or_generate(self) -> PrivateKey:
        with self._lock:
            idle = self._idle.get(self.algorithm)
            if idle:
                return idle.pop()
        return generate(self.algorithm)
