"""Masks for identifiers of people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.admin.masking import masked, masker
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
