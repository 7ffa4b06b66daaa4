"""Connections of `requests` and `urllib3` with a deadline and a size limit for the whole exchange.

The libraries' time-outs limit a single read, so a provider that sends one byte per second could block a worker without
end. Here each read (headers, body, the proxy's answer) may only take what is left of the deadline. The name lookup too,
which their time-outs do not cover.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
from psc_connect.oidc.tls_failures import raise_for_cause

_Addresses = list[tuple[Any, Any, int, str, Any]]

IDLE_SECONDS: Final = 30
_CONNECTIONS: Final = 32


class ClosedBeforeAnswerError(Exception):
    """The server closed a reused connection without sending a byte of the answer: the request can be sent again."""


@dataclass(slots=True)
class Limits:
    """Limits of the current request. Time-outs are in seconds.

    `allowance` is the number of bytes that may still be received. `fresh` forbids reused connections.
    `allows_private_address` returns whether a host name may resolve to a private address.
    """

    deadline: Deadline
    connect_timeout: float
    read_timeout: float
    allowance: int
    fresh: bool = False
    allows_private_address: Callable[[str], bool] = lambda _host: False

    def connecting(self) -> float:
        return min(self.connect_timeout, self.deadline.remaining())

    def next_read(self) -> float:
        return min(self.read_timeout, self.deadline.remaining())

    def received(self, count: int) -> None:
        self.allowance -= count
        if self.allowance < 0:
            raise ProviderUnavailable("provider_answer_too_large")


# A context variable, because urllib3 offers no way to pass a value to its sockets.
_current: ContextVar[Limits] = ContextVar("psc_connect_limits")


@contextmanager
def within(limits: Limits) -> Iterator[None]:
    """Apply these limits to every connection used inside the block."""
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
        try:
            with self._named_failures():
                super().do_handshake(block)
        except ProviderUnavailable:
            # Before Python 3.12, the standard library only closes it after an OSError.
            self.close()
            raise

    @override
    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        # In TLS 1.3 the handshake ends before the server has looked for a client certificate. It may have closed the
        # connection before the request is sent: its alert says why.
        except (ssl.SSLEOFError, ConnectionError):
            with self._named_failures(), suppress(ConnectionError, ssl.SSLEOFError, TimeoutError):
                self.recv(1)
            raise

    @override
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        # The alert is read here where the request was sent before.
        with self._named_failures():
            return super().recv_into(*args, **kwargs)

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLError as exc:
            raise_for_cause(exc, is_cipher_agreed=self.cipher() is not None)
            raise


class _Connection(HTTPConnection):
    _answers = 0
    _last_used = 0.0

    @override
    def _new_conn(self) -> socket.socket:
        last: OSError = OSError("no address")
        addresses = resolve(self._dns_host, self.port or self.default_port)
        # The site chose the proxy, which resolves the provider's host itself.
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
        """Check the resolved addresses we connect to (prevents DNS rebinding)."""
        has_private = any(is_private(str(address[0])) for *_, address in addresses)
        if has_private and not _current.get().allows_private_address(self._dns_host):
            raise ProviderUnavailable("provider_address_refused")

    @override
    def connect(self) -> None:
        self._answers = 0
        super().connect()

    @property
    @override
    def is_connected(self) -> bool:
        """Whether the pool may reuse this connection."""
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
            nothing_received = _current.get().allowance == allowance and not isinstance(exc, TimeoutError)
            if nothing_received and self._answers:
                raise ClosedBeforeAnswerError from exc
            raise


class _TLSConnection(_Connection, HTTPSConnection):
    """Keeps the expiry of the certificate for the diagnosis, because the socket may be closed after the answer."""

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
    """Adapter of `requests` to these pools. TLS 1.2 or newer; certificate and host name are verified (RFC 9325)."""

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
        # Cookies are not stored, and a malformed one makes the standard library's parser warn.
        del resp._original_response.msg["Set-Cookie"]  # noqa: SLF001 - there is no public access
        return super().build_response(req, resp)

    @override
    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Skip: our context has the authorities already, and requests would read its own file for each connection."""
        conn.cert_reqs = "CERT_REQUIRED"


# RFC 6052 2.1: IPv4 addresses embedded in IPv6 (NAT64).
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# RFC 8215, RFC 6890 2.2.2 (IETF protocol assignments).
_SPECIAL: Final = (ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("192.0.0.0/24"))


def is_private(text: str) -> bool:
    """Return whether an IP address is not public (RFC 6890), also when IPv6 embeds an IPv4 address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = embedded or address
    is_local = getattr(address, "is_site_local", False)
    return not address.is_global or address.is_multicast or address.is_reserved or is_local or _is_special(address)


def _is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether the address is in a range that `is_global` of some Python versions misses."""
    return any(address.version == network.version and address in network for network in _SPECIAL)


def resolve(host: str, port: int) -> _Addresses:
    """Return the addresses of a host. Runs in a thread, because the resolver has no time-out."""
    answers: queue.SimpleQueue[_Addresses | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            answers.put(exc)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=_current.get().connecting())
    except queue.Empty as exc:
        raise ProviderUnavailable("provider_timeout") from exc
    if isinstance(answer, list):
        return answer
    raise ProviderUnavailable("provider_name_unresolved") from answer
