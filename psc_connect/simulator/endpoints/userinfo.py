"""The userinfo endpoint: who the access token was given for (OIDC Core 5.3, RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator import tokens
from psc_connect.simulator.exchange import NO_STORE, Response, json_response
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.tokens import UserinfoAnswer

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.exchange import Request


def userinfo(simulator: Simulator, request: Request) -> Response:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return _unauthorized("")
    token = simulator.state.token(value.strip(), now=simulator.now())
    if token is None:
        return _unauthorized(', error="invalid_token", error_description="Token verification failed"')
    client = simulator.clients[token.client_id]
    draft = tokens.draft(token.sign_on.person.claims(), key=simulator.keys.current, client=client)
    answer = simulator.faults.change(Stage.USERINFO, UserinfoAnswer(draft))
    if not answer.signed:
        return json_response(answer.draft.claims)
    answer.draft.claims = {"iss": simulator.issuer, "aud": client.client_id, **answer.draft.claims}
    return Response(headers=(("Content-Type", "application/jwt"), *NO_STORE), body=answer.draft.compact().encode())


def _unauthorized(reason: str) -> Response:
    """RFC 6750 3."""
    challenge = f'Bearer realm="esante-wallet"{reason}'
    body = {"error": "invalid_token", "error_description": "Token verification failed"} if reason else {}
    return json_response(body, status=401, headers=(("WWW-Authenticate", challenge),))
