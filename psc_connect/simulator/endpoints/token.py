"""The token endpoint, which exchanges a code for tokens, once (OIDC Core 3.1.3, RFC 7636 4.6)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from psc_connect.simulator import tokens
from psc_connect.simulator.clients import ClientRefusedError, authenticate
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.http_messages import json_response, oauth_error
from psc_connect.simulator.provider_state import REFRESH_LIFETIME, TOKEN_LIFETIME, AccessToken
from psc_connect.simulator.signing_keys import base64url

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.http_messages import Request, Response
    from psc_connect.simulator.provider_state import AuthorizationCode


def answer_token(simulator: Simulator, request: Request) -> Response:
    if request.repeated:
        return oauth_error("invalid_request", "duplicated parameter")
    try:
        client = authenticate(request, simulator.clients)
    except ClientRefusedError as refusal:
        return oauth_error(refusal.error, refusal.description, status=401)
    if request.form.get("grant_type") != "authorization_code":
        return oauth_error("unsupported_grant_type", "Unsupported grant_type")
    return _redeem_code(simulator, client, request.form)


def _redeem_code(simulator: Simulator, client: Client, form: dict[str, str]) -> Response:
    code = simulator.state.redeem_code(form.get("code", ""))
    if code is None:
        return oauth_error("invalid_grant", "Code not valid")
    problem = _problem(code, form, client=client, now=simulator.now())
    if problem:
        return oauth_error("invalid_grant", problem)
    return json_response(simulator.faults.apply(Stage.TOKEN_RESPONSE, _issue_tokens(simulator, client, code)))


def _problem(code: AuthorizationCode, form: dict[str, str], *, client: Client, now: float) -> str:
    """Return why the code is refused, "" if it is valid (RFC 6749 4.1.3, RFC 7636 4.6)."""
    verifier = form.get("code_verifier", "")
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    if now >= code.expires_at:
        return "Code is expired"
    if code.request.client_id != client.client_id:
        return "Auth error"
    if form.get("redirect_uri") != code.request.redirect_uri:
        return "Incorrect redirect_uri"
    if not verifier:
        return "PKCE code verifier not specified"
    if not hmac.compare_digest(challenge, code.request.code_challenge):
        return "PKCE verification failed: Code mismatch"
    return ""


def _issue_tokens(simulator: Simulator, client: Client, code: AuthorizationCode) -> dict[str, Any]:
    """Return a token response with the members that Keycloak sends."""
    now, key, issuer = simulator.now(), simulator.keys.current, simulator.issuer
    claims = tokens.access_token_claims(code.request, code.session, issuer=issuer, now=now)
    access_token = tokens.draft_jwt(claims, key=key, client=client).serialize()
    simulator.state.add_token(
        AccessToken(access_token, code.value, code.session, client.client_id, now + TOKEN_LIFETIME)
    )
    at_hash = tokens.at_hash(access_token, algorithm=key.algorithm)
    claims = tokens.id_token_claims(code.request, code.session, issuer=issuer, now=now, at_hash=at_hash)
    id_token = simulator.faults.apply(Stage.ID_TOKEN, tokens.draft_jwt(claims, key=key, client=client))
    return {
        "access_token": access_token,
        "expires_in": TOKEN_LIFETIME,
        "refresh_expires_in": REFRESH_LIFETIME,
        "refresh_token": secrets.token_urlsafe(48),
        "token_type": "Bearer",
        "id_token": id_token.serialize(),
        "not-before-policy": 0,
        "session_state": code.session.sid,
        "scope": code.request.scope,
    }
