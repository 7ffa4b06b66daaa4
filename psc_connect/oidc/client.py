"""Requests to the provider: token, userinfo, key set and metadata."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus

from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import (
    JWKSError,
    MetadataError,
    MetadataProblem,
    ProviderUnavailable,
    TokenResponseError,
    UserinfoError,
    detail_of,
)
from psc_connect.oidc.http import Answer, HTTPPolicy, send, shown_url
from psc_connect.oidc.jwks import strip_private_members
from psc_connect.oidc.metadata import ProviderMetadata, discovery_candidates
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict
from psc_connect.oidc.transport import Limits, resolve, within

_KIB: Final = 1024
_RETRY_AFTER_SECONDS: Final = 0.3
_RETRYABLE: Final = ("provider_unreachable", "provider_answer_broken", "provider_server_error")
# RFC 6750 2.1: the syntax of a token in the Authorization header.
_BEARER_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# RFC 6749 5.2. For a wrong secret Keycloak answers unauthorized_client (measured), the standard invalid_client.
_TOKEN_ERRORS: Final = {
    "invalid_client": "token_invalid_client",
    "unauthorized_client": "token_unauthorized_client",
    "invalid_grant": "token_invalid_grant",
}


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The client's credentials at the token endpoint. `method` is `client_secret_post` or `client_secret_basic`."""

    client_id: str
    client_secret: str = field(repr=False)
    method: str = "client_secret_post"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that the token endpoint returned."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)


def exchange_code(
    metadata: ProviderMetadata,
    credentials: ClientCredentials,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    http: HTTPPolicy,
    deadline: Deadline,
) -> Tokens:
    """Exchange the authorization code for tokens (RFC 6749 4.1.3, RFC 7636 4.5).

    Raises ProviderUnavailable or TokenResponseError.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }
    headers: dict[str, str] = {}
    if credentials.method == "client_secret_basic":
        headers["Authorization"] = _basic(credentials)
    elif credentials.method == "client_secret_post":
        form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    else:
        raise ValueError("unsupported token endpoint authentication method")
    answer = send(
        "POST",
        metadata.token_endpoint,
        form=form,
        headers=headers,
        http=http,
        deadline=deadline,
        limit=256 * _KIB,
    )
    return _tokens(answer)


def _basic(credentials: ClientCredentials) -> str:
    """Return the Authorization header. Both parts are form-encoded, as they may contain a colon (RFC 6749 2.3.1)."""
    pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _tokens(answer: Answer) -> Tokens:
    """Parse the token response (RFC 6749 5.1 and 5.2, OIDC Core 3.1.3.3). Raises TokenResponseError."""
    try:
        members = loads_strict(answer.body)
    except StrictJSONError as exc:
        raise TokenResponseError("token_not_json" if answer.status == 200 else _refusal(answer.status)) from exc
    if not isinstance(members, dict):
        raise TokenResponseError("token_not_an_object")
    error = members.get("error")
    # Some providers write an empty `error` into a good answer.
    if answer.status != 200 or error not in (None, ""):
        code = _TOKEN_ERRORS.get(str(error), _refusal(answer.status))
        raise TokenResponseError(code, detail=detail_of(error))
    access_token, id_token = members.get("access_token"), members.get("id_token")
    if not isinstance(access_token, str) or not access_token:
        raise TokenResponseError("token_access_token_missing")
    if not _BEARER_TOKEN.fullmatch(access_token) or len(access_token) > 32 * _KIB:
        raise TokenResponseError("token_access_token_malformed")
    if str(members.get("token_type")).lower() != "bearer":
        raise TokenResponseError("token_type_not_bearer")
    if not isinstance(id_token, str) or not id_token:
        raise TokenResponseError("token_id_token_missing")
    return Tokens(access_token, id_token)


def _refusal(status: int) -> str:
    # 403 is no status of a token endpoint (RFC 6749 5.2): Keycloak sends it for a realm that is switched off.
    return "token_forbidden" if status in (401, 403) else "token_refused"


def fetch_userinfo(metadata: ProviderMetadata, *, access_token: str, http: HTTPPolicy, deadline: Deadline) -> Answer:
    """Fetch the userinfo, not yet parsed (OIDC Core 5.3.1). Raises ProviderUnavailable or UserinfoError."""
    headers = {"Authorization": f"Bearer {access_token}"}
    answer = send("GET", metadata.userinfo_endpoint, headers=headers, http=http, deadline=deadline, limit=256 * _KIB)
    if answer.status != 200:
        raise UserinfoError("userinfo_refused")
    return answer


def fetch_jwks(jwks_uri: str, *, http: HTTPPolicy, deadline: Deadline) -> dict[str, Any]:
    """Fetch the key set, ready to be stored: without private members. Raises ProviderUnavailable or JWKSError."""
    body = _fetch(jwks_uri, http=http, deadline=deadline, limit=512 * _KIB)
    try:
        return strip_private_members(loads_strict(body, refuse_nul=True))
    except StrictJSONError as exc:
        raise JWKSError("jwks_not_json") from exc


def fetch_metadata(url: str, *, http: HTTPPolicy, deadline: Deadline) -> dict[str, Any]:
    """Fetch the metadata of the issuer that has this discovery URL; the endpoints are not yet validated.

    A document that names another issuer is refused: its keys could sign for the people of that one
    (OpenID Connect Discovery 1.0 section 4.3). Raises ProviderUnavailable or MetadataError.
    """
    body = _fetch(url, http=http, deadline=deadline, limit=256 * _KIB)
    try:
        metadata = loads_strict(body, refuse_nul=True)
    except StrictJSONError as exc:
        raise MetadataError((MetadataProblem("", "metadata_not_json"),)) from exc
    if not isinstance(metadata, dict):
        raise MetadataError((MetadataProblem("", "metadata_not_an_object"),))
    issuer = metadata.get("issuer")
    if not issuer:
        raise MetadataError((MetadataProblem("issuer", "metadata_missing"),))
    if not isinstance(issuer, str) or url not in discovery_candidates(issuer):
        raise MetadataError((MetadataProblem("issuer", "metadata_issuer_mismatch"),))
    return metadata


def resolve_host(host: str, port: int, *, http: HTTPPolicy, deadline: Deadline) -> tuple[str, ...]:
    """Return the IP addresses of `host`, without duplicates, in the resolver's order. Raises ProviderUnavailable."""
    with within(Limits(deadline, http.connect_timeout, http.read_timeout, allowance=0)):
        return tuple(dict.fromkeys(str(address[0]) for *_, address in resolve(host, port)))


def _fetch(url: str, *, http: HTTPPolicy, deadline: Deadline, limit: int) -> bytes:
    """Send a GET, a second time if the first one fails: it changes nothing at the provider."""
    try:
        answer = send("GET", url, http=http, deadline=deadline, limit=limit)
    except ProviderUnavailable as exc:
        if exc.code not in _RETRYABLE or deadline.remaining() <= _RETRY_AFTER_SECONDS:
            raise
        time.sleep(_RETRY_AFTER_SECONDS)
        answer = send("GET", url, http=http, deadline=deadline, limit=limit)
    if answer.status != 200:
        raise ProviderUnavailable("provider_request_refused", url=shown_url(url))
    return answer.body
