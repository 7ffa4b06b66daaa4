"""Faults of any HTTP response: errors, redirects, slow, large or missing responses.

Each takes the option `endpoint` of `Faults.set`; the one given here is the default ("" is every endpoint). Those of
Stage.REQUEST answer instead of the endpoint, so a code that was sent stays valid.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

from psc_connect.simulator.faults.mechanism import Stage, fault
from psc_connect.simulator.http_messages import Response, json_response

if TYPE_CHECKING:
    from psc_connect.simulator.http_messages import Request

_MEGABYTE = 1 << 20
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_JSON = (("Content-Type", "application/json"),)


@fault(Stage.REQUEST)
def outage(_request: Request, *, status: int = 503, retry_after: str = "120") -> Response:
    """The provider is unavailable."""
    return Response(status, (*_HTML, ("Retry-After", retry_after)), b"<h1>Service unavailable</h1>")


@fault(Stage.REQUEST)
def server_error(_request: Request, *, status: int = 500) -> Response:
    """The endpoint sends an error in JSON."""
    return json_response({"error": "server_error"}, status=status)


@fault(Stage.REQUEST)
def maintenance_page(_request: Request) -> Response:
    """The response is an HTML page with status 200 instead of JSON."""
    page = "<!doctype html><title>Maintenance</title><h1>Pro Santé Connect est en maintenance</h1>"
    return Response(200, _HTML, page.encode())


@fault(Stage.REQUEST, endpoint="token")
def answer(
    _request: Request, *, body: bytes = b"", status: int = 200, headers: tuple[tuple[str, str], ...] = _JSON
) -> Response:
    """The response is the given one."""
    return Response(status, headers, body)


@fault(Stage.REQUEST, endpoint="token")
def redirected(_request: Request, *, location: str, status: int = 307) -> Response:
    """The endpoint redirects the request to another address."""
    return Response(status, (("Location", location),))


@fault(Stage.REQUEST, endpoint="token")
def huge_body(_request: Request, *, megabytes: int = 100) -> Response:
    """The response is very large."""
    return Response(200, _JSON, b" " * _MEGABYTE, repeat=megabytes)


@fault(Stage.REQUEST, endpoint="token")
def gzip_bomb(_request: Request, *, megabytes: int = 100) -> Response:
    """The response is a thousand times larger once decompressed."""
    headers = (*_JSON, ("Content-Encoding", "gzip"))
    return Response(200, headers, gzip.compress(b" " * _MEGABYTE), repeat=megabytes)


@fault(Stage.REQUEST)
def close_connection_before_answer(request: Request, *, reused_only: bool = True) -> Response | None:
    """The connection is closed without a response; by default only one that was used before."""
    return Response(hang_up=True) if request.reused or not reused_only else None


@fault(Stage.ANSWER, endpoint="token")
def hang(response: Response, *, seconds: float = 60.0) -> Response:
    """The response is correct but late."""
    return replace(response, delay=seconds)


@fault(Stage.ANSWER, endpoint="token")
def drip(response: Response, *, seconds: float = 1.0, headers: bool = False) -> Response:
    """The body is sent byte by byte, so that no single read times out; the headers too with `headers`."""
    return replace(response, drip=seconds, drip_headers=headers)


@fault(Stage.ANSWER, endpoint="token")
def set_cookie(response: Response, *, cookie: str = "AUTH_SESSION_ID=of-one-login; Path=/") -> Response:
    """The response sets a cookie, as load balancers do."""
    return replace(response, headers=(*response.headers, ("Set-Cookie", cookie)))


@fault(Stage.ANSWER, endpoint="userinfo")
def answer_headers(response: Response, *, headers: tuple[tuple[str, str], ...]) -> Response:
    """Headers are replaced, for example Content-Type or Date."""
    names = {name.lower() for name, _ in headers}
    kept = tuple(pair for pair in response.headers if pair[0].lower() not in names)
    return replace(response, headers=kept + headers)
