"""The provider's key set, JWKS (RFC 7517, 7518, 7638). Unusable keys are listed with a reason, not refused."""

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
# RFC 7518 6.3.2 and 6.2.2, RFC 8037 2; `priv` is the private member of post-quantum keys.
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "priv"})
_PUBLIC_MEMBERS: Final = frozenset(
    {"kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "pub", "x5c", "x5t", "x5t#S256", "x5u"}
)
# The member of the placeholder that is stored instead of a secret key, so that administrators see the key was there.
_PLACEHOLDER: Final = "psc_connect_ignored"
_PLACEHOLDER_REASONS: Final = frozenset({"jwks_key_private", "jwks_key_symmetric", "jwks_key_broken"})


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key for verifying signatures. `size` in bits, `thumbprint` of RFC 7638 (SHA-256, base64url)."""

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
    """A key that is not used. `reason` is a code of CODES."""

    kid: str | None
    kty: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one provider."""

    keys: tuple[SigningKey, ...]
    ignored: tuple[IgnoredKey, ...]

    @property
    def has_private(self) -> bool:
        """Whether a key was published with its private part, so that anyone can sign as the provider."""
        return any(key.reason == "jwks_key_private" for key in self.ignored)

    def without(self, thumbprints: Collection[str]) -> KeySet:
        """Return a copy in which the keys with these thumbprints are ignored, as retired."""
        retired = [key for key in self.keys if key.thumbprint in thumbprints]
        return KeySet(
            keys=tuple(key for key in self.keys if key not in retired),
            ignored=(*self.ignored, *(IgnoredKey(key.kid, key.kty, "jwks_key_retired") for key in retired)),
        )


class _UnusableKeyError(Exception):
    """A key cannot be used. The argument is the end of the code, after ``jwks_key_``."""


def parse_jwks(jwks: object) -> KeySet:
    """Parse a key set. An unusable key is put into `ignored`. Raises JWKSError if `jwks` is not a key set."""
    keys, ignored = [], []
    for key in _key_list(jwks):
        try:
            keys.append(_signing_key(key))
        except _UnusableKeyError as exc:  # noqa: PERF203 - at most a hundred keys
            ignored.append(IgnoredKey(_text(key, "kid"), _text(key, "kty") or "", f"jwks_key_{exc}"))
    return KeySet(tuple(keys), tuple(ignored))


def strip_private_members(jwks: object) -> dict[str, Any]:
    """Return the key set without private and symmetric members, to be stored. Raises JWKSError."""
    return {"keys": [_public_key(key) for key in _key_list(jwks)]}


def _key_list(jwks: object) -> list[object]:
    if not isinstance(jwks, Mapping):
        raise JWKSError(f"jwks_{classify_content(jwks) or 'not_an_object'}")
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        if "issuer" in jwks:
            raise JWKSError("jwks_looks_like_metadata")
        raise JWKSError("jwks_looks_like_key" if "kty" in jwks else "jwks_keys_missing")
    if len(keys) > _MAX_KEYS:
        raise JWKSError("jwks_too_many_keys")
    return keys


def _text(key: object, member: str) -> str | None:
    """Return a member that is a text of at most 256 characters, else None."""
    value = key.get(member) if isinstance(key, Mapping) else None
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else None


def _placeholder_reason(key: Mapping[Any, Any]) -> str:
    """Return why a placeholder was stored instead of a key, or "" for a real key."""
    reason = key.get(_PLACEHOLDER)
    return reason.removeprefix("jwks_key_") if isinstance(reason, str) and reason in _PLACEHOLDER_REASONS else ""


def _secret_reason(key: Mapping[Any, Any]) -> str:
    if key.get("kty") == "oct" or "k" in key:
        return "symmetric"
    return "" if _PRIVATE_MEMBERS.isdisjoint(key) else "private"


def _public_key(key: object) -> dict[str, Any]:
    members = dict(key) if isinstance(key, Mapping) else {}
    public = {name: value for name, value in members.items() if name in _PUBLIC_MEMBERS and value is not None}
    reason = _placeholder_reason(members) or _secret_reason(members)
    if not reason and (not public or not all(map(_is_plain, public.values()))):
        reason = "broken"
    if reason:
        return {"kid": _text(key, "kid"), "kty": _text(key, "kty") or "", _PLACEHOLDER: f"jwks_key_{reason}"}
    return public


def _is_plain(value: object) -> bool:
    """Return whether `value` is a text or a list of texts, the types of public members (RFC 7517 4)."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(member, str) for member in value))


def _signing_key(key: object) -> SigningKey:
    if not isinstance(key, Mapping):
        raise _UnusableKeyError("broken")
    reason = _placeholder_reason(key) or _secret_reason(key)
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
    """Check `use` and `key_ops` (RFC 7517 4.2 and 4.3)."""
    if use is not None and use != "sig":
        raise _UnusableKeyError("encryption")
    operations = key.get("key_ops")
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        raise _UnusableKeyError("operations")


def _load(key: Mapping[Any, Any], kty: str) -> tuple[JWKRSA | JWKEC, int, str]:
    """Load the key with josepy, from its public members only: josepy would load private ones too."""
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
    """Check length (NIST SP 800-131A) and exponent (RFC 8017 3.1, FIPS 186-5 5.1); return the length in bits."""
    size = int.from_bytes(modulus, "big").bit_length()
    if size < _RSA_BITS.start:
        raise _UnusableKeyError("too_short")
    if size not in _RSA_BITS:
        raise _UnusableKeyError("too_long")
    if int.from_bytes(exponent, "big") not in _RSA_EXPONENTS:
        raise _UnusableKeyError("exponent")
    return size
