"""Wrong JSON documents: the discovery document, the key set, the token response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psc_connect.simulator.exchange import Response, oauth_error
from psc_connect.simulator.faults.registry import Stage, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.exchange import Request


@fault(Stage.METADATA)
def metadata_members(
    metadata: dict[str, Any], *, members: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Any members of the discovery document replaced, or left out."""
    _change(metadata, members, drop)


@fault(Stage.JWKS)
def jwks_empty(jwks: dict[str, Any]) -> None:
    """The key set holds no key."""
    jwks["keys"] = []


@fault(Stage.JWKS)
def jwks_without_keys(jwks: dict[str, Any]) -> None:
    """The key set is an object without `keys` (RFC 7517 5.1)."""
    del jwks["keys"]


@fault(Stage.JWKS)
def jwks_more_keys(jwks: dict[str, Any], *, keys: Sequence[Mapping[str, Any]]) -> None:
    """Other keys stand before the good ones: broken, weak, symmetric, private, of unknown types."""
    jwks["keys"] = [*keys, *jwks["keys"]]


@fault(Stage.JWKS)
def jwks_keys(jwks: dict[str, Any], *, members: Mapping[str, Any], drop: Sequence[str] = ()) -> None:
    """Members of every key replaced, or left out: no kid, another use, no alg."""
    for key in jwks["keys"]:
        _change(key, members, drop)


@fault(Stage.TOKEN_RESPONSE)
def token_response(
    response: dict[str, Any], *, members: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Any members of the token response replaced, or left out."""
    _change(response, members, drop)


@fault(Stage.TOKEN_RESPONSE)
def no_id_token(response: dict[str, Any]) -> None:
    """The provider speaks OAuth 2.0 but not OpenID Connect."""
    del response["id_token"]


@fault(Stage.TOKEN_RESPONSE)
def no_access_token(response: dict[str, Any]) -> None:
    """There is nothing to ask the userinfo with."""
    del response["access_token"]


@fault(Stage.TOKEN_RESPONSE)
def token_type(response: dict[str, Any], *, value: str = "mac") -> None:
    """The token is of a type that was not agreed (RFC 6749 7.1)."""
    response["token_type"] = value


@fault(Stage.REQUEST, endpoint="token")
def token_error(_request: Request, *, error: str = "invalid_grant", status: int = 400) -> Response:
    """The token endpoint refuses, with any error of RFC 6749 5.2; the code is not spent."""
    return oauth_error(error, "Refused by the fault token_error", status=status)


def _change(document: dict[str, Any], members: Mapping[str, Any] | None, drop: Sequence[str]) -> None:
    document.update(members or {})
    for name in drop:
        document.pop(name, None)
