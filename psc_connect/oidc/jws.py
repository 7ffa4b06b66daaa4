"""Signature verification of compact JWS (RFC 7515, RFC 8725).

josepy only verifies a signature with a given key. It never sees the token's header, because it would take the
algorithm from there and parse an embedded `jwk` or `x5c`.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from josepy.errors import Error as JosepyError

from psc_connect.oidc.algorithms import ALGORITHMS, Algorithm
from psc_connect.oidc.base64url import decode_strict
from psc_connect.oidc.errors import IDTokenError, UnknownKey, UserinfoError
from psc_connect.oidc.jwks import KeySet, SigningKey
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict

_MAX_CHARACTERS: Final = 32 * 1024
_MAX_KID: Final = 256
# RFC 8725 3.11: a `typ` of another kind of token is refused.
_PLAIN_TYPES: Final = frozenset({None, "jwt"})


def verify_compact(
    raw: str, *, algorithm: str, keys: KeySet, error: type[IDTokenError | UserinfoError]
) -> tuple[dict[str, Any], SigningKey]:
    """Verify the signature of a compact JWS. Return its claims, and the key that verified it.

    `algorithm` is the one configured for the provider. Raises `error`, with a code that starts with its stage, or
    UnknownKey.
    """
    header, payload, signature = _parts(raw, error)
    expected = ALGORITHMS.get(algorithm)
    if expected is None or header.get("alg") != algorithm:
        _refuse(error, "algorithm_refused")
    _check_header(header, error)
    fitting = _fitting_keys(keys, kid=header.get("kid"), algorithm=algorithm, error=error)
    signed = raw.rpartition(".")[0].encode()
    signer = next((key for key in fitting if _is_signed_by(key, expected, signed=signed, signature=signature)), None)
    if signer is None:
        # The provider may have replaced the key without changing its `kid`, or use no `kid`.
        raise UnknownKey(f"{error.stage}_signature_invalid")
    try:
        claims = loads_strict(payload)
    except StrictJSONError as exc:
        raise error(f"{error.stage}_not_json") from exc
    if not isinstance(claims, dict):
        _refuse(error, "not_an_object")
    return claims, signer


def _refuse(error: type[IDTokenError | UserinfoError], reason: str) -> NoReturn:
    raise error(f"{error.stage}_{reason}")


def _parts(raw: str, error: type[IDTokenError | UserinfoError]) -> tuple[dict[str, Any], bytes, bytes]:
    """Return header, payload and signature, decoded (RFC 7515 7.1)."""
    if len(raw) > _MAX_CHARACTERS:
        _refuse(error, "too_large")
    parts = raw.split(".")
    if len(parts) == 5:
        _refuse(error, "encrypted")
    if len(parts) != 3:
        _refuse(error, "not_compact")
    try:
        header, payload, signature = map(decode_strict, parts)
    except ValueError as exc:
        raise error(f"{error.stage}_not_compact") from exc
    try:
        parsed = loads_strict(header)
    except StrictJSONError as exc:
        raise error(f"{error.stage}_header_malformed") from exc
    if not isinstance(parsed, dict):
        _refuse(error, "header_malformed")
    return parsed, payload, signature


def _check_header(header: dict[str, Any], error: type[IDTokenError | UserinfoError]) -> None:
    """Check the header (RFC 7515 4.1.11, RFC 7797 6). `jwk`, `jku`, `x5c` and `x5u` are ignored (RFC 8725 3.10)."""
    if "crit" in header or "b64" in header:
        _refuse(error, "critical_header")
    typ, kid = header.get("typ"), header.get("kid")
    if not isinstance(typ, (str, type(None))) or not isinstance(kid, (str, type(None))):
        _refuse(error, "header_malformed")
    if kid is not None and len(kid) > _MAX_KID:
        _refuse(error, "header_malformed")
    if (typ and typ.lower().removeprefix("application/")) not in _PLAIN_TYPES:
        _refuse(error, "wrong_type")


def _fitting_keys(
    keys: KeySet, *, kid: str | None, algorithm: str, error: type[IDTokenError | UserinfoError]
) -> list[SigningKey]:
    """Return the keys with this `kid`, or all without one, that fit the algorithm (OIDC Core 10.1, RFC 8725 3.1)."""
    named = [key for key in keys.keys if kid is None or key.kid == kid]
    key_type = (ALGORITHMS[algorithm].kty, ALGORITHMS[algorithm].crv)
    fitting = [key for key in named if key.alg in (None, algorithm) and (key.kty, key.crv) == key_type]
    if named and kid is not None and not fitting:
        _refuse(error, "key_unfit")
    if not fitting:
        raise UnknownKey(f"{error.stage}_unknown_key")
    return fitting


def _is_signed_by(key: SigningKey, algorithm: Algorithm, *, signed: bytes, signature: bytes) -> bool:
    try:
        return bool(algorithm.jwa.verify(key.jwk.key, signed, signature))
    except (JosepyError, ValueError, TypeError, UnsupportedAlgorithm):
        return False
