"""ID tokens with one wrong claim and a good signature (OIDC Core 3.1.3.7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.registry import Stage, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.tokens import Draft

STRANGER = "another-client"


@fault(Stage.ID_TOKEN)
def id_token_claims(draft: Draft, *, claims: Mapping[str, Any] | None = None, drop: Sequence[str] = ()) -> None:
    """Any claims replaced by any values, or left out."""
    draft.claims.update(claims or {})
    for name in drop:
        del draft.claims[name]


@fault(Stage.ID_TOKEN)
def id_token_payload(draft: Draft, *, payload: bytes) -> None:
    """Any bytes, rightly signed: no JSON object, invalid UTF-8, nested without end."""
    draft.payload = payload


@fault(Stage.ID_TOKEN)
def duplicated_claim(draft: Draft, *, name: str = "sub", value: Any = "somebody-else") -> None:
    """One claim twice: readers differ in which one they believe."""
    first = json.dumps({name: value})[:-1].encode()
    draft.payload = first + b", " + json.dumps(draft.claims)[1:].encode()


@fault(Stage.ID_TOKEN)
def expired_id_token(draft: Draft, *, seconds: int = 600) -> None:
    """It expired this many seconds ago."""
    lifetime = draft.claims["exp"] - draft.claims["iat"]
    draft.claims["exp"] = draft.claims["iat"] - seconds
    draft.claims["iat"] = draft.claims["exp"] - lifetime


@fault(Stage.ID_TOKEN)
def missing_exp(draft: Draft) -> None:
    """It never expires."""
    del draft.claims["exp"]


@fault(Stage.ID_TOKEN)
def endless_id_token(draft: Draft, *, seconds: int = 10 * 365 * 86_400) -> None:
    """It lives for years."""
    draft.claims["exp"] = draft.claims["iat"] + seconds


@fault(Stage.ID_TOKEN)
def missing_iat(draft: Draft) -> None:
    """It does not say when it was issued."""
    del draft.claims["iat"]


@fault(Stage.ID_TOKEN)
def iat_in_the_future(draft: Draft, *, seconds: int = 3600) -> None:
    """It is issued and valid from an hour ahead on."""
    draft.claims["iat"] += seconds
    draft.claims["exp"] += seconds


@fault(Stage.ID_TOKEN)
def iat_long_ago(draft: Draft, *, seconds: int = 7 * 86_400) -> None:
    """It was issued a week ago and has not expired."""
    draft.claims["iat"] -= seconds


@fault(Stage.ID_TOKEN)
def nbf_in_the_future(draft: Draft, *, seconds: int = 3600) -> None:
    """It is not valid yet (RFC 7519 4.1.5)."""
    draft.claims["nbf"] = draft.claims["iat"] + seconds


@fault(Stage.ID_TOKEN)
def wrong_issuer(draft: Draft, *, issuer: str = "https://evil.example/auth/realms/esante-wallet") -> None:
    """It names another issuer."""
    draft.claims["iss"] = issuer


@fault(Stage.ID_TOKEN)
def missing_issuer(draft: Draft) -> None:
    """It names no issuer."""
    del draft.claims["iss"]


@fault(Stage.ID_TOKEN)
def wrong_audience(draft: Draft, *, audience: str = STRANGER) -> None:
    """It was issued to another client of the same provider."""
    draft.claims["aud"] = draft.claims["azp"] = audience


@fault(Stage.ID_TOKEN)
def missing_audience(draft: Draft) -> None:
    """It was issued to nobody."""
    del draft.claims["aud"]


@fault(Stage.ID_TOKEN)
def second_audience(draft: Draft, *, audience: str = STRANGER) -> None:
    """It is meant for another client too, which is the authorized party."""
    draft.claims["aud"] = [draft.client.client_id, audience]
    draft.claims["azp"] = audience


@fault(Stage.ID_TOKEN)
def audience_list(draft: Draft) -> None:
    """Harmless: the one audience stands in a list (RFC 7519 4.1.3)."""
    draft.claims["aud"] = [draft.claims["aud"]]


@fault(Stage.ID_TOKEN)
def other_azp(draft: Draft, *, azp: str = STRANGER) -> None:
    """The authorized party is another client."""
    draft.claims["azp"] = azp


@fault(Stage.ID_TOKEN)
def wrong_nonce(draft: Draft, *, nonce: str = "the-nonce-of-another-login") -> None:
    """It belongs to another login."""
    draft.claims["nonce"] = nonce


@fault(Stage.ID_TOKEN)
def missing_nonce(draft: Draft) -> None:
    """It belongs to no particular login."""
    del draft.claims["nonce"]


@fault(Stage.ID_TOKEN)
def missing_sub(draft: Draft) -> None:
    """It does not say who signed in."""
    del draft.claims["sub"]


@fault(Stage.ID_TOKEN)
def wrong_at_hash(draft: Draft, *, at_hash: str = "AAAAAAAAAAAAAAAAAAAAAA") -> None:
    """It came with another access token (OIDC Core 3.1.3.8)."""
    draft.claims["at_hash"] = at_hash


@fault(Stage.ID_TOKEN)
def missing_acr(draft: Draft) -> None:
    """It does not say how strongly the person was authenticated."""
    del draft.claims["acr"]


@fault(Stage.ID_TOKEN)
def lower_acr(draft: Draft, *, acr: str = "0") -> None:
    """The person was authenticated less strongly than asked."""
    draft.claims["acr"] = acr


@fault(Stage.ID_TOKEN)
def old_auth_time(draft: Draft, *, seconds: int = 7200) -> None:
    """The person signed on two hours ago, whatever `max_age` asked."""
    draft.claims["auth_time"] -= seconds


@fault(Stage.ID_TOKEN)
def missing_auth_time(draft: Draft) -> None:
    """It does not say when the person signed on."""
    del draft.claims["auth_time"]


@fault(Stage.ID_TOKEN)
def logout_token_as_id_token(draft: Draft) -> None:
    """A logout token stands in its place (Back-Channel Logout 1.0 2.4)."""
    draft.header["typ"] = "logout+jwt"
    draft.claims["typ"] = "Logout"
    draft.claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}


@fault(Stage.ID_TOKEN)
def access_token_as_id_token(draft: Draft) -> None:
    """An access token stands in its place (RFC 8725 3.11)."""
    draft.claims["typ"] = "Bearer"
    draft.claims["aud"] = "account"
