"""ID tokens, access tokens and userinfo responses as Pro Santé Connect issues them."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.provider_state import TOKEN_LIFETIME
from psc_connect.simulator.signing_keys import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.provider_state import AuthorizationRequest, Session
    from psc_connect.simulator.signing_keys import SigningKey

_ID_TOKEN_USERINFO_CLAIMS = ("SubjectNameID", "preferred_username", "given_name", "family_name")


@dataclass(slots=True)
class JWTDraft:
    """A JWT that is not signed yet, so that a fault can change any part of it."""

    claims: dict[str, Any]
    header: dict[str, Any]
    key: SigningKey
    client: Client
    payload: bytes | None = field(default=None, repr=False)  # signed instead of the claims
    sign: Callable[[bytes], bytes] | None = None  # used instead of the key
    rewrite: Callable[[str], str] | None = None  # changes the signed token

    def serialize(self) -> str:
        """Sign, and return the compact serialization (RFC 7515 7.1)."""
        payload = json.dumps(self.claims).encode() if self.payload is None else self.payload
        signing_input = f"{base64url(json.dumps(self.header).encode())}.{base64url(payload)}"
        signature = (self.sign or self.key.sign)(signing_input.encode())
        raw = f"{signing_input}.{base64url(signature)}"
        return self.rewrite(raw) if self.rewrite else raw


@dataclass(slots=True)
class UserinfoDraft:
    """A userinfo response that is not sent yet: plain JSON, as Pro Santé Connect sends, or a JWT (OIDC Core 5.3.2)."""

    draft: JWTDraft
    signed: bool = False


def draft_jwt(claims: dict[str, Any], *, key: SigningKey, client: Client) -> JWTDraft:
    return JWTDraft(claims, {"alg": key.algorithm, "typ": "JWT", "kid": key.kid}, key, client)


def access_token_claims(request: AuthorizationRequest, session: Session, *, issuer: str, now: float) -> dict[str, Any]:
    """Return the claims of an access token: a JWT without `aud`."""
    person = session.person
    claims: dict[str, Any] = {
        "exp": int(now) + TOKEN_LIFETIME,
        "iat": int(now),
        "auth_time": session.auth_time,
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "sub": person.subject,
        "typ": "Bearer",
        "azp": request.client_id,
        "nonce": request.nonce,
        "session_state": session.sid,
        "acr": person.acr,
        "scope": request.scope,
        "sid": session.sid,
        "authMode": person.auth_mode,
    }
    return claims | _select(person.claims(), ("otherIds", "preferred_username"))


def id_token_claims(
    request: AuthorizationRequest, session: Session, *, issuer: str, now: float, at_hash: str
) -> dict[str, Any]:
    """Return the claims of an ID token (OIDC Core 2), with Keycloak's additional ones."""
    person = session.person
    claims: dict[str, Any] = {
        "exp": int(now) + TOKEN_LIFETIME,
        "iat": int(now),
        "auth_time": session.auth_time,
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "aud": request.client_id,
        "sub": person.subject,
        "typ": "ID",
        "azp": request.client_id,
        **({"nonce": request.nonce} if request.nonce else {}),
        "session_state": session.sid,
        "at_hash": at_hash,
        "sid": session.sid,
        "authMode": person.auth_mode,
        "acr": person.acr,
    }
    return claims | _select(person.claims(), _ID_TOKEN_USERINFO_CLAIMS)


def at_hash(access_token: str, *, algorithm: str) -> str:
    """Return the left half of the hash that the signing algorithm uses (OIDC Core 3.1.3.6)."""
    digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode("ascii")).digest()
    return base64url(digest[: len(digest) // 2])


def _select(claims: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: claims[name] for name in names if name in claims}
