"""The authorization endpoint: check the request, ask who it is, send the browser back (OIDC Core 3.1.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from psc_connect.simulator import pages
from psc_connect.simulator.exchange import Callback, redirect
from psc_connect.simulator.faults import Stage
from psc_connect.simulator.sessions import AuthorizationRequest

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.exchange import Request, Response
    from psc_connect.simulator.people import Person
    from psc_connect.simulator.sessions import SignOn

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 4.2: the base64url of a SHA-256
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class _RefusedError(Exception):
    """The client is who it says it is, but what it asks is wrong: told by redirect (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(description)


def authorize(simulator: Simulator, request: Request) -> Response:
    """A page of people, or at once the way back when this browser is signed in (single sign-on)."""
    parameters = request.parameters
    client = simulator.clients.get(parameters.get("client_id", ""))
    redirect_uri = parameters.get("redirect_uri", "")
    if client is None or "client_id" in request.repeated:
        return pages.error(request.language, "unknown_client")
    # RFC 6749 3.1.2.4, RFC 9700 4.1.3: never a redirect to an address that is not, to the letter, registered.
    if redirect_uri not in client.redirect_uris or "redirect_uri" in request.repeated:
        declared = ", ".join(client.redirect_uris)
        received = redirect_uri or "–"
        return pages.error(request.language, "unknown_redirect_uri", received=received, declared=declared)
    try:
        asked = _check(simulator, request)
        sign_on = _signed_in(simulator, request, asked)
    except _RefusedError as refusal:
        return _send_back(simulator, redirect_uri, _error(refusal, parameters.get("state")))
    if sign_on is None:
        return _people(simulator, request, simulator.state.begin_interaction(asked), asked)
    return _send_code(simulator, asked, sign_on)


def choose(simulator: Simulator, request: Request) -> Response:
    """The person pressed a button on the page: sign on, or cancel. By GET, the page again."""
    identifier = request.parameters.get("interaction", "")
    take = simulator.state.interaction if request.method == "GET" else simulator.state.end_interaction
    asked = take(identifier)
    if asked is None:
        return pages.error(request.language, "unknown_interaction")
    if request.method == "GET":
        return _people(simulator, request, identifier, asked)
    if "cancel" in request.form:
        cancelled = _error(_RefusedError("access_denied", "User cancelled"), asked.state)
        return _send_back(simulator, asked.redirect_uri, cancelled, status=303)
    slug = request.form.get("person", "")
    person = simulator.people.get(slug) or simulator.own_people.find(slug)
    if person is None:
        return pages.error(request.language, "unknown_person")
    return sign_in(simulator, asked, person)


def sign_in(simulator: Simulator, asked: AuthorizationRequest, person: Person) -> Response:
    """A session for whom the browser chose, and the way back."""
    sign_on = simulator.state.sign_on(person, now=simulator.now())
    return _send_code(simulator, asked, sign_on, status=303)


def _people(simulator: Simulator, request: Request, identifier: str, asked: AuthorizationRequest) -> Response:
    people = (*simulator.own_people.newest_first(), *simulator.people.values())
    return pages.choose_person(request.language, interaction=identifier, client_id=asked.client_id, people=people)


def _check(simulator: Simulator, request: Request) -> AuthorizationRequest:
    """OIDC Core 3.1.2.1 and 3.1.2.2, RFC 7636 4.3, in the order in which Keycloak looks."""
    parameters = request.parameters
    scope = parameters.get("scope", "").split()
    prompt = frozenset(parameters.get("prompt", "").split())
    max_age = parameters.get("max_age", "")
    supported = simulator.metadata["scopes_supported"]
    flow = (parameters.get("response_type", ""), parameters.get("response_mode", "query"))
    pkce = (parameters.get("code_challenge_method", ""), parameters.get("code_challenge", ""))
    for wrong, error, description in (
        (request.repeated, "invalid_request", "duplicated parameter"),
        ("request" in parameters, "request_not_supported", "request is not played here"),
        ("request_uri" in parameters, "request_uri_not_supported", "request_uri is not played here"),
        (not flow[0], "invalid_request", "Missing parameter: response_type"),
        (flow[0] != "code", "unsupported_response_type", "response_type must be code"),
        (flow[1] != "query", "invalid_request", "response_mode must be query"),
        ("openid" not in scope, "invalid_scope", "scope must contain openid"),
        (any(name not in supported for name in scope), "invalid_scope", "Invalid scopes"),
        (pkce[0] != "S256", "invalid_request", "code_challenge_method must be S256"),
        (not _CHALLENGE.fullmatch(pkce[1]), "invalid_request", "Invalid parameter: code_challenge"),
        (
            prompt - _PROMPTS or (len(prompt) > 1 and "none" in prompt),
            "invalid_request",
            "Invalid parameter: prompt",
        ),
        (max_age and not re.fullmatch(r"\d{1,9}", max_age), "invalid_request", "Invalid parameter: max_age"),
        (_refused_acr(simulator, parameters), "invalid_request", "Invalid parameter: acr_values"),
    ):
        if wrong:
            raise _RefusedError(error, description)
    return AuthorizationRequest(
        client_id=parameters["client_id"],
        redirect_uri=parameters["redirect_uri"],
        scope=" ".join(scope),
        state=parameters.get("state"),
        nonce=parameters.get("nonce", ""),
        code_challenge=parameters["code_challenge"],
        prompt=prompt,
        max_age=int(max_age) if max_age else None,
    )


def _refused_acr(simulator: Simulator, parameters: dict[str, str]) -> bool:
    return any(value not in simulator.accepted_acr for value in parameters.get("acr_values", "").split())


def _signed_in(simulator: Simulator, request: Request, asked: AuthorizationRequest) -> SignOn | None:
    """The session to go on with; None when the person must be asked (OIDC Core 3.1.2.3)."""
    now = simulator.now()
    sign_on = simulator.state.resume(request.cookies.get(simulator.cookie_name, ""), now=now)
    if asked.prompt & {"login", "select_account"} or asked.max_age == 0:
        sign_on = None
    if sign_on and asked.max_age is not None and now - sign_on.auth_time > asked.max_age:
        sign_on = None
    if sign_on is None and simulator.next_person is not None:
        sign_on = simulator.state.sign_on(simulator.next_person, now=now)
    if sign_on is None and "none" in asked.prompt:
        raise _RefusedError("login_required", "User is not signed in")
    return sign_on


def _send_code(simulator: Simulator, asked: AuthorizationRequest, sign_on: SignOn, *, status: int = 302) -> Response:
    code = simulator.state.issue_code(asked, sign_on, now=simulator.now())
    parameters = [("code", code.value), ("session_state", sign_on.sid), *_state(asked.state)]
    # Lax, not Strict: the relying party's link must find the session (single sign-on).
    cookie = f"{simulator.cookie_name}={sign_on.cookie}; Path=/; HttpOnly; SameSite=Lax"
    return _send_back(simulator, asked.redirect_uri, parameters, status=status, cookie=cookie)


def _send_back(
    simulator: Simulator,
    redirect_uri: str,
    parameters: list[tuple[str, str]],
    *,
    status: int = 302,
    cookie: str = "",
) -> Response:
    """RFC 9207 2: every answer, an error too, names its issuer."""
    callback = Callback(redirect_uri, [*parameters, ("iss", simulator.issuer)])
    callback = simulator.faults.change(Stage.CALLBACK, callback)
    separator = "&" if "?" in callback.redirect_uri else "?"
    location = f"{callback.redirect_uri}{separator}{urlencode(callback.parameters)}"
    return redirect(location, status=status, headers=(("Set-Cookie", cookie),) if cookie else ())


def _error(refusal: _RefusedError, state: str | None) -> list[tuple[str, str]]:
    return [("error", refusal.error), ("error_description", refusal.description), *_state(state)]


def _state(state: str | None) -> list[tuple[str, str]]:
    return [] if state is None else [("state", state)]
