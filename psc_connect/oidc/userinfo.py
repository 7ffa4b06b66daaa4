"""The userinfo answer (OpenID Connect Core 5.3)."""

from __future__ import annotations

from typing import Any

from psc_connect.oidc.client import UserinfoAnswer
from psc_connect.oidc.id_token import IDToken, IDTokenRules
from psc_connect.oidc.jwks import KeySet


def validate_userinfo(
    answer: UserinfoAnswer,
    *,
    id_token: IDToken,
    rules: IDTokenRules,
    keys: KeySet,
    signed_algorithm: str = "",
) -> dict[str, Any]:
    """The person's claims; UserinfoError if they cannot be trusted, UnknownKey as for the ID token."""
    raise NotImplementedError
