"""The command that starts the demonstration: database, administrator, simulator, provider and site."""

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
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from typing_extensions import override

from psc_connect.simulator import run_simulator
from shared_record.demo_provider import declare_simulator, make_client
from shared_record.settings import DEMO_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

HOST = "127.0.0.1"
ADMINISTRATOR = "admin"
# Preferred at the first start. Later starts prefer the last ones, so that bookmarks and sessions stay valid.
DEFAULT_PORTS = {"site": 8000, "simulator": 8899}


class Command(BaseCommand):
    help = "Start the demonstration: a site and a simulator of Pro Santé Connect. Stop it with Ctrl-C."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset-password",
            action="store_true",
            help="Give the administrator a new password and print it.",
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        stop = _stop_event()
        call_command("migrate", verbosity=0)
        ports = _choose_ports()
        # Where the admin finds the simulator when another provider is declared.
        settings.PSC_CONNECT_SIMULATOR_URL = f"http://{HOST}:{ports['simulator']}"
        client = make_client(ports["site"])
        with run_simulator(ports["simulator"], clients=[client], log=self._log_simulator) as simulator:
            declare_simulator(simulator.discovery_url)
            with _serve_site(ports["site"]):
                # Only now, so that a password is never set without being printed.
                self._print_addresses(ports["site"], _administrator_password(reset=options["reset_password"]))
                # With a timeout: on Windows, Ctrl-C does not interrupt a wait without one.
                while not stop.wait(1):
                    pass
        self._print("Stopped. Run the same command to continue.")

    def _print_addresses(self, port: int, password: str) -> None:
        site = f"http://{HOST}:{port}"
        self._print(f"Site            {site}/")
        self._print(f"Administration  {site}/admin/")
        self._print(
            f"                {ADMINISTRATOR} / {password or '(unchanged; --reset-password sets a new password)'}"
        )
        self._print("Ctrl-C stops both the site and the simulator.")

    def _log_simulator(self, line: str) -> None:
        self._print(f"simulator: {line}")

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _administrator_password(*, reset: bool) -> str:
    """Return the administrator's new password, "" if it is unchanged."""
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


def _choose_ports() -> dict[str, int]:
    file = DEMO_FOLDER / "ports.json"
    preferred = json.loads(file.read_text("utf-8")) if file.exists() else DEFAULT_PORTS
    ports = {name: _free_port(port) for name, port in preferred.items()}
    file.write_text(json.dumps(ports), "utf-8")
    return ports


def _free_port(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            # As the servers do: a port with connections in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No port is free on this machine.")


@contextmanager
def _serve_site(port: int) -> Iterator[None]:
    try:
        server = ThreadedWSGIServer((HOST, port), WSGIRequestHandler)
    except OSError as exc:
        raise CommandError(f"Port {port} has just been taken by another program. Run the same command again.") from exc
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
