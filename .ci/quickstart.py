"""Carries out docs/quickstart.md as it is written, and signs somebody in and out of the site that it makes.

``quickstart.py PAGE FOLDER``: FOLDER holds a clone of the repository as ``django-psc-connect``. The ports 8000, 8898
and 8899 of this machine must be free.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urljoin

from visitor import SECONDS, Visitor, expect

SITE, SIMULATOR, OTHER_SIMULATOR = "127.0.0.1:8000", "127.0.0.1:8899", "127.0.0.1:8898"


def main(page: Path, folder: Path) -> None:
    make_site, start_simulator, start_simulator_elsewhere, start_site = blocks(page)
    subprocess.run(["bash", "-euo", "pipefail", "-c", make_site], cwd=folder, check=True)  # noqa: S603, S607
    shutil.copytree(folder / "mysite", folder / "other")
    try_site(folder / "mysite", (start_simulator, SIMULATOR), start_site)
    with socket.create_server(("127.0.0.1", 8899)):
        try_site(folder / "other", (start_simulator_elsewhere, OTHER_SIMULATOR), start_site)


def blocks(page: Path) -> list[str]:
    """Return the commands of the page: the site, the simulator, the simulator on another port, the server."""
    found = re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    expect(len(found) == 4, f"{page} has {len(found)} blocks of commands instead of 4")
    return found


def try_site(site: Path, simulator: tuple[str, str], start_site: str) -> None:
    with ExitStack() as stack:
        for commands, address in (simulator, (start_site, SITE)):
            stack.enter_context(running(commands, address, site))
        administrator = stack.enter_context(Visitor(f"http://{SITE}"))
        person = stack.enter_context(Visitor(f"http://{SITE}"))
        declare_provider(administrator)
        sign_in_and_out(person, f"http://{simulator[1]}")
    print(f"{site.name}: signed in and out with the simulator at {simulator[1]}")  # noqa: T201


@contextmanager
def running(commands: str, address: str, site: Path) -> Iterator[None]:
    """Run what a person types in a terminal of its own, and end it with Ctrl-C."""
    log = site / f"{address.rpartition(':')[2]}.log"
    environment = {**os.environ, "PATH": f"{site.parent}/.venv/bin:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output:
        terminal = subprocess.Popen(  # noqa: S603
            ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607
            cwd=site,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(address, terminal, log)
        yield
    finally:
        os.killpg(terminal.pid, signal.SIGINT)
        try:
            terminal.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(terminal.pid, signal.SIGKILL)
            terminal.wait()
    expect("Traceback" not in log.read_text(), log.read_text())


def wait_for(address: str, terminal: subprocess.Popen[bytes], log: Path) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and terminal.poll() is None:
        with socket.socket() as caller:
            if caller.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.2)
    sys.exit(f"{address} does not answer:\n{log.read_text()}")


def declare_provider(administrator: Visitor) -> None:
    administrator.visit("/admin/psc_connect/provider/add/")
    administrator.submit("password", username="admin", password="change-me")  # noqa: S106
    answers = {"environment": "simulator", "client_id": "demo", "client_secret": "demo-secret", "enabled": "on"}
    page = administrator.submit("client_secret", **answers)
    expect("/psc/psc-simulator/callback/" in page, f"the provider is not declared:\n{page}")


def sign_in_and_out(person: Visitor, simulator: str) -> None:
    page = person.visit("/")
    expect("Sign in with Pro Santé Connect" in page, f"no button:\n{page}")
    for path in set(re.findall(r'(?:href|src)="(/static/psc_connect/[^"]+)"', page)):
        person.get(urljoin(person.url, path), timeout=SECONDS).raise_for_status()
    person.visit(person.link(r'class="psc-button" href="([^"]+)"'))
    expect(person.url.startswith(simulator), f"not at the simulator: {person.url}")
    page = person.submit("interaction", person="podiatrist")
    expect(person.url == f"http://{SITE}/" and "Hello " in page, f"not signed in at {person.url}:\n{page}")
    person.submit("psc-logout")
    person.visit(person.link(r'http-equiv="refresh" content="0; url=([^"]+)"'))
    expect("/psc/psc-simulator/logged-out/" in person.url, f"not back from the simulator: {person.url}")
    expect("Hello " not in person.visit("/"), "still signed in")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
