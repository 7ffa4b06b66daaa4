"""The command that runs the simulator on its own, beside `runserver`."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from psc_connect.simulator import Client, run_simulator

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from psc_connect.simulator import Simulator

_SITE = "http://127.0.0.1:8000/psc/psc-simulator"


class Command(BaseCommand):
    help = "Simulate Pro Santé Connect on a loopback port, with fictitious people. Requires DEBUG."
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="an IPv4 loopback address (%(default)s)")
        parser.add_argument("--port", type=int, default=8899, help="0 picks a free port (%(default)s)")
        parser.add_argument("--client-id", default="demo", help="%(default)s")
        parser.add_argument("--client-secret", default="demo-secret", help="%(default)s")
        parser.add_argument(
            "--redirect-uri",
            action="append",
            help=f"may be repeated; compared character by character ({_SITE}/callback/)",
        )
        parser.add_argument("--post-logout-redirect-uri", action="append", help=f"as above ({_SITE}/logged-out/)")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The simulator authenticates nobody, so it only starts if DEBUG is on.")
        client = Client(
            client_id=options["client_id"],
            client_secret=options["client_secret"],
            redirect_uris=tuple(options["redirect_uri"] or [f"{_SITE}/callback/"]),
            post_logout_redirect_uris=tuple(options["post_logout_redirect_uri"] or [f"{_SITE}/logged-out/"]),
        )
        log = self.stdout.write if options["verbosity"] > 0 else None
        try:
            with run_simulator(options["port"], host=options["host"], clients=[client], log=log) as simulator:
                self._print_instructions(simulator, client)
                _wait_for_a_signal()
        except (OSError, ValueError) as exc:
            raise CommandError(f"The simulator cannot start: {exc}") from exc
        self.stdout.write("Simulator stopped.")

    def _print_instructions(self, simulator: Simulator, client: Client) -> None:
        lines = [
            f"Pro Santé Connect is simulated at {simulator.origin}/ (no real authentication).",
            "",
            "People who can sign in:",
            *(f"  {person.slug:26} {person.name}, {person.label_en}" for person in simulator.people.values()),
            "You can also create a person, or paste a userinfo in JSON, on the page that lists them.",
            "",
            "To declare it, add a provider with the environment “Simulator” in the admin:",
            f"  discovery URL  {simulator.discovery_url}",
            f"  client id      {client.client_id}",
            f"  client secret  {client.client_secret}",
            "It accepts exactly these addresses of your site:",
            *(f"  sign-in        {uri}" for uri in client.redirect_uris),
            *(f"  sign-out       {uri}" for uri in client.post_logout_redirect_uris),
            "",
            "Stop it with Ctrl-C.",
        ]
        self.stdout.write("\n".join(lines))


def _wait_for_a_signal() -> None:
    """Wait for SIGINT or SIGTERM, then restore the previous handlers."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        stop.wait()
    finally:
        for number, handler in zip(signals, previous, strict=True):
            signal.signal(number, handler)
