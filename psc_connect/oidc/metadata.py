"""What is known of a provider (OpenID Connect Discovery 1.0 3, RFC 8414, RFC 9207)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from psc_connect.oidc.errors import MetadataError, MetadataProblem
from psc_connect.oidc.unexpected_content import classify_content

# The browser goes there, no secret does: PSC keeps its pages on a sibling host (auth.… and wallet.…). Of an issuer that
# is not known to own the domain above, a sibling may be anybody's: who shares asso.fr has nothing else in common.
_OWN_HOST_OR_SIBLING = ("authorization_endpoint", "end_session_endpoint")
_REQUIRED = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
_OPTIONAL = ("jwks_uri", "end_session_endpoint")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The members of a discovery document that a login uses; empty text where an optional one is absent."""

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
        """The host without its first label, if that is a domain that somebody can own."""
        parent = self.host.partition(".")[2]
        return parent if "." in parent and not is_address(self.host) else ""


def discovery_candidates(issuer: str) -> tuple[str, ...]:
    """Where the discovery document may be: PSC's own path first, then the standard's (Discovery 4)."""
    base = issuer.rstrip("/")
    return (
        f"{base}/.well-known/wallet-openid-configuration",
        f"{base}/.well-known/openid-configuration",
    )


def is_loopback(host: str) -> bool:
    """This machine, written plainly: `localhost`, 127.0.0.0/8 or ::1."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def parse_metadata(
    document: object,
    *,
    allow_loopback_http: bool = False,
    extra_hosts: Collection[str] = (),
    sibling_hosts: bool = False,
) -> ProviderMetadata:
    """Check a discovery document; MetadataError with ALL its problems.

    `extra_hosts` are allowed for every endpoint besides the issuer's own; `sibling_hosts`: the browser may be sent to
    hosts beside the issuer's under the same domain. Unknown members are ignored.
    """
    if not isinstance(document, Mapping):
        raise MetadataError((MetadataProblem("", f"metadata_{classify_content(document) or 'not_an_object'}"),))
    if "keys" in document and "issuer" not in document:
        raise MetadataError((MetadataProblem("", "metadata_looks_like_jwks"),))
    checked = _Checked(document, allow_loopback_http, frozenset(host.lower() for host in extra_hosts))
    values = checked.texts()
    announced = checked.announced()
    checked.compare_hosts(values, siblings=sibling_hosts)
    if checked.problems:
        raise MetadataError(tuple(checked.problems))
    return ProviderMetadata(**values, authorization_response_iss_parameter_supported=announced)


class _Checked:
    """One document under examination, and the problems found so far."""

    def __init__(self, document: Mapping[Any, Any], loopback_http: bool, extra_hosts: frozenset[str]) -> None:  # noqa: FBT001
        self.document = document
        self.loopback_http = loopback_http
        self.extra_hosts = extra_hosts
        self.problems: list[MetadataProblem] = []
        self.origins: dict[str, _Origin] = {}

    def _problem(self, field: str, code: str) -> None:
        self.problems.append(MetadataProblem(field, f"metadata_{code}"))

    def texts(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for field in (*_REQUIRED, *_OPTIONAL):
            value = self.document.get(field)
            if value in (None, ""):
                if field in _REQUIRED:
                    self._problem(field, "missing")
            elif not isinstance(value, str):
                self._problem(field, "not_text")
            else:
                values[field] = value
                self._url(field, value)
        if "endsession_endpoint" in self.document and "end_session_endpoint" not in self.document:
            self._problem("endsession_endpoint", "endsession_misnomer")
        return values

    def announced(self) -> bool:
        field = "authorization_response_iss_parameter_supported"
        value = self.document.get(field, False)
        if not isinstance(value, bool):
            self._problem(field, "not_a_boolean")
            return False
        return value

    def _url(self, field: str, url: str) -> None:
        parts, origin = _split(url)
        if parts is None or origin is None:
            self._problem(field, "url_malformed")
            return
        self.origins[field] = origin
        if origin.scheme == "http" and is_loopback(origin.host):
            if not self.loopback_http:
                self._problem(field, "loopback_http_refused")
        elif origin.scheme != "https":
            self._problem(field, "not_https")
        if "@" in parts.netloc:
            self._problem(field, "url_credentials")
        if "#" in url:
            self._problem(field, "url_fragment")
        if field == "issuer" and "?" in url:
            self._problem(field, "issuer_query")

    def compare_hosts(self, values: Mapping[str, str], *, siblings: bool) -> None:
        """Nothing that carries a secret or a key leaves the issuer's own origin (RFC 9700 4.4, SSRF)."""
        issuer = self.origins.get("issuer")
        if issuer is None:
            return
        if is_address(issuer.host) and not is_loopback(issuer.host) and issuer.host not in self.extra_hosts:
            self._problem("issuer", "host_is_an_address")
        for field in values:
            origin = self.origins.get(field, issuer)
            sibling = siblings and field in _OWN_HOST_OR_SIBLING and _are_siblings(origin, issuer)
            if origin != issuer and not sibling and origin.host not in self.extra_hosts:
                self._problem(field, "foreign_host")


def _are_siblings(origin: _Origin, issuer: _Origin) -> bool:
    same_door = (origin.scheme, origin.port) == (issuer.scheme, issuer.port)
    return same_door and bool(issuer.parent) and origin.parent == issuer.parent


def _split(url: str) -> tuple[SplitResult, _Origin] | tuple[None, None]:
    """Parts and origin of an absolute URL; None for both where parsers could disagree about it (RFC 3986 2)."""
    if not url.isprintable() or any(character in url for character in ' \\"<>^`{|}'):
        return None, None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None, None
    # A host in other letters is another host to IDNA 2003 than to IDNA 2008: it is written in its xn-- form.
    if not host or not host.isascii() or not parts.scheme:
        return None, None
    return parts, _Origin(parts.scheme, host, port)


def is_address(host: str) -> bool:
    """Whatever a resolver reads as an IP address, the decimal, octal and hexadecimal spellings included."""
    last = host.rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")
