from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from psc_connect.simulator import Simulator, run_simulator
from tests.simulator.service import CLIENT, Service, browser


def raw(simulator: Simulator, request: bytes) -> bytes:
    """Send bytes on a new connection and read until the simulator closes it."""
    host, port = simulator.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_complete_login_uses_one_connection(simulator: Simulator, service: Service) -> None:
    tokens = service.tokens()
    service.userinfo(tokens["access_token"])
    service.tokens()

    assert simulator.connections == 1
    assert len({request.connection for request in simulator.requests}) == 1
    assert [request.reused for request in simulator.requests] == [False] + [True] * 5


def test_every_request_is_recorded_in_order(simulator: Simulator, service: Service) -> None:
    tokens = service.tokens()
    service.userinfo(tokens["access_token"])
    service.session.get(simulator.origin + "/nowhere?a=b", timeout=10)

    recorded = [(request.method, request.endpoint) for request in simulator.requests]
    assert recorded == [
        ("GET", "authorization"),
        ("POST", "choose_person"),
        ("POST", "token"),
        ("GET", "userinfo"),
        ("GET", ""),
    ]
    assert simulator.requests[0].query["client_id"] == CLIENT.client_id
    assert simulator.requests[2].form["grant_type"] == "authorization_code"
    assert simulator.requests[3].headers["authorization"] == f"Bearer {tokens['access_token']}"
    assert simulator.requests[4].path == "/nowhere"


def test_requests_are_counted_by_endpoint(simulator: Simulator, service: Service) -> None:
    service.tokens()
    service.tokens()
    service.session.get(simulator.discovery_url, timeout=10)
    service.session.get(simulator.metadata["jwks_uri"], timeout=10)
    service.end_session()

    names = ("authorization", "token", "userinfo", "metadata", "jwks", "end_session")
    assert [simulator.count(name) for name in names] == [2, 2, 0, 1, 1, 1]
    simulator.clear_requests()
    assert simulator.count("token") == 0


def test_a_body_of_another_type_is_not_read_as_form(simulator: Simulator, service: Service) -> None:
    service.session.post(service.endpoint("token"), json={"grant_type": "authorization_code"}, timeout=10)

    assert simulator.requests[0].form == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Transfer-Encoding: chunked", b"411"),
        (b"Content-Length: many", b"411"),
        (b"Content-Length: 1048577", b"413"),
    ],
)
def test_a_body_without_a_bounded_length_is_not_read(simulator: Simulator, headers: bytes, status: bytes) -> None:
    answer = raw(simulator, b"POST /auth HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert simulator.requests == []


def test_the_date_header_is_the_simulators_time(simulator: Simulator, service: Service) -> None:
    """The clock of the fixture is fixed at 1 800 000 000."""
    simulator.clock_offset = 60

    assert service.authorize().headers["Date"] == "Fri, 15 Jan 2027 08:01:00 GMT"


def test_many_browsers_are_served_at_once(simulator: Simulator) -> None:
    with simulator.fault("hang", endpoint="authorization", seconds=1):
        began = time.monotonic()
        threads = [threading.Thread(target=_visit, args=(simulator,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert simulator.count("authorization") == 8
    assert time.monotonic() - began < 8 * 1


def _visit(simulator: Simulator) -> None:
    with browser() as session:
        Service(simulator, session=session).authorize()


def test_the_port_can_be_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with run_simulator(port) as simulator:
        assert simulator.origin == f"http://127.0.0.1:{port}"


def test_a_port_in_use_is_an_error() -> None:
    with run_simulator() as simulator, pytest.raises(OSError, match="in use"):  # noqa: SIM117
        with run_simulator(int(simulator.origin.rpartition(":")[2])):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::1", "example.org"])
def test_the_simulator_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match=r"loopback|IPv4"), run_simulator(host=host):
        pass


def test_stopping_does_not_wait_for_idle_connections(service: Service) -> None:
    with run_simulator(clients=[CLIENT]) as simulator, browser() as session:
        Service(simulator, session=session).authorize()
        began = time.monotonic()
    assert time.monotonic() - began < 10


def test_stopping_does_not_wait_for_a_hanging_answer() -> None:
    with run_simulator(clients=[CLIENT]) as simulator:
        simulator.faults.set("hang", endpoint="", seconds=60)
        thread = threading.Thread(target=raw, args=(simulator, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        thread.start()
        _wait_until(lambda: bool(simulator.requests))
        began = time.monotonic()
    thread.join()
    assert time.monotonic() - began < 10


def test_stopping_does_not_wait_for_a_dripping_answer() -> None:
    with run_simulator(clients=[CLIENT]) as simulator:
        simulator.faults.set("drip", endpoint="", seconds=60)
        thread = threading.Thread(target=raw, args=(simulator, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        thread.start()
        _wait_until(lambda: bool(simulator.requests))
        began = time.monotonic()
    thread.join()
    assert time.monotonic() - began < 10


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("it did not happen within five seconds")
        time.sleep(0.01)


def test_a_disconnected_browser_is_no_error(simulator: Simulator, capfd: pytest.CaptureFixture[str]) -> None:
    simulator.faults.set("huge_body", endpoint="", megabytes=50)
    host, port = simulator.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(1)
    time.sleep(0.2)

    assert "Traceback" not in capfd.readouterr().err


def test_an_error_of_the_simulator_itself_is_shown(
    simulator: Simulator, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    simulator.people["broken"] = None  # type: ignore[assignment]
    with pytest.raises(OSError, match="Connection aborted"):
        service.authorize()

    assert "AttributeError" in capfd.readouterr().err


def test_the_log_has_the_endpoint_and_no_secret() -> None:
    lines: list[str] = []
    with run_simulator(clients=[CLIENT], log=lines.append) as simulator, browser() as session:
        service = Service(simulator, session=session)
        service.tokens()
        session.get(simulator.origin + "/nowhere?code=secret", timeout=10)

    assert lines == ["GET authorization → 200", "POST choose_person → 303", "POST token → 200", "GET /nowhere → 404"]


def test_two_simulators_have_separate_sessions_in_one_browser() -> None:
    with (
        run_simulator(clients=[CLIENT]) as one,
        run_simulator(clients=[CLIENT]) as other,
        browser() as session,
    ):
        Service(one, session=session).code("nurse")
        Service(other, session=session).code("podiatrist")

        assert Service(one, session=session).authorize().status_code == 302
        assert one.cookie_name != other.cookie_name
