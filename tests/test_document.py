"""Declarations compared: no difference hides another one."""

from __future__ import annotations

import pytest

from psc_connect.document import differences


def names(old: list[dict[str, str]], new: list[dict[str, str]], kind: str = "exported_groups") -> list[str]:
    return [each.name for each in differences({kind: old}, {kind: new})]


PLAIN = {"claim": "SubjectRole", "equals": "", "group": "Staff admins"}


@pytest.mark.case("AD01", "AD03")
def test_rows_that_read_alike_are_two() -> None:
    alike = {"claim": "SubjectRole", "equals": " Staff", "group": "admins"}
    assert names([PLAIN], [alike, PLAIN]) == names([PLAIN], [PLAIN, alike]) != []
    assert len(names([PLAIN], [alike])) == 2


def test_a_row_that_is_there_twice_differs_from_one() -> None:
    assert len(names([PLAIN], [PLAIN, PLAIN])) == 1
    assert names([PLAIN, PLAIN], [PLAIN, PLAIN]) == []


def test_rows_that_change_places_are_the_same() -> None:
    other = {**PLAIN, "group": "Doctors"}
    assert names([PLAIN, other], [other, PLAIN]) == []


def test_a_field_of_the_user_has_one_name_whatever_fills_it() -> None:
    old, new = ({"claim": claim, "user_field": "email"} for claim in ("email", "mail"))
    assert names([old], [new], "exported_attributes") == ["exported_attributes.email"]
