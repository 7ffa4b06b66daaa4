"""Differences between serialized providers, and values made safe for one line."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.providers.serialization import diff
from psc_connect.text import escape_control_characters, to_single_line


def names(old: list[dict[str, str]], new: list[dict[str, str]], kind: str = "exported_groups") -> list[str]:
    return [each.name for each in diff({kind: old}, {kind: new})]


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


# Values in one line.


def test_a_value_is_cut_before_it_is_written() -> None:
    """Each step doubles it: to write it whole would take more memory than there is."""
    value: list[Any] = ["a"]
    for _step in range(60):
        value = [value, value]
    assert to_single_line(value, 100).startswith("[[[[")
    assert len(to_single_line(value, 100)) == 100


@pytest.mark.case("LG03")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\u001b[2Jb"),
        ("a\r\nb\u2028c\x85d", "a\\r\\nb\\u2028c\\u0085d"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\ud800b\x00c", "a\\ud800b\\u0000c"),
        ("\U000e0001", "\\udb40\\udc01"),
        ("d’où\u00a0: « é »", "d’où\u00a0: « é »"),
        ("\U0001f469\u200d\u2695\ufe0f", "\U0001f469\u200d\u2695\ufe0f"),
    ],
)
def test_what_steers_is_written_and_what_reads_stays(text: str, shown: str) -> None:
    assert escape_control_characters(text) == to_single_line(text) == shown
    assert to_single_line([text]).encode()
