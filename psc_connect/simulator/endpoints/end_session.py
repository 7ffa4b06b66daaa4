"""The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt

from psc_connect.simulator import pages
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.http_messages import Callback, redirect
from psc_connect.simulator.provider_state import LogoutRequest

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.clients import Client
    from psc_connect.simulator.http_messages import Request, Response


class _RefusedError(Exception):
    """The request is invalid; the argument is the reason, shown on a page and never sent by redirect."""


def end_session(simulator: Simulator, request: Request) -> Response:
    """Sign out immediately with a valid ID token hint, otherwise after the person confirmed (section 2)."""
    if "confirm" in request.form:
        return _end_confirmed(simulator, request)
    try:
        hint = _validate_hint(simulator, request.parameters.get("id_token_hint", ""))
        client = _find_client(simulator, request.parameters.get("client_id", ""), hint)
        location = _return_location(simulator, request, client)
    except _RefusedError as refusal:
        return pages.error(request.language, str(refusal))
    if hint:
        return _end(simulator, request, sid=str(hint.get("sid", "")), location=location)
    session = simulator.state.find_session(request.cookies.get(simulator.cookie_name, ""), now=simulator.now())
    identifier = secrets.token_urlsafe(24)
    simulator.state.logout_requests[identifier] = LogoutRequest(session.sid if session else "", location)
    return pages.confirm_logout(request.language, confirm=identifier)


def _end_confirmed(simulator: Simulator, request: Request) -> Response:
    logout = simulator.state.logout_requests.pop(request.form["confirm"], None)
    if logout is None:
        return pages.error(request.language, "unknown_interaction")
    return _end(simulator, request, sid=logout.sid, location=logout.location)


def _validate_hint(simulator: Simulator, raw: str) -> dict[str, Any]:
    """Return the claims of an ID token of this provider; it may have expired and its key may be withdrawn."""
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


def _find_client(simulator: Simulator, client_id: str, hint: dict[str, Any]) -> Client | None:
    """Return the client; a client_id must be the one that the ID token was issued to (section 2)."""
    if client_id and hint and hint.get("azp") != client_id:
        raise _RefusedError("wrong_hint")
    client_id = client_id or str(hint.get("azp", ""))
    if client_id and client_id not in simulator.clients:
        raise _RefusedError("unknown_client")
    return simulator.clients.get(client_id)


def _return_location(simulator: Simulator, request: Request, client: Client | None) -> str:
    """Return the address to redirect to, "" if the request names none (section 3)."""
    uri = request.parameters.get("post_logout_redirect_uri", "")
    if not uri:
        return ""
    if client is None or uri not in client.post_logout_redirect_uris or request.repeated:
        raise _RefusedError("unknown_post_logout_redirect_uri")
    state = request.parameters.get("state")
    callback = Callback(uri, [] if state is None else [("state", state)])
    callback = simulator.faults.apply(Stage.LOGOUT_RETURN, callback)
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode(callback.parameters)}" if callback.parameters else uri


def _end(simulator: Simulator, request: Request, *, sid: str, location: str) -> Response:
    simulator.state.end_session(sid)
    expired = (("Set-Cookie", f"{simulator.cookie_name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),)
    if not location:
        return pages.signed_out(request.language, headers=expired)
    return redirect(location, status=303 if request.method == "POST" else 302, headers=expired)
