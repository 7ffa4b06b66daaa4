"""Faults of the claims of an ID token that has a valid signature (OIDC Core 3.1.3.7)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults.mechanism import Stage, fault, replace_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psc_connect.simulator.tokens import JWTDraft

OTHER_CLIENT = "another-client"


@fault(Stage.ID_TOKEN)
def id_token_claims(draft: JWTDraft, *, claims: Mapping[str, Any] | None = None, drop: Sequence[str] = ()) -> None:
    """Claims are replaced or left out."""
    replace_members(draft.claims, claims, drop)


@fault(Stage.ID_TOKEN)
def id_token_payload(draft: JWTDraft, *, payload: bytes) -> None:
    """The payload is other bytes with a valid signature, for example invalid UTF-8."""
    draft.payload = payload


@fault(Stage.ID_TOKEN)
def duplicated_claim(draft: JWTDraft, *, name: str = "sub", value: Any = "somebody-else") -> None:
    """One claim occurs twice: JSON parsers differ in which one they use."""
    first = json.dumps({name: value})[:-1].encode()
    draft.payload = first + b", " + json.dumps(draft.claims)[1:].encode()


@fault(Stage.ID_TOKEN)
def expired_id_token(draft: JWTDraft, *, seconds: int = 600) -> None:
    """The token expired `seconds` ago."""
    lifetime = draft.claims["exp"] - draft.claims["iat"]
    draft.claims["exp"] = draft.claims["iat"] - seconds
    draft.claims["iat"] = draft.claims["exp"] - lifetime


@fault(Stage.ID_TOKEN)
def missing_exp(draft: JWTDraft) -> None:
    """The token has no expiry."""
    del draft.claims["exp"]


@fault(Stage.ID_TOKEN)
def endless_id_token(draft: JWTDraft, *, seconds: int = 10 * 365 * 86_400) -> None:
    """The token is valid for years."""
    draft.claims["exp"] = draft.claims["iat"] + seconds


@fault(Stage.ID_TOKEN)
def missing_iat(draft: JWTDraft) -> None:
    """The token has no time of issue."""
    del draft.claims["iat"]


@fault(Stage.ID_TOKEN)
def iat_in_the_future(draft: JWTDraft, *, seconds: int = 3600) -> None:
    """The token was issued an hour in the future."""
    draft.claims["iat"] += seconds
    draft.claims["exp"] += seconds


@fault(Stage.ID_TOKEN)
def iat_long_ago(draft: JWTDraft, *, seconds: int = 7 * 86_400) -> None:
    """The token was issued a week ago and has not expired."""
    draft.claims["iat"] -= seconds


@fault(Stage.ID_TOKEN)
def nbf_in_the_future(draft: JWTDraft, *, seconds: int = 3600) -> None:
    """The token is not valid yet (RFC 7519 4.1.5)."""
    draft.claims["nbf"] = draft.claims["iat"] + seconds


@fault(Stage.ID_TOKEN)
def wrong_issuer(draft: JWTDraft, *, issuer: str = "https://evil.example/auth/realms/esante-wallet") -> None:
    """The issuer is another one."""
    draft.claims["iss"] = issuer


@fault(Stage.ID_TOKEN)
def missing_issuer(draft: JWTDraft) -> None:
    """The token has no issuer."""
    del draft.claims["iss"]


@fault(Stage.ID_TOKEN)
def wrong_audience(draft: JWTDraft, *, audience: str = OTHER_CLIENT) -> None:
    """The token was issued to another client of the provider."""
    draft.claims["aud"] = draft.claims["azp"] = audience


@fault(Stage.ID_TOKEN)
def missing_audience(draft: JWTDraft) -> None:
    """The token has no audience."""
    del draft.claims["aud"]


@fault(Stage.ID_TOKEN)
def second_audience(draft: JWTDraft, *, audience: str = OTHER_CLIENT) -> None:
    """The audience includes another client, which is the authorized party."""
    draft.claims["aud"] = [draft.client.client_id, audience]
    draft.claims["azp"] = audience


@fault(Stage.ID_TOKEN)
def audience_list(draft: JWTDraft) -> None:
    """Valid: the only audience is in a list (RFC 7519 4.1.3)."""
    draft.claims["aud"] = [draft.claims["aud"]]


@fault(Stage.ID_TOKEN)
def other_azp(draft: JWTDraft, *, azp: str = OTHER_CLIENT) -> None:
    """The authorized party is another client."""
    draft.claims["azp"] = azp


@fault(Stage.ID_TOKEN)
def wrong_nonce(draft: JWTDraft, *, nonce: str = "the-nonce-of-another-login") -> None:
    """The nonce is that of another login."""
    draft.claims["nonce"] = nonce


@fault(Stage.ID_TOKEN)
def missing_nonce(draft: JWTDraft) -> None:
    """The token has no nonce."""
    del draft.claims["nonce"]


@fault(Stage.ID_TOKEN)
def missing_sub(draft: JWTDraft) -> None:
    """The token has no subject."""
    del draft.claims["sub"]


@fault(Stage.ID_TOKEN)
def wrong_at_hash(draft: JWTDraft, *, at_hash: str = "AAAAAAAAAAAAAAAAAAAAAA") -> None:
    """The hash is that of another access token (OIDC Core 3.1.3.8)."""
    draft.claims["at_hash"] = at_hash


@fault(Stage.ID_TOKEN)
def missing_acr(draft: JWTDraft) -> None:
    """The token has no authentication level."""
    del draft.claims["acr"]


@fault(Stage.ID_TOKEN)
def lower_acr(draft: JWTDraft, *, acr: str = "0") -> None:
    """The authentication level is lower than requested."""
    draft.claims["acr"] = acr


@fault(Stage.ID_TOKEN)
def old_auth_time(draft: JWTDraft, *, seconds: int = 7200) -> None:
    """The person signed in two hours ago, even if `max_age` is shorter."""
    draft.claims["auth_time"] -= seconds


@fault(Stage.ID_TOKEN)
def missing_auth_time(draft: JWTDraft) -> None:
    """The token has no time of authentication."""
    del draft.claims["auth_time"]


@fault(Stage.ID_TOKEN)
def logout_token_as_id_token(draft: JWTDraft) -> None:
    """The token is a logout token (Back-Channel Logout 1.0 2.4)."""
    draft.header["typ"] = "logout+jwt"
    draft.claims["typ"] = "Logout"
    draft.claims["events"] = {"http://schemas.openid.net/event/backchannel-logout": {}}


@fault(Stage.ID_TOKEN)
def access_token_as_id_token(draft: JWTDraft) -> None:
    """The token is an access token (RFC 8725 3.11)."""
    draft.claims["typ"] = "Bearer"
    draft.claims["aud"] = "account"
