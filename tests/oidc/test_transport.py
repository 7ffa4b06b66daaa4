"""A provider that is slow, endless, elsewhere or gone (security cases TR, UI07): bounded in time and size, once."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import time
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from psc_connect.oidc.client import Deadline, HTTPPolicy
from psc_connect.oidc.errors import ProviderUnavailable

from .calls import CALLS, TOKENS, Stopwatch, code_of, discovery, jwks, token, userinfo
from .conftest import Serve
from .wire import Connection, answering, reply

PATIENT = HTTPPolicy(connect_timeout=5, read_timeout=5)
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def writing(*parts: bytes, then: str = "hang") -> Any:
    """Answers the first request with these bytes, then hangs, closes or resets."""

    def behave(connection: Connection) -> None:
        connection.receive()
        for part in parts:
            connection.send(part)
        if then == "hang":
            connection.hang()
        elif then == "reset":
            connection.reset()

    return behave


def dripping(data: bytes, *, before: bytes = b"", every: float = 0.05) -> Any:
    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(before)
        connection.drip(data, every)

    return behave


def endless(before: bytes, piece: bytes) -> Any:
    """Sends as long as somebody reads, 100 MB at most."""

    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(before)
        while connection.server.sent < 100_000_000:
            connection.send(piece)

    return behave


@CALLS
@pytest.mark.case("TR01", "UI07")
def test_provider_that_accepts_and_says_nothing_is_left_after_the_read_time_out(serve: Serve, call: Any) -> None:
    server = serve(lambda connection: connection.hang())
    with Stopwatch() as watch:
        assert code_of(call, server.url, http=HTTPPolicy(read_timeout=0.2)) == "provider_timeout"
    assert watch.seconds < 0.6
    assert server.connections == 1


@CALLS
@pytest.mark.case("TR01", "UI07")
def test_deadline_holds_where_the_time_outs_are_longer(serve: Serve, call: Any) -> None:
    server = serve(lambda connection: connection.hang())
    with Stopwatch() as watch:
        assert code_of(call, server.url, http=PATIENT, seconds=0.2) == "provider_timeout"
    assert watch.seconds < 0.6


DRIPS = {
    "headers": dripping(HEADERS * 100),
    "status line": dripping(b"HTTP/1.1 200 " + b"O" * 1000),
    "body": dripping(TOKENS.encode() * 100, before=HEADERS + b"Content-Length: 100000\r\n\r\n"),
    "chunks": dripping(b"1\r\n \r\n" * 100, before=HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"),
    "100 Continue": dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, every=0.005),
}


@pytest.mark.case("TR02", "UI07")
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_dripping_provider_is_left_at_the_deadline(serve: Serve, drip: Any) -> None:
    server = serve(drip)
    with Stopwatch() as watch:
        assert code_of(token, server.url, http=PATIENT, seconds=0.3) == "provider_timeout"
    assert 0.25 < watch.seconds < 0.6
    assert len(server.received) == 1


@pytest.mark.case("TR02")
def test_time_out_of_requests_alone_does_not_hold_a_dripping_provider(serve: Serve) -> None:
    """The measured fact that `transport` is there for."""
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
def test_host_that_does_not_take_the_connection_is_left(connecting: float, seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        time.sleep(0.05)
        with Stopwatch() as watch:
            policy = HTTPPolicy(connect_timeout=connecting)
            code = code_of(token, f"http://127.0.0.1:{address[1]}", http=policy, seconds=seconds)
        for each in waiting:
            each.close()
    assert code == "provider_timeout"
    assert watch.seconds < 0.6


@CALLS
def test_closed_port_is_an_unreachable_provider(call: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert code_of(call, f"http://127.0.0.1:{port}") == "provider_unreachable"


def test_name_server_that_does_not_answer_is_left_after_the_connect_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: asked.wait(5) and [])
    with Stopwatch() as watch:
        code = code_of(token, "https://auth.example.test", http=HTTPPolicy(connect_timeout=0.2))
    asked.set()
    assert code == "provider_timeout"
    assert watch.seconds < 0.6


def test_unknown_name_has_a_code_of_its_own() -> None:
    assert code_of(token, "https://no-such-host.invalid", http=PATIENT) == "provider_name_unresolved"


def test_second_address_of_a_host_is_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering(reply(TOKENS)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    both = [(*kind, ("127.0.0.1", closed)), (*kind, ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: both)
    assert token(f"http://localhost:{server.port}").id_token == "a.b.c"


LIMITS = {token: 256 * 1024, userinfo: 256 * 1024, jwks: 512 * 1024, discovery: 256 * 1024}


@CALLS
@pytest.mark.case("TR03", "UI07", "JO15")
@pytest.mark.parametrize(
    "framing", [b"\r\n", b"Content-Length: 100000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]
)
def test_body_of_100_mb_is_not_read(serve: Serve, call: Any, framing: bytes) -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if b"chunked" in framing else b"x" * 65536
    server = serve(endless(HEADERS + framing, piece))
    assert code_of(call, server.url) == "provider_answer_too_large"
    assert server.sent < 20_000_000


@CALLS
@pytest.mark.case("TR03")
def test_body_at_the_limit_is_read_and_one_byte_more_is_not(serve: Serve, call: Any) -> None:
    text = '{"keys": []' if call is jwks else TOKENS[:-1]
    padding = " " * (LIMITS[call] - len(text) - 1)
    assert call(serve(answering(reply(text + padding + "}"))).url)
    assert code_of(call, serve(answering(reply(text + padding + " }"))).url) == "provider_answer_too_large"


@cache
def bomb(pack: Any) -> bytes:
    packed: bytes = pack(b" " * 50_000_000)
    return packed if len(packed) < 60_000 else b""


@CALLS
@pytest.mark.case("TR03")
@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bomb_of_compression_is_not_unpacked(serve: Serve, call: Any, name: str, pack: Any) -> None:
    server = serve(answering(reply(bomb(pack), Content_Encoding=name)))
    assert code_of(call, server.url) == "provider_answer_too_large"


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)]
)
def test_compression_that_was_not_asked_for_is_understood_all_the_same(serve: Serve, name: str, pack: Any) -> None:
    assert token(serve(answering(reply(pack(TOKENS.encode()), Content_Encoding=name))).url).id_token == "a.b.c"


@pytest.mark.case("TR03")
@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip", "gzip,gzip,gzip", "x"])
def test_compression_of_another_kind_or_on_itself_is_refused(serve: Serve, name: str) -> None:
    server = serve(answering(reply(gzip.compress(gzip.compress(b"{}")), Content_Encoding=name)))
    assert code_of(token, server.url) == "provider_encoding_refused"


ENDLESS = {
    "one header": (HEADERS + b"X: ", b"x" * 65536),
    "many headers": (HEADERS, b"X: y\r\n" * 1000),
    "status line": (b"HTTP/1.1 200 ", b"x" * 65536),
    "chunk size": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "chunk extension": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536),
    "trailers": (HEADERS + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10_000),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}


@pytest.mark.case("TR03")
@pytest.mark.parametrize(("before", "piece"), ENDLESS.values(), ids=ENDLESS)
def test_endless_frame_around_the_body_is_not_read(serve: Serve, before: bytes, piece: bytes) -> None:
    server = serve(endless(before, piece))
    with Stopwatch() as watch:
        assert code_of(token, server.url) in {"provider_answer_too_large", "provider_answer_broken"}
    assert watch.seconds < 1
    assert server.sent < 20_000_000


BROKEN = {
    "body cut off": writing(HEADERS + b"Content-Length: 100\r\n\r\n{", then="close"),
    "body reset": writing(HEADERS + b"Content-Length: 100\r\n\r\n{", then="reset"),
    "chunk cut off": writing(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", then="close"),
    "chunk nonsense": writing(HEADERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", then="close"),
    "not http": writing(b"SSH-2.0-OpenSSH\r\n", then="close"),
    "nothing": writing(then="close"),
    "reset": writing(then="reset"),
    "half a status line": writing(b"HTTP/1.", then="close"),
    "not gzip": writing(reply(b"{}", Content_Encoding="gzip"), then="close"),
}


@pytest.mark.case("TR06")
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
def test_answer_that_is_cut_off_or_no_http_is_refused_and_not_asked_for_again(serve: Serve, behaviour: Any) -> None:
    server = serve(behaviour)
    assert code_of(token, server.url) == "provider_answer_broken"
    assert len(server.received) == 1


@CALLS
@pytest.mark.case("TR04", "UI07", "JO19")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_redirection_is_not_followed(serve: Serve, call: Any, status: int) -> None:
    target = serve(answering(reply(TOKENS)))
    server = serve(answering(reply(b"", f"{status} Elsewhere", Location=f"{target.url}/token")))
    assert code_of(call, server.url) == "provider_redirected"
    assert (len(server.received), target.connections) == (1, 0)


@pytest.mark.case("TR03", "TR04")
@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://[::1", "\xff", ""])
def test_endless_body_of_a_redirection_is_not_read(serve: Serve, location: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    server = serve(endless(head, b"x" * 65536))
    assert code_of(token, server.url) == "provider_redirected"
    assert server.sent < 20_000_000


@pytest.mark.case("SS01", "JO19")
@pytest.mark.parametrize(
    "base",
    [
        "http://auth.example.test",
        "http://169.254.169.254",
        "http://0.0.0.0",
        "http://2130706433",
        "http://localhost.evil.test",
        "http://127.0.0.1@evil.test",
        "file:///etc",
        "ftp://127.0.0.1",
        "",
        "//127.0.0.1",
    ],
)
def test_address_that_is_neither_https_nor_this_machine_is_never_called(base: str) -> None:
    assert code_of(token, base) == "provider_url_refused"


@pytest.mark.parametrize("base", ["http://[::1", "https://", "https://a b.test", "http://127.0.0.1:99999"])
def test_address_that_is_no_address_is_refused(base: str) -> None:
    assert code_of(token, base) in {"provider_url_refused", "provider_name_unresolved"}


def test_connection_is_used_again(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    for _ in range(3):
        token(server.url)
        userinfo(server.url)
    assert (len(server.received), server.connections) == (6, 1)


def test_connection_is_used_again_after_a_refusal(serve: Serve) -> None:
    server = serve(answering(reply(b'{"error": "invalid_grant"}', "400 Bad Request"), reply(TOKENS)))
    assert code_of(token, server.url) == "token_invalid_grant"
    assert token(server.url)
    assert server.connections == 1


def test_connection_idle_for_30_seconds_is_not_used_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, clock = serve(answering(reply(TOKENS))), time.monotonic
    token(server.url)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 29)
    token(server.url)
    assert server.connections == 1
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 29 + 31)
    token(server.url)
    assert server.connections == 2


def test_connection_that_the_provider_closed_meanwhile_is_replaced(serve: Serve) -> None:
    def once(connection: Connection) -> None:
        connection.receive()
        connection.send(reply(TOKENS))

    server = serve(once)
    token(server.url)
    time.sleep(0.05)
    token(server.url)
    assert (len(server.received), server.connections) == (2, 2)


def closing_the_second_time(how: str) -> Any:
    """A keep-alive that ends just as the next request arrives."""

    def behave(connection: Connection) -> None:
        for count, _ in enumerate(connection.requests()):
            if connection.number == 1 and count == 1:
                if how == "half":
                    connection.send(b"HTTP/1.1 20")
                if how == "reset":
                    connection.reset()
                return
            connection.send(reply(TOKENS))

    return behave


@pytest.mark.parametrize("how", ["close", "reset"])
def test_request_is_sent_again_once_where_a_reused_connection_closed_without_a_byte(serve: Serve, how: str) -> None:
    server = serve(closing_the_second_time(how))
    assert token(server.url)
    assert token(server.url, code="second-code")
    assert [(each.connection, each.form["code"]) for each in server.received[1:]] == [
        (1, "second-code"),
        (2, "second-code"),
    ]


@pytest.mark.case("TR05")
def test_request_is_not_sent_again_where_a_byte_of_the_answer_had_come(serve: Serve) -> None:
    server = serve(closing_the_second_time("half"))
    assert token(server.url)
    assert code_of(token, server.url) == "provider_answer_broken"
    assert len(server.received) == 2


@pytest.mark.case("TR05")
def test_request_is_not_sent_a_third_time(serve: Serve) -> None:
    def behave(connection: Connection) -> None:
        for count, _ in enumerate(connection.requests()):
            if connection.number > 1 or count == 1:
                return
            connection.send(reply(TOKENS))

    server = serve(behave)
    assert token(server.url)
    assert code_of(token, server.url) == "provider_answer_broken"
    assert [each.connection for each in server.received] == [1, 1, 2]


@pytest.mark.case("TR05")
def test_request_is_not_sent_again_where_the_connection_had_just_been_replaced(serve: Serve) -> None:
    def behave(connection: Connection) -> None:
        connection.receive()
        if connection.number != 2:
            connection.send(reply(TOKENS))

    server = serve(behave)
    assert token(server.url)
    time.sleep(0.05)
    assert code_of(token, server.url) == "provider_answer_broken"
    assert [each.connection for each in server.received] == [1, 2]


def test_request_is_sent_again_on_a_fresh_connection_though_others_are_idle(serve: Serve) -> None:
    together, served = threading.Barrier(2), threading.Semaphore(2)

    def behave(connection: Connection) -> None:
        for _ in connection.requests():
            if connection.number <= 2:
                if not served.acquire(blocking=False):
                    return
                together.wait(5)
            connection.send(reply(TOKENS))

    server = serve(behave)
    first = threading.Thread(target=token, args=(server.url,))
    first.start()
    token(server.url)
    first.join(5)
    assert server.connections == 2
    assert token(server.url)
    assert [each.connection for each in server.received[2:]][1] == 3
    assert len(server.received) == 4


def test_time_out_on_a_reused_connection_is_not_tried_again(serve: Serve) -> None:
    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(reply(TOKENS))
        connection.receive()
        connection.hang()

    server, hasty = serve(behave), HTTPPolicy(read_timeout=0.2)
    token(server.url, http=hasty)
    assert code_of(token, server.url, http=hasty) == "provider_timeout"
    assert len(server.received) == 2


def test_cookies_of_one_login_do_not_go_out_with_the_next(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS, Set_Cookie="AUTH_SESSION_ID=one-persons; Path=/")))
    token(server.url)
    userinfo(server.url)
    assert not [each for each in server.received if "cookie" in each.headers]
    with requests.Session() as plain:
        plain.get(f"{server.url}/")
        plain.get(f"{server.url}/")
    assert server.received[-1].headers["cookie"] == "AUTH_SESSION_ID=one-persons", "the measured fact"


@pytest.mark.case("TR12")
def test_environment_and_netrc_change_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server, trap = serve(answering(reply(TOKENS))), serve(answering(reply(TOKENS)))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url)
        monkeypatch.setenv(name.lower(), trap.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    policy = HTTPPolicy(connect_timeout=0.9, read_timeout=0.9)
    token(server.url, http=policy)
    assert (len(server.received), trap.connections) == (1, 0)
    assert "authorization" not in server.received[0].headers
    with requests.Session() as plain:
        plain.get(f"{server.url}/")
    assert trap.connections == 1, "the environment of this test does mislead requests"


def test_answers_of_many_threads_are_not_mixed_up(serve: Serve) -> None:
    def echo(connection: Connection) -> None:
        for request in connection.requests():
            connection.send(reply(TOKENS.replace("a.b.c", request.form["code"])))

    server = serve(echo)
    wrong: list[str] = []

    def login(name: str) -> None:
        for count in range(10):
            code = f"{name}-{count}"
            if token(server.url, code=code).id_token != code:
                wrong.append(code)

    threads = [threading.Thread(target=login, args=(f"thread-{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (wrong, len(server.received)) == ([], 120)
    assert server.connections <= 24


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_process_does_not_use_the_connections_of_its_parent(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    token(server.url)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            token(server.url)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    token(server.url)
    assert [each.connection for each in server.received] == [1, 2, 1]
