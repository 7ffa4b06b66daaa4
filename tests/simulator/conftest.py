from __future__ import annotations

from collections.abc import Iterator

import pytest

from psc_connect.simulator import Simulator, run_simulator
from tests.simulator.service import CLIENT, Service

NOW = 1_800_000_000


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator with a fixed clock."""
    with run_simulator(clients=[CLIENT], clock=lambda: NOW) as simulator:
        yield simulator


@pytest.fixture
def service(simulator: Simulator) -> Iterator[Service]:
    service = Service(simulator)
    yield service
    service.session.close()
