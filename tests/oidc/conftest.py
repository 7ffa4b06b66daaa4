"""Servers that a test starts, and that are stopped after it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import pytest

from .wire import Behaviour, Wire

Serve = Callable[..., Wire]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[Wire] = []

    def start(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Wire:
        running.append(Wire(behaviour, context))
        return running[-1]

    yield start
    for server in running:
        server.stop()
