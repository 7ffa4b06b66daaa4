"""The provider's key set (RFC 7517, 7518, 7638): tolerant of what cannot be used, strict about what is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from josepy.errors import Error as JosepyError
from josepy.jwk import JWKEC, JWKRSA

from psc_connect.oidc.algorithms import ALGORITHMS
from psc_connect.oidc.base64url import decode_strict, encode
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.unexpected_content import classify_content

_MAX_KEYS: Final = 100
_MAX_TEXT: Final = 256
_RSA_BITS: Final = range(2048, 8193)
_RSA_EXPONENTS: Final = range(65537, 2**64, 2)
_KINDS: Final[Mapping[str, tuple[type[JWKRSA | JWKEC], tuple[str, ...]]]] = {
    "RSA": (JWKRSA, ("n", "e")),
    "EC": (JWKEC, ("crv", "x", "y")),
}
_CURVE_BITS: Final = {"P-256": 256, "P-384": 384, "P-521": 521}
# RFC 7518 6.3.2 and 6.2.2, RFC 8037 2; `priv` is where the post-quantum types keep it.
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "priv"})
_PUBLIC_MEMBERS: Final = frozenset(
    {"kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "pub", "x5c", "x5t", "x5t#S256", "x5u"}
)
# What takes the place of a key that must not be stored, so that the administrator still sees that it was there.
_STUB: Final = "psc_connect_ignored"
_STUB_REASONS: Final = frozenset({"jwks_key_private", "jwks_key_symmetric", "jwks_key_broken"})


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key that may verify signatures. `size` in bits; `thumbprint` by RFC 7638 with SHA-256, base64url."""

    kid: str | None
    kty: str
    alg: str | None
    use: str | None
    size: int
    thumbprint: str
    crv: str
    jwk: JWKRSA | JWKEC = field(repr=False)


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

    @property
    def has_private(self) -> bool:
        """Whether a key was published with its private part: whoever reads it can sign as the provider."""
        return any(key.reason == "jwks_key_private" for key in self.ignored)

    def without(self, thumbprints: Collection[str]) -> KeySet:
        """The same, but for the keys with these thumbprints: they are ignored."""
        retired = [key for key in self.keys if key.thumbprint in thumbprints]
        return KeySet(
            keys=tuple(key for key in self.keys if key not in retired),
            ignored=(*self.ignored, *(IgnoredKey(key.kid, key.kty, "jwks_key_retired") for key in retired)),
        )


class _UnusableKeyError(Exception):
    """Carries the end of the code."""


def parse_jwks(document: object) -> KeySet:
    """JWKSError for what is no key set at all; a single unusable key is only `ignored`, with the reason."""
    judged = [_judged(key) for key in _key_list(document)]
    return KeySet(
        keys=tuple(key for key in judged if isinstance(key, SigningKey)),
        ignored=tuple(key for key in judged if isinstance(key, IgnoredKey)),
    )


def strip_private_members(document: object) -> dict[str, Any]:
    """What may be stored of a key set: no private or symmetric member; JWKSError as for `parse_jwks`."""
    return {"keys": [_public_key(key) for key in _key_list(document)]}


def _key_list(document: object) -> list[object]:
    if not isinstance(document, Mapping):
        raise JWKSError(f"jwks_{classify_content(document) or 'not_an_object'}")
    keys = document.get("keys")
    if not isinstance(keys, list):
        if "issuer" in document:
            raise JWKSError("jwks_looks_like_metadata")
        raise JWKSError("jwks_looks_like_key" if "kty" in document else "jwks_keys_missing")
    if len(keys) > _MAX_KEYS:
        raise JWKSError("jwks_too_many_keys")
    return keys


def _text(key: object, member: str) -> str | None:
    """A member that is short text; None for whatever else, so that a table of keys can show it."""
    value = key.get(member) if isinstance(key, Mapping) else None
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else None


def _kept_reason(key: Mapping[Any, Any]) -> str:
    """Why the key that stood here was not stored; foreign text in its place says nothing."""
    kept = key.get(_STUB)
    return kept.removeprefix("jwks_key_") if isinstance(kept, str) and kept in _STUB_REASONS else ""


