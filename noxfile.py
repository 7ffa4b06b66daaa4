"""`nox` runs the suite on every supported pair of Django and Python, and the checks; `nox --list` shows the rest."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "lint", "docs"]

PYTHONS_OF_DJANGO = {
    "5.2": ["3.10", "3.11", "3.12", "3.13", "3.14"],
    "6.0": ["3.12", "3.13", "3.14"],
    "6.1": ["3.12", "3.13", "3.14"],
}
MATRIX = [(python, django) for django, pythons in PYTHONS_OF_DJANGO.items() for python in pythons]


@nox.session
@nox.parametrize("python,django", MATRIX)
def tests(session: nox.Session, django: str) -> None:
    """The suite; tests whose server is missing are skipped with the reason (`.ci/run` skips nothing)."""
    install_development_set(session, f"Django~={django}.0")
    session.run("pytest", "-n", "logical", "--dist", "loadgroup", *session.posargs)


@nox.session(python="3.13")
def lint(session: nox.Session) -> None:
    """Style, types, imports between packages, migrations."""
    install_development_set(session, "Django~=6.1.0")
    session.run("bash", ".ci/lint", external=True)


@nox.session(python="3.13")
def docs(session: nox.Session) -> None:
    """The documentation site, in build/docs; a warning fails."""
    session.install("-r", "docs/requirements.txt")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "build/docs", *session.posargs)


@nox.session(python="3.13")
def benchmarks(session: nox.Session) -> None:
    """Times that depend on the machine, as tables."""
    install_development_set(session, "Django~=6.1.0")
    session.run("python", "-m", "benchmarks")


@nox.session(python="3.13")
def release(session: nox.Session) -> None:
    """Build sdist and wheel in dist/ and check them; `-- --draft` accepts an unreleased version."""
    install_development_set(session, "Django~=6.1.0")
    session.run("python", ".ci/release.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """The simulator and a site that uses it; Ctrl-C ends both."""
    session.install("-e", ".")
    session.run("python", "example_project/manage.py", "demo")


def install_development_set(session: nox.Session, django: str) -> None:
    session.install("-r", "requirements-dev.txt", django, "-e", ".")
