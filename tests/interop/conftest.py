"""Fixtures: a real Keycloak, either already running or started for the session, and a site that uses it."""

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
from tests.interop.recording_proxy import RecordingProxy, run_proxy
from tests.interop.site import recorded_logins
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
        reason = "PSC_KEYCLOAK_HOME is not set to an unpacked Keycloak"
        if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """Return pytest-django's server, on the address of the realm's redirect URIs."""
    server = LiveServer("127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def visitor(live_server: LiveServer, browser: Browser) -> Visitor:
    return Visitor(live_server.url, browser)


@pytest.fixture
def proxy(keycloak: Keycloak, settings: Any) -> Iterator[RecordingProxy]:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["127.0.0.1"]
    with run_proxy(keycloak) as proxy:
        yield proxy


@pytest.fixture
def logins() -> Iterator[list[dict[str, Any]]]:
    with recorded_logins() as logins:
        yield logins
