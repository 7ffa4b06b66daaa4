"""Signed tokens (RFC 7515 compact serialization, RFC 8725): all that josepy does not check is checked before it.

josepy sees a public key, the bytes that were signed and the signature, never the token's header: it would parse an
embedded `jwk` or `x5c`, and takes the algorithm from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
# RFC 8725 3.11: a token that says what it is must say that it is a plain one.
_PLAIN_TYPES: Final = frozenset({None, "jwt"})


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a token, and the key that its signature is right by."""

    claims: dict[str, Any] = field(repr=False)
    key: SigningKey


def verify_compact(
    raw: str,
    *,
    algorithm: str,
    keys: KeySet,
    error: type[IDTokenError | UserinfoError],
) -> Verified:
    """The claims of a token whose signature is right; `error` with its stage's code, or UnknownKey.

    `algorithm` is the one that is set for the provider.
    """
    header, payload, signature = _parts(raw, error)
    chosen = ALGORITHMS.get(algorithm)
    if chosen is None or header.get("alg") != algorithm:
        _refuse(error, "algorithm_refused")
    _check_header(header, error)
    fitting = _fitting_keys(keys, kid=header.get("kid"), algorithm=algorithm, error=error)
    signed = raw.rpartition(".")[0].encode()
    signer = next((key for key in fitting if _is_signed_by(key, chosen, signed=signed, signature=signature)), None)
    if signer is None:
        # A provider may have changed its key under the same `kid`, or name none.
        raise UnknownKey(f"{error.stage}_signature_invalid")
    try:
        claims = loads_strict(payload)
    except StrictJSONError as exc:
        raise error(f"{error.stage}_not_json") from exc
    if not isinstance(claims, dict):
        _refuse(error, "not_an_object")
    return Verified(claims, signer)


def _refuse(error: type[IDTokenError | UserinfoError], reason: str) -> NoReturn:
    raise error(f"{error.stage}_{reason}")


def _parts(raw: str, error: type[IDTokenError | UserinfoError]) -> tuple[dict[str, Any], bytes, bytes]:
    """RFC 7515 7.1: header, payload and signature, decoded; the length is looked at before anything else."""
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
    """RFC 7515 4.1.11, RFC 7797 6; `jwk`, `jku`, `x5c` and `x5u` are not even looked at (RFC 8725 3.10)."""
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
    """OIDC Core 10.1: by `kid` where there is one, else all; `alg`, type and curve must fit (RFC 8725 3.1)."""
    named = [key for key in keys.keys if kid is None or key.kid == kid]
    chosen = ALGORITHMS[algorithm]
    fitting = [key for key in named if key.alg in (None, algorithm) and (key.kty, key.crv) == (chosen.kty, chosen.crv)]
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
