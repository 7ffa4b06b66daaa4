"""What each rule of ``id_token.RULES`` checks, as a sentence for the page of a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from psc_connect.oidc.error_codes import _

ID_TOKEN_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kind": _("It is an ID token, not another token of the same provider."),
        "issuer": _("It was issued by this provider (iss)."),
        "audience": _("It was issued to this client (aud)."),
        "authorized_party": _("This client may use it (azp)."),
        "times": _("Its times are numbers of seconds (exp, iat, nbf)."),
        "expiry": _("It has not expired (exp)."),
        "issued_at": _("It was issued just now, and for at most one day (iat)."),
        "not_before": _("It is already valid (nbf)."),
        "nonce": _("It belongs to this login (nonce)."),
        "optional_types": _("Its optional claims have the right types (acr, auth_time, sid)."),
        "acr": _("The person was identified as strongly as this provider's settings require (acr)."),
        "auth_time": _("The person was identified recently enough (auth_time)."),
        "subject": _("It names a person (sub)."),
        "at_hash": _("It belongs to the access token that came with it (at_hash)."),
    }
)
