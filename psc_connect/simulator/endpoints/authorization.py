"""The authorization endpoint and the page that lists people (OIDC Core 3.1.2)."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from psc_connect.simulator import pages
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.http_messages import Callback, redirect
from psc_connect.simulator.provider_state import AuthorizationRequest

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.http_messages import Request, Response
    from psc_connect.simulator.people import Person
    from psc_connect.simulator.provider_state import Session

_CODE_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url (RFC 7636 4.2)
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class _RefusedError(Exception):
    """An error of a known client, reported by redirect (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str = "") -> None:
        self.error, self.description = error, description
        super().__init__(error)


def authorize(simulator: Simulator, request: Request) -> Response:
    """Show the list of people; redirect back immediately if this browser is signed in (single sign-on)."""
    parameters = request.parameters
    client = simulator.clients.get(parameters.get("client_id", ""))
    redirect_uri = parameters.get("redirect_uri", "")
    if client is None or "client_id" in request.repeated:
        return pages.error(request.language, "unknown_client")
    # Never redirect to an address that is not exactly a registered one (RFC 6749 3.1.2.4, RFC 9700 4.1.3).
    if redirect_uri not in client.redirect_uris or "redirect_uri" in request.repeated:
        declared = ", ".join(client.redirect_uris)
        received = redirect_uri or "–"
        return pages.error(request.language, "unknown_redirect_uri", received=received, declared=declared)
    try:
        authorization = _validate(simulator, request)
        session = _find_session(simulator, request, authorization)
    except _RefusedError as refusal:
        return _redirect_back(simulator, redirect_uri, _error(refusal, parameters.get("state")))
    if session is not None:
        return _issue_code(simulator, authorization, session)
    interaction = secrets.token_urlsafe(24)
    simulator.state.authorization_requests[interaction] = authorization
    return _list_people(simulator, request, interaction, client_id=client.client_id)


def choose_person(simulator: Simulator, request: Request) -> Response:
    """Sign in the chosen person, or cancel. A GET shows the list again."""
    pending = simulator.state.authorization_requests
    interaction = request.parameters.get("interaction", "")
    authorization = pending.get(interaction) if request.method == "GET" else pending.pop(interaction, None)
    if authorization is None:
        return pages.error(request.language, "unknown_interaction")
    if request.method == "GET":
        return _list_people(simulator, request, interaction, client_id=authorization.client_id)
    if "cancel" in request.form:
        cancelled = _error(_RefusedError("access_denied", "User cancelled"), authorization.state)
        return _redirect_back(simulator, authorization.redirect_uri, cancelled, status=303)
    slug = request.form.get("person", "")
    person = simulator.people.get(slug) or simulator.created_people.find(slug)
    if person is None:
        return pages.error(request.language, "unknown_person")
    return sign_in(simulator, authorization, person)


def sign_in(simulator: Simulator, authorization: AuthorizationRequest, person: Person) -> Response:
    """Start a session for the chosen person and redirect back."""
    session = simulator.state.start_session(person, now=simulator.now())
    return _issue_code(simulator, authorization, session, status=303)


def _list_people(simulator: Simulator, request: Request, interaction: str, *, client_id: str) -> Response:
    people = (*simulator.created_people.newest_first(), *simulator.people.values())
    return pages.choose_person(request.language, interaction=interaction, client_id=client_id, people=people)


def _validate(simulator: Simulator, request: Request) -> AuthorizationRequest:
    for is_wrong, error, description in _checks(simulator, request):
        if is_wrong:
            raise _RefusedError(error, description)
    parameters = request.parameters
    max_age = parameters.get("max_age", "")
    return AuthorizationRequest(
        client_id=parameters["client_id"],
        redirect_uri=parameters["redirect_uri"],
        scope=" ".join(parameters["scope"].split()),
        state=parameters.get("state"),
        nonce=parameters.get("nonce", ""),
        code_challenge=parameters["code_challenge"],
        prompt=frozenset(parameters.get("prompt", "").split()),
        max_age=int(max_age) if max_age else None,
    )


