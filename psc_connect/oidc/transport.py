"""Sockets, connections and pools that keep a deadline: what `requests` and `urllib3` leave open.

Their time-outs bound one read, so that a provider that sends a byte a second holds a worker for as long as it likes.
Here every read of an exchange, of headers and of the proxy's answer too, is bounded by what is left of the deadline,
and so is the question to the name server, which no time-out of theirs reaches.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import ProviderUnavailable

_Addresses = list[tuple[Any, Any, int, str, Any]]

IDLE_SECONDS: Final = 30
_CONNECTIONS: Final = 32


class ClosedBeforeAnswerError(Exception):
    """A connection that had served before was closed, and not one byte of the answer had come: nobody answered."""


@dataclass(slots=True)
class Limits:
    """The request under way. `allowance` is how many bytes may still come in; `fresh` forbids pooled connections.

    `admits_private_address` says of a host name whether it may lead into a network.
    """

    deadline: Deadline
    connect_timeout: float
    read_timeout: float
    allowance: int
    fresh: bool = False
    admits_private_address: Callable[[str], bool] = lambda _host: False

    def connecting(self) -> float:
        return min(self.connect_timeout, self.deadline.remaining())

    def next_read(self) -> float:
        return min(self.read_timeout, self.deadline.remaining())

    def received(self, count: int) -> None:
        self.allowance -= count
        if self.allowance < 0:
            raise ProviderUnavailable("provider_answer_too_large")


# A context variable, because urllib3 has no way to hand a value of ours down to its sockets.
_current: ContextVar[Limits] = ContextVar("psc_connect_limits")


@contextmanager
def within(limits: Limits) -> Iterator[None]:
    """Every connection that is used inside keeps these limits."""
    token = _current.set(limits)
    try:
        yield
    finally:
        _current.reset(token)


class _Socket(socket.socket):
    @override
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_current.get().next_read())
        count = super().recv_into(*args, **kwargs)
        _current.get().received(count)
        return count


class _TLSSocket(_Socket, ssl.SSLSocket):
    @override
    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(_current.get().next_read())
        super().do_handshake(block)


class _Connection(HTTPConnection):
    _answers = 0
    _last_used = 0.0

    @override
    def _new_conn(self) -> socket.socket:
        last: OSError = OSError("no address")
        addresses = resolve(self._dns_host, self.port or self.default_port)
        # The proxy is the site's own choice, and knows the way from there on.
        if self.proxy is None:
            self._check(addresses)
        for family, kind, protocol, _, address in addresses:
            seconds = _current.get().connecting()
            connection = _Socket(family, kind, protocol)
            try:
                connection.settimeout(seconds)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.connect(address)
            except OSError as exc:
                connection.close()
                last = exc
            else:
                return connection
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(self, "time-out") from last
        raise NewConnectionError(self, "no connection") from last

    def _check(self, addresses: _Addresses) -> None:
        """The very addresses that are connected to: a name cannot change its mind between the check and the call."""
        inside = any(is_private(str(address[0])) for *_, address in addresses)
        if inside and not _current.get().admits_private_address(self._dns_host):
            raise ProviderUnavailable("provider_address_refused")

    @override
    def connect(self) -> None:
        self._answers = 0
        super().connect()

    @property
    @override
    def is_connected(self) -> bool:
        """What the pool asks before it hands a connection out again."""
        if _current.get().fresh or time.monotonic() - self._last_used > IDLE_SECONDS:
            return False
        return super().is_connected

    @override
    def request(self, *args: Any, **kwargs: Any) -> None:
        with self._closed_before_answer(_current.get().allowance):
            super().request(*args, **kwargs)

    @override
    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
        with self._closed_before_answer(_current.get().allowance):
            answer = super().getresponse()
        self._answers += 1
        self._last_used = time.monotonic()
        return answer

    @contextmanager
    def _closed_before_answer(self, allowance: int) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as exc:
            silent = _current.get().allowance == allowance and not isinstance(exc, TimeoutError)
            if silent and self._answers:
                raise ClosedBeforeAnswerError from exc
            raise


class _TLSConnection(_Connection, HTTPSConnection):
    """Remembers how long the certificate lives, for a diagnosis: after an answer the socket may be gone."""

    certificate_expires_at: float | None = None

    @override
    def connect(self) -> None:
        super().connect()
        certificate = self.sock.getpeercert() if isinstance(self.sock, ssl.SSLSocket) else None
        if certificate:
            self.certificate_expires_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS: Final = {"http": _Pool, "https": _TLSPool}


class Adapter(HTTPAdapter):
    """`requests`' way to our pools. TLS 1.2 or newer, certificate and host name always verified (RFC 9325)."""

    def __init__(self, ca_bundle: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.sslsocket_class = _TLSSocket
        self._context.load_verify_locations(ca_bundle)
        super().__init__(pool_maxsize=_CONNECTIONS)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    @override
    def build_response(self, req: Any, resp: Any) -> Any:
        # Nobody keeps cookies here, and a malformed one makes the parser of the standard library warn.
        del resp._original_response.msg["Set-Cookie"]  # noqa: SLF001 - it has no other way in
        return super().build_response(req, resp)

    @override
    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The authorities were loaded once, into our context; `requests` would read its own file at each connection."""
        conn.cert_reqs = "CERT_REQUIRED"


# RFC 6052 2.1: IPv4 addresses as a translator writes them.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# RFC 8215, RFC 6890 2.2.2 (IETF protocol assignments).
_SPECIAL: Final = (ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("192.0.0.0/24"))


def is_private(text: str) -> bool:
    """Whether an address is not one of the public internet, in whatever spelling a resolver gave it (RFC 6890)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = hidden or address
    is_local = getattr(address, "is_site_local", False)
    return not address.is_global or address.is_multicast or address.is_reserved or is_local or _is_special(address)


def _is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Ranges that not every Python's `is_global` knows."""
    return any(address.version == network.version and address in network for network in _SPECIAL)


def resolve(host: str, port: int) -> _Addresses:
    """The addresses of a host; asked for in a thread of its own, because the resolver knows no deadline."""
    answers: queue.SimpleQueue[_Addresses | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            answers.put(exc)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_current.get().connecting())
    except queue.Empty as exc:
        raise ProviderUnavailable("provider_timeout") from exc
    if isinstance(answer, list):
        return answer
    raise ProviderUnavailable("provider_name_unresolved") from answer
