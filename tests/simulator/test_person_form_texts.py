"""The texts of the form that creates a person: both languages, ANS's labels, the actual limits."""

from __future__ import annotations

import re

import pytest

from psc_connect.professional.nomenclatures import concept
from psc_connect.simulator import person_form_codes
from psc_connect.simulator.created_people import MAX_CREATED_PEOPLE
from psc_connect.simulator.pages import person_form_texts, texts
from psc_connect.simulator.pasted_userinfo import MAX_JSON_LENGTH
from psc_connect.simulator.person_form import FIELDS, FIELDSETS, MAX_ACTIVITIES, luhn_check_digit


@pytest.mark.parametrize(
    ("offered", "tables"),
    [
        (person_form_codes.CATEGORIES, ("TRE_R09-CategorieProfessionnelle",)),
        (person_form_codes.MODES, ("TRE_R23-ModeExercice",)),
        (person_form_codes.SKILL_KINDS, ("TRE_R04-TypeSavoirFaire",)),
        (person_form_codes.PROFESSIONS, ("TRE_G15-ProfessionSante", "TRE_R94-ProfessionSocial", "TRE_R95-UsagerTitre")),
        (person_form_codes.SKILLS, ("TRE_R38-SpecialiteOrdinale",)),
        (person_form_codes.SECTORS, ("TRE_R02-SecteurActivite",)),
        (person_form_codes.ROLES, ("TRE_R21-Fonction",)),
    ],
)
def test_a_suggested_code_has_the_label_of_its_table(offered: person_form_codes.Codes, tables: tuple[str, ...]) -> None:
    found = [(each.code, each.label) for code, _ in offered if (each := concept(code, *tables)) and not each.closed]

    assert found == list(offered)


def test_both_languages_have_the_same_keys() -> None:
    for words in (
        person_form_texts.LEGENDS,
        person_form_texts.FIELDS,
        person_form_texts.CHOICES,
        person_form_texts.PROBLEMS,
        texts.GROUPS,
    ):
        assert list(words["fr"]) == list(words["en"])
    assert list(person_form_texts.LEGENDS["fr"]) == list(FIELDSETS)
    assert list(person_form_texts.FIELDS["fr"]) == [each.name for each in FIELDS]


def test_french_punctuation_keeps_its_non_breaking_space() -> None:
    pairs = [*person_form_texts.FIELDS["fr"].values(), *texts.GROUPS["fr"].values()]
    sentences = [*person_form_texts.PROBLEMS["fr"].values(), *person_form_texts.LEGENDS["fr"].values(), *sum(pairs, ())]
    for sentence in sentences:
        assert not re.search(r"[^\u00a0][;:?!](\s|$)|« | »|'", sentence), sentence


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_numbers_in_the_sentences_are_the_limits(language: str) -> None:
    problems, fields = person_form_texts.PROBLEMS[language], person_form_texts.FIELDS[language]
    example = re.search(r"\d{11}", fields["rpps"][1])

    assert re.sub(r"\D", "", problems["json_too_long"]) == str(MAX_JSON_LENGTH)
    assert str(MAX_ACTIVITIES) in problems["activities_malformed"]
    assert str(MAX_ACTIVITIES) in fields["activities"][1]
    assert ("vingt" if language == "fr" else "twenty") in texts.GROUPS[language]["created"][1]
    assert MAX_CREATED_PEOPLE == 20
    assert example is not None
    assert luhn_check_digit(example[0][:-1]) == example[0][-1]
