"""A new site on an installed wheel, made as README.md says: declares a provider, signs somebody in and out over HTTP.

``new_site.py README.md FOLDER``, with the Python of an environment that holds the wheel and nothing of the clone.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from visitor import SECONDS, Visitor, expect

import psc_connect
from psc_connect.environments import ENVIRONMENTS, load_metadata
from psc_connect.simulator import Client, Simulator, run_simulator

README = Path(sys.argv[1]).resolve()
ADMINISTRATOR, PASSWORD = "administrator", "a-password-of-the-new-site"
# What `check --deploy` of Django demands from every site.
DEPLOYED = """from .settings import *

DEBUG = False
ALLOWED_HOSTS = ["example.org"]
SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyz-of-a-site-that-is-thrown-away"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = 3600, True, True
if "MAILERS" in globals():
    MAILERS["default"]["BACKEND"] = "django.core.mail.backends.smtp.EmailBackend"
"""
# What `check --deploy` still reports then, and the setting for it in README.md.
REMAINING = {"psc_connect.W001": "PSC_CONNECT_ENCRYPTION_KEYS"}


def main(folder: Path) -> None:
    installed = Path(psc_connect.__file__)
    expect(installed.is_relative_to(sys.prefix), f"psc_connect is not the installed one: {installed}")
    expect((importlib.resources.files("psc_connect") / "py.typed").is_file(), "py.typed is not in the wheel")
    expect(all(load_metadata(name) for name in ENVIRONMENTS), "the metadata of ANS is not in the wheel")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    own = f"{address}/psc/psc-simulator"
    client = Client("demo", "demo-secret", (f"{own}/callback/",), (f"{own}/logged-out/",))
    with run_simulator(clients=[client]) as simulator:
        make_site(folder, simulator)
        check_site(folder)
        with running(folder, address), Visitor(address) as administrator, Visitor(address) as person:
            declare_provider(administrator)
            sign_in_and_out(person, simulator)


def pastes() -> tuple[str, str, str, str]:
    section = README.read_text("utf-8").partition("## Install it in a site")[2].partition("\n## ")[0]
    settings, urls, head, button = re.findall(r"```(?:python|html)\n(.*?)```", section, re.DOTALL)
    return settings, urls, head, button


def make_site(folder: Path, simulator: Simulator) -> None:
    run(folder.parent, "-m", "django", "startproject", "mysite", str(folder))
    settings, urls, head, button = pastes()
    origin = simulator.issuer.partition("/auth/")[0]
    append(folder / "mysite/settings.py", settings)
    # What a site has besides: a language, a folder of templates, a page. And the address of the simulator.
    append(folder / "mysite/settings.py", 'LANGUAGE_CODE = "fr"\nTEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]\n')
    append(folder / "mysite/settings.py", f'PSC_CONNECT_SIMULATOR_URL = "{origin}"\n')
    append(folder / "mysite/urls.py", urls)
    append(
        folder / "mysite/urls.py",
        'from django.views.generic import TemplateView\n\nurlpatterns += [path("", TemplateView.as_view('
        'template_name="home.html"))]\n',
    )
    (folder / "templates").mkdir()
    page = f"<!doctype html><html><head>{head}</head><body><b>{{{{ user.get_username }}}}</b>{button}</body></html>"
    (folder / "templates/home.html").write_text(page, "utf-8")
    # README: "In production only, the address of your site".
    (origin_line,) = re.findall(r"^# (PSC_CONNECT_BASE_URL = .+)$", settings, re.MULTILINE)
    (folder / "mysite/deployed.py").write_text(f"{DEPLOYED}{origin_line}\n", "utf-8")


def append(path: Path, text: str) -> None:
    path.write_text(f"{path.read_text('utf-8')}\n\n{text}", "utf-8")


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Python and return its output; exit if it fails."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def check_site(folder: Path) -> None:
    run(folder, "manage.py", "migrate")
    run(folder, "manage.py", "makemigrations", "--check", "--dry-run")
    said = run(folder, "manage.py", "check", "--fail-level", "WARNING")
    expect("no issues (0 silenced)" in said, said)
    said = run(folder, "manage.py", "check", "--deploy", "--settings", "mysite.deployed")
    found = set(re.findall(r"\((\w+\.[A-Z]\d{3})\)", said))
    expect(found == REMAINING.keys(), f"not what README.md names, {REMAINING}:\n{said}")
    readme = README.read_text("utf-8")
    expect(all(f"| `{name}` |" in readme for name in REMAINING.values()), f"README.md does not name {REMAINING}")
    print("check --deploy says:", *sorted(found))  # noqa: T201
    run(
        folder,
        *("manage.py", "createsuperuser", "--noinput", "--username", ADMINISTRATOR, "--email", "a@example.org"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )


@contextmanager
def running(folder: Path, address: str) -> Iterator[None]:
    log = folder / "runserver.log"
    with log.open("w") as output:
        server = subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", "runserver", "--noreload", address.removeprefix("http://")],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(address, server, log)
        yield
    finally:
        server.terminate()
        server.wait(SECONDS)
    said = log.read_text()
    expect("Traceback" not in said, said)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        if answers(address):
            return
        time.sleep(0.2)
    sys.exit(f"The site does not answer:\n{log.read_text()}")


def answers(address: str) -> bool:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.socket() as caller:
        return caller.connect_ex((host, int(port))) == 0


def declare_provider(administrator: Visitor) -> None:
    """Give the five answers of README.md; keys, metadata and mapping follow from them."""
    administrator.visit("/admin/psc_connect/provider/add/")
    administrator.submit("password", username=ADMINISTRATOR, password=PASSWORD)
    answers = {"environment": "simulator", "client_id": "demo", "client_secret": "demo-secret", "enabled": "on"}
    page = administrator.submit("client_secret", **answers)
    expect("/psc/psc-simulator/callback/" in page, f"the provider is not declared:\n{page}")
    for style in set(re.findall(r'href="(/static/psc_connect/[^"]+)"', page)):
        administrator.get(urljoin(administrator.url, style), timeout=SECONDS).raise_for_status()


def sign_in_and_out(person: Visitor, simulator: Simulator) -> None:
    page = person.visit("/")
    expect("Se connecter avec Pro Santé Connect" in page, f"no French button:\n{page}")
    shown = re.findall(r'(?:href|src)="(/static/psc_connect/[^"]+)"', page)
    expect({Path(path).suffix for path in shown} == {".css", ".svg"}, f"not the style and the drawing: {shown}")
    for path in shown:
        person.get(urljoin(person.url, path), timeout=SECONDS).raise_for_status()
    person.visit(person.link(r'class="psc-button" href="([^"]+)"'))
    expect(person.url.startswith(simulator.issuer.partition("/auth/")[0]), f"not at the provider: {person.url}")
    page = person.submit("interaction", person="podiatrist")
    expect("<b>ANS20231122132732</b>" in page, f"not signed in:\n{page}")
    page = person.submit("psc-logout")
    expect("Fermeture de votre session Pro Santé Connect" in page, f"not signing out:\n{page}")
    person.visit(person.link(r'http-equiv="refresh" content="0; url=([^"]+)"'))
    expect("/psc/psc-simulator/logged-out/" in person.url, f"not back from the provider: {person.url}")
    page = person.visit("/")
    expect("<b></b>" in page, f"still signed in:\n{page}")
    expect("Se connecter avec Pro Santé Connect" in page, f"no button after the sign-out:\n{page}")
    print("signed in and out:", json.dumps([request.endpoint for request in simulator.requests]))  # noqa: T201


if __name__ == "__main__":
    site = Path(sys.argv[2]).resolve()
    site.mkdir(parents=True)
    main(site)
