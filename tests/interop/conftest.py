"""The real Keycloak of these tests, one that runs already or one started for the session, and our site before it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.interop.browser import Browser
from tests.interop.keycloak import Keycloak, run_keycloak
from tests.interop.recording_proxy import Tap, tapped
from tests.interop.site import heard_logins
from tests.interop.visitor import Visitor


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    if running := os.environ.get("PSC_KEYCLOAK_URL"):
        yield Keycloak(running)
    elif home := os.environ.get("PSC_KEYCLOAK_HOME"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with run_keycloak(Path(home), port, log=tmp_path_factory.mktemp("keycloak") / "log") as started:
            yield started
    else:
        reason = "PSC_KEYCLOAK_HOME names no unpacked Keycloak"
        if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """pytest-django's, on the address that the realm's redirect URIs name."""
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def visitor(live_server: LiveServer, browser: Browser) -> Visitor:
    return Visitor(live_server.url, browser)


@pytest.fixture
def tap(keycloak: Keycloak, settings: Any) -> Iterator[Tap]:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["127.0.0.1"]
    with tapped(keycloak) as one:
        yield one


@pytest.fixture
def logins() -> Iterator[list[dict[str, Any]]]:
    with heard_logins() as heard:
        yield heard
