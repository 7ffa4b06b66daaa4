"""One HTTP request to the provider, limited in time and size."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from typing_extensions import override
from urllib3.exceptions import ProtocolError

from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import ProviderUnavailable
from psc_connect.oidc.metadata import is_address, is_loopback
from psc_connect.oidc.response_details import record_response_details
from psc_connect.oidc.transport import Adapter, ClosedBeforeAnswerError, Limits, is_private, within
from psc_connect.oidc.unexpected_content import classify_content

_HEADERS: Final = {
    "User-Agent": "django-psc-connect",
    "Accept": "application/json, application/jwt",
    "Accept-Encoding": "identity",
}
# Bytes allowed besides the body: status line, headers, chunk sizes.
_HEADER_ALLOWANCE: Final = 64 * 1024
# Python reads up to this much of a body with the headers, 8 kB before 3.14: a page that is not read is no refusal.
_READ_AHEAD: Final = 128 * 1024
_CHUNK: Final = 16 * 1024
# nginx completes the handshake without a client certificate, and answers 400 with this page.
_NGINX_WANTS_A_CERTIFICATE: Final = b"No required SSL certificate was sent"
# Values of Content-Encoding without compression. Some servers send an empty one, or the character set.
_UNCOMPRESSED: Final = ("", "identity", "utf-8")


@dataclass(frozen=True, slots=True)
class HTTPPolicy:
    """Settings of outgoing requests.

    Time-outs are in seconds. `ca_bundle` is a file name, "" for the default. `https_proxy` is an http:// URL, "" for
    none. `allow_loopback_http` allows a provider on this machine, over plain http too. `private_hosts` are the host
    names that may resolve to private addresses.
    """

    ca_bundle: str = ""
    https_proxy: str = field(default="", repr=False)
    connect_timeout: float = 3.0
    read_timeout: float = 5.0
    allow_loopback_http: bool = False
    private_hosts: frozenset[str] = frozenset()

    def allows_private_address(self, host: str) -> bool:
        return host.lower() in self.private_hosts or (self.allow_loopback_http and is_loopback(host))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with status 200 or 4xx; redirects and outages raise ProviderUnavailable instead.

    A visit (see `send`) may also be answered by a redirect, whose target is `location`; its body is not read.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    location: str = field(default="", repr=False)


class _Session(requests.Session):
    """Store no cookies, so that logins do not share them. Read no environment variables and no .netrc."""

    def __init__(self, policy: HTTPPolicy) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if policy.https_proxy:
            self.proxies = {"https": policy.https_proxy}
        self.headers.clear()
        self.headers.update(_HEADERS)
        adapter = Adapter(policy.ca_bundle or DEFAULT_CA_BUNDLE_PATH)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @override
    def get_redirect_target(self, resp: Any) -> None:
        """Return None: requests reads the whole redirect body before following it."""


# One session per process: a forked child must not share its parent's connections.
_sessions: dict[tuple[int, HTTPPolicy], _Session] = {}


def _session(policy: HTTPPolicy) -> _Session:
    key = (os.getpid(), policy)
    try:
        return _sessions.get(key) or _sessions.setdefault(key, _Session(policy))
    except OSError as exc:
        raise ProviderUnavailable("provider_ca_bundle_unreadable") from exc


def send(
    method: str,
    url: str,
    *,
    http: HTTPPolicy,
    deadline: Deadline,
    limit: int,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    as_browser: bool = False,
) -> Answer:
    """Send one request and return the answer. `limit` is the maximum size of the decoded body, in bytes.

    If the server closed a reused connection before sending any byte, the request is sent once more on a new one.
    `as_browser`: the URL is one that browsers visit, where a redirect or an HTML page is an answer. Redirects are not
    followed. Raises ProviderUnavailable if there is no usable answer.
    """
    request = requests.Request(method, url, data=form, headers=headers)
    limits = Limits(
        deadline,
        http.connect_timeout,
        http.read_timeout,
        limit + _HEADER_ALLOWANCE + (_READ_AHEAD if as_browser else 0),
        allows_private_address=http.allows_private_address,
    )
    receive = _receive_as_browser if as_browser else partial(_receive, limit=limit)
    try:
        _check_url(url, http)
        with within(limits):
            try:
                return receive(request, http, deadline)
            except ClosedBeforeAnswerError:
                limits.fresh = True
                return receive(request, http, deadline)
    except ProviderUnavailable as exc:
        exc.url = shown_url(url)
        raise
    # http.client raises ValueError for a chunk of negative size.
    except (requests.RequestException, urllib3.exceptions.HTTPError, ssl.SSLError, ValueError) as exc:
        raise ProviderUnavailable(_code_of(exc), url=shown_url(url)) from exc


def shown_url(url: str) -> str:
    """Return the URL as messages may show it: without its query and its password."""
    start, slashes, rest = url.partition("?")[0].partition("//")
    host, slash, path = rest.partition("/")
    return start + slashes + host.rpartition("@")[2] + slash + path


def _check_url(url: str, http: HTTPPolicy) -> None:
    """Check the URL before the request: no other scheme than https, no private IP address (prevents SSRF).

    Raises ProviderUnavailable.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as exc:
        raise ProviderUnavailable("provider_url_refused") from exc
    is_loopback_http = parts.scheme == "http" and http.allow_loopback_http and is_loopback(host)
    if parts.scheme != "https" and not is_loopback_http:
        raise ProviderUnavailable("provider_url_refused")
    # A host name is checked when the connection is made. An IP address is checked here too, because a proxy would
    # connect to it without that check.
    if is_address(host) and _is_private_literal(host) and not http.allows_private_address(host):
        raise ProviderUnavailable("provider_address_refused")


