"""Slow providers, proxies and name servers (security cases TR01, TR02): the deadline holds."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
import requests

from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import ProviderUnavailable
from psc_connect.oidc.http import HTTPPolicy

from .calls import CALLS, TOKENS, Stopwatch, code_of, token, userinfo
from .conftest import Serve
from .faulty_behaviours import HEADERS, dripping
from .raw_server import Connection, answering, reply

PATIENT = HTTPPolicy(allow_loopback_http=True, connect_timeout=5, read_timeout=5)


@CALLS
@pytest.mark.case("TR01", "UI07")
def test_silent_provider_ends_at_the_read_time_out(serve: Serve, call: Any) -> None:
    server = serve(lambda connection: connection.hang())
    with Stopwatch() as watch:
        hasty = HTTPPolicy(read_timeout=0.2, allow_loopback_http=True)
        assert code_of(call, server.url, http=hasty) == "provider_timeout"
    assert watch.seconds < 2
    assert server.connections == 1


@CALLS
@pytest.mark.case("TR01", "UI07")
def test_deadline_holds_if_the_time_outs_are_longer(serve: Serve, call: Any) -> None:
    server = serve(lambda connection: connection.hang())
    with Stopwatch() as watch:
        assert code_of(call, server.url, http=PATIENT, seconds=0.2) == "provider_timeout"
    assert watch.seconds < 2


DRIPS = {
    "headers": dripping(HEADERS * 100),
    "status line": dripping(b"HTTP/1.1 200 " + b"O" * 1000),
    "body": dripping(TOKENS.encode() * 100, before=HEADERS + b"Content-Length: 100000\r\n\r\n"),
    "chunks": dripping(b"1\r\n \r\n" * 100, before=HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"),
    "100 Continue": dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, every=0.005),
}


@pytest.mark.case("TR02", "UI07")
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_slow_provider_ends_at_the_deadline(serve: Serve, drip: Any) -> None:
    server = serve(drip)
    with Stopwatch() as watch:
        assert code_of(token, server.url, http=PATIENT, seconds=0.3) == "provider_timeout"
    assert 0.25 < watch.seconds < 2
    assert len(server.received) == 1


@pytest.mark.case("TR02")
def test_time_out_of_requests_alone_does_not_stop_a_slow_provider(serve: Serve) -> None:
    """The reason for `transport`: this is what it prevents."""
    answer = reply("{}")
    server = serve(dripping(answer, every=1 / len(answer)))
    with Stopwatch() as watch:
        requests.get(f"{server.url}/", timeout=(0.2, 0.2)).close()
    assert watch.seconds > 0.8


@pytest.mark.case("TR01", "DO02")
def test_one_deadline_holds_for_all_calls_of_a_callback(serve: Serve) -> None:
    def slowly(connection: Connection) -> None:
        for _ in connection.requests():
            time.sleep(0.3)
            connection.send(reply(TOKENS))

    server, deadline = serve(slowly), Deadline(0.5)
    assert token(server.url, deadline=deadline)
    assert code_of(userinfo, server.url, deadline=deadline) == "provider_timeout"
    assert code_of(userinfo, server.url, deadline=deadline) == "provider_timeout"
    assert len(server.received) == 2


def test_deadline_counts_down_and_then_refuses() -> None:
    deadline = Deadline(0.05)
    assert 0 < deadline.remaining() <= 0.05
    time.sleep(0.06)
    with pytest.raises(ProviderUnavailable) as refused:
        deadline.remaining()
    assert refused.value.code == "provider_timeout"


@pytest.mark.case("TR01")
@pytest.mark.parametrize(("connecting", "seconds"), [(0.2, 5), (5, 0.2)], ids=["connect-time-out", "deadline"])
def test_host_that_does_not_accept_the_connection_times_out(connecting: float, seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        time.sleep(0.05)
        with Stopwatch() as watch:
            policy = HTTPPolicy(allow_loopback_http=True, connect_timeout=connecting)
            code = code_of(token, f"http://127.0.0.1:{address[1]}", http=policy, seconds=seconds)
        for each in waiting:
            each.close()
    assert code == "provider_timeout"
    assert watch.seconds < 2


@CALLS
def test_closed_port_is_an_unreachable_provider(call: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert code_of(call, f"http://127.0.0.1:{port}") == "provider_unreachable"


def test_silent_name_server_ends_at_the_connect_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: asked.wait(5) and [])
    with Stopwatch() as watch:
        code = code_of(token, "https://auth.example.test", http=HTTPPolicy(connect_timeout=0.2))
    asked.set()
    assert code == "provider_timeout"
    assert watch.seconds < 2


def test_unknown_host_name_has_a_code() -> None:
    assert code_of(token, "https://no-such-host.invalid", http=PATIENT) == "provider_name_unresolved"


def test_second_address_of_a_host_is_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering(reply(TOKENS)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    both = [(*kind, ("127.0.0.1", closed)), (*kind, ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: both)
    assert token(f"http://localhost:{server.port}").id_token == "a.b.c"
