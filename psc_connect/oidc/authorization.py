"""The authorization request and its response (RFC 6749 4.1.1 and 4.1.2, RFC 7636, RFC 9207)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from psc_connect.oidc.error_codes import AUTHORIZATION_ERRORS
from psc_connect.oidc.errors import AuthorizationResponseError
from psc_connect.oidc.metadata import ProviderMetadata

# Parameters that a site may not add: the package sets them, or they change the flow.
RESERVED_PARAMETERS: Final = frozenset(
    # RFC 6749 and RFC 7636.
    {"client_id", "client_secret", "code", "grant_type", "redirect_uri", "response_type", "scope", "state"}
    | {"code_challenge", "code_challenge_method", "code_verifier"}
    # OIDC Core 3.1.2.1.
    | {"acr_values", "display", "id_token_hint", "max_age", "nonce", "prompt", "ui_locales"}
    # RFC 7521, RFC 9101, RFC 9207, OIDC Core 7.2.1, OAuth 2.0 Multiple Response Types.
    | {"client_assertion", "client_assertion_type", "iss", "registration", "request", "request_uri", "response_mode"}
)
_SINGLE_VALUED: Final = ("state", "code", "iss", "error")
# 32 random bytes in base64url, the form of every state that the package sends.
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# RFC 6749 A.11: printable ASCII.
_CODE: Final = re.compile(r"[\x20-\x7e]{1,4096}")
_MAX_ISSUER: Final = 2048
# Keycloak's `error_description` after its sign-in form was sent twice. Another login succeeds at once.
AUTHENTICATION_EXPIRED: Final = "authentication_expired"


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The parsed parameters of the callback. Either `code` or `error` is set.

    `error` is a registered error code, `unrecognised` or `authentication_expired`. `issuer` is the parameter `iss`, or
    "" (RFC 9207).
    """

    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str
    issuer: str


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return an endpoint's URL with `parameters` added and the rest of its query kept (RFC 6749 3.1).

    Existing ones of the same names are replaced: none may occur twice.
    """
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))


def parse_authorization_response(parameters: Mapping[str, Sequence[str]]) -> AuthorizationResponse:
    """Parse the callback's query (RFC 6749 4.1.2). `parameters` maps each name to all its values.

    `error_description` and `error_uri` are not shown or logged: an attacker can put any text into a link to the
    callback. Raises AuthorizationResponseError.
    """
    if any(len(parameters.get(name, ())) > 1 for name in _SINGLE_VALUED):
        raise AuthorizationResponseError("authorization_duplicate_parameter")
    values = {name: "".join(parameters.get(name, ())) for name in _SINGLE_VALUED}
    if not values["state"]:
        raise AuthorizationResponseError("authorization_state_missing")
    if not _STATE.fullmatch(values["state"]):
        raise AuthorizationResponseError("authorization_state_unknown")
    if len(values["iss"]) > _MAX_ISSUER:
        raise AuthorizationResponseError("authorization_issuer_mismatch")
    error = values["error"]
    if error:
        if error == "temporarily_unavailable" and AUTHENTICATION_EXPIRED in parameters.get("error_description", ()):
            error = AUTHENTICATION_EXPIRED
        elif error not in AUTHORIZATION_ERRORS:
            error = "unrecognised"
        return AuthorizationResponse(state=values["state"], code="", error=error, issuer=values["iss"])
    if not values["code"]:
        raise AuthorizationResponseError("authorization_code_missing")
    if not _CODE.fullmatch(values["code"]):
        raise AuthorizationResponseError("authorization_code_malformed")
    return AuthorizationResponse(state=values["state"], code=values["code"], error="", issuer=values["iss"])


def check_issuer(response: AuthorizationResponse, *, metadata: ProviderMetadata, require: bool) -> None:
    """Compare the response's `iss` with the issuer (RFC 9207 2.4). Raises AuthorizationResponseError.

    A missing `iss` is refused if `require` is true and the provider's metadata announces the parameter.
    """
    if response.issuer:
        if response.issuer != metadata.issuer:
            raise AuthorizationResponseError("authorization_issuer_mismatch")
    elif require and metadata.authorization_response_iss_parameter_supported:
        raise AuthorizationResponseError("authorization_issuer_missing")
