"""The HTTP/1.1 server of a simulator, with persistent connections."""

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
from psc_connect.simulator.http_messages import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from psc_connect.simulator.app import Simulator

_MAX_BODY = 1 << 20  # bytes of a request
_DISCONNECTED = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class Server(ThreadingHTTPServer):
    """A server with one thread per connection. It tracks its connections, so that `stop` can close them all."""

    daemon_threads = True
    simulator: Simulator

    def __init__(self, address: tuple[str, int], *, log: Callable[[str], None] | None = None) -> None:
        self.log = log
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self.simulator.connections += 1
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that disconnected."""
        if not isinstance(sys.exc_info()[1], _DISCONNECTED):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop serving, close the open connections and wait for their threads."""
        self.stopping.set()
        self.shutdown()
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, timeout=5)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection until either side closes it."""

    protocol_version = "HTTP/1.1"
    server_version = "psc-simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120  # seconds that an idle connection stays open
    server: Server
    request_count = 0

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing here: the request line contains codes and states."""

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
        if int(length) > _MAX_BODY:
            self._refuse_large_body()
            return None
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        content_type = self.headers.get_content_type()
        form = body.decode("latin-1") if content_type == "application/x-www-form-urlencoded" else ""
        self.request_count += 1
        return Request(
            method=self.command,
            path=url.path,
            endpoint=self.server.simulator.endpoint_name(url.path),
            headers={name.lower(): value for name, value in self.headers.items()},
            query_pairs=tuple(parse_qsl(url.query, keep_blank_values=True)),
            form_pairs=tuple(parse_qsl(form, keep_blank_values=True)),
            connection=self.client_address[1],
            reused=self.request_count > 1,
        )

    def _refuse_large_body(self) -> None:
        """Send the error page, then discard the rest of the body: a connection reset would hide the page."""
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
        slow_part = head + response.body if response.drip_headers else response.body
        self.wfile.write(b"" if response.drip_headers else head)
        for byte in slow_part:
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
