from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django import Settings


def run(*arguments: str, stop: int = signal.SIGTERM, meanwhile: Callable[[str], None] = lambda _: None) -> str:
    """Run the command, call `meanwhile` with its origin, stop it with a signal; return its output."""
    out = StringIO()
    failures: list[BaseException] = []

    def operate() -> None:
        try:
            deadline = time.monotonic() + 10
            while "Ctrl-C" not in out.getvalue() and time.monotonic() < deadline:
                time.sleep(0.01)
            found = re.search(r"http://[\d.:]+", out.getvalue())
            meanwhile(found[0] if found else "")
            time.sleep(0.05)
        except BaseException as exc:  # noqa: BLE001  (raised again in the thread of the test)
            failures.append(exc)
        finally:
            os.kill(os.getpid(), stop)

    operator = threading.Thread(target=operate)
    operator.start()
    call_command("psc_simulator", "--port", "0", *arguments, stdout=out)
    operator.join()
    if failures:
        raise failures[0]
    return out.getvalue()


@pytest.fixture(autouse=True)
def _debug(settings: Settings) -> None:
    settings.DEBUG = True


def test_the_command_requires_debug(settings: Settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="only starts if DEBUG is on"):
        call_command("psc_simulator", "--port", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(number: int) -> None:
    before = signal.getsignal(number)

    assert run(stop=number).endswith("Simulator stopped.\n")
    assert signal.getsignal(number) is before


def test_it_prints_the_declaration_and_the_people() -> None:
    out = run("--client-id", "mine", "--client-secret", "s3cret", "--redirect-uri", "http://a.example/cb")

    assert "/auth/realms/esante-wallet/.well-known/wallet-openid-configuration" in out
    for text in (
        "mine",
        "s3cret",
        "http://a.example/cb",
        "/psc/psc-simulator/logged-out/",
        "doctor-two-activities",
    ):
        assert text in out


def test_it_answers_and_logs_without_parameters() -> None:
    def visit(origin: str) -> None:
        assert requests.get(f"{origin}/auth?client_id=demo&state=secret", timeout=10).status_code == 400

    out = run(meanwhile=visit)
    assert "GET authorization → 400" in out
    assert "state" not in out


def test_it_can_be_quiet_about_requests() -> None:
    def visit(origin: str) -> None:
        requests.get(origin, timeout=10)

    assert "GET home" not in run("--verbosity", "0", meanwhile=visit)


def test_it_accepts_every_given_redirect_uri() -> None:
    addresses = ("http://a.example/1", "http://a.example/2")

    def visit(origin: str) -> None:
        for address in addresses:
            query = {"client_id": "demo", "redirect_uri": address}
            answer = requests.get(f"{origin}/auth", params=query, allow_redirects=False, timeout=10)
            assert answer.headers["Location"].startswith(address)

    run("--redirect-uri", addresses[0], "--redirect-uri", addresses[1], meanwhile=visit)


def test_a_host_that_is_not_loopback_is_refused() -> None:
    with pytest.raises(CommandError, match="loopback"):
        call_command("psc_simulator", "--host", "0.0.0.0")


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match="cannot start"):
            call_command("psc_simulator", "--port", str(port))
