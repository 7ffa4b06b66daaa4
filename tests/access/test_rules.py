"""Decisions of access rules about the published samples of Pro Santé Connect, without requests or a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from psc_connect.access.activity_choice import Choice
from psc_connect.access.rules import admit, decide, decide_login, denies_everyone
from psc_connect.models import AccessRule, Provider
from psc_connect.professional.conditions import Situation
from psc_connect.professional.userinfo import read_userinfo
from tests.support.access_rules import (
    DOCTORS,
    HOSPITAL,
    allow,
    give_group,
    make_rule,
    professional_of,
    refuse,
    situation_of,
)

CARD = "doctor-card-two-activities-2023"
FIVE = "doctor-five-activities-2021"
TWO = "doctor-two-exercices-2022"
PODIATRIST = "podiatrist-2023"
NOBODY = "no-professional-data-2023"
OPEN = Provider(others_may_sign_in=True)
CLOSED = Provider(others_may_sign_in=False, refusal_message="Members only.")
# (sample, index of the activity, conditions of one row) → whether the row applies.
ROWS: list[tuple[str, int | None, tuple[str, ...], bool]] = [
    (CARD, 0, ("profession in 10",), True),
    (CARD, 0, ("profession in 21 10",), True),
    (CARD, 0, ("profession in 80",), False),
    (CARD, 0, ("profession not_in 80",), True),
    (CARD, 0, ("profession not_in 10 80",), False),
    (CARD, 0, ("profession starts_with 1",), True),
    (CARD, 0, ("profession starts_with 0",), False),
    (CARD, 0, ("category in C",), True),
    (CARD, 0, ("category in E M",), False),
    (CARD, 0, ("speciality in SM26",), True),
    (CARD, 0, ("speciality starts_with SM",), True),
    (CARD, 0, ("speciality in SM54",), False),
    (CARD, 0, ("mode in L",), True),
    (CARD, 1, ("mode in L",), False),
    (CARD, 0, ("sector in SA07",), True),
    (CARD, 1, ("sector in SA01",), True),
    (CARD, 0, ("structure in R102671",), True),
    (CARD, 1, ("structure in R102671",), False),
    (CARD, 1, ("structure in F0B0193488",), True),
    (CARD, 1, ("structure in 0b0193488",), True),
    (CARD, 1, ("structure in 1B0064166",), True),
    (CARD, 1, ("structure starts_with 0B01",), True),
    (CARD, 0, ("department in 75",), True),
    (CARD, 0, ("department in 69 75",), True),
    (CARD, 0, ("department not_in 75",), False),
    (CARD, 0, ("role in FON-01",), False),
    # A value that was not sent is in no list.
    (CARD, 0, ("role not_in FON-01",), True),
    (CARD, 0, ("identifier_kind in rpps",), True),
    (CARD, 0, ("identifier_kind in edit",), False),
    (CARD, 0, ("acr in eidas1",), True),
    (CARD, 0, ("acr in eidas2 eidas3",), False),
    (CARD, 0, ("means in CARD",), True),
    (CARD, 0, ("means in MOBILE",), False),
    # All conditions must hold for the same activity.
    (CARD, 0, ("mode in L", "sector in SA07"), True),
    (CARD, 0, ("mode in L", "sector in SA01"), False),
    (CARD, 1, ("mode in L", "sector in SA01"), False),
    (FIVE, 0, ("profession in 10", "speciality in SM54", "department in 75"), True),
    (FIVE, 2, ("structure not_in 00000000016972",), True),
    (FIVE, 3, ("structure in 00000000016972",), True),
    # A SIREN matches the SIRETs that start with it.
    (FIVE, 3, ("structure in 000000000",), True),
    (FIVE, 4, ("structure in 00000000016972",), False),
    (FIVE, 0, ("means in CARD",), False),
    (TWO, 0, ("structure in R95141",), True),
    (TWO, 1, ("structure in 0B0172805", "mode in S"), True),
    (PODIATRIST, 0, ("profession in 80", "mode in L"), True),
    (PODIATRIST, 0, ("speciality not_in SM26",), True),
    (PODIATRIST, 0, ("identifier_kind in edit",), True),
    (NOBODY, None, ("profession in 10",), False),
    (NOBODY, None, ("profession not_in 10",), True),
    (NOBODY, None, ("identifier_kind in edit",), True),
    (NOBODY, None, ("structure starts_with 0",), False),
    (NOBODY, None, (), True),
]


@pytest.mark.parametrize(("sample", "number", "conditions", "holds"), ROWS)
def test_row_applies_if_all_its_conditions_hold(
    sample: str, number: int | None, conditions: tuple[str, ...], *, holds: bool
) -> None:
    situation = situation_of(sample, number)
    rule = refuse(*conditions, message="Not you.")
    refused = decide(OPEN, [rule], situation)
    assert refused.allowed is not holds
    assert refused.message == ("Not you." if holds else "")
    assert refused.code == ("access_refused" if holds else "")
    assert refused.rule is (rule if holds else None)
    assert decide(CLOSED, [allow(*conditions)], situation).allowed is holds
    assert decide(OPEN, [give_group(1, *conditions)], situation).groups == ({1} if holds else set())


def test_without_rules_every_person_may_sign_in() -> None:
    for sample, number in ((CARD, 0), (PODIATRIST, 0), (NOBODY, None)):
        decision = decide(Provider(), [], situation_of(sample, number))
        assert (decision.allowed, decision.rule, decision.groups) == (True, None, frozenset())


def test_default_applies_to_people_that_no_rule_matches() -> None:
    decision = decide(CLOSED, [allow("profession in 80")], situation_of(CARD, 0))
    assert (decision.allowed, decision.rule, decision.message) == (False, None, "Members only.")


def test_the_first_row_that_decides_wins() -> None:
    first, second = refuse(DOCTORS, message="first"), refuse(DOCTORS, message="second")
    assert decide(OPEN, [first, second], situation_of(CARD, 0)).message == "first"
    assert decide(OPEN, [allow(HOSPITAL), refuse(DOCTORS)], situation_of(CARD, 1)).allowed
    assert not decide(OPEN, [allow(HOSPITAL), refuse(DOCTORS)], situation_of(CARD, 0)).allowed
    assert not decide(OPEN, [refuse(DOCTORS), allow(HOSPITAL)], situation_of(CARD, 1)).allowed


def test_group_row_grants_its_group_and_the_next_rows_are_read() -> None:
    rules = [
        give_group(1, DOCTORS),
        give_group(2, HOSPITAL),
        give_group(3, "profession in 80"),
        allow(DOCTORS),
        give_group(4, DOCTORS),
    ]
    assert decide(CLOSED, rules, situation_of(CARD, 0)).groups == {1}
    assert decide(CLOSED, rules, situation_of(CARD, 1)).groups == {1, 2}


def test_refused_person_gets_no_group() -> None:
    assert decide(OPEN, [give_group(1), refuse()], situation_of(CARD, 0)).groups == frozenset()
    assert decide(CLOSED, [give_group(1)], situation_of(CARD, 0)).groups == frozenset()


def test_deleted_group_is_not_granted() -> None:
    decision = decide(OPEN, [give_group(None, DOCTORS), give_group(2, DOCTORS)], situation_of(CARD, 0))
    assert (decision.allowed, decision.groups) == (True, {2})


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        "everybody",
        "",
        {},
        {"subject": "profession"},
        7,
        [None],
        ["profession"],
        [{"subject": "profession", "operator": "in"}],
        [{"subject": ["profession"], "operator": "in", "values": ["10"]}],
        [{"subject": "profession", "operator": {}, "values": ["10"]}],
        [{"subject": "profession", "operator": "in", "values": []}],
        [{"subject": "profession", "operator": "in", "values": [10]}],
        [{"subject": "profession", "operator": "in", "values": "10"}],
        [{"subject": "age", "operator": "in", "values": ["10"]}],
        [{"subject": "profession", "operator": "is", "values": ["10"]}],
        [{"subject": "profession", "operator": "in", "values": ["Médecin"]}],
        [{"subject": "identifier_kind", "operator": "in", "values": ["passport"]}],
        [{"subject": "structure", "operator": "in", "values": ["x" * 256]}],
    ],
)
@pytest.mark.parametrize("outcome", ["allow", "refuse", "group"])
def test_malformed_row_refuses(conditions: Any, outcome: str) -> None:
    rule = AccessRule(conditions=conditions, outcome=outcome, group_id=1)
    for sample, number in ((CARD, 0), (NOBODY, None)):
        decision = decide(OPEN, [rule, allow()], situation_of(sample, number))
        assert (decision.allowed, decision.code, decision.groups) == (False, "access_rule_malformed", frozenset())
        assert decision.rule is rule
    assert not rule.is_well_formed
    assert denies_everyone(OPEN, [rule, allow()])


def test_unknown_outcome_refuses() -> None:
    rule = make_rule("alow", DOCTORS)
    assert decide(OPEN, [rule], situation_of(CARD, 0)).code == "access_rule_malformed"
    assert decide(OPEN, [rule], situation_of(PODIATRIST, 0)).allowed
    assert not rule.is_well_formed


def test_malformed_row_is_not_read_after_a_row_that_allows() -> None:
    broken = AccessRule(conditions="everybody", outcome="refuse")
    assert decide(OPEN, [allow(DOCTORS), broken], situation_of(CARD, 0)).allowed
    assert not decide(OPEN, [allow(DOCTORS), broken], situation_of(PODIATRIST, 0)).allowed


LIBERAL_ONLY = [give_group(1, "mode in L"), give_group(2, DOCTORS), refuse(HOSPITAL, message="Not from the hospital.")]


def test_chosen_activity_decides() -> None:
    person = professional_of(CARD)
    at_practice, at_hospital = person.activity_choices
    first = decide_login(OPEN, LIBERAL_ONLY, person, choice=Choice(at_practice), acr="")
    assert (first.allowed, first.groups) == (True, {1, 2})
    second = decide_login(OPEN, LIBERAL_ONLY, person, choice=Choice(at_hospital), acr="")
    assert (second.allowed, second.message) == (False, "Not from the hospital.")


def test_before_the_choice_one_allowed_activity_suffices_and_groups_are_those_of_all() -> None:
    person, choice = professional_of(CARD), Choice(must_ask=True)
    assert decide_login(OPEN, LIBERAL_ONLY, person, choice=choice, acr="").groups == {1, 2}
    rules = [give_group(1, "mode in L"), give_group(2, DOCTORS)]
    decision = decide_login(OPEN, rules, person, choice=choice, acr="")
    assert (decision.allowed, decision.groups) == (True, {2})


def test_if_never_asked_groups_are_those_of_any_activity() -> None:
    person, choice = professional_of(CARD), Choice()
    rules = [give_group(1, "mode in L"), give_group(2, DOCTORS), give_group(3, HOSPITAL)]
    assert decide_login(OPEN, rules, person, choice=choice, acr="").groups == {1, 2, 3}
    assert decide_login(OPEN, [*rules, refuse(HOSPITAL)], person, choice=choice, acr="").groups == {1, 2}


@pytest.mark.parametrize("choice", [Choice(), Choice(must_ask=True)])
def test_person_with_refused_activities_gets_the_message_of_the_first(choice: Choice) -> None:
    rules = [refuse("mode in L", message="the first"), refuse(HOSPITAL, message="the second")]
    decision = decide_login(OPEN, rules, professional_of(CARD), choice=choice, acr="")
    assert (decision.allowed, decision.message, decision.rule) == (False, "the first", rules[0])


def test_person_without_professional_data_is_decided_without_activity() -> None:
    person = professional_of(NOBODY)
    assert not decide_login(CLOSED, [allow(DOCTORS)], person, choice=Choice(), acr="").allowed
    assert decide_login(CLOSED, [allow("acr in eidas3")], person, choice=Choice(), acr="eidas3").allowed


def test_refused_activity_of_last_time_is_asked_again() -> None:
    provider, person = Provider(ask_activity="several"), professional_of(CARD)
    at_practice, at_hospital = person.activity_choices
    kept = admit(provider, LIBERAL_ONLY, person, chosen_last=at_practice.key, acr="")
    assert (kept.choice.activity_choice, kept.decision.allowed) == (at_practice, True)
    again = admit(provider, LIBERAL_ONLY, person, chosen_last=at_hospital.key, acr="")
    assert (again.choice, again.decision.allowed) == (Choice(must_ask=True), True)
    refused = admit(provider, [*LIBERAL_ONLY, refuse("mode in L")], person, chosen_last=at_hospital.key, acr="")
    assert (refused.choice.activity_choice, refused.decision.message) == (at_hospital, "Not from the hospital.")


def test_staff_without_professional_data_match_the_number_of_their_structure() -> None:
    person = replace(professional_of(NOBODY), national_identifier_sent="3750712184/CPAT00045")
    situation = Situation(person)
    assert decide(CLOSED, [allow("structure in 750712184")], situation).allowed
    assert decide(CLOSED, [allow("identifier_kind in finess_staff")], situation).allowed
    assert not decide(CLOSED, [allow("structure in 750712185")], situation).allowed


@pytest.mark.parametrize(
    ("provider", "rules", "nobody"),
    [
        (OPEN, [], False),
        (CLOSED, [], True),
        (CLOSED, [allow(DOCTORS)], False),
        (CLOSED, [give_group(1, DOCTORS)], True),
        (CLOSED, [refuse(HOSPITAL), allow(DOCTORS)], False),
        (OPEN, [refuse()], True),
        (OPEN, [give_group(1), refuse(), allow()], True),
        (OPEN, [allow(DOCTORS), refuse()], False),
        (OPEN, [refuse(DOCTORS)], False),
        (OPEN, [make_rule("alow")], True),
        (OPEN, [make_rule("alow", DOCTORS)], False),
    ],
)
def test_rules_that_refuse_every_person_are_detected(
    provider: Provider, rules: list[AccessRule], *, nobody: bool
) -> None:
    assert denies_everyone(provider, rules) is nobody


def test_structure_matches_only_if_the_identifier_is_vouched_for() -> None:
    """An identifier in the form of a structure's staff, sent with another origin, matches nothing."""
    claims = {"sub": "1", "otherIds": [{"identifiant": "3750712184/ABC", "origine": "MY-OWN-LIST"}]}
    unvouched, vouched = read_userinfo(claims), read_userinfo({"sub": "1", "SubjectNameID": "3750712184/ABC"})
    rules = [allow("structure in 750712184")]
    assert not decide(CLOSED, rules, Situation(unvouched)).allowed
    assert decide(CLOSED, rules, Situation(vouched)).allowed
