"""The tokens as Pro Santé Connect shapes them: which claims, in which order, signed how."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.sessions import TOKEN_LIFETIME
from psc_connect.simulator.signing_keys import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.sessions import AuthorizationRequest, SignOn
    from psc_connect.simulator.signing_keys import SigningKey

_ID_TOKEN_PERSON = ("SubjectNameID", "preferred_username", "given_name", "family_name")


@dataclass(slots=True)
class Draft:
    """One JWT about to be signed; a fault changes one of its parts."""

    claims: dict[str, Any]
    header: dict[str, Any]
    key: SigningKey
    client: Client
    payload: bytes | None = field(default=None, repr=False)  # what is signed instead of the claims
    sign: Callable[[bytes], bytes] | None = None  # how, instead of with the key
    rewrite: Callable[[str], str] | None = None  # what happens to it after it was signed

    def compact(self) -> str:
        """RFC 7515 7.1."""
        payload = json.dumps(self.claims).encode() if self.payload is None else self.payload
        signing_input = f"{base64url(json.dumps(self.header).encode())}.{base64url(payload)}"
        signature = (self.sign or self.key.sign)(signing_input.encode())
        raw = f"{signing_input}.{base64url(signature)}"
        return self.rewrite(raw) if self.rewrite else raw


@dataclass(slots=True)
class UserinfoAnswer:
    """The userinfo about to be sent: plain JSON as Pro Santé Connect does, or a JWT (OIDC Core 5.3.2)."""

    draft: Draft
    signed: bool = False


def draft(claims: dict[str, Any], *, key: SigningKey, client: Client) -> Draft:
    return Draft(claims, {"alg": key.algorithm, "typ": "JWT", "kid": key.kid}, key, client)


def access_token_claims(request: AuthorizationRequest, sign_on: SignOn, *, issuer: str, now: float) -> dict[str, Any]:
    """The access token of Pro Santé Connect is a JWT without `aud` (facts, section 4)."""
    person = sign_on.person
    claims: dict[str, Any] = {
        "exp": int(now) + TOKEN_LIFETIME,
        "iat": int(now),
        "auth_time": sign_on.auth_time,
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "sub": person.subject,
        "typ": "Bearer",
        "azp": request.client_id,
        "nonce": request.nonce,
        "session_state": sign_on.sid,
        "acr": person.acr,
        "scope": request.scope,
        "sid": sign_on.sid,
        "authMode": person.auth_mode,
    }
    return claims | _of(person.claims(), ("otherIds", "preferred_username"))


def id_token_claims(
    request: AuthorizationRequest, sign_on: SignOn, *, issuer: str, now: float, at_hash: str
) -> dict[str, Any]:
    """OIDC Core 2, with Keycloak's own claims (facts, section 4)."""
    person = sign_on.person
    claims: dict[str, Any] = {
        "exp": int(now) + TOKEN_LIFETIME,
        "iat": int(now),
        "auth_time": sign_on.auth_time,
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "aud": request.client_id,
        "sub": person.subject,
        "typ": "ID",
        "azp": request.client_id,
        **({"nonce": request.nonce} if request.nonce else {}),
        "session_state": sign_on.sid,
        "at_hash": at_hash,
        "sid": sign_on.sid,
        "authMode": person.auth_mode,
        "acr": person.acr,
    }
    return claims | _of(person.claims(), _ID_TOKEN_PERSON)


def at_hash(access_token: str, *, algorithm: str) -> str:
    """OIDC Core 3.1.3.6: the left half of the hash that the signing algorithm uses."""
    digest = hashlib.new(f"sha{algorithm[2:]}", access_token.encode("ascii")).digest()
    return base64url(digest[: len(digest) // 2])


def opaque() -> str:
    return secrets.token_urlsafe(48)


def _of(claims: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: claims[name] for name in names if name in claims}
