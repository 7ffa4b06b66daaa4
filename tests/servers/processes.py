"""Real servers on loopback ports, stopped at the end of their test."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from psc_connect.simulator import Simulator
from tests.conftest import CLIENT_ID, CLIENT_SECRET

ROOT = Path(__file__).parents[2]
# Debian installs it outside the PATH of normal users.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def make_site(simulator: Simulator, database: Path) -> dict[str, str]:
    """Create the site's database with one provider; return the environment of its processes."""
    environment = {**os.environ, "PSC_TESTS_SITE_DATABASE": str(database), "PYTHONPATH": str(ROOT)}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.servers.settings"
    row = {
        "slug": "psc",
        "environment": "simulator",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "metadata": simulator.metadata,
        "jwks": simulator.jwks,
    }
    command = [sys.executable, "-m", "tests.servers.site"]
    subprocess.run(command, input=json.dumps(row).encode(), env=environment, cwd=ROOT, check=True, timeout=60)
    return environment


@contextlib.contextmanager
def gunicorn(environment: Mapping[str, str]) -> Iterator[str]:
    """Run the site with gunicorn and its default limits; yield its origin."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--threads",
        "4",
        "--log-level",
        "error",
    ]
    with running([*command, "tests.servers.site:application"], port, environment):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx(upstream: str, folder: Path) -> Iterator[str]:
    """Run nginx with its default limits in front of another server; yield its origin."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
    command = [NGINX or "nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    with running(command, port, os.environ):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=dict(environment), cwd=ROOT) as process:
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server on port {port} did not start")
