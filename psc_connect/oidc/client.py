"""Every request that goes out to a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psc_connect.oidc.deadline import Deadline as Deadline
from psc_connect.oidc.metadata import ProviderMetadata


@dataclass(frozen=True, slots=True)
class HTTPPolicy:
    """How requests go out. Time-outs in seconds; `https_proxy` an http:// URL; both texts empty: none."""

    ca_bundle: str = ""
    https_proxy: str = field(default="", repr=False)
    connect_timeout: float = 3.0
    read_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Who we are at the token endpoint; `method` is `client_secret_post` or `client_secret_basic`."""

    client_id: str
    client_secret: str = field(repr=False)
    method: str = "client_secret_post"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserinfoAnswer:
    """What the userinfo endpoint gave, not yet read."""

    content_type: str
    body: bytes = field(repr=False)


def exchange_code(
    metadata: ProviderMetadata,
    credentials: ClientCredentials,
    *,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    http: HTTPPolicy,
    deadline: Deadline,
) -> Tokens:
    """The code for the tokens (RFC 6749 4.1.3, RFC 7636 4.5); ProviderUnavailable, TokenResponseError."""
    raise NotImplementedError


def fetch_userinfo(
    metadata: ProviderMetadata, *, access_token: str, http: HTTPPolicy, deadline: Deadline
) -> UserinfoAnswer:
    """OIDC Core 5.3.1; ProviderUnavailable, UserinfoError."""
    raise NotImplementedError


def fetch_jwks(jwks_uri: str, *, http: HTTPPolicy, deadline: Deadline) -> dict[str, Any]:
    """The key set without private parts, ready to be stored; ProviderUnavailable, JWKSError."""
    raise NotImplementedError


def fetch_metadata(url: str, *, http: HTTPPolicy, deadline: Deadline) -> dict[str, Any]:
    """The whole discovery document; ProviderUnavailable, MetadataError."""
    raise NotImplementedError
