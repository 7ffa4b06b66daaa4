"""The shipped code tables: complete, loaded when needed, listed and searched."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
import time_machine

from psc_connect.professional import nomenclatures
from psc_connect.professional.nomenclatures import (
    SUBJECTS,
    TABLES,
    Concept,
    choices,
    concept,
    search,
    shipped,
    table,
    tables_of,
)
from tests.professional.payloads import PACKAGE

FOLDER = PACKAGE / "professional" / "nomenclatures"
SAMPLE = PACKAGE / "claims" / "samples" / "doctor-five-activities-2021.json"
# Prints the name of every table that the code after it opens.
WATCHED = """
import sys
def watch(event, arguments):
    if event == "open" and "TRE_" in str(arguments[0]):
        print(arguments[0])
sys.addaudithook(watch)
"""


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_oid_its_date_and_codes(name: str) -> None:
    found = shipped(name)
    assert (found.name, found.replaced) == (name, False)
    assert re.fullmatch(r"1\.2\.250\.1(\.[0-9]+)+", found.oid)
    assert date.fromisoformat(found.version) > date(2019, 1, 1)
    assert [code for code, each in found.concepts.items() if code != each.code] == []


def test_fourteen_tables_are_shipped_and_no_other_file() -> None:
    assert len(TABLES) == 14
    assert {path.stem for path in FOLDER.glob("*.json")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_the_readme_has_source_licence_and_content_of_each_table(name: str) -> None:
    note = (FOLDER / "README.md").read_text("utf-8")
    found = shipped(name)
    closed = sum(each.closed is not None for each in found.concepts.values())
    assert f"| {found.oid} | {found.version} | {len(found.concepts)} | {closed} |" in note
    assert "ansforge/IG-NOS" in note
    assert "**Licence**" in note


def test_every_subject_has_tables_that_are_shipped() -> None:
    assert [name for names in SUBJECTS.values() for name in names if name not in TABLES] == []
    assert tables_of("mode") == tables_of("TRE_R23-ModeExercice") == ("TRE_R23-ModeExercice",)
    # Every shipped table belongs to a subject.
    assert {name for names in SUBJECTS.values() for name in names} == set(TABLES)


@pytest.mark.parametrize("unknown", ["TRE_R06-SectionTableauCNOP", "", "../../secret"])
def test_there_is_no_other_table(unknown: str) -> None:
    for ask in (table, tables_of, choices):
        with pytest.raises(KeyError):
            ask(unknown)


def opened_by(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return [Path(line).stem for line in done.stdout.splitlines()]


def test_reading_a_userinfo_opens_no_table() -> None:
    read = f"""
import json, pathlib
from psc_connect.professional.userinfo import read_userinfo
claims = json.loads(pathlib.Path({str(SAMPLE)!r}).read_text())
professional = read_userinfo(claims)
assert len(professional.activity_choices) == 5 and professional.practices[0].profession and repr(professional)
"""
    assert opened_by(read) == []
    # The first label opens the first of its tables, once.
    label = "print(professional.practices[0].profession, professional.practices[0].profession)"
    assert opened_by(read + label) == ["TRE_G15-ProfessionSante", "Médecin Médecin"]


def test_starting_the_site_opens_no_table() -> None:
    start = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from psc_connect.templatetags import psc_connect
"""
    assert opened_by(start) == []


def test_current_codes_come_first_in_the_order_of_their_table() -> None:
    offered = choices("civility")
    assert [each.code for each in offered] == ["M", "MME", "MLLE"]
    assert [each.is_closed for each in offered] == [False, False, True]


def test_a_code_of_several_tables_is_listed_once() -> None:
    codes = [each.code for each in choices("profession")]
    assert len(codes) == len(set(codes))
    assert set(codes) == {code for name in SUBJECTS["profession"] for code in shipped(name).concepts}
    # Psychologists are in two of the tables.
    assert [each.label for each in choices("profession") if each.code == "93"] == ["Psychologue"]


@pytest.mark.parametrize(
    ("text", "kind", "codes"),
    [
        ("medecin", "profession", ["10"]),
        ("MÉDECIN", "profession", ["10"]),
        ("sage femme", "profession", ["50"]),
        ("femme SAGE", "profession", ["50"]),
        ("l'intervention", "profession", ["43", "202"]),
        ("l’intervention", "profession", ["43", "202"]),
        ("fon-01", "role", ["FON-01"]),
        ("mademoiselle", "civility", ["MLLE"]),
        ("m", "civility", ["M", "MME", "MLLE"]),
        ("foetopathologie", "skill", ["DSM212"]),
        ("fœtopathologie", "skill", ["DSM212"]),
        ("zzz", "profession", []),
        ("10", "TRE_R23-ModeExercice", []),
    ],
)
def test_search_ignores_case_and_accents(text: str, kind: str, codes: list[str]) -> None:
    assert [each.code for each in search(text, kind)] == codes


def test_an_exact_code_comes_first_and_closed_ones_last() -> None:
    found = search("93", "profession")
    assert found[0].code == "93"
    closed = [each.is_closed for each in search("education", "profession")]
    assert closed == sorted(closed)
    assert search(" ", "civility") == choices("civility")


@pytest.fixture
def moving() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=timezone.utc), tick=False):
        yield


@pytest.mark.parametrize(
    ("closed", "is_closed"), [(None, False), ("2026-03-30", True), ("2026-03-31", True), ("2026-04-01", False)]
)
def test_a_code_with_a_future_end_is_not_closed(moving: None, closed: str | None, is_closed: bool) -> None:
    assert Concept("1", "Un", closed).is_closed is is_closed


def test_an_unknown_code_has_no_concept() -> None:
    assert concept("999", *SUBJECTS["profession"]) is None
    assert concept("10") is None


def test_without_a_site_no_table_is_replaced() -> None:
    assert nomenclatures.no_folder() is None


def test_the_distribution_includes_the_data_files() -> None:
    project = (PACKAGE.parent / "pyproject.toml").read_text("utf-8")
    wheel = project.partition("[tool.hatch.build.targets.wheel]")[2].partition("\n[")[0]
    assert wheel.split() == ["packages", "=", '["psc_connect"]']
