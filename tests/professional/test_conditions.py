"""Conditions on a professional, as rules and views ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.professional.conditions import CODED, OPERATORS, SUBJECTS, Condition, ConditionError, Situation
from psc_connect.professional.professional import Activity, Professional
from psc_connect.professional.userinfo import read_userinfo
from tests.professional.payloads import PAYLOADS

DOCTOR = "doctor-card-two-activities-2023"


def situation(name, number=0, acr="eidas1"):
    professional = read_userinfo(PAYLOADS[name])
    activity_choices = professional.activity_choices
    return Situation(professional, activity_choices[number] if activity_choices else None, acr)


@pytest.mark.parametrize(
    ("subject", "operator", "values", "holds"),
    [
        ("profession", "in", ["10"], True),
        ("profession", "in", ["40", "10"], True),
        ("profession", "in", ["1"], False),
        ("profession", "not_in", ["10"], False),
        ("profession", "not_in", ["60"], True),
        ("category", "in", ["C"], True),
        ("speciality", "in", ["SM26"], True),
        ("speciality", "starts_with", ["SM"], True),
        ("speciality", "starts_with", ["SCD"], False),
        ("mode", "in", ["L"], True),
        ("mode", "in", ["S"], False),
        ("sector", "starts_with", ["SA"], True),
        ("role", "in", ["FON-01"], False),
        ("role", "not_in", ["FON-01"], True),
        ("department", "in", ["75"], True),
        ("department", "in", ["7"], False),
        ("identifier_kind", "in", ["rpps"], True),
        ("identifier_kind", "in", ["edit"], False),
        ("acr", "in", ["eidas1"], True),
        ("acr", "in", ["eidas2", "eidas3"], False),
        ("means", "in", ["CARD"], True),
    ],
)
def test_a_doctor_of_the_sandbox(subject, operator, values, holds):
    assert Condition.of(subject, operator, values).holds(situation(DOCTOR)) is holds


@pytest.mark.parametrize(
    "field", ["finess", "finess_legal_entity", "siret", "siren", "structure_id", "former_structure_id"]
)
def test_a_structure_by_each_of_its_numbers(field):
    activity_choice = situation(DOCTOR).activity_choice
    values: dict[str, Any] = {field: "123 456 789"}
    activity = Activity(**values)
    found = Situation(Professional(), type(activity_choice)(activity_choice.practice, activity))
    assert Condition.of("structure", "in", ["123456789"]).holds(found)
    assert Condition.of("structure", "in", [" 1234 56789 "]).holds(found)
    assert Condition.of("structure", "starts_with", ["1234"]).holds(found)
    assert not Condition.of("structure", "in", ["12345678"]).holds(found)


def test_a_siren_is_the_beginning_of_a_siret():
    activity_choice = situation(DOCTOR).activity_choice
    found = Situation(
        Professional(), type(activity_choice)(activity_choice.practice, Activity(siret="500 000 001 81564"))
    )
    assert Condition.of("structure", "in", ["500000001"]).holds(found)


def test_the_structure_of_staff_without_professional_data():
    secretary = situation("structure-secretary")
    assert secretary.activity_choice is None
    number = secretary.professional.national_identifier.number.partition("/")[0]
    assert Condition.of("structure", "in", [number]).holds(secretary)
    assert Condition.of("sector", "in", [secretary.professional.sector.code]).holds(secretary)


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_empty_professional_is_in_no_list(subject, operator):
    nobody = Situation(Professional())
    value = "rpps" if subject == "identifier_kind" else "x"
    assert Condition.of(subject, operator, [value]).holds(nobody) is (operator == "not_in")


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_in_and_not_in_are_opposites(name, subject):
    professional = read_userinfo(PAYLOADS[name])
    for activity_choice in professional.activity_choices or (None,):
        situation = Situation(professional, activity_choice, "eidas1")
        values = [value for value in SUBJECTS[subject](situation) if value] or ["x"]
        is_in = Condition.of(subject, "in", values).holds(situation)
        assert Condition.of(subject, "not_in", values).holds(situation) is not is_in


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "condition_malformed"),
        ([], "condition_malformed"),
        ({"subject": "profession", "operator": "in"}, "condition_malformed"),
        ({"subject": "profession", "operator": "in", "values": "10"}, "condition_malformed"),
        ({"subject": "profession", "operator": "in", "values": [10]}, "condition_malformed"),
        ({"subject": "profession", "operator": "in", "values": ["10"], "more": 1}, "condition_malformed"),
        ({"subject": "shoe_size", "operator": "in", "values": ["10"]}, "condition_subject_unknown"),
        ({"subject": ["x"], "operator": "in", "values": ["10"]}, "condition_subject_unknown"),
        ({"subject": "profession", "operator": "like", "values": ["10"]}, "condition_operator_unknown"),
        ({"subject": "profession", "operator": {}, "values": ["10"]}, "condition_operator_unknown"),
        ({"subject": "profession", "operator": "in", "values": []}, "condition_values_missing"),
        ({"subject": "profession", "operator": "in", "values": [" ", ""]}, "condition_values_missing"),
    ],
)
def test_an_invalid_condition_has_a_code(data, code):
    with pytest.raises(ConditionError) as raised:
        Condition.read(data)
    assert raised.value.code == code


def test_a_condition_is_read_back_unchanged():
    condition = Condition.of("structure", "in", ["1 2", "12", "3"])
    assert condition.values == ("12", "3")
    assert Condition.read(condition.as_json()) == condition


@pytest.mark.parametrize("subject", CODED)
def test_an_unknown_code_is_reported_and_kept(subject):
    condition = Condition.of(subject, "in", ["ZZ99"])
    assert condition.unknown_codes == ("ZZ99",)
    assert condition.values == ("ZZ99",)
    assert Condition.of(subject, "starts_with", ["ZZ99"]).unknown_codes == ()


def test_known_codes_and_values_without_table_are_not_reported():
    assert Condition.of("profession", "in", ["10", "80", "41", "71"]).unknown_codes == ()
    assert Condition.of("acr", "in", ["eidas9"]).unknown_codes == ()