def _is_private_literal(address: str) -> bool:
    try:
        return is_private(address)
    # Decimal, octal or hexadecimal: a spelling that only serves to bypass checks.
    except ValueError:
        return True


def _receive(request: requests.Request, http: HTTPPolicy, deadline: Deadline, *, limit: int) -> Answer:
    with _response_to(request, http, deadline) as response:
        if _is_redirect(response):
            raise ProviderUnavailable("provider_redirected")
        body = _body(response, limit)
        content_type = response.headers.get("Content-Type", "")
        if response.status_code == 400 and _NGINX_WANTS_A_CERTIFICATE in body:
            raise ProviderUnavailable("provider_tls_client_certificate")
        _check_status(response.status_code)
    if "html" in content_type.lower() or classify_content(body) == "looks_like_html":
        # A firewall may refuse one request for a character in it, and accept others.
        is_refusal = response.status_code != 200
        raise ProviderUnavailable("provider_refusal_page" if is_refusal else "provider_maintenance_page")
    return Answer(response.status_code, content_type, body)


def _receive_as_browser(request: requests.Request, http: HTTPPolicy, deadline: Deadline) -> Answer:
    with _response_to(request, http, deadline) as response:
        is_redirect = _is_redirect(response)
        if not is_redirect:
            _check_status(response.status_code)
        headers = response.headers
        location = headers.get("Location", "") if is_redirect else ""
        return Answer(response.status_code, headers.get("Content-Type", ""), b"", location)


def _response_to(request: requests.Request, http: HTTPPolicy, deadline: Deadline) -> requests.Response:
    """Send a request; return the response, whose body is not read yet. The caller closes it."""
    session = _session(http)
    timeout = (min(http.connect_timeout, deadline.remaining()), http.read_timeout)
    response = session.send(
        session.prepare_request(request),
        stream=True,
        allow_redirects=False,
        timeout=timeout,
        proxies=session.proxies,
    )
    record_response_details(response)
    return response


def _is_redirect(response: requests.Response) -> bool:
    return 300 <= response.status_code < 400


def _body(response: requests.Response, limit: int) -> bytes:
    """Read the body in chunks, so that the limit also applies to a decompressed gzip bomb."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in (*_UNCOMPRESSED, "gzip", "x-gzip", "deflate"):
        raise ProviderUnavailable("provider_encoding_refused")
    body = bytearray()
    while chunk := response.raw.read(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > limit:
            raise ProviderUnavailable("provider_answer_too_large")
    return bytes(body)


def _check_status(status: int) -> None:
    if status >= 500:
        raise ProviderUnavailable("provider_server_error")
    if status == 404:
        raise ProviderUnavailable("provider_not_found")
    if status == 429:
        raise ProviderUnavailable("provider_busy")
    if status != 200 and not 400 <= status < 500:
        raise ProviderUnavailable("provider_unexpected_status")


# The first match counts: SSLError and ProxyError of `requests` are subclasses of its ConnectionError.
_CODES: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError, ssl.SSLError), "provider_tls_failed"),
    ((requests.Timeout, urllib3.exceptions.TimeoutError), "provider_timeout"),
    ((requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL), "provider_proxy_failed"),
    (requests.ConnectionError, "provider_unreachable"),
    ((requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema), "provider_url_refused"),
)


def _code_of(exc: Exception) -> str:
    # `requests` raises ConnectionError both for a failed connection and for an answer that was cut off.
    if isinstance(exc, requests.ConnectionError) and exc.args and isinstance(exc.args[0], ProtocolError):
        return "provider_answer_broken"
    return next((code for kinds, code in _CODES if isinstance(exc, kinds)), "provider_answer_broken")
