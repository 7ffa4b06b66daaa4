"""Connection reuse: nothing is sent twice, and nothing of a person or of the environment is kept."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import requests

from psc_connect.oidc.http import HTTPPolicy

from .calls import TOKENS, code_of, token, userinfo
from .conftest import Serve
from .faulty_behaviours import closing_the_second_time
from .raw_server import Connection, answering, reply


def test_connection_is_reused(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS)))
    for _ in range(3):
        token(server.url)
        userinfo(server.url)
    assert (len(server.received), server.connections) == (6, 1)


def test_connection_is_reused_after_a_refusal(serve: Serve) -> None:
    server = serve(answering(reply(b'{"error": "invalid_grant"}', "400 Bad Request"), reply(TOKENS)))
    assert code_of(token, server.url) == "token_invalid_grant"
    assert token(server.url)
    assert server.connections == 1


def test_connection_idle_for_30_seconds_is_not_reused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
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

    server, short_time_out = serve(behave), HTTPPolicy(allow_loopback_http=True, read_timeout=0.2)
    token(server.url, http=short_time_out)
    assert code_of(token, server.url, http=short_time_out) == "provider_timeout"
    assert len(server.received) == 2


def test_cookies_of_one_login_do_not_go_out_with_the_next(serve: Serve) -> None:
    server = serve(answering(reply(TOKENS, Set_Cookie="AUTH_SESSION_ID=one-persons; Path=/")))
    token(server.url)
    userinfo(server.url)
    assert not [each for each in server.received if "cookie" in each.headers]
    with requests.Session() as plain:
        plain.get(f"{server.url}/")
        plain.get(f"{server.url}/")
    assert server.received[-1].headers["cookie"] == "AUTH_SESSION_ID=one-persons", "plain requests does send it"


@pytest.mark.case("TR12")
def test_environment_and_netrc_are_ignored(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
    policy = HTTPPolicy(allow_loopback_http=True, connect_timeout=0.9, read_timeout=0.9)
    token(server.url, http=policy)
    assert (len(server.received), trap.connections) == (1, 0)
    assert "authorization" not in server.received[0].headers
    with requests.Session() as plain:
        plain.get(f"{server.url}/")
    assert trap.connections == 1, "plain requests does follow this environment"


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
