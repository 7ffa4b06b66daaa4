"""HTTP/1.1 over a loopback socket, with connections kept alive: the wire between the two sides."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from psc_connect.simulator import pages
from psc_connect.simulator.exchange import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from psc_connect.simulator.app import Simulator

_BODY_LIMIT = 1 << 20  # bytes of a request
_GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class Server(ThreadingHTTPServer):
    """One thread a connection; every connection is known, so that stopping leaves none behind."""

    daemon_threads = True
    simulator: Simulator

    def __init__(self, address: tuple[str, int], *, log: Callable[[str], None] | None = None) -> None:
        self.log = log
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self.simulator.connections += 1
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no error of the provider's."""
        if not isinstance(sys.exc_info()[1], _GONE):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving, close what is open, wait until the threads have seen it."""
        self.stopping.set()
        self.shutdown()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=5)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection: request after request until one side closes."""

    protocol_version = "HTTP/1.1"
    server_version = "psc-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120  # seconds that an idle connection stays open
    server: Server
    asked = 0

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Never the request line: it holds codes and states."""

    def _serve(self) -> None:
        request = self._read()
        if request is None:
            return
        response = self.server.simulator.answer(request)
        if self.server.log:
            self.server.log(f"{request.method} {request.endpoint or request.path} → {response.status}")
        self._write(response)

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self.send_error(411)
            return None
        if int(length) > _BODY_LIMIT:
            self._refuse_body()
            return None
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        content_type = self.headers.get_content_type()
        form = body.decode("latin-1") if content_type == "application/x-www-form-urlencoded" else ""
        self.asked += 1
        simulator = self.server.simulator
        return Request(
            method=self.command,
            path=url.path,
            endpoint=simulator.endpoint(url.path),
            headers={name.lower(): value for name, value in self.headers.items()},
            query_pairs=tuple(parse_qsl(url.query, keep_blank_values=True)),
            form_pairs=tuple(parse_qsl(form, keep_blank_values=True)),
            connection=self.client_address[1],
            reused=self.asked > 1,
            received_at=simulator.now(),
        )

    def _refuse_body(self) -> None:
        """The page first, then what still comes is thrown away: a connection reset would hide the page."""
        language = Request("POST", "", "", {"accept-language": self.headers.get("Accept-Language", "")}).language
        self._write(pages.error(language, "too_large", status=413))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + 5
        with contextlib.suppress(OSError):
            self.connection.settimeout(1)
            while time.monotonic() < deadline and self.connection.recv(65_536):
                pass

    def _write(self, response: Response) -> None:
        stopping = self.server.stopping
        if response.delay and stopping.wait(response.delay):
            response = Response(hang_up=True)
        if response.hang_up:
            self.close_connection = True
            return
        head = self._head(response)
        if not response.drip:
            self.wfile.write(head + response.body)
            for _ in range(response.repeat - 1):
                self.wfile.write(response.body)
            return
        slow = head + response.body if response.drip_headers else response.body
        self.wfile.write(b"" if response.drip_headers else head)
        for byte in slow:
            if stopping.wait(response.drip):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))

    def _head(self, response: Response) -> bytes:
        reason = self.responses.get(response.status, ("",))[0]
        date = response.header("Date") or self.date_time_string(int(self.server.simulator.now()))
        lines = [f"HTTP/1.1 {response.status} {reason}", f"Server: {self.server_version}", f"Date: {date}"]
        lines += [f"{name}: {value}" for name, value in response.headers if name != "Date"]
        lines += [f"Content-Length: {len(response.body) * response.repeat}", "", ""]
        return "\r\n".join(lines).encode("latin-1")
