"""Texts from outside, cut before they are stored."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psc_connect.text import cut_control_characters

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LINE_BREAKS = ["\n", "\r\n", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"]


@pytest.mark.case("NW14")
@pytest.mark.parametrize("character", [*BIDI_CONTROLS, "\0", "\x07", "\x08", "\x1b", "\x7f", "\x80", "\x9b"])
def test_control_or_bidirectional_character_is_cut(character):
    assert cut_control_characters(f"{character}DU{character}PONT{character}") == "DUPONT"


@pytest.mark.case("NW14")
@pytest.mark.parametrize("line_break", LINE_BREAKS)
def test_line_break_becomes_a_space_and_is_cut_at_the_ends(line_break):
    assert cut_control_characters(f"{line_break}12 rue X{line_break}Paris{line_break}") == "12 rue X Paris"


@pytest.mark.parametrize(
    "name",
    [
        "D’Hérouël-Ngô",
        "Zoe\u0308",
        "نادیا‌الله",
        "क्‍ष",
        "\N{HEBREW LETTER ALEF}\N{HEBREW POINT QAMATS}",
        "李小龙",
        "Ἀριστοτέλης",
        "a\N{NO-BREAK SPACE}b",
        "soft\N{SOFT HYPHEN}hyphen",
        " ",
        " KIT ",
        "",
    ],
)
def test_name_in_any_script_is_kept(name):
    assert cut_control_characters(name) == name


def test_every_text_of_a_json_value_is_cut_and_the_rest_kept():
    claims = {"a\n": ["\u202ex", {"b": "y\r\n", "n": 1, "f": 1.5, "t": True, "z": None}], "c": "ok"}
    assert cut_control_characters(claims) == {
        "a\n": ["x", {"b": "y", "n": 1, "f": 1.5, "t": True, "z": None}],
        "c": "ok",
    }


@given(st.text())
def test_no_control_line_breaking_or_bidirectional_character_is_left(text):
    cut = cut_control_characters(text)
    assert not [each for each in cut if unicodedata.category(each) in {"Cc", "Zl", "Zp"} or each in BIDI_CONTROLS]
    assert len(cut.splitlines()) <= 1
    assert cut_control_characters(cut) == cut
