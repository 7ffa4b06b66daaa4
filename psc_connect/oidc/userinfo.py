"""Validation of the userinfo (OpenID Connect Core 5.3)."""

from __future__ import annotations

from typing import Any, Final

from psc_connect.oidc.errors import UserinfoError
from psc_connect.oidc.http import Answer
from psc_connect.oidc.id_token import LEEWAY, IDToken, IDTokenRules, audience_rule, is_time, issuer_rule, without_nulls
from psc_connect.oidc.jwks import KeySet
from psc_connect.oidc.jws import verify_compact
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict, walk

_MAX_TEXT: Final = 10_000
_MAX_MEMBERS: Final = 1_000
_MAX_INTEGER: Final = 2**53
# Claims about the authentication are only taken from the ID token. `_claim_names` and `_claim_sources`
# (OIDC Core 5.6.2) point to URLs that an attacker could choose.
_IGNORED_CLAIMS: Final = frozenset(
    {"iss", "aud", "azp", "exp", "iat", "nbf", "jti", "sid", "typ", "events", "cnf"}
    | {"nonce", "at_hash", "c_hash", "s_hash", "acr", "amr", "auth_time"}
    | {"_claim_names", "_claim_sources"}
)


def validate_userinfo(
    answer: Answer,
    *,
    id_token: IDToken,
    rules: IDTokenRules,
    keys: KeySet,
    now: float,
    signed_algorithm: str = "",
) -> dict[str, Any]:
    """Validate the userinfo (OIDC Core 5.3.2) and return the person's claims.

    `signed_algorithm` is the algorithm configured for the provider, "" for plain JSON; an answer of the other kind is
    refused. `now` is in seconds since 1970, for the times of a signed answer. Raises UserinfoError or UnknownKey.
    """
    media_type = answer.content_type.partition(";")[0].strip().lower()
    if media_type == "application/jwt":
        if not signed_algorithm:
            raise UserinfoError("userinfo_signed_unexpectedly")
        claims = _signed(answer.body, rules=rules, keys=keys, algorithm=signed_algorithm, now=now)
    elif signed_algorithm:
        raise UserinfoError("userinfo_not_signed")
    else:
        claims = _plain(answer.body)
    if claims.get("sub") in (None, ""):
        raise UserinfoError("userinfo_subject_missing")
    # OIDC Core 5.3.2: otherwise the answer may be about another person.
    if claims["sub"] != id_token.subject:
        raise UserinfoError("userinfo_subject_mismatch")
    claims = {name: value for name, value in claims.items() if name not in _IGNORED_CLAIMS}
    _check_bounds(claims)
    return claims


def _plain(body: bytes) -> dict[str, Any]:
    try:
        claims = loads_strict(body)
    except StrictJSONError as exc:
        raise UserinfoError("userinfo_not_json") from exc
    if not isinstance(claims, dict):
        raise UserinfoError("userinfo_not_an_object")
    return claims


def _signed(body: bytes, *, rules: IDTokenRules, keys: KeySet, algorithm: str, now: float) -> dict[str, Any]:
    """Verify a signed answer, which must have `iss` and `aud` (OIDC Core 5.3.2)."""
    try:
        raw = body.decode("ascii")
    except UnicodeDecodeError as exc:
        raise UserinfoError("userinfo_not_compact") from exc
    claims, _key = verify_compact(raw, algorithm=algorithm, keys=keys, error=UserinfoError)
    sent = without_nulls(claims)
    # RFC 8725 3.12: the provider signs its ID, access and logout tokens with the same keys.
    if "typ" in sent or "events" in sent:
        raise UserinfoError("userinfo_wrong_type")
    reason = issuer_rule(sent, rules.issuer) or audience_rule(sent, rules.client_id)
    if reason:
        raise UserinfoError(f"userinfo_{reason}")
    _check_times(sent, now=now)
    return claims


def _check_times(claims: dict[str, Any], *, now: float) -> None:
    """Check the times of a signed answer, which are optional (RFC 7519 4.1.4 and 4.1.5)."""
    if not all(is_time(claims[name]) for name in ("exp", "nbf") if name in claims):
        raise UserinfoError("userinfo_time_malformed")
    if "exp" in claims and claims["exp"] + LEEWAY <= now:
        raise UserinfoError("userinfo_expired")
    if claims.get("nbf", 0) > now + LEEWAY:
        raise UserinfoError("userinfo_not_yet_valid")


def _check_bounds(claims: dict[str, Any]) -> None:
    """Refuse what a database cannot store or a page cannot show. Depth and surrogates: see `strict_json`."""
    for value, _depth in walk(claims):
        if isinstance(value, str) and (len(value) > _MAX_TEXT or "\0" in value):
            raise UserinfoError("userinfo_text_refused")
        if isinstance(value, int) and abs(value) > _MAX_INTEGER:
            raise UserinfoError("userinfo_number_refused")
        if isinstance(value, (dict, list)) and len(value) > _MAX_MEMBERS:
            raise UserinfoError("userinfo_list_too_long")
