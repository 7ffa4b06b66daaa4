"""Starts the demonstration, opens its home page and stops it with Ctrl-C.

``demo.py SCRIPT FOLDER`` runs the shell commands of SCRIPT in FOLDER, a copy of the repository.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

START_SECONDS = 300  # with the installation in a new environment
STOP_SECONDS = 10
ADDRESS = re.compile(r"^Site\s+(http://127\.0\.0\.1:\d+/)$", re.MULTILINE)


def run(script: Path, folder: Path) -> None:
    log = folder / "demo.log"
    with log.open("w") as output:
        # A new session: Ctrl-C reaches each of its processes, as in a terminal, and no others.
        demo = subprocess.Popen(  # noqa: S603 - the command that README.md shows
            ["bash", "-euo", "pipefail", str(script)],  # noqa: S607
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        open_page(wait_for_address(demo, log))
        os.killpg(demo.pid, signal.SIGINT)
        status = demo.wait(STOP_SECONDS)
        if status or "Traceback" in log.read_text() or group_lives(demo.pid):
            sys.exit(f"The demonstration does not end cleanly on Ctrl-C (status {status}):\n{log.read_text()}")
    except subprocess.TimeoutExpired:
        sys.exit(f"The demonstration still runs {STOP_SECONDS} s after Ctrl-C:\n{log.read_text()}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)


def wait_for_address(demo: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and demo.poll() is None:
        if found := ADDRESS.search(log.read_text()):
            return found[1]
        time.sleep(0.2)
    sys.exit(f"The demonstration prints no address:\n{log.read_text()}")


def open_page(address: str) -> None:
    """Open the page, without the environment's proxy. Raise if the status is an error."""
    with build_opener(ProxyHandler({})).open(address, timeout=10) as page:
        print(f"GET {address}: {page.status}")  # noqa: T201


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    run(*(Path(argument).resolve() for argument in sys.argv[1:]))
