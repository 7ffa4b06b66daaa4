"""``psc_nomenclatures``: the code tables listed, searched, shown and replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from psc_connect.professional.coded_values import label
from psc_connect.professional.nomenclatures import TABLES, shipped, table
from psc_connect.professional.nomenclatures.replacement import table_as_json
from tests.configuration.commands import Called, call
from tests.professional.tables import as_fhir

NAME = "TRE_R23-ModeExercice"
TODAY = shipped(NAME)

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The site's folder, which does not exist yet."""
    settings.PSC_CONNECT_NOMENCLATURE_DIR = str(tmp_path / "tables")
    return tmp_path / "tables"


def nomenclatures(*arguments: str) -> Called:
    return call("psc_nomenclatures", *arguments)


def file_of(folder: Path, document: object) -> str:
    path = folder / "newer.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return str(path)


def newer(*entries: dict[str, Any], version: str = "2030-01-15") -> dict[str, Any]:
    """Return the shipped table with entries added, or replaced if they have the same code."""
    listed = {each["code"]: each for each in (*table_as_json(TODAY)["concepts"], *entries)}
    return {**table_as_json(TODAY), "version": version, "concepts": list(listed.values())}


def entry(code: str, text: str, closed: str | None = None) -> dict[str, Any]:
    return {"code": code, "label": text, "closed": closed}


def test_every_table_is_listed_with_subject_version_and_codes() -> None:
    called = nomenclatures("list")
    lines = called.text.splitlines()
    assert (called.status, [line.split()[0] for line in lines]) == (0, list(TABLES))
    [civilities] = [line for line in lines if line.startswith("TRE_R81")]
    assert civilities.split("  ", 1)[1].strip() == "2020-04-24    2 in force,  1 closed  shipped  civilities"


def test_a_code_is_found_by_label_or_code_and_a_closed_one_is_marked() -> None:
    assert nomenclatures("search", "sage femme").text == "TRE_G15-ProfessionSante  50  Sage-Femme\n"
    called = nomenclatures("search", "MADEMOISELLE")
    assert called.text == "TRE_R81-Civilite  MLLE  Mademoiselle  (closed since 2016-09-01)\n"
    found = nomenclatures("search", "sm54", "--table", "speciality")
    assert (found.status, found.text) == (0, "TRE_R38-SpecialiteOrdinale  SM54  Médecine générale (SM)\n")


def test_a_search_stays_in_the_tables_of_a_subject_or_in_one() -> None:
    every = {line.split()[0] for line in nomenclatures("search", "medecin").text.splitlines()}
    assert {"TRE_G15-ProfessionSante", "TRE_R21-Fonction"} <= every
    for kind in ("role", "TRE_R21-Fonction"):
        found = nomenclatures("search", "medecin", "--table", kind).text.splitlines()
        assert {line.split()[0] for line in found} == {"TRE_R21-Fonction"}


def test_a_search_is_written_as_json_for_other_programs() -> None:
    called = nomenclatures("search", "mademoiselle", "--json")
    assert json.loads(called.text) == [
        {"table": "TRE_R81-Civilite", "code": "MLLE", "label": "Mademoiselle", "closed": "2016-09-01"}
    ]


def test_a_search_that_finds_nothing_says_so_and_ends_with_1() -> None:
    called = nomenclatures("search", "zzz")
    assert (called.status, called.text) == (1, "No code matches “zzz”.")
    called = nomenclatures("search", "zzz", "--json")
    assert (called.status, called.text.startswith("[]\n")) == (1, True)


def test_every_code_of_a_table_is_shown_in_its_order() -> None:
    called = nomenclatures("show", NAME)
    assert called.text.splitlines() == [
        "TRE_R23-ModeExercice  1.2.250.1.213.1.6.1.18  2021-08-27  modes of practice",
        "  S  Salarié",
        "  L  Libéral, indépendant, artisan, commerçant",
        "  B  Bénévole",
    ]
    assert nomenclatures("show", "profession").text.count("\n") == 3 + 30 + 26 + 10


