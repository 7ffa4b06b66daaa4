"""The real Keycloak of these tests: one that runs already, or one started for the session."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.browser import Browser
from tests.interop.keycloak import Keycloak, run_keycloak


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
