"""A proxy between the site and Keycloak that records the requests and can delay a token response."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import requests

from tests.interop.keycloak import Keycloak
from tests.support.log_recorder import RECORDER

PROXIED_ENDPOINTS = ("token_endpoint", "userinfo_endpoint", "jwks_uri")
FORWARDED_HEADERS = ("Authorization", "Content-Type", "Accept")
MAX_DELAY_SECONDS = 8


@dataclass(slots=True)
class RecordingProxy:
    """The recorded requests. `metadata` is Keycloak's, with the endpoints for the site replaced by the proxy."""

    metadata: dict[str, Any]
    calls: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    # If a test clears it, the first token response waits until it is set, 8 seconds at most.
    may_answer: threading.Event = field(default_factory=threading.Event)
    token_requested: threading.Event = field(default_factory=threading.Event)

    def count(self, endpoint: str) -> int:
        return self.calls.count(endpoint)


@contextmanager
def run_proxy(keycloak: Keycloak) -> Iterator[RecordingProxy]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        base = f"http://127.0.0.1:{server.server_port}/"
        original = keycloak.metadata()
        proxy = RecordingProxy(
            {**original, **{name: base + original[name].rsplit("/", 1)[1] for name in PROXIED_ENDPOINTS}}
        )
        proxy.may_answer.set()
        server.proxy, server.keycloak = proxy, keycloak  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.may_answer.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Handles one request per connection (HTTP/1.0), so that no connection outlives its test."""

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        proxy, endpoint = self.server.proxy, self.path.lstrip("/")  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy.calls.append(endpoint)
        if endpoint == "token":
            RECORDER.learn_parameters(parse_qsl(body.decode()))
            proxy.codes += parse_qs(body.decode())["code"]
        answer = requests.request(
            self.command,
            self.server.keycloak.endpoint(endpoint),  # type: ignore[attr-defined]
            data=body or None,
            headers={name: self.headers[name] for name in FORWARDED_HEADERS if name in self.headers},
            timeout=30,
        )
        if endpoint == "token":
            self._record_token_response(proxy, answer)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.end_headers()
        self.wfile.write(answer.content)

    def _record_token_response(self, proxy: RecordingProxy, answer: requests.Response) -> None:
        if answer.ok:
            RECORDER.learn_parameters(answer.json().items())
            proxy.access_tokens.append(answer.json()["access_token"])
        proxy.token_requested.set()
        if len(proxy.codes) == 1:
            proxy.may_answer.wait(MAX_DELAY_SECONDS)

    def log_message(self, *_: Any) -> None:
        pass
