"""Validation of the ID token (OpenID Connect Core 2 and 3.1.3.7), one function per rule."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from psc_connect.oidc.algorithms import ALGORITHMS
from psc_connect.oidc.base64url import encode
from psc_connect.oidc.errors import IDTokenError, detail_of
from psc_connect.oidc.jwks import KeySet, SigningKey
from psc_connect.oidc.jws import verify_compact

# Seconds that the clocks of the provider and of this server may differ.
LEEWAY: Final = 60
_MAX_LIFETIME: Final = 24 * 3600
# The token comes directly from the token endpoint, so an old one is a replay.
_MAX_TOKEN_AGE: Final = 600
_MAX_TIME: Final = 2**53
_MAX_SUBJECT: Final = 255


@dataclass(frozen=True, slots=True)
class IDToken:
    """A valid ID token. `auth_time` is in whole seconds since 1970. `claims` is read-only. `key` verified the token."""

    raw: str = field(repr=False)
    subject: str = field(repr=False)
    auth_time: int | None
    claims: Mapping[str, Any] = field(repr=False)
    key: SigningKey


@dataclass(frozen=True, slots=True)
class IDTokenRules:
    """What the client expects of a token. `max_age` is in seconds. Empty `accepted_acr`: no check."""

    issuer: str
    client_id: str
    algorithm: str = "RS256"
    max_age: int | None = None
    accepted_acr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Login:
    """The login that the token must belong to. `now` is in seconds since 1970."""

    rules: IDTokenRules
    nonce: str
    access_token: str
    now: float


_Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of the claims, without those that are null. `source` is the section of the standard.

    `broken` returns "" if the token passes, else the end of the error code (after ``id_token_``). `claim` is the claim
    that it compares, if administrators may see it: it says nothing about the person.
    """

    name: str
    source: str
    broken: Callable[[_Claims, _Login], str] = field(repr=False)
    claim: str = ""


def validate_id_token(
    raw: str, *, rules: IDTokenRules, keys: KeySet, nonce: str, access_token: str, now: float
) -> IDToken:
    """Validate an ID token (OIDC Core 3.1.3.7).

    `now` is in seconds since 1970; `nonce` is that of the authorization request. The signature, 3.1.3.7 (6) to (8), is
    verified before any claim is read. Raises IDTokenError with the code of the first broken rule, or UnknownKey if the
    keys may be out of date.
    """
    claims, key = verify_compact(raw, algorithm=rules.algorithm, keys=keys, error=IDTokenError)
    login = _Login(rules, nonce, access_token, now)
    sent = without_nulls(claims)
    for rule in RULES:
        reason = rule.broken(sent, login)
        if reason:
            raise IDTokenError(f"id_token_{reason}", rule=rule.name, detail=detail_of(sent.get(rule.claim)))
    auth_time = None if "auth_time" not in sent else int(sent["auth_time"])
    return IDToken(raw, sent["sub"], auth_time, MappingProxyType(claims), key)


def without_nulls(claims: _Claims) -> _Claims:
    """Return the claims without those that are null: a provider writes null for a claim that it does not have."""
    return {name: value for name, value in claims.items() if value is not None}


