"""HTTP requests and responses of the simulator."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the simulator received it. `Simulator.requests` keeps them all, for tests."""

    method: str
    path: str
    endpoint: str  # "token", "userinfo", "jwks", "authorization", "metadata", "end_session" …; "" if unknown
    headers: Mapping[str, str]  # names in lower case
    query_pairs: tuple[tuple[str, str], ...] = ()
    form_pairs: tuple[tuple[str, str], ...] = ()
    connection: int = 0  # the client's port, which identifies its TCP connection
    reused: bool = False  # this connection has carried a request before

    @property
    def query(self) -> dict[str, str]:
        return dict(self.query_pairs)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.form_pairs)

    @property
    def parameters(self) -> dict[str, str]:
        """The query of a GET, the form of a POST (OIDC Core 3.1.2.1)."""
        return self.form if self.method == "POST" else self.query

    @property
    def repeated(self) -> frozenset[str]:
        """The parameters that occur more than once, which RFC 6749 3.1 forbids."""
        pairs = self.form_pairs if self.method == "POST" else self.query_pairs
        return frozenset(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    @property
    def cookies(self) -> dict[str, str]:
        # Not SimpleCookie: it drops everything after the first cookie that it cannot read.
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split("; "))
        return {name: value for name, _, value in pairs}

    @property
    def language(self) -> str:
        """`fr`, unless the browser prefers English."""
        for choice in self.headers.get("accept-language", "").lower().split(","):
            code = choice.split(";")[0].strip()[:2]
            if code in {"fr", "en"}:
                return code
        return "fr"


@dataclass(frozen=True, slots=True)
class Response:
    """A response. The last five fields are only set by faults."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    repeat: int = 1  # how often the body is sent: makes a large response without using much memory
    delay: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between two bytes of the body
    drip_headers: bool = False  # send the headers at the pace of `drip` too
    hang_up: bool = False  # close the connection without sending anything

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(slots=True)
class Callback:
    """A redirect back to the relying party, before faults have changed its parameters."""

    redirect_uri: str
    parameters: list[tuple[str, str]] = field(default_factory=list)


def json_response(value: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, (("Content-Type", "application/json"), *NO_STORE, *headers), body)


def oauth_error(error: str, description: str, *, status: int = 400) -> Response:
    """Return an error response of RFC 6749 5.2."""
    return json_response({"error": error, "error_description": description}, status=status)


def redirect(location: str, *, status: int = 302, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, (("Location", location), *NO_STORE, ("Referrer-Policy", "no-referrer"), *headers))
