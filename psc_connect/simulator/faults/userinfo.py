"""Faults of the userinfo response (OIDC Core 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.mechanism import Stage, fault, replace_members
from psc_connect.simulator.http_messages import Response, json_response
from psc_connect.simulator.signing_keys import unpublished_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.http_messages import Request
    from psc_connect.simulator.tokens import UserinfoDraft


@fault(Stage.USERINFO)
def userinfo_claims(
    userinfo: UserinfoDraft, *, claims: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Claims are replaced or left out."""
    replace_members(userinfo.draft.claims, claims, drop)


@fault(Stage.USERINFO)
def other_sub(userinfo: UserinfoDraft, *, sub: str = "f:0:somebody-else") -> None:
    """The subject is not that of the ID token (OIDC Core 5.3.2)."""
    userinfo.draft.claims["sub"] = sub


@fault(Stage.USERINFO)
def userinfo_without_sub(userinfo: UserinfoDraft) -> None:
    """The userinfo has no subject."""
    del userinfo.draft.claims["sub"]


@fault(Stage.USERINFO)
def userinfo_signed(userinfo: UserinfoDraft) -> None:
    """The userinfo is a JWT with a valid signature: only correct if the client is registered for it."""
    userinfo.signed = True


@fault(Stage.USERINFO)
def userinfo_signed_by_another_key(userinfo: UserinfoDraft) -> None:
    """The userinfo is a JWT signed with an unpublished key."""
    userinfo.signed = True
    userinfo.draft.key = unpublished_key(userinfo.draft.key.algorithm)


@fault(Stage.USERINFO)
def userinfo_signed_for_another_client(userinfo: UserinfoDraft, *, audience: str = "another-client") -> None:
    """The userinfo is a JWT for another client."""
    userinfo.signed = True
    userinfo.draft.claims["aud"] = audience


@fault(Stage.USERINFO)
def userinfo_signed_by_another_issuer(userinfo: UserinfoDraft, *, issuer: str = "https://evil.example") -> None:
    """The userinfo is a JWT of another issuer."""
    userinfo.signed = True
    userinfo.draft.claims["iss"] = issuer


@fault(Stage.REQUEST, endpoint="userinfo")
def userinfo_unauthorized(_request: Request) -> Response:
    """The access token is refused (RFC 6750 3.1)."""
    challenge = 'Bearer realm="esante-wallet", error="invalid_token"'
    return json_response({"error": "invalid_token"}, status=401, headers=(("WWW-Authenticate", challenge),))


@fault(Stage.REQUEST, endpoint="userinfo")
def userinfo_array(_request: Request) -> Response:
    """The userinfo is a JSON array."""
    return json_response([])
