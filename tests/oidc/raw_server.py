"""A server on a raw socket whose behaviour each test defines byte by byte, a CONNECT proxy, and certificates."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Received:
    connection: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), strict_parsing=True, keep_blank_values=True))


def reply(
    body: bytes | str = b"{}", status: str = "200 OK", *, content_type: str = "application/json", **headers: str
) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if "Content-Length" not in names and "Transfer-Encoding" not in names:
        names["Content-Length"] = str(len(raw))
    lines += [f"{name}: {value}" for name, value in names.items()]
    return "\r\n".join([*lines, "", ""]).encode() + raw


class Connection:
    def __init__(self, sock: socket.socket, number: int, server: RawServer) -> None:
        self.sock, self.number, self.server = sock, number, server
        self._buffer = b""

    def _read(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def receive(self) -> Received | None:
        while b"\r\n\r\n" not in self._buffer:
            if not self._read():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._read():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        method, target, _ = first.split(" ")
        received = Received(self.number, method, target, headers, body)
        self.server.received.append(received)
        return received

    def requests(self) -> Iterator[Received]:
        while (received := self.receive()) is not None:
            yield received

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.server.sent += len(data)

    def drip(self, data: bytes, every: float) -> None:
        for byte in data:
            self.send(bytes([byte]))
            if self.server.stopped.wait(every):
                return

    def hang(self) -> None:
        self.server.stopped.wait()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Behaviour = Callable[[Connection], None]


@dataclass
class RawServer:
    """A server on a free loopback port. Each connection is passed to `behaviour` in a thread."""

    behaviour: Behaviour
    context: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            self.behaviour(Connection(sock, number, self))
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def stop(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in self._open:
            sock.close()


def answering(*answers: bytes) -> Behaviour:
    """Return a behaviour that sends the next answer to each request, over all connections, and repeats the last one."""
    pending = list(answers)

    def behave(connection: Connection) -> None:
        for _ in connection.requests():
            connection.send(pending.pop(0) if len(pending) > 1 else pending[0])

    return behave


def tunnelling(connection: Connection) -> None:
    """Behave like a proxy that receives CONNECT (RFC 9110 9.3.6)."""
    request = connection.receive()
    if request is None or request.method != "CONNECT":
        connection.send(reply(status="405 Method Not Allowed"))
        return
    host, _, port = request.target.rpartition(":")
    with socket.create_connection((host, int(port))) as onward:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pipe, args=(onward, connection.sock), daemon=True)
        back.start()
        _pipe(connection.sock, onward)
        back.join(5)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@cache
def authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return key, _certificate(subject, subject, key.public_key(), key, ca=True)


def _certificate(subject: x509.Name, issuer: x509.Name, public: Any, signer: Any, **options: Any) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    ends = now + datetime.timedelta(days=options.get("days", 1))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=options.get("begins", -2)))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=options.get("ca", False), path_length=None), critical=True)
    )
    names = options.get("names")
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


LOOPBACK_NAMES = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"))
OTHER_NAMES = (x509.DNSName("other.example.test"),)


def server_context(
    folder: Path, *, names: tuple[Any, ...] = LOOPBACK_NAMES, days: float = 1, begins: float = -2, mutual: str = ""
) -> ssl.SSLContext:
    """Return the TLS context of a provider whose certificate has these names and dates, in days from now.

    `mutual` is the TLS version in which it demands a client certificate.
    """
    signer, ca = authority("Test CA")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    public = key.public_key()
    certificate = _certificate(subject, ca.subject, public, signer, names=names, days=days, begins=begins)
    path = folder / f"{x509.random_serial_number()}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if mutual:
        context.minimum_version = context.maximum_version = ssl.TLSVersion[mutual]
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(bundle(folder))
    return context


def bundle(folder: Path, name: str = "Test CA") -> str:
    path = folder / f"{name}.pem"
    path.write_bytes(authority(name)[1].public_bytes(serialization.Encoding.PEM))
    return str(path)
