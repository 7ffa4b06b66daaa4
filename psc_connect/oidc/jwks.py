"""The provider's key set (RFC 7517, 7518, 7638): tolerant of what cannot be used, strict about what is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import josepy


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key that may verify signatures. `size` in bits; `thumbprint` by RFC 7638 with SHA-256, base64url."""

    kid: str | None
    kty: str
    alg: str | None
    use: str | None
    size: int
    thumbprint: str
    jwk: josepy.JWK = field(repr=False)


@dataclass(frozen=True, slots=True)
class IgnoredKey:
    """A key that is not used; `reason` is a code of CODES."""

    kid: str | None
    kty: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one provider, as a value: there is no cache."""

    keys: tuple[SigningKey, ...]
    ignored: tuple[IgnoredKey, ...]


def parse_jwks(document: object) -> KeySet:
    """JWKSError for what is no key set at all; a single unusable key is only `ignored`, with the reason."""
    raise NotImplementedError


def public_document(document: object) -> dict[str, Any]:
    """What may be stored of a key set: no private or symmetric member; JWKSError as for `parse_jwks`."""
    raise NotImplementedError
