"""The provider's metadata and its validation (OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 9207)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from psc_connect.oidc.errors import MetadataError, MetadataProblem
from psc_connect.oidc.unexpected_content import classify_content

# The browser goes to these endpoints, but no secret is sent to them. PSC has them on a sibling host (auth.… and
# wallet.…). Other issuers may not own the parent domain: two hosts under asso.fr belong to different owners.
_OWN_HOST_OR_SIBLING = ("authorization_endpoint", "end_session_endpoint")
_REQUIRED = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
_OPTIONAL = ("jwks_uri", "end_session_endpoint")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The metadata that a login uses. An absent optional member is ""."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str = ""
    end_session_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    port: int

    @property
    def parent(self) -> str:
        """The host without its first label, or "" if that is a top-level domain or the host is an IP address."""
        parent = self.host.partition(".")[2]
        return parent if "." in parent and not is_address(self.host) else ""


def discovery_candidates(issuer: str) -> tuple[str, ...]:
    """Return the URLs where the metadata may be: PSC's path first, then the standard one (Discovery 4)."""
    base = issuer.rstrip("/")
    return (
        f"{base}/.well-known/wallet-openid-configuration",
        f"{base}/.well-known/openid-configuration",
    )


def secret_recipient(document: object) -> tuple[str, str]:
    """Return the issuer and the origin of the token endpoint: where a client secret is sent. Never fails."""
    if not isinstance(document, Mapping):
        return "", ""
    issuer = str(document.get("issuer", ""))
    try:
        parts = urlsplit(str(document.get("token_endpoint", "")))
    except ValueError:
        return issuer, ""
    return issuer, f"{parts.scheme}://{parts.netloc}".lower()


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine, written as `localhost`, 127.0.0.0/8 or ::1."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def parse_metadata(
    metadata: object,
    *,
    allow_loopback_http: bool = False,
    extra_hosts: Collection[str] = (),
    sibling_hosts: bool = False,
) -> ProviderMetadata:
    """Validate a provider's metadata. Unknown members are ignored.

    Endpoints must be on the issuer's host or on one of `extra_hosts`. With `sibling_hosts`, the endpoints that the
    browser visits may be on another host of the issuer's parent domain. Raises MetadataError with all problems.
    """
    if not isinstance(metadata, Mapping):
        raise MetadataError((MetadataProblem("", f"metadata_{classify_content(metadata) or 'not_an_object'}"),))
    if "keys" in metadata and "issuer" not in metadata:
        raise MetadataError((MetadataProblem("", "metadata_looks_like_jwks"),))
    hosts = frozenset(host.lower() for host in extra_hosts)
    validator = _Validator(metadata, allow_loopback_http=allow_loopback_http, extra_hosts=hosts)
    texts = validator.texts()
    iss_supported = validator.iss_parameter_supported()
    validator.check_hosts(texts, siblings=sibling_hosts)
    if validator.problems:
        raise MetadataError(tuple(validator.problems))
    return ProviderMetadata(**texts, authorization_response_iss_parameter_supported=iss_supported)


class _Validator:
    """Validates one provider's metadata and collects its problems."""

    def __init__(self, metadata: Mapping[Any, Any], *, allow_loopback_http: bool, extra_hosts: frozenset[str]) -> None:
        self.metadata = metadata
        self.allow_loopback_http = allow_loopback_http
        self.extra_hosts = extra_hosts
        self.problems: list[MetadataProblem] = []
        self.origins: dict[str, _Origin] = {}

    def _problem(self, field: str, code: str) -> None:
        self.problems.append(MetadataProblem(field, f"metadata_{code}"))

    def texts(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for field in (*_REQUIRED, *_OPTIONAL):
            value = self.metadata.get(field)
            if value in (None, ""):
                if field in _REQUIRED:
                    self._problem(field, "missing")
            elif not isinstance(value, str):
                self._problem(field, "not_text")
            else:
                texts[field] = value
                self._check_url(field, value)
        if "endsession_endpoint" in self.metadata and "end_session_endpoint" not in self.metadata:
            self._problem("endsession_endpoint", "endsession_misnomer")
        return texts

    def iss_parameter_supported(self) -> bool:
        field = "authorization_response_iss_parameter_supported"
        value = self.metadata.get(field, False)
        if not isinstance(value, bool):
            self._problem(field, "not_a_boolean")
            return False
        return value

    def _check_url(self, field: str, url: str) -> None:
        parts, origin = _split(url)
        if parts is None or origin is None:
            self._problem(field, "url_malformed")
            return
        self.origins[field] = origin
        if origin.scheme == "http" and is_loopback(origin.host):
            if not self.allow_loopback_http:
                self._problem(field, "loopback_http_refused")
        elif origin.scheme != "https":
            self._problem(field, "not_https")
        if "@" in parts.netloc:
            self._problem(field, "url_credentials")
        if "#" in url:
            self._problem(field, "url_fragment")
        if field == "issuer" and "?" in url:
            self._problem(field, "issuer_query")

    def check_hosts(self, texts: Mapping[str, str], *, siblings: bool) -> None:
        """Check that secrets and keys are only exchanged with the issuer's origin (RFC 9700 4.4, SSRF)."""
        issuer = self.origins.get("issuer")
        if issuer is None:
            return
        if is_address(issuer.host) and not is_loopback(issuer.host) and issuer.host not in self.extra_hosts:
            self._problem("issuer", "host_is_an_address")
        for field in texts:
            origin = self.origins.get(field, issuer)
            sibling = siblings and field in _OWN_HOST_OR_SIBLING and _are_siblings(origin, issuer)
            if origin != issuer and not sibling and origin.host not in self.extra_hosts:
                self._problem(field, "foreign_host")


def _are_siblings(origin: _Origin, issuer: _Origin) -> bool:
    same_service = (origin.scheme, origin.port) == (issuer.scheme, issuer.port)
    return same_service and bool(issuer.parent) and origin.parent == issuer.parent


def _split(url: str) -> tuple[SplitResult, _Origin] | tuple[None, None]:
    """Return parts and origin of an absolute URL, or None twice if parsers could read it differently (RFC 3986 2)."""
    if not url.isprintable() or any(character in url for character in ' \\"<>^`{|}'):
        return None, None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None, None
    # IDNA 2003 and 2008 map some non-ASCII hosts differently, so such a host must be written in its xn-- form.
    if not host or not host.isascii() or not parts.scheme:
        return None, None
    return parts, _Origin(parts.scheme, host, port)


def is_address(host: str) -> bool:
    """Return whether a resolver would read `host` as an IP address, decimal, octal and hexadecimal forms included."""
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")
