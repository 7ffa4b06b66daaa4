"""A database made before the first release is not upgraded: each command that migrates says so in one sentence."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from psc_connect.checks.old_database import refuse_old_database

ROOT = Path(__file__).parents[2]
# What the development versions had applied, one after the other; the columns of the first were never the present ones.
HISTORIES = [
    ("0001_initial",),
    ("0001_initial", "0002_administration"),
    ("0001_initial", "0002_administration", "0003_professional"),
]


def make_old_database(file: Path, migrations: tuple[str, ...]) -> None:
    with sqlite3.connect(file) as database:
        database.executescript(
            """
            CREATE TABLE django_migrations (
                id integer PRIMARY KEY AUTOINCREMENT, app varchar(255), name varchar(255), applied datetime
            );
            CREATE TABLE psc_connect_provider (
                id integer PRIMARY KEY AUTOINCREMENT, slug varchar(50), enabled bool, metadata text, jwks text,
                jwks_pinned text, jwks_retired text, jwks_first_seen text, jwks_last_used text
            );
            INSERT INTO psc_connect_provider (slug, enabled, metadata, jwks) VALUES ('psc', 1, '{}', '{}');
            """
        )
        of_django = [key for key in MigrationLoader(None).disk_migrations if key[0] in {"auth", "contenttypes"}]
        applied = [*of_django, *(("psc_connect", name) for name in migrations)]
        rows = [(app, name, "2026-01-01 00:00:00") for app, name in applied]
        database.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", rows)
    database.close()


@pytest.mark.parametrize(
    ("command", "migrations"), [*(("migrate", names) for names in HISTORIES), ("demo", HISTORIES[-1])]
)
def test_an_old_database_is_refused_in_one_sentence(tmp_path: Path, command: str, migrations: tuple[str, ...]) -> None:
    file = tmp_path / "db.sqlite3"
    make_old_database(file, migrations)
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "example_project" / "manage.py"), command],
        env={**environment, "PSC_DEMO_FOLDER": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert str(file) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    with sqlite3.connect(file) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    assert tables == {"django_migrations", "psc_connect_provider", "sqlite_sequence"}


@pytest.mark.django_db
def test_a_present_database_passes() -> None:
    refuse_old_database(using="default")


class KeepsPscConnectAway:
    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return app_label != "psc_connect"


@pytest.mark.django_db
def test_a_database_that_the_router_keeps_free_of_psc_connect_passes(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.KeepsPscConnectAway"]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE psc_connect_provider RENAME COLUMN version TO former_version")
    refuse_old_database(using="default")


@pytest.mark.django_db
def test_another_database_than_a_file_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch, english: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE psc_connect_provider RENAME COLUMN version TO former_version")
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(CommandError, match="create a new database in place of"):
        refuse_old_database(using="default")
