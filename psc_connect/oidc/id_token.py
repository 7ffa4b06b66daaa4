"""The ID token (OpenID Connect Core 2 and 3.1.3.7), rule by rule in the standard's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psc_connect.oidc.jwks import KeySet


@dataclass(frozen=True, slots=True)
class IDToken:
    """A valid ID token. Times in seconds since 1970."""

    raw: str = field(repr=False)
    issuer: str
    subject: str
    audience: tuple[str, ...]
    expires_at: int
    issued_at: int
    acr: str | None
    auth_time: int | None
    sid: str | None
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class IDTokenRules:
    """What this client expects. `max_age` and `leeway` in seconds; `accepted_acr` empty: any, and none."""

    issuer: str
    client_id: str
    algorithm: str = "RS256"
    max_age: int | None = None
    accepted_acr: tuple[str, ...] = ()
    leeway: int = 60


def validate_id_token(
    raw: str, *, rules: IDTokenRules, keys: KeySet, nonce: str, access_token: str, now: float
) -> IDToken:
    """IDTokenError with the code of the first rule that is broken; UnknownKey if the keys may be out of date."""
    raise NotImplementedError
