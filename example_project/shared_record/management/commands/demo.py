"""Everything in one command: database, administrator, simulator, provider, site."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from typing_extensions import override

from psc_connect.simulator import run_simulator
from shared_record.settings import DEMO_FOLDER
from shared_record.simulated import client_of, declare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

HOST = "127.0.0.1"
ADMINISTRATOR = "admin"
# Wished for at the first start; afterwards the ports of the last one, so that bookmarks and sessions hold.
FIRST_PORTS = {"site": 8000, "simulator": 8899}


class Command(BaseCommand):
    help = "Start the demonstration: the site, and a simulator that plays Pro Santé Connect. Ctrl-C ends it."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset-password",
            action="store_true",
            help="Give the administrator a new password, and print it.",
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        stop = _stop_event()
        call_command("migrate", verbosity=0)
        password = _administrator_password(reset=options["reset_password"])
        ports = _take_ports()
        # Where the admin looks for a simulator when somebody declares one more provider.
        settings.PSC_CONNECT_SIMULATOR_URL = f"http://{HOST}:{ports['simulator']}"
        client = client_of(ports["site"])
        with run_simulator(ports["simulator"], clients=[client], log=self._log_simulator) as simulator:
            declare(simulator.discovery_url)
            with _serve_site(ports["site"]):
                self._say_where_to_click(ports["site"], password)
                # Not one wait without an end: Ctrl-C does not interrupt that on Windows.
                while not stop.wait(1):
                    pass
        self._say("Stopped. The same command starts again where you were.")

    def _say_where_to_click(self, port: int, password: str) -> None:
        site = f"http://{HOST}:{port}"
        self._say(f"Site            {site}/")
        self._say(f"Administration  {site}/admin/")
        self._say(
            f"                {ADMINISTRATOR} / {password or '(as before; --reset-password makes a new password)'}"
        )
        self._say("Ctrl-C ends both the site and the simulator.")

    def _log_simulator(self, line: str) -> None:
        self._say(f"simulator: {line}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _administrator_password(*, reset: bool) -> str:
    """Return the administrator's new password; "" where there is one already, which only its hash is known of."""
    users = get_user_model()
    user, created = users.objects.get_or_create(
        username=ADMINISTRATOR, defaults={"is_staff": True, "is_superuser": True}
    )
    if not (created or reset):
        return ""
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    return password


def _take_ports() -> dict[str, int]:
    kept = DEMO_FOLDER / "ports.json"
    wished = json.loads(kept.read_text("utf-8")) if kept.exists() else FIRST_PORTS
    ports = {name: _free_port(port) for name, port in wished.items()}
    kept.write_text(json.dumps(ports), "utf-8")
    return ports


def _free_port(wished: int) -> int:
    for port in (wished, 0):
        with socket.socket() as probe:
            # As the servers do: a port whose last connections are only fading away is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No port is free on this machine.")


@contextmanager
def _serve_site(port: int) -> Iterator[None]:
    server = ThreadedWSGIServer((HOST, port), WSGIRequestHandler)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
