"""Signature algorithms that a provider may use (RFC 7518 3.1), with the type of key that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from josepy.jwa import ES256, ES384, ES512, RS256, RS384, RS512, JWASignature
from josepy.jwk import JWKRSA
from typing_extensions import override


class _PSS(JWASignature):
    """RSASSA-PSS with a salt as long as the hash (RFC 7518 3.5). josepy's own accepts any salt length."""

    kty = JWKRSA

    def __init__(self, name: str, hash_: hashes.HashAlgorithm) -> None:
        super().__init__(name)
        self.hash = hash_
        self.padding = padding.PSS(mgf=padding.MGF1(hash_), salt_length=hash_.digest_size)

    @override
    def sign(self, key: rsa.RSAPrivateKey, msg: bytes) -> bytes:
        return key.sign(msg, self.padding, self.hash)

    @override
    def verify(self, key: rsa.RSAPublicKey, msg: bytes, sig: bytes) -> bool:
        try:
            key.verify(sig, msg, self.padding, self.hash)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm, its type of key and its hash.

    `hash_name` is a name of hashlib, also used for `at_hash` (OIDC Core 3.1.3.6). `crv` is the curve of an EC key.
    """

    jwa: JWASignature
    hash_name: str
    kty: str = "RSA"
    crv: str = ""


ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {
        "RS256": Algorithm(RS256, "sha256"),
        "RS384": Algorithm(RS384, "sha384"),
        "RS512": Algorithm(RS512, "sha512"),
        "PS256": Algorithm(_PSS("PS256", hashes.SHA256()), "sha256"),
        "PS384": Algorithm(_PSS("PS384", hashes.SHA384()), "sha384"),
        "PS512": Algorithm(_PSS("PS512", hashes.SHA512()), "sha512"),
        "ES256": Algorithm(ES256, "sha256", "EC", "P-256"),
        "ES384": Algorithm(ES384, "sha384", "EC", "P-384"),
        "ES512": Algorithm(ES512, "sha512", "EC", "P-521"),
    }
)
