"""Wrong userinfo answers (OIDC Core 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psc_connect.simulator.exchange import Response, json_response
from psc_connect.simulator.faults.registry import Stage, fault
from psc_connect.simulator.signing_keys import unpublished_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.exchange import Request
    from psc_connect.simulator.tokens import UserinfoAnswer


@fault(Stage.USERINFO)
def userinfo_claims(
    answer: UserinfoAnswer, *, claims: Mapping[str, Any] | None = None, drop: Sequence[str] = ()
) -> None:
    """Any claims replaced by any values, or left out."""
    answer.draft.claims.update(claims or {})
    for name in drop:
        answer.draft.claims.pop(name, None)


@fault(Stage.USERINFO)
def other_sub(answer: UserinfoAnswer, *, sub: str = "f:0:somebody-else") -> None:
    """The userinfo is about somebody else (OIDC Core 5.3.2)."""
    answer.draft.claims["sub"] = sub


@fault(Stage.USERINFO)
def userinfo_without_sub(answer: UserinfoAnswer) -> None:
    """The userinfo is about nobody."""
    del answer.draft.claims["sub"]


@fault(Stage.USERINFO)
def userinfo_signed(answer: UserinfoAnswer) -> None:
    """The userinfo comes as a JWT, rightly signed: right only where that was agreed."""
    answer.signed = True


@fault(Stage.USERINFO)
def userinfo_signed_by_another_key(answer: UserinfoAnswer) -> None:
    """The userinfo comes as a JWT under a key that is not published."""
    answer.signed = True
    answer.draft.key = unpublished_key(answer.draft.key.algorithm)


@fault(Stage.USERINFO)
def userinfo_signed_for_another_client(answer: UserinfoAnswer, *, audience: str = "another-client") -> None:
    """The userinfo comes as a JWT that was made for another client."""
    answer.signed = True
    answer.draft.claims["aud"] = audience


@fault(Stage.USERINFO)
def userinfo_signed_by_another_issuer(answer: UserinfoAnswer, *, issuer: str = "https://evil.example") -> None:
    """The userinfo comes as a JWT that names another issuer."""
    answer.signed = True
    answer.draft.claims["iss"] = issuer


@fault(Stage.REQUEST, endpoint="userinfo")
def userinfo_unauthorized(_request: Request) -> Response:
    """The access token is refused (RFC 6750 3.1)."""
    challenge = 'Bearer realm="esante-wallet", error="invalid_token"'
    return json_response({"error": "invalid_token"}, status=401, headers=(("WWW-Authenticate", challenge),))


@fault(Stage.REQUEST, endpoint="userinfo")
def userinfo_array(_request: Request) -> Response:
    """The userinfo is JSON, but no object."""
    return json_response([])