def is_time(value: object) -> bool:
    """Return whether `value` is a NumericDate (RFC 7519 2): seconds since 1970, with or without decimals.

    The bound is JSON's safe integer range (RFC 7493 2.2).
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MAX_TIME


def _audience(claims: _Claims) -> list[str]:
    value = claims.get("aud")
    audience: list[Any] = value if isinstance(value, list) else [value]
    return audience if all(isinstance(client_id, str) and client_id for client_id in audience) else []


def _kind(claims: _Claims, _login: _Login) -> str:
    """Refuse access and logout tokens, which the provider signs with the same key (RFC 8725 3.12)."""
    return "wrong_type" if claims.get("typ", "ID") != "ID" or "events" in claims else ""


def issuer_rule(claims: _Claims, issuer: str) -> str:
    if not claims.get("iss"):
        return "issuer_missing"
    return "" if claims["iss"] == issuer else "issuer_mismatch"


def audience_rule(claims: _Claims, client_id: str) -> str:
    audience = _audience(claims)
    if not audience:
        return "audience_missing"
    return "" if client_id in audience else "audience_mismatch"


def _authorized_party(claims: _Claims, login: _Login) -> str:
    if "azp" in claims:
        return "" if claims["azp"] == login.rules.client_id else "authorized_party_mismatch"
    return "authorized_party_missing" if len(_audience(claims)) > 1 else ""


def _times(claims: _Claims, _login: _Login) -> str:
    """Check the types of the times (RFC 7519 2)."""
    names = ("exp", "iat", "nbf")
    return "" if all(is_time(claims[name]) for name in names if name in claims) else "time_malformed"


def _expiry(claims: _Claims, login: _Login) -> str:
    if "exp" not in claims:
        return "expiry_missing"
    return "" if claims["exp"] + LEEWAY > login.now else "expired"


def _issued_at(claims: _Claims, login: _Login) -> str:
    if "iat" not in claims:
        return "issued_at_missing"
    if not 0 < claims["exp"] - claims["iat"] <= _MAX_LIFETIME:
        return "lifetime"
    if claims["iat"] > login.now + LEEWAY:
        return "issued_in_future"
    return "issued_long_ago" if claims["iat"] < login.now - _MAX_TOKEN_AGE else ""


def _not_before(claims: _Claims, login: _Login) -> str:
    return "not_yet_valid" if claims.get("nbf", 0) > login.now + LEEWAY else ""


def _nonce(claims: _Claims, login: _Login) -> str:
    value = claims.get("nonce")
    if not value or not login.nonce:
        return "nonce_missing"
    same = isinstance(value, str) and hmac.compare_digest(value.encode(), login.nonce.encode())
    return "" if same else "nonce_mismatch"


def _optional_types(claims: _Claims, _login: _Login) -> str:
    """Check the types of optional claims (OIDC Core 2)."""
    checks = (
        isinstance(claims.get("acr", ""), str),
        isinstance(claims.get("sid", ""), str),
        is_time(claims.get("auth_time", 0)),
    )
    return "" if all(checks) else "claim_malformed"


def _acr(claims: _Claims, login: _Login) -> str:
    if not login.rules.accepted_acr:
        return ""
    if not claims.get("acr"):
        return "acr_missing"
    return "" if claims["acr"] in login.rules.accepted_acr else "acr_refused"


def _auth_time(claims: _Claims, login: _Login) -> str:
    """Check `auth_time`. In the future it would never be too old, also for the administration, which asks again."""
    max_age = login.rules.max_age
    if "auth_time" not in claims:
        return "" if max_age is None else "auth_time_missing"
    age = login.now - claims["auth_time"]
    if age < -LEEWAY:
        return "authentication_in_future"
    return "authentication_too_old" if max_age is not None and age > max_age + LEEWAY else ""


def _subject(claims: _Claims, _login: _Login) -> str:
    """Check `sub`: at most 255 ASCII characters (OIDC Core 2)."""
    subject = claims.get("sub", "")
    if subject == "":
        return "subject_missing"
    is_valid = isinstance(subject, str) and len(subject) <= _MAX_SUBJECT and subject.isascii() and subject.isprintable()
    return "" if is_valid else "subject_malformed"


def _at_hash(claims: _Claims, login: _Login) -> str:
    """Compare `at_hash` with the left half of the access token's hash (OIDC Core 3.1.3.8)."""
    if "at_hash" not in claims:
        return ""
    digest = hashlib.new(ALGORITHMS[login.rules.algorithm].hash_name, login.access_token.encode()).digest()
    return "" if claims["at_hash"] == encode(digest[: len(digest) // 2]) else "at_hash_mismatch"


_CORE: Final = "OpenID Connect Core"
RULES: Final[tuple[Rule, ...]] = (
    Rule("kind", "RFC 8725 3.12", _kind),
    Rule("issuer", f"{_CORE} 3.1.3.7 (2)", lambda claims, login: issuer_rule(claims, login.rules.issuer), "iss"),
    Rule("audience", f"{_CORE} 3.1.3.7 (3)", lambda claims, login: audience_rule(claims, login.rules.client_id), "aud"),
    Rule("authorized_party", f"{_CORE} 3.1.3.7 (4)–(5)", _authorized_party, "azp"),
    Rule("times", "RFC 7519 2", _times),
    Rule("expiry", f"{_CORE} 3.1.3.7 (9)", _expiry),
    Rule("issued_at", f"{_CORE} 3.1.3.7 (10)", _issued_at),
    Rule("not_before", "RFC 7519 4.1.5", _not_before),
    Rule("nonce", f"{_CORE} 3.1.3.7 (11)", _nonce),
    Rule("optional_types", f"{_CORE} 2", _optional_types),
    Rule("acr", f"{_CORE} 3.1.3.7 (12)", _acr, "acr"),
    Rule("auth_time", f"{_CORE} 3.1.3.7 (13)", _auth_time),
    Rule("subject", f"{_CORE} 2", _subject),
    Rule("at_hash", f"{_CORE} 3.1.3.8", _at_hash),
)
