"""The userinfo endpoint: who the access token was given for (OIDC Core 5.3, RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator.exchange import json_response
from psc_connect.simulator.faults import Stage

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.exchange import Request, Response


def userinfo(simulator: Simulator, request: Request) -> Response:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return _unauthorized("")
    token = simulator.state.token(value.strip(), now=simulator.now())
    if token is None:
        return _unauthorized(', error="invalid_token", error_description="Token verification failed"')
    return json_response(simulator.faults.change(Stage.USERINFO, token.sign_on.person.claims()))


def _unauthorized(reason: str) -> Response:
    """RFC 6750 3."""
    challenge = f'Bearer realm="esante-wallet"{reason}'
    body = {"error": "invalid_token", "error_description": "Token verification failed"} if reason else {}
    return json_response(body, status=401, headers=(("WWW-Authenticate", challenge),))
