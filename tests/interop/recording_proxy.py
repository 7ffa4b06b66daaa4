"""A tap on the line between our server and Keycloak: it passes everything on, counts, and can hold an answer back."""

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

TAPPED = ("token_endpoint", "userinfo_endpoint", "jwks_uri")
PASSED_ON = ("Authorization", "Content-Type", "Accept")
HELD_SECONDS = 8


@dataclass(slots=True)
class Tap:
    """What went over the line. `metadata` is Keycloak's, with the server's own calls led through here."""

    metadata: dict[str, Any]
    calls: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    # Cleared by a test: the first answer of the token endpoint then waits for it, 8 s at most.
    may_answer: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def count(self, endpoint: str) -> int:
        return self.calls.count(endpoint)


@contextmanager
def tapped(keycloak: Keycloak) -> Iterator[Tap]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        base = f"http://127.0.0.1:{server.server_port}/"
        original = keycloak.metadata()
        tap = Tap({**original, **{name: base + original[name].rsplit("/", 1)[1] for name in TAPPED}})
        tap.may_answer.set()
        server.tap, server.keycloak = tap, keycloak  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield tap
        finally:
            tap.may_answer.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: a connection a request, so that none outlives its test."""

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        tap, endpoint = self.server.tap, self.path.lstrip("/")  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        tap.calls.append(endpoint)
        if endpoint == "token":
            RECORDER.learn_parameters(parse_qsl(body.decode()))
            tap.codes += parse_qs(body.decode())["code"]
        answer = requests.request(
            self.command,
            self.server.keycloak.endpoint(endpoint),  # type: ignore[attr-defined]
            data=body or None,
            headers={name: self.headers[name] for name in PASSED_ON if name in self.headers},
            timeout=30,
        )
        if endpoint == "token":
            self._note(tap, answer)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.end_headers()
        self.wfile.write(answer.content)

    def _note(self, tap: Tap, answer: requests.Response) -> None:
        if answer.ok:
            RECORDER.learn_parameters(answer.json().items())
            tap.access_tokens.append(answer.json()["access_token"])
        tap.asked.set()
        if len(tap.codes) == 1:
            tap.may_answer.wait(HELD_SECONDS)

    def log_message(self, *_: Any) -> None:
        pass