@pytest.mark.parametrize("arguments", [("show", "modes"), ("search", "a", "--table", "R23")])
def test_an_unknown_table_is_refused_with_the_known_ones(arguments: tuple[str, ...]) -> None:
    called = nomenclatures(*arguments)
    assert called.status == 2
    assert "profession" in called.text
    assert NAME in called.text
    assert called.text.endswith("[table_unknown]")


def test_the_changes_of_a_newer_table_are_shown_and_used_at_once(folder: Path, tmp_path: Path) -> None:
    document = newer(entry("X", "Mixte"), entry("L", "Libéral"), entry("B", "Bénévole", "2030-01-01"))
    called = nomenclatures("replace", file_of(tmp_path, document))
    assert called.status == 0
    assert called.text.splitlines() == [
        "TRE_R23-ModeExercice: 2021-08-27 with 3 codes → 2030-01-15 with 4 codes",
        "  new: X  Mixte",
        "  closed: B  Bénévole  (closed from 2030-01-01 on)",
        "  renamed: L  Libéral, indépendant, artisan, commerçant → Libéral",
        f"Written to {folder / NAME}.json and used from now on.",
    ]
    assert (label("X", "mode"), label("L", "mode"), table(NAME).replaced) == ("Mixte", "Libéral", True)
    assert "replaced by the site" in nomenclatures("list").text
    assert nomenclatures("search", "mixte").text == f"{NAME}  X  Mixte\n"


def test_the_same_table_again_changes_nothing(folder: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, newer(entry("X", "Mixte")))
    assert nomenclatures("replace", path).status == 0
    before = (folder / f"{NAME}.json").stat()
    called = nomenclatures("replace", path)
    assert (called.status, called.text) == (0, "TRE_R23-ModeExercice: no changes\n")
    assert (folder / f"{NAME}.json").stat() == before


def test_a_reopened_code_is_shown(folder: Path, tmp_path: Path) -> None:
    nomenclatures("replace", file_of(tmp_path, newer(entry("B", "Bénévole", "2020-01-01"))))
    called = nomenclatures("replace", file_of(tmp_path, newer(version="2030-01-16")))
    assert "  in force again: B  Bénévole\n" in called.text


def test_a_check_shows_changes_and_writes_nothing(folder: Path, tmp_path: Path, settings: Any) -> None:
    path = file_of(tmp_path, newer(entry("X", "Mixte")))
    called = nomenclatures("replace", path, "--check")
    assert (called.status, "new: X  Mixte" in called.text, folder.exists()) == (1, True, False)
    settings.PSC_CONNECT_NOMENCLATURE_DIR = None
    assert nomenclatures("replace", path, "--check") == called
    assert nomenclatures("replace", file_of(tmp_path, table_as_json(TODAY)), "--check").status == 0


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_the_format_of_ans_is_accepted(name: str, folder: Path, tmp_path: Path) -> None:
    document = as_fhir(shipped(name), date="2030-01-15T12:00:00+01:00")
    assert nomenclatures("replace", file_of(tmp_path, document)).status == 0
    assert (table(name).version, table(name).concepts) == ("2030-01-15", shipped(name).concepts)


