"""Faults of the token response (RFC 6749 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.mechanism import Stage, fault, replace_members
from psc_connect.simulator.http_messages import Response, oauth_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.http_messages import Request


@fault(Stage.TOKEN_RESPONSE)
def token_response(
    response: dict[str, Any], *, members: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Members of the token response are replaced or left out."""
    replace_members(response, members, drop)


@fault(Stage.TOKEN_RESPONSE)
def no_id_token(response: dict[str, Any]) -> None:
    """The response has no ID token: OAuth 2.0 without OpenID Connect."""
    del response["id_token"]


@fault(Stage.TOKEN_RESPONSE)
def no_access_token(response: dict[str, Any]) -> None:
    """The response has no access token."""
    del response["access_token"]


@fault(Stage.TOKEN_RESPONSE)
def token_type(response: dict[str, Any], *, value: str = "mac") -> None:
    """The token type is not Bearer (RFC 6749 7.1)."""
    response["token_type"] = value


@fault(Stage.REQUEST, endpoint="token")
def token_error(_request: Request, *, error: str = "invalid_grant", status: int = 400) -> Response:
    """The token endpoint answers an error of RFC 6749 5.2; the code stays valid."""
    return oauth_error(error, "Refused by the fault token_error", status=status)
