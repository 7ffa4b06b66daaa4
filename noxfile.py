"""`nox` runs the suite on every Django and Python that go together; `nox -s lint` and `nox -s demo` are apart."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "lint"]

PYTHONS_OF_DJANGO = {
    "5.2": ["3.10", "3.11", "3.12", "3.13", "3.14"],
    "6.0": ["3.12", "3.13", "3.14"],
    "6.1": ["3.12", "3.13", "3.14"],
}
MATRIX = [(python, django) for django, pythons in PYTHONS_OF_DJANGO.items() for python in pythons]


@nox.session
@nox.parametrize("python,django", MATRIX)
def tests(session: nox.Session, django: str) -> None:
    """The suite; what needs a server that is not there is skipped with its reason (`.ci/run` skips nothing)."""
    session.install("-r", "requirements-dev.txt", f"Django~={django}.0", "-e", ".")
    session.run("pytest", *session.posargs)


@nox.session(python="3.13")
def lint(session: nox.Session) -> None:
    """Style, types, rooms, migrations, translations; needs gettext."""
    session.install("-r", "requirements-dev.txt", "Django~=6.1.0", "-e", ".")
    session.run("bash", ".ci/lint", external=True)


@nox.session
def demo(session: nox.Session) -> None:
    """The simulator and a site that uses it; Ctrl-C ends both."""
    session.install("-e", ".")
    session.run("python", "example_project/manage.py", "demo")
