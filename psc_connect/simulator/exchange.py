"""What goes over the simulator's wire: one request as it came, one answer as it will leave."""

from __future__ import annotations

import http.cookies
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the simulator received it; also the record that tests read in `Simulator.requests`."""

    method: str
    path: str
    endpoint: str  # "token", "userinfo", "jwks", "authorization", "metadata", "end_session" …; "" if unknown
    headers: Mapping[str, str]  # names in lower case
    query_pairs: tuple[tuple[str, str], ...] = ()
    form_pairs: tuple[tuple[str, str], ...] = ()
    connection: int = 0  # the port of the peer: the same number is the same TCP connection
    reused: bool = False  # another request came before on this connection
    received_at: float = 0.0  # seconds since the epoch, by the simulator's clock

    @property
    def query(self) -> dict[str, str]:
        return dict(self.query_pairs)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.form_pairs)

    @property
    def parameters(self) -> dict[str, str]:
        """OIDC Core 3.1.2.1: the query of a GET, the form of a POST."""
        return self.form if self.method == "POST" else self.query

    @property
    def repeated(self) -> frozenset[str]:
        """RFC 6749 3.1: parameters must not be included more than once."""
        pairs = self.form_pairs if self.method == "POST" else self.query_pairs
        return frozenset(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    @property
    def cookies(self) -> dict[str, str]:
        # One pair at a time: SimpleCookie drops everything after the first cookie that it cannot read.
        jar: dict[str, str] = {}
        for pair in self.headers.get("cookie", "").split("; "):
            morsels: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
            try:
                morsels.load(pair)
            except http.cookies.CookieError:
                continue
            jar.update({name: morsel.value for name, morsel in morsels.items()})
        return jar

    @property
    def language(self) -> str:
        """`fr` unless the browser prefers English: the pages play a French provider."""
        for choice in self.headers.get("accept-language", "").lower().split(","):
            code = choice.split(";")[0].strip()[:2]
            if code in {"fr", "en"}:
                return code
        return "fr"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; the last five fields are what a faulty provider does on the wire."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    repeat: int = 1  # the body is sent this many times: a huge answer without a huge process
    delay: float = 0.0  # seconds before the first byte
    drip: float = 0.0  # seconds between two bytes of the body
    drip_headers: bool = False  # the header too comes at the pace of `drip`
    hang_up: bool = False  # the connection is closed without one byte

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(slots=True)
class Callback:
    """The parameters on their way back to the relying party, as faults may still change them."""

    redirect_uri: str
    parameters: list[tuple[str, str]] = field(default_factory=list)


def json_response(document: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(status, (("Content-Type", "application/json"), *NO_STORE, *headers), body)


def oauth_error(error: str, description: str, *, status: int = 400) -> Response:
    """RFC 6749 5.2, worded as Keycloak words it."""
    return json_response({"error": error, "error_description": description}, status=status)


def redirect(location: str, *, status: int = 302, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status, (("Location", location), *NO_STORE, ("Referrer-Policy", "no-referrer"), *headers))
