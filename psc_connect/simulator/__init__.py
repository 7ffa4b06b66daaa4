"""The other side of the wire: plays Pro Santé Connect, strictly, on a port of its own.

`run_simulator()` is a real OpenID provider over HTTP for tests and for the demonstration. It imports nothing
of the rest of psc_connect, so that one misreading of the standard cannot be made twice and cancel out.
Nobody is authenticated: it must never face real people, and listens on loopback only.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import time
from typing import TYPE_CHECKING

from psc_connect.simulator import people
from psc_connect.simulator.app import Simulator
from psc_connect.simulator.clients import Client
from psc_connect.simulator.faults import Fault
from psc_connect.simulator.people import Person
from psc_connect.simulator.server import Server
from psc_connect.simulator.signing_keys import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Client", "Fault", "Person", "Simulator", "people", "run_simulator"]


@contextlib.contextmanager
def run_simulator(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    clients: Iterable[Client] = (),
    accepted_acr: Iterable[str] = ("eidas1", "eidas2", "eidas3"),
    signing_algorithm: str = "RS256",
    clock: Callable[[], float] = time.time,
    log: Callable[[str], None] | None = None,
) -> Iterator[Simulator]:
    """A running simulator for the time of the `with` block; port 0 takes a free one.

    `clock` gives seconds since the epoch; `log` receives one line a request, without its parameters.
    Raises ValueError for a host that is not loopback and for an unknown algorithm, OSError for a taken port.
    """
    if not ipaddress.ip_address(host).is_loopback or ":" in host:
        raise ValueError("host must be an IPv4 loopback address: the simulator authenticates nobody")
    keys = KeyRing(signing_algorithm)
    with Server((host, port), log=log) as server:
        simulator = Simulator(
            f"http://{host}:{server.server_address[1]}",
            accepted_acr=frozenset(accepted_acr),
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
