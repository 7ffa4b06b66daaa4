"""Computed properties of a professional."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.professional.coded_values import Code
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import tables_of
from psc_connect.professional.professional import Activity, ActivityChoice, Practice, Professional
from psc_connect.professional.userinfo import read_userinfo
from tests.professional.payloads import PAYLOADS, PUBLISHED, leaves

CARD = PUBLISHED["doctor-card-two-activities-2023"]
PROFESSION = Code.read("10", *tables_of("profession"))
# Values that identify the person.
PERSONAL = ("sub", "SubjectNameID", "preferred_username", "given_name", "family_name", "identifiant", "nomDexercice")


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_repr_does_not_identify_the_person(payload: dict[str, object]) -> None:
    professional = read_userinfo(payload)
    shown = f"{professional!r} {professional} {professional.activity_choices!r} {professional.identifiers!r}"
    personal = {str(value) for place, value in leaves(payload) if place[-1] in PERSONAL and len(str(value)) > 3}
    assert personal
    assert [each for each in personal if each in shown] == []


def test_a_professional_is_hashable() -> None:
    assert len({read_userinfo(CARD), read_userinfo(CARD), read_userinfo({**CARD, "nouveau": []})}) == 2


@pytest.mark.parametrize(
    ("values", "department"),
    [
        ({"department_sent": "75", "postal_code": "69001"}, "75"),
        ({"municipality": "75109", "postal_code": "92100"}, "75"),
        ({"municipality": "2A004"}, "2A"),
        ({"municipality": "97411"}, "974"),
        ({"municipality": "98735"}, "987"),
        ({"postal_code": "75009"}, "75"),
        ({"postal_code": "01000"}, "01"),
        ({"postal_code": "97400"}, "974"),
        ({"postal_code": "20000"}, "2A"),
        ({"postal_code": "20167"}, "2A"),
        ({"postal_code": "20200"}, "2B"),
        ({"postal_code": "20620"}, "2B"),
        ({"postal_code": "75009", "country": "99000"}, "75"),
        # A postal code of Berlin.
        ({"postal_code": "10115", "country": "99109"}, ""),
        ({"postal_code": "SW1A 1AA"}, ""),
        ({"postal_code": "\u0667\u0665\u0660\u0660\u0669"}, ""),
        ({"postal_code": "7"}, ""),
        ({}, ""),
    ],
)
def test_the_department_is_as_sent_or_from_the_address(values: dict[str, Any], department: str) -> None:
    assert Activity(**values).department == department


@pytest.mark.parametrize(
    ("postal_code", "post_office", "place"),
    [
        ("75009", "75009 PARIS", "75009 PARIS"),
        ("75009", "PARIS", "75009 PARIS"),
        ("75009", "", "75009"),
        ("", "PARIS CEDEX 09", "PARIS CEDEX 09"),
        ("", "", ""),
    ],
)
def test_the_place_has_its_postal_code_once(postal_code: str, post_office: str, place: str) -> None:
    assert Activity(postal_code=postal_code, post_office=post_office).place == place


def test_structure_name_is_the_company_name_or_the_trade_name() -> None:
    assert Activity(company_name="SELARL", trade_name="PHARMACIE").structure_name == "SELARL"
    assert Activity(trade_name="PHARMACIE").structure_name == "PHARMACIE"


def test_a_skill_of_kind_s_is_a_speciality() -> None:
    practice = read_userinfo(CARD).practices[0]
    assert practice.speciality.label == "Qualifié en Médecine générale (SM)"
    assert Practice(skill_kind=Code("C"), skill=Code("C07")).speciality == Code()


def test_an_activity_choice_sent_twice_is_listed_once() -> None:
    professional = read_userinfo(PUBLISHED["doctor-two-exercices-2022"])
    assert len(professional.practices) == 2
    assert [each.activity.mode.code for each in professional.activity_choices if each.activity] == ["L", "S"]


def test_a_practice_without_activities_is_an_activity_choice() -> None:
    practice = Practice(profession=Code("10"))
    [activity_choice] = Professional(practices=(practice,)).activity_choices
    assert (activity_choice.practice, activity_choice.activity) == (practice, None)


def test_rpps_is_the_number_of_the_best_identifier() -> None:
    other = {"identifiant": "810000000009", "origine": "RPPS", "qualite": 2}
    best = {"identifiant": "99700427885", "origine": "RPPS", "qualite": 1}
    assert read_userinfo({"otherIds": [other, best]}).rpps == "99700427885"
    assert read_userinfo({"otherIds": [other]}).rpps == "10000000009"
    assert read_userinfo({"SubjectNameID": "899700427885", "otherIds": [other]}).rpps == "99700427885"
    assert read_userinfo({"SubjectNameID": "ANS20231122132732"}).rpps == ""
    assert read_userinfo(CARD).national_identifier.kind is Kind.RPPS


def test_str_is_profession_skill_structure_and_place() -> None:
    shown = [str(each) for each in read_userinfo(CARD).activity_choices]
    practice, activity = read_userinfo(CARD).practices[0], read_userinfo(CARD).practices[0].activities[0]
    assert str(practice) == "Médecin · Qualifié en Médecine générale (SM)"
    assert str(activity) == f"{activity.structure_name}, {activity.place}"
    assert shown[0] == f"{practice} – {activity}"


def test_str_omits_missing_values() -> None:
    doctor = Practice(profession=PROFESSION)
    assert str(ActivityChoice(doctor)) == str(ActivityChoice(doctor, Activity())) == "Médecin"
    assert str(ActivityChoice(Practice(), Activity(post_office="PARIS"))) == "PARIS"
    assert str(ActivityChoice(Practice())) == ""
