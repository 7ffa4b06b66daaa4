"""Replacing a code table: both formats, error codes, and fallback to the shipped table."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from psc_connect.professional import nomenclatures
from psc_connect.professional.coded_values import Code
from psc_connect.professional.nomenclatures import (
    PROBLEMS,
    TABLES,
    Table,
    TableError,
    parse_table,
    read_replacement,
    shipped,
    table,
)
from psc_connect.professional.nomenclatures.replacement import TableChanges, table_as_json, write_replacement
from tests.professional.tables import as_fhir

NAME = "TRE_R81-Civilite"


def valid_table(**changes: Any) -> dict[str, Any]:
    return {**table_as_json(shipped(NAME)), **changes}


def concepts(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"code": "M", "label": "Monsieur", "closed": None}, *entries]


REFUSED: list[tuple[str, Any]] = [
    ("table_not_json", ""),
    ("table_not_json", "<CodeSystem xmlns='http://hl7.org/fhir'/>"),
    ("table_not_json", "["),
    ("table_not_json", "[" * 100_000),
    ("table_malformed", "[]"),
    ("table_malformed", "null"),
    ("table_malformed", {}),
    ("table_unknown", valid_table(code_system="TRE_R06-SectionTableauCNOP")),
    ("table_unknown", valid_table(code_system=None)),
    ("table_unknown", valid_table(code_system=["TRE_R81-Civilite"])),
    ("table_malformed", valid_table(oid=None)),
    ("table_malformed", valid_table(oid="")),
    ("table_malformed", valid_table(version=None)),
    ("table_malformed", valid_table(version="0.1.0")),
    ("table_malformed", valid_table(version="2026-02-30")),
    ("table_malformed", valid_table(version="20260228")),
    ("table_malformed", valid_table(concepts=[])),
    ("table_malformed", valid_table(concepts={})),
    ("table_malformed", valid_table(concepts=["M"])),
    ("table_malformed", valid_table(concepts=concepts({"label": "Madame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "", "label": "Madame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": 1, "label": "Madame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": " MME", "label": "Madame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": ""}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": "Ma\x00dame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": "Ma\ud800dame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": "Ma\u202edame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME\ue000", "label": "Madame"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": "Madame", "closed": "soon"}))),
    ("table_malformed", valid_table(concepts=concepts({"code": "MME", "label": "Madame", "closed": True}))),
    ("table_code_twice", valid_table(concepts=concepts({"code": "M", "label": "Madame"}))),
    ("table_unknown", as_fhir(shipped(NAME), id="TRE-R06-SectionTableauCNOP")),
    ("table_unknown", as_fhir(shipped(NAME), id=None)),
    ("table_malformed", as_fhir(shipped(NAME), identifier=None)),
    ("table_malformed", as_fhir(shipped(NAME), identifier=[{"value": "R81"}])),
    ("table_malformed", as_fhir(shipped(NAME), date=None)),
    ("table_malformed", as_fhir(shipped(NAME), date="2026")),
    ("table_malformed", as_fhir(shipped(NAME), concept=None)),
    ("table_malformed", as_fhir(shipped(NAME), concept=[None])),
    ("table_malformed", as_fhir(shipped(NAME), concept=[{"code": "M"}])),
    ("table_malformed", as_fhir(shipped(NAME), concept=[{"code": "M", "display": "M", "property": "x"}])),
    (
        "table_code_twice",
        as_fhir(shipped(NAME), concept=[{"code": "M", "display": "M"}, {"code": "M", "display": "M"}]),
    ),
]


@pytest.mark.parametrize(("code", "content"), REFUSED)
def test_invalid_table_is_refused_with_a_code(code: str, content: Any) -> None:
    with pytest.raises(TableError) as raised:
        parse_table(content if isinstance(content, str) else json.dumps(content))
    assert raised.value.code == code
    assert code in PROBLEMS


@pytest.mark.parametrize("name", TABLES)
def test_a_written_table_is_read_back_unchanged(name: str, tmp_path: Path) -> None:
    assert parse_table(write_replacement(shipped(name), tmp_path).read_text("utf-8")) == shipped(name)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("ends", [("dateFin",), ("dateFin", "deprecationDate"), ("retirementDate",)])
def test_a_table_is_read_from_fhir(name: str, ends: tuple[str, ...]) -> None:
    assert parse_table(json.dumps(as_fhir(shipped(name), ends=ends))) == shipped(name)


def test_nested_codes_are_read_in_order() -> None:
    nested: dict[str, Any] = {"code": "A", "display": "A", "concept": [{"code": "B", "display": "B"}]}
    listed = [nested, {"code": "C", "display": "C"}]
    assert list(parse_table(json.dumps(as_fhir(shipped(NAME), concept=listed))).concepts) == ["A", "B", "C"]
    for number in range(300):
        nested = {"code": str(number), "display": "x", "concept": [nested]}
    assert len(parse_table(json.dumps(as_fhir(shipped(NAME), concept=[nested]))).concepts) == 302


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.PSC_CONNECT_NOMENCLATURE_DIR = tmp_path
    return tmp_path


def newer(**changes: Any) -> Table:
    entry = {"code": "DAME", "label": "Dame", "closed": None}
    return parse_table(json.dumps(valid_table(version="2030-01-01", concepts=concepts(entry), **changes)))


def test_a_table_in_the_folder_replaces_the_shipped_one(folder: Path) -> None:
    code = Code.read("DAME", NAME)
    assert (code.label, table(NAME).replaced) == ("", False)
    path = write_replacement(newer(), folder)
    assert (code.label, table(NAME).replaced, table(NAME).version) == ("Dame", True, "2030-01-01")
    assert Code.read("MLLE", NAME).label == ""
    assert Code.read("L", "TRE_R23-ModeExercice").label != ""
    path.unlink()
    assert (code.label, table(NAME).replaced) == ("", False)


def test_a_changed_file_is_read_again(folder: Path) -> None:
    path = write_replacement(newer(), folder)
    assert Code.read("DAME", NAME).label == "Dame"
    again = path.read_text("utf-8").replace('"Dame"', '"Gens"')
    # The same size and the same modification time.
    times = path.stat()
    path.write_text(again, "utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Code.read("DAME", NAME).label == "Gens"


def broken_json(path: Path) -> None:
    path.write_text("{", "utf-8")


def other_encoding(path: Path) -> None:
    path.write_bytes(json.dumps(valid_table(), ensure_ascii=False).replace("Madame", "Madamé").encode("latin-1"))


def other_table(path: Path) -> None:
    path.write_text(json.dumps(table_as_json(shipped("TRE_R23-ModeExercice"))), "utf-8")


def half_a_character(path: Path) -> None:
    path.write_text(json.dumps(valid_table(concepts=concepts({"code": "MME", "label": "\ud800"}))), "utf-8")


def folder_of_its_name(path: Path) -> None:
    path.mkdir()


def nothing_behind_the_link(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (broken_json, "table_not_json"),
        (other_encoding, "table_unreadable"),
        (other_table, "table_misnamed"),
        (half_a_character, "table_malformed"),
        (folder_of_its_name, "table_unreadable"),
        (nothing_behind_the_link, "table_unreadable"),
    ],
)
def test_a_broken_file_is_ignored(folder: Path, spoil: Callable[[Path], None], code: str) -> None:
    spoil(folder / f"{NAME}.json")
    assert Code.read("MME", NAME).label == "Madame"
    assert table(NAME).replaced is False
    for _again in range(2):
        with pytest.raises(TableError) as raised:
            read_replacement(NAME, folder)
        assert raised.value.code == code


@pytest.mark.parametrize("path", ["nowhere", "file", "nul\x00"])
def test_an_invalid_folder_is_ignored(path: str, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").write_text("")
    settings.PSC_CONNECT_NOMENCLATURE_DIR = tmp_path / path
    assert Code.read("MME", NAME).label == "Madame"


@pytest.mark.parametrize("value", [None, "", 5, ["/tmp"], "tables"])
def test_a_setting_that_is_not_an_absolute_path_is_ignored(value: Any, settings: Any) -> None:
    settings.PSC_CONNECT_NOMENCLATURE_DIR = value
    assert nomenclatures.replacement_folder() is None
    assert Code.read("MME", NAME).label == "Madame"


def test_changes_of_a_table_are_listed_by_code() -> None:
    old = parse_table(
        json.dumps(
            valid_table(
                concepts=[
                    {"code": "GONE", "label": "Gone", "closed": None},
                    {"code": "SAME", "label": "Same", "closed": "2020-01-01"},
                    {"code": "NAME", "label": "Old", "closed": None},
                    {"code": "ENDS", "label": "Ends", "closed": None},
                    {"code": "LATER", "label": "Later", "closed": "2030-01-01"},
                    {"code": "BACK", "label": "Back", "closed": "2020-01-01"},
                ]
            )
        )
    )
    new = parse_table(
        json.dumps(
            valid_table(
                concepts=[
                    {"code": "SAME", "label": "Same", "closed": "2020-01-01"},
                    {"code": "NAME", "label": "New", "closed": None},
                    {"code": "ENDS", "label": "Ends", "closed": "2026-01-01"},
                    {"code": "LATER", "label": "Later", "closed": "2031-01-01"},
                    {"code": "BACK", "label": "Back", "closed": None},
                    {"code": "NEW", "label": "New", "closed": None},
                ]
            )
        )
    )
    changes = TableChanges(old, new)
    assert [each.code for each in changes.added] == ["NEW"]
    assert [each.code for each in changes.removed] == ["GONE"]
    assert [(before.label, after.label) for before, after in changes.renamed] == [("Old", "New")]
    assert [each.code for each in changes.closed] == ["ENDS", "LATER"]
    assert [each.code for each in changes.reopened] == ["BACK"]
    assert (bool(changes), changes.is_older) == (True, False)


def test_another_date_alone_is_a_change() -> None:
    same = parse_table(json.dumps(valid_table()))
    older = parse_table(json.dumps(valid_table(version="2019-01-01")))
    assert not TableChanges(shipped(NAME), same)
    assert TableChanges(shipped(NAME), older)
    assert TableChanges(shipped(NAME), older).is_older


def test_a_table_is_written_atomically(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    path = write_replacement(newer(), folder)
    assert path == folder / f"{NAME}.json"
    assert path.stat().st_mode & 0o777 == 0o644
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match=NAME):
        write_replacement(newer(), folder)
    assert list(folder.iterdir()) == [path]
