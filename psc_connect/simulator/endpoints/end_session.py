"""The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt

from psc_connect.simulator import pages
from psc_connect.simulator.exchange import Callback, redirect
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.sessions import LogoutRequest

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.exchange import Request, Response


class _RefusedError(Exception):
    """What is asked is wrong; the argument is the reason's name, told on a page and never by redirect."""


def end_session(simulator: Simulator, request: Request) -> Response:
    """With a good ID token hint at once; without one only after the person confirmed (section 2)."""
    if "confirm" in request.form:
        return _confirmed(simulator, request)
    try:
        hint = _hint(simulator, request.parameters.get("id_token_hint", ""))
        client = _client(simulator, request.parameters.get("client_id", ""), hint)
        location = _return_to(simulator, request, client)
    except _RefusedError as refusal:
        return pages.error(request.language, str(refusal))
    if hint:
        return _end(simulator, request, sid=str(hint.get("sid", "")), location=location)
    sign_on = simulator.state.resume(request.cookies.get(simulator.cookie_name, ""), now=simulator.now())
    identifier = simulator.state.begin_logout(LogoutRequest(sign_on.sid if sign_on else "", location))
    return pages.confirm_logout(request.language, confirm=identifier)


def _confirmed(simulator: Simulator, request: Request) -> Response:
    asked = simulator.state.end_logout(request.form["confirm"])
    if asked is None:
        return pages.error(request.language, "unknown_interaction")
    return _end(simulator, request, sid=asked.sid, location=asked.location)


def _hint(simulator: Simulator, raw: str) -> dict[str, Any]:
    """The claims of an ID token of ours, also an expired one, also under a withdrawn key."""
    if not raw:
        return {}
    try:
        key = simulator.keys.find(str(jwt.get_unverified_header(raw).get("kid")))
        if key is None:
            raise _RefusedError("wrong_hint")
        claims: dict[str, Any] = jwt.decode(
            raw,
            key.private.public_key(),
            algorithms=[key.algorithm],
            issuer=simulator.issuer,
            options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as exc:
        raise _RefusedError("wrong_hint") from exc
    if claims.get("typ") != "ID":
        raise _RefusedError("wrong_hint")
    return claims


def _client(simulator: Simulator, client_id: str, hint: dict[str, Any]) -> Client | None:
    """Section 2: with both, the OP must verify that client_id is the one the ID token was issued to."""
    if client_id and hint and hint.get("azp") != client_id:
        raise _RefusedError("wrong_hint")
    client_id = client_id or str(hint.get("azp", ""))
    if client_id and client_id not in simulator.clients:
        raise _RefusedError("unknown_client")
    return simulator.clients.get(client_id)


def _return_to(simulator: Simulator, request: Request, client: Client | None) -> str:
    """The whole address to send the browser to; "" when none was asked for (section 3)."""
    uri = request.parameters.get("post_logout_redirect_uri", "")
    if not uri:
        return ""
    if client is None or uri not in client.post_logout_redirect_uris or request.repeated:
        raise _RefusedError("unknown_post_logout_redirect_uri")
    state = request.parameters.get("state")
    callback = Callback(uri, [] if state is None else [("state", state)])
    callback = simulator.faults.change(Stage.LOGOUT_RETURN, callback)
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode(callback.parameters)}" if callback.parameters else uri


def _end(simulator: Simulator, request: Request, *, sid: str, location: str) -> Response:
    simulator.state.end_sign_on(sid)
    expired = (("Set-Cookie", f"{simulator.cookie_name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),)
    if not location:
        return pages.signed_out(request.language, headers=expired)
    return redirect(location, status=303 if request.method == "POST" else 302, headers=expired)
