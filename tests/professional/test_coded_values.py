"""Codes and their labels: known, unknown, closed, with and without an OID."""

from __future__ import annotations

import pytest

from psc_connect.professional.coded_values import Code, label
from psc_connect.professional.nomenclatures import SUBJECTS, TABLES, choices, shipped

DOCTOR = Code.read("10^1.2.250.1.213.1.1.5.5", *SUBJECTS["profession"])


@pytest.mark.parametrize("name", TABLES)
def test_every_code_of_every_table_has_its_label(name: str) -> None:
    concepts = shipped(name).concepts
    assert concepts
    for each in concepts.values():
        code = Code.read(each.code, name)
        assert code.label == str(code) == label(code) == label(each.code, name) == each.label
        assert code.is_closed is (each.closed is not None)


def test_a_code_can_come_with_the_oid_of_its_table() -> None:
    assert (DOCTOR.code, DOCTOR.system, DOCTOR.sent) == ("10", "1.2.250.1.213.1.1.5.5", "10^1.2.250.1.213.1.1.5.5")
    assert (DOCTOR.label, str(DOCTOR), bool(DOCTOR)) == ("Médecin", "Médecin", True)
    assert Code.read("10").sent == "10"
    assert label("10^1.2.250.1.213.1.1.5.5", "profession") == "Médecin"


def test_an_unknown_code_is_shown_instead_of_a_label() -> None:
    unknown = Code.read("999", *SUBJECTS["profession"])
    assert (unknown.label, str(unknown), bool(unknown), unknown.concept, unknown.is_closed) == (
        "",
        "999",
        True,
        None,
        False,
    )
    assert label("999", "profession") == "999"
    # No table for this kind of code is shipped.
    assert str(Code.read("A")) == label("A") == "A"


def test_a_closed_code_has_its_label_and_is_closed() -> None:
    closed = Code.read("MLLE", *SUBJECTS["civility"])
    assert (str(closed), closed.is_closed) == ("Mademoiselle", True)
    assert closed.concept is not None
    assert closed.concept.closed == "2016-09-01"


def test_an_empty_code_is_false() -> None:
    for text in ("", "^"):
        code = Code.read(text, *SUBJECTS["profession"])
        assert code == Code()
        assert (bool(code), str(code), code.label, code.is_closed, code.sent) == (False, "", "", False, "")
    # An OID without a code is kept and has no label.
    assert (Code.read("^1.2").sent, bool(Code.read("^1.2"))) == ("^1.2", False)


def test_a_code_is_looked_up_in_the_first_table_that_has_it() -> None:
    assert label("41", "profession") == "Assistant de service social"
    assert label("71", "profession") == "Ostéopathe"
    assert label("CEX24", "skill") != "CEX24"
    assert label("CAPA01", "speciality") == "CAPA01"
    assert label("CAPA01", "skill") != "CAPA01"


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_code_of_a_subject_has_a_label(kind: str) -> None:
    assert [each.code for each in choices(kind) if label(each.code, kind) != each.label] == []


def test_the_kind_wins_over_the_tables_of_a_code() -> None:
    section = Code.read("B")
    assert label(section) == "B"
    assert label(section, "mode") == "Bénévole"


@pytest.mark.parametrize("kind", ["profesion", "Profession", "TRE_R06-SectionTableauCNOP"])
def test_an_unknown_kind_raises_an_error_that_lists_the_known_ones(kind: str) -> None:
    with pytest.raises(KeyError) as raised:
        label("10", kind)
    assert str(raised.value).startswith(f"'{kind}' is not a subject or a table. There are: profession, category, ")
