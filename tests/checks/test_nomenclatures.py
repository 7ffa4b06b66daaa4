"""System checks of the code tables of a site."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from psc_connect.checks import nomenclatures
from psc_connect.professional.nomenclatures import PROBLEMS, shipped
from psc_connect.professional.nomenclatures.replacement import table_as_json

NAME = "TRE_R23-ModeExercice"
NEWER = {**table_as_json(shipped(NAME)), "version": "2030-01-15"}
CHECKS_PAGE = Path(__file__).parents[2] / "docs" / "checks.md"

WRONG: list[tuple[str, str, str, str]] = [
    (f"{NAME}.json", "{", "psc_connect.W011", "table_not_json"),
    (f"{NAME}.json", json.dumps({**NEWER, "oid": ""}), "psc_connect.W011", "table_malformed"),
    (f"{NAME}.json", json.dumps(table_as_json(shipped("TRE_R81-Civilite"))), "psc_connect.W011", "table_misnamed"),
    ("TRE_R06-SectionTableauCNOP.json", "{", "psc_connect.W011", "table_unknown"),
    ("copy.json", json.dumps(NEWER), "psc_connect.W011", "table_unknown"),
    (f"{NAME}.json", json.dumps({**NEWER, "version": "2021-08-26"}), "psc_connect.W012", "2021-08-26"),
]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.PSC_CONNECT_NOMENCLATURE_DIR = tmp_path
    return tmp_path


def found() -> list[CheckMessage]:
    ours = re.compile(r"psc_connect\.W0(10|11|12)")
    return [message for message in run_checks(tags=["files"]) if ours.fullmatch(str(message.id))]


def test_a_site_without_replaced_tables_has_no_message(settings: Any) -> None:
    assert found() == []
    settings.PSC_CONNECT_NOMENCLATURE_DIR = None
    assert found() == []


def test_valid_tables_have_no_message(folder: Path) -> None:
    assert found() == []
    (folder / f"{NAME}.json").write_text(json.dumps(NEWER))
    (folder / "README.txt").write_text("Taken from ANS.")
    (folder / "TRE_R81-Civilite.json").write_text(json.dumps(table_as_json(shipped("TRE_R81-Civilite"))))
    assert found() == []


@pytest.mark.parametrize("value", ["tables", 5, ["/tmp"], "/nowhere/tables", "/nul\x00", __file__])
def test_a_folder_that_cannot_be_read_is_a_warning(settings: Any, value: Any) -> None:
    settings.PSC_CONNECT_NOMENCLATURE_DIR = value
    [message] = found()
    assert (message.id, message.is_serious(), bool(message.hint)) == ("psc_connect.W010", False, True)


@pytest.mark.parametrize(("name", "content", "expected", "reason"), WRONG)
def test_an_unusable_file_is_a_warning(
    folder: Path, english: None, name: str, content: str, expected: str, reason: str
) -> None:
    (folder / name).write_text(content)
    [message] = found()
    assert (message.id, message.is_serious()) == (expected, False)
    assert name in message.msg
    assert reason in message.msg
    assert (
        message.hint == PROBLEMS[reason] if expected == "psc_connect.W011" else "psc_nomenclatures" in str(message.hint)
    )


def test_each_file_has_its_own_warning(folder: Path) -> None:
    for name in ("b.json", "a.json"):
        (folder / name).write_text("")
    assert [str(message.msg).split(",")[0] for message in found()] == ["a.json", "b.json"]


def test_every_id_is_in_the_table() -> None:
    ids = set(re.findall(r'"(psc_connect\.[EW]\d{3})"', inspect.getsource(nomenclatures)))
    assert ids == {expected for _name, _content, expected, _reason in WRONG} | {"psc_connect.W010"}


def test_every_reason_is_documented() -> None:
    rows = re.findall(r"^\| `(table_[a-z_]+)` \| .{10,} \|$", CHECKS_PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(PROBLEMS)