def test_a_table_is_read_from_standard_input() -> None:
    program = "from django.core.management import execute_from_command_line as run; import sys; run(sys.argv)"
    done = subprocess.run(
        [sys.executable, "-c", program, "psc_nomenclatures", "replace", "-", "--check"],
        input=json.dumps(newer(entry("X", "Mixte"))),
        capture_output=True,
        text=True,
        check=False,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": ":".join(sys.path), "PYTHONUTF8": "1"},
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "X  Mixte" in done.stdout


REFUSED: list[tuple[str, Any]] = [
    ("table_not_json", "<CodeSystem/>"),
    ("table_malformed", []),
    ("table_unknown", {**newer(), "code_system": "TRE_R06-SectionTableauCNOP"}),
    ("table_unknown", as_fhir(TODAY, id="TRE-R06-SectionTableauCNOP")),
    ("table_malformed", {**newer(), "concepts": [entry("S", "")]}),
    ("table_code_twice", {**newer(), "concepts": [entry("S", "Salarié"), entry("S", "Salarié")]}),
    ("table_older", newer(version="2021-08-26")),
    ("table_loses_codes", {**newer(), "concepts": [entry("S", "Salarié")]}),
]


@pytest.mark.parametrize(("code", "document"), REFUSED)
@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_file_is_refused_with_a_code_and_nothing_is_written(
    code: str, document: Any, options: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    called = nomenclatures("replace", file_of(tmp_path, document), *options)
    assert called.status == 2
    assert called.text.endswith(f"[{code}]")
    assert not folder.exists()


def test_codes_that_would_be_removed_are_shown_before_the_refusal(folder: Path, tmp_path: Path) -> None:
    called = nomenclatures("replace", file_of(tmp_path, {**newer(), "concepts": [entry("S", "Salarié")]}))
    assert "  removed: L  Libéral, indépendant, artisan, commerçant\n  removed: B  Bénévole\n" in called.text


def test_force_accepts_a_table_that_is_older_or_loses_codes(folder: Path, tmp_path: Path) -> None:
    document = {**newer(version="2020-01-01"), "concepts": [entry("S", "Salarié")]}
    called = nomenclatures("replace", file_of(tmp_path, document), "--force")
    assert (called.status, "removed: B  Bénévole" in called.text) == (0, True)
    assert (label("B", "mode"), table(NAME).version) == ("B", "2020-01-01")


def test_force_does_not_accept_an_unknown_table(folder: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path, {**newer(), "code_system": "TRE_R06-SectionTableauCNOP"})
    assert nomenclatures("replace", path, "--force").status == 2


def test_a_table_replaces_a_broken_one(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / f"{NAME}.json").write_text("{")
    assert nomenclatures("replace", file_of(tmp_path, newer(entry("X", "Mixte")))).status == 0
    assert label("X", "mode") == "Mixte"


def test_without_its_setting_nothing_is_replaced(tmp_path: Path, settings: Any) -> None:
    path = file_of(tmp_path, newer(entry("X", "Mixte")))
    for value in (None, "", "tables"):
        settings.PSC_CONNECT_NOMENCLATURE_DIR = value
        called = nomenclatures("replace", path)
        assert called.status == 2
        assert "PSC_CONNECT_NOMENCLATURE_DIR" in called.text
        assert called.text.endswith("[nomenclature_dir_missing]")


@pytest.mark.parametrize("place", ["newer.json", "newer.json/below", "nul\x00"])
def test_a_folder_that_cannot_be_written_is_named(place: str, tmp_path: Path, settings: Any) -> None:
    path = file_of(tmp_path, newer(entry("X", "Mixte")))
    settings.PSC_CONNECT_NOMENCLATURE_DIR = tmp_path / place
    called = nomenclatures("replace", path)
    assert called.status == 2
    assert str(tmp_path / place) in called.text
    assert called.text.endswith("[nomenclature_dir_unwritable]")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    if content is not None:
        path.write_bytes(content)
    called = nomenclatures("replace", str(path))
    assert (called.status, str(path) in called.text) == (2, True)


@pytest.mark.parametrize("name", ["TRE_R23", "tre_r23-mode", NAME])
def test_the_start_of_a_table_name_is_enough(name: str) -> None:
    assert nomenclatures("show", name).text.startswith(f"{NAME}  ")


def test_a_name_of_no_table_or_of_several_lists_them_one_a_line() -> None:
    several = nomenclatures("show", "TRE_R9")
    assert several.status == 2
    assert several.text.splitlines()[1:] == ["  TRE_R94-ProfessionSocial", "  TRE_R95-UsagerTitre [table_unknown]"]
    assert {f"  {each}" for each in ("mode", NAME)} < set(nomenclatures("show", "nothing").text.splitlines())
