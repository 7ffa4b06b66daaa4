"""A fixture that starts raw servers and stops them after the test."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import pytest

from .raw_server import Behaviour, RawServer

Serve = Callable[..., RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[RawServer] = []

    def start(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> RawServer:
        running.append(RawServer(behaviour, context))
        return running[-1]

    yield start
    for server in running:
        server.stop()