def _secret_reason(key: Mapping[Any, Any]) -> str:
    if key.get("kty") == "oct" or "k" in key:
        return "symmetric"
    return "" if _PRIVATE_MEMBERS.isdisjoint(key) else "private"


def _public_key(key: object) -> dict[str, Any]:
    members = dict(key) if isinstance(key, Mapping) else {}
    public = {name: value for name, value in members.items() if name in _PUBLIC_MEMBERS and value is not None}
    reason = _kept_reason(members) or _secret_reason(members)
    if not reason and (not public or not all(map(_is_plain, public.values()))):
        reason = "broken"
    if reason:
        return {"kid": _text(key, "kid"), "kty": _text(key, "kty") or "", _STUB: f"jwks_key_{reason}"}
    return public


def _is_plain(value: object) -> bool:
    """Text or a list of texts: what the public members of RFC 7517 4 are, and nothing that could hide more."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _judged(key: object) -> SigningKey | IgnoredKey:
    try:
        return _signing_key(key)
    except _UnusableKeyError as exc:
        return IgnoredKey(_text(key, "kid"), _text(key, "kty") or "", f"jwks_key_{exc}")


def _signing_key(key: object) -> SigningKey:
    if not isinstance(key, Mapping):
        raise _UnusableKeyError("broken")
    reason = _kept_reason(key) or _secret_reason(key)
    if reason:
        raise _UnusableKeyError(reason)
    texts = {member: _text(key, member) for member in ("kid", "kty", "alg", "use")}
    if any(key.get(member) is not None and value is None for member, value in texts.items()) or not texts["kty"]:
        raise _UnusableKeyError("broken")
    kty, alg = texts["kty"], texts["alg"]
    _check_purpose(key, use=texts["use"])
    jwk, size, crv = _load(key, kty)
    if alg is not None and (alg not in ALGORITHMS or (ALGORITHMS[alg].kty, ALGORITHMS[alg].crv) != (kty, crv)):
        raise _UnusableKeyError("algorithm")
    return SigningKey(texts["kid"], kty, alg, texts["use"], size, encode(jwk.thumbprint()), crv, jwk)


def _check_purpose(key: Mapping[Any, Any], *, use: str | None) -> None:
    """RFC 7517 4.2 and 4.3."""
    if use is not None and use != "sig":
        raise _UnusableKeyError("encryption")
    operations = key.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise _UnusableKeyError("operations")


def _load(key: Mapping[Any, Any], kty: str) -> tuple[JWKRSA | JWKEC, int, str]:
    """Only the public numbers ever reach josepy, which would load private ones and drops the other members."""
    if kty not in _KINDS:
        raise _UnusableKeyError("unknown_type")
    kind, members = _KINDS[kty]
    numbers = {name: key[name] for name in members if isinstance(key.get(name), str)}
    if len(numbers) != len(members):
        raise _UnusableKeyError("broken")
    crv = numbers.get("crv", "")
    if kty == "EC" and crv not in _CURVE_BITS:
        raise _UnusableKeyError("unknown_curve")
    try:
        decoded = {name: decode_strict(value) for name, value in numbers.items() if name != "crv"}
    except ValueError as exc:
        raise _UnusableKeyError("broken") from exc
    size = _CURVE_BITS[crv] if kty == "EC" else _rsa_size(decoded["n"], decoded["e"])
    try:
        return kind.fields_from_json(numbers), size, crv
    except (JosepyError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as exc:
        raise _UnusableKeyError("broken") from exc


def _rsa_size(modulus: bytes, exponent: bytes) -> int:
    """NIST SP 800-131A for the length, RFC 8017 3.1 and FIPS 186-5 5.1 for the exponent."""
    size = int.from_bytes(modulus, "big").bit_length()
    if size < _RSA_BITS.start:
        raise _UnusableKeyError("too_short")
    if size not in _RSA_BITS:
        raise _UnusableKeyError("too_long")
    if int.from_bytes(exponent, "big") not in _RSA_EXPONENTS:
        raise _UnusableKeyError("exponent")
    return size
