"""The userinfo endpoint (OIDC Core 5.3, RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator import tokens
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.http_messages import NO_STORE, Response, json_response
from psc_connect.simulator.tokens import UserinfoDraft

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.http_messages import Request


def answer_userinfo(simulator: Simulator, request: Request) -> Response:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return _unauthorized("")
    token = simulator.state.find_token(value.strip(), now=simulator.now())
    if token is None:
        return _unauthorized(', error="invalid_token", error_description="Token verification failed"')
    client = simulator.clients[token.client_id]
    draft = tokens.draft_jwt(token.session.person.claims(), key=simulator.keys.current, client=client)
    userinfo = simulator.faults.apply(Stage.USERINFO, UserinfoDraft(draft))
    if not userinfo.signed:
        return json_response(userinfo.draft.claims)
    userinfo.draft.claims = {"iss": simulator.issuer, "aud": client.client_id, **userinfo.draft.claims}
    return Response(headers=(("Content-Type", "application/jwt"), *NO_STORE), body=userinfo.draft.serialize().encode())


def _unauthorized(reason: str) -> Response:
    """Return the challenge of RFC 6750 3."""
    challenge = f'Bearer realm="esante-wallet"{reason}'
    body = {"error": "invalid_token", "error_description": "Token verification failed"} if reason else {}
    return json_response(body, status=401, headers=(("WWW-Authenticate", challenge),))
