"""The logout request (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from psc_connect.oidc.authorization import with_query
from psc_connect.oidc.metadata import ProviderMetadata


def end_session_url(
    metadata: ProviderMetadata,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    state: str,
    id_token_hint: str = "",
) -> str:
    """Return the URL that ends the session at the provider (section 2), or "" without `end_session_endpoint`."""
    if not metadata.end_session_endpoint:
        return ""
    parameters = {
        "client_id": client_id,
        "post_logout_redirect_uri": post_logout_redirect_uri,
        "state": state,
    }
    if id_token_hint:
        parameters["id_token_hint"] = id_token_hint
    return with_query(metadata.end_session_endpoint, parameters)