def _checks(simulator: Simulator, request: Request) -> tuple[tuple[bool, str, str], ...]:
    """Return what may be wrong, in Keycloak's order (OIDC Core 3.1.2.1 and 3.1.2.2, RFC 7636 4.3)."""
    parameters = request.parameters
    response_type = parameters.get("response_type", "")
    scopes, prompts, acr_values = (set(parameters.get(name, "").split()) for name in ("scope", "prompt", "acr_values"))
    unknown_scopes = scopes - set(simulator.metadata["scopes_supported"])
    valid_prompts = prompts <= _PROMPTS and ("none" not in prompts or len(prompts) == 1)
    valid_challenge = _CODE_CHALLENGE.fullmatch(parameters.get("code_challenge", ""))
    valid_max_age = re.fullmatch(r"\d{0,9}", parameters.get("max_age", ""))
    return (
        (bool(request.repeated), "invalid_request", "duplicated parameter"),
        ("request" in parameters, "request_not_supported", "request is not supported"),
        ("request_uri" in parameters, "request_uri_not_supported", "request_uri is not supported"),
        (not response_type, "invalid_request", "Missing parameter: response_type"),
        (response_type != "code", "unsupported_response_type", "response_type must be code"),
        (parameters.get("response_mode", "query") != "query", "invalid_request", "response_mode must be query"),
        ("openid" not in scopes, "invalid_scope", "scope must contain openid"),
        (bool(unknown_scopes), "invalid_scope", "Invalid scopes"),
        (
            parameters.get("code_challenge_method") != "S256",
            "invalid_request",
            "code_challenge_method must be S256",
        ),
        (not valid_challenge, "invalid_request", "Invalid parameter: code_challenge"),
        (not valid_prompts, "invalid_request", "Invalid parameter: prompt"),
        (not valid_max_age, "invalid_request", "Invalid parameter: max_age"),
        (not acr_values <= simulator.accepted_acr, "invalid_request", "Invalid parameter: acr_values"),
    )


def _find_session(simulator: Simulator, request: Request, authorization: AuthorizationRequest) -> Session | None:
    """Return the session to continue; None if the person must sign in (OIDC Core 3.1.2.3)."""
    now = simulator.now()
    session = simulator.state.find_session(request.cookies.get(simulator.cookie_name, ""), now=now)
    if authorization.prompt & {"login", "select_account"} or authorization.max_age == 0:
        session = None
    if session and authorization.max_age is not None and now - session.auth_time > authorization.max_age:
        session = None
    if session is None and "none" in authorization.prompt:
        raise _RefusedError("login_required")
    if session is None and simulator.next_person is not None:
        session = simulator.state.start_session(simulator.next_person, now=now)
    return session


def _issue_code(
    simulator: Simulator, authorization: AuthorizationRequest, session: Session, *, status: int = 302
) -> Response:
    code = simulator.state.issue_code(authorization, session, now=simulator.now())
    parameters = [("code", code.value), ("session_state", session.sid), *_state(authorization.state)]
    # Lax, not Strict: single sign-on needs the cookie on a link from the relying party.
    cookie = f"{simulator.cookie_name}={session.cookie}; Path=/; HttpOnly; SameSite=Lax"
    return _redirect_back(simulator, authorization.redirect_uri, parameters, status=status, cookie=cookie)


def _redirect_back(
    simulator: Simulator,
    redirect_uri: str,
    parameters: list[tuple[str, str]],
    *,
    status: int = 302,
    cookie: str = "",
) -> Response:
    """Redirect to the relying party, with the issuer in every response, errors included (RFC 9207 2)."""
    callback = Callback(redirect_uri, [*parameters, ("iss", simulator.issuer)])
    callback = simulator.faults.apply(Stage.CALLBACK, callback)
    separator = "&" if "?" in callback.redirect_uri else "?"
    location = f"{callback.redirect_uri}{separator}{urlencode(callback.parameters)}"
    return redirect(location, status=status, headers=(("Set-Cookie", cookie),) if cookie else ())


def _error(refusal: _RefusedError, state: str | None) -> list[tuple[str, str]]:
    # Keycloak gives no description of some errors.
    description = [("error_description", refusal.description)] if refusal.description else []
    return [("error", refusal.error), *description, *_state(state)]


def _state(state: str | None) -> list[tuple[str, str]]:
    return [] if state is None else [("state", state)]
