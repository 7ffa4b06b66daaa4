"""Masks for identifiers of people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.admin.masking import mask_identifiers, masked, masker
from psc_connect.claims.budget import shared_budget
from psc_connect.claims.samples import SAMPLES, load_sample


def identifiers(claims: dict[str, Any]) -> set[str]:
    found = {claims.get("sub"), claims.get("SubjectNameID"), claims.get("preferred_username")}
    found |= {str(claims.get("sub")).rpartition(":")[2]}
    found |= {each["identifiant"] for each in claims.get("otherIds", [])}
    return {each for each in found if each}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_identifier_of_a_sample_is_masked(name: str) -> None:
    claims = load_sample(name)
    text = json.dumps(masker(claims)(claims), ensure_ascii=False)
    assert identifiers(claims)
    for identifier in identifiers(claims):
        assert identifier not in text


def test_other_values_are_shown() -> None:
    claims = load_sample("podiatrist-2023")
    shown = masker(claims)(claims)
    assert shown["given_name"] == claims["given_name"]
    assert shown["SubjectRefPro"]["exercices"][0]["codeProfession"] == "80"


def test_an_identifier_is_masked_inside_other_texts() -> None:
    shown = masker({"SubjectNameID": "899700427885", "sub": "f:abc:899700427885"})
    assert "899700427885" not in json.dumps(shown({"note": "of 899700427885", "list": ["x899700427885x"]}))
    assert shown("899700427885-2") == "89••••••••85-2"


@pytest.mark.parametrize(
    ("text", "expected"), [("899700427885", "89••••••••85"), ("abc", "•••"), ("", ""), ("abcdef", "ab••ef")]
)
def test_a_mask_keeps_two_characters_at_each_end_of_a_long_text(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_an_identifier_is_masked_in_the_form_of_a_username_too() -> None:
    shown = masker({"SubjectNameID": "500000001815646/CPAT00045"})
    assert "1815646" not in shown("500000001815646-CPAT00045")


def test_a_number_can_be_an_identifier() -> None:
    claims = {"SubjectNameID": 899700427885, "iat": 1795627221}
    assert masker(claims)(claims) == {"SubjectNameID": "89••••••••85", "iat": 1795627221}


def test_texts_are_masked_whole_without_steps_to_search_them() -> None:
    shown = masker({"SubjectNameID": "899700427885"})
    with shared_budget(4) as budget:
        assert shown(["Zoé Durand", "of 899700427885"]) == ["Zoé Durand", "of 89••••••••85"]
        assert shown("Zoé Durand " * 64) == masked("Zoé Durand " * 64)
        assert budget.is_used_up
        assert shown({"name": "Zoé Durand", "age": 40}) == {"name": "Zo••••••nd", "age": 40}


@pytest.mark.case("NW11")
@pytest.mark.parametrize(
    "text",
    [
        "dr 9 97 00 42 78 85",
        "dr-997.004.278.85",
        "dr\uff19\uff19\uff17\uff10\uff10\uff14\uff12\uff17\uff18\uff18\uff15",
        "dr\u0669\u0669\u0667\u0660\u0660\u0664\u0662\u0667\u0668\u0668\u0665",
    ],
    ids=["spaces", "points", "full width", "Arabic digits"],
)
def test_a_number_in_another_spelling_masks_the_text(text: str) -> None:
    assert mask_identifiers(text, ["899700427885"]) == masked(text)


@pytest.mark.case("NW11")
def test_digits_of_another_script_in_the_form_of_a_number_mask_the_text() -> None:
    text = "dr \u0669\u0669\u0667\u0660\u0660\u0664\u0662\u0667\u0668\u0668\u0665"
    assert mask_identifiers(text, []) == masked(text)


@pytest.mark.parametrize(
    "text", ["dr-martin-2", "Hélène MARTIN", "\u0645\u062d\u0645\u062f 12", "jean.durand@hopital.example"]
)
def test_names_without_a_number_are_shown(text: str) -> None:
    assert mask_identifiers(text, ["899700427885", "f:550dc1c8:899700427885"]) == text
