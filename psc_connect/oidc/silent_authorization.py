"""An authorization request without a person (`prompt=none`), which shows whether the provider accepts the client."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit

from psc_connect.oidc.authorization import AuthorizationResponse, parse_authorization_response
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import AuthorizationResponseError, detail_of
from psc_connect.oidc.http import HTTPPolicy, send

# OIDC Core 3.1.2.6: the request is valid, and only a person is missing.
PERSON_MISSING: Final = frozenset(
    {"account_selection_required", "consent_required", "interaction_required", "login_required"}
)


@dataclass(frozen=True, slots=True)
class SilentAnswer:
    """What the authorization endpoint did without a person.

    `response` is its response if it redirected to the redirect URI, else None: it showed a page with this `status`, or
    redirected to another address. `detail`: its error and error description, or "".
    """

    status: int
    response: AuthorizationResponse | None = field(default=None, repr=False)
    detail: str = ""


def request_silently(url: str, *, redirect_uri: str, state: str, http: HTTPPolicy, deadline: Deadline) -> SilentAnswer:
    """Send an authorization request that has `prompt=none` and this `state` (OIDC Core 3.1.2.1).

    Redirects are not followed. Raises ProviderUnavailable, or AuthorizationResponseError for a response that no login
    would accept.
    """
    answer = send("GET", url, headers={"Accept": "text/html"}, http=http, deadline=deadline, limit=0, as_browser=True)
    try:
        location = urlsplit(urljoin(url, answer.location))
    except ValueError:
        return SilentAnswer(answer.status)
    if not answer.location or location._replace(query="", fragment="").geturl() != redirect_uri:
        return SilentAnswer(answer.status)
    parameters = parse_qs(location.query, keep_blank_values=True)
    response = parse_authorization_response(parameters)
    if not hmac.compare_digest(response.state, state):
        raise AuthorizationResponseError("authorization_state_unknown")
    return SilentAnswer(answer.status, response, _detail(parameters))


def _detail(parameters: dict[str, list[str]]) -> str:
    texts = (detail_of(parameters[name][0]) for name in ("error", "error_description") if name in parameters)
    return ": ".join(text for text in texts if text)
