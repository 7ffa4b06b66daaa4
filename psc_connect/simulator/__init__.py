"""A test OpenID provider that behaves like Pro Santé Connect, strictly, on its own loopback port.

`run_simulator()` serves it over real HTTP, for tests and for the demonstration. It imports nothing from the rest of
psc_connect, so that the same misreading of a standard cannot be on both sides and go unnoticed.
It authenticates nobody, so it only listens on loopback: never expose it to real users.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from typing import TYPE_CHECKING

from psc_connect.simulator.app import Simulator
from psc_connect.simulator.clients import Client
from psc_connect.simulator.faults import Fault as Fault
from psc_connect.simulator.people import Person
from psc_connect.simulator.server import Server
from psc_connect.simulator.signing_keys import SimulatorKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Client", "Person", "Simulator", "run_simulator"]


@contextlib.contextmanager
def run_simulator(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    clients: Iterable[Client] = (),
    signing_algorithm: str = "RS256",
    clock: Callable[[], float] = time.time,
    log: Callable[[str], None] | None = None,
) -> Iterator[Simulator]:
    """Run a simulator during the `with` block; port 0 picks a free one.

    `clock` returns seconds since the epoch; `log` receives one line per request, without its parameters.
    Raises ValueError for a host that is not loopback and for an unknown algorithm, OSError for a port in use.
    """
    if not ipaddress.ip_address(host).is_loopback or ":" in host:
        raise ValueError("host must be an IPv4 loopback address: the simulator authenticates nobody")
    keys = SimulatorKeys(signing_algorithm)
    with Server((host, port), log=log) as server:
        simulator = Simulator(
            f"http://{host}:{server.server_address[1]}",
            clock=clock,
            keys=keys,
            clients={client.client_id: client for client in clients},
        )
        server.simulator = simulator
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield simulator
        finally:
            server.stop()
            thread.join()
            keys.release()
