"""The clients registered at the simulator, and their authentication (RFC 6749 2.3.1)."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psc_connect.simulator.http_messages import Request

METHODS = ("client_secret_post", "client_secret_basic")


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. Its redirect URIs are compared character by character."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "client_secret_post"  # noqa: S105  (a method's name)

    def __post_init__(self) -> None:
        if self.token_endpoint_auth_method not in METHODS:
            raise ValueError(f"token_endpoint_auth_method must be one of {', '.join(METHODS)}")


class ClientRefusedError(Exception):
    """Client authentication failed. `error` is what Keycloak answers, with status 401."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(description)


def authenticate(request: Request, clients: Mapping[str, Client]) -> Client:
    """Return the client that made this token request; it must use its registered method.

    Raises ClientRefusedError: `invalid_client` for an unknown client and `unauthorized_client` for a wrong secret, as
    Keycloak does.
    """
    basic = _basic_credentials(request.headers.get("authorization", ""))
    form = request.form
    client_id, client_secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    method = "client_secret_basic" if basic else "client_secret_post"
    client = clients.get(client_id)
    if client is None:
        raise ClientRefusedError("invalid_client", "Invalid client or Invalid client credentials")
    if basic and "client_secret" in form:
        raise ClientRefusedError("unauthorized_client", "Two methods of client authentication")
    if basic and form.get("client_id", client_id) != client_id:
        raise ClientRefusedError("unauthorized_client", "client_id differs from the Authorization header")
    if method != client.token_endpoint_auth_method:
        raise ClientRefusedError("unauthorized_client", "This client is registered for another method")
    if not hmac.compare_digest(client_secret.encode(), client.client_secret.encode()):
        raise ClientRefusedError("unauthorized_client", "Invalid client or Invalid client credentials")
    return client


def _basic_credentials(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise ClientRefusedError("invalid_client", "The Authorization header cannot be read") from exc
    return unquote_plus(user), unquote_plus(password)
