"""The budget that the expressions, rules and searches of one login or one request share."""

from __future__ import annotations

import pytest

from psc_connect.access.activity_choice import Choice
from psc_connect.access.rules import decide, decide_login
from psc_connect.claims.budget import LOGIN_STEPS, REQUEST_STEPS, Budget, TooSlow, current_budget, shared_budget
from psc_connect.claims.expressions import EVALUATION_STEPS, Evaluation, compiled
from psc_connect.claims.paths import claim_value, explain_path, validate_claim_path
from psc_connect.claims.similarity import MAX_LENGTH, MAX_NAMES, most_similar
from psc_connect.models import Provider
from psc_connect.professional.conditions import Situation
from psc_connect.professional.professional import Professional
from psc_connect.professional.userinfo import read_userinfo
from tests.support.access_rules import allow, refuse
from tests.support.many_rules import fifty_activities

EXPLODING = '`["",""]`' + "|[@,@,@,@][]" * 15


def test_limits_are_those_of_the_documentation() -> None:
    assert (LOGIN_STEPS, REQUEST_STEPS, EVALUATION_STEPS) == (100_000, 2_000_000, 50_000)


def test_work_that_exceeds_the_budget_is_not_begun_and_ends_it() -> None:
    budget = Budget(10)
    budget.spend(10)
    with pytest.raises(TooSlow):
        budget.spend(1)
    budget = Budget(10)
    with pytest.raises(TooSlow):
        budget.spend(11)
    assert budget.is_used_up
    assert budget.steps_left == 0


def test_outside_of_a_login_and_a_request_each_piece_of_work_has_its_own_budget() -> None:
    current_budget().spend(LOGIN_STEPS)
    assert current_budget().steps_left == LOGIN_STEPS


def test_inner_budget_takes_its_steps_from_the_outer_one() -> None:
    with shared_budget(100) as outer:
        with shared_budget(1000) as inner:
            assert inner.steps_left == 100
            current_budget().spend(30)
        assert outer.steps_left == 70
        with shared_budget(10) as inner, pytest.raises(TooSlow):
            inner.spend(11)
        assert outer.steps_left == 60


def test_expressions_share_the_budget_and_none_takes_more_than_its_part() -> None:
    with shared_budget(LOGIN_STEPS) as budget:
        with pytest.raises(TooSlow):
            claim_value(EXPLODING, {})
        assert budget.steps_left == LOGIN_STEPS - EVALUATION_STEPS
        assert claim_value("given_name", {"given_name": "Zoé"}) == "Zoé"
        for _time in range(2):
            with pytest.raises(TooSlow):
                claim_value(EXPLODING, {})
        assert budget.is_used_up
        with pytest.raises(TooSlow):
            claim_value("given_name", {"given_name": "Zoé"})


def test_evaluation_cannot_spend_more_than_is_left() -> None:
    with shared_budget(1_000):
        evaluation = Evaluation()
        assert evaluation.steps_left == 1_000
        with pytest.raises(TooSlow):
            evaluation.value_of(compiled(EXPLODING), {})
        assert current_budget().steps_left == 0


def test_explanation_of_a_path_ends_with_the_budget() -> None:
    with shared_budget(3):
        steps = explain_path("a.b.c.d.e", {"a": {"b": {"c": {"d": {"e": 1}}}}})
    assert [step.kind for step in steps][-1] == "too_slow"
    assert len(steps) < 5


def test_rules_that_exceed_the_budget_refuse() -> None:
    anyone = allow()
    rules = [*(refuse("profession in 21") for _number in range(20)), anyone]
    with shared_budget(30):
        decision = decide(Provider(others_may_sign_in=True), rules, Situation(Professional()))
    assert (decision.allowed, decision.code, decision.groups) == (False, "access_rules_too_slow", frozenset())
    assert decide(Provider(), rules, Situation(Professional())).allowed


def test_long_lists_of_values_cost_more_steps() -> None:
    spent = []
    for count in (1, 500):
        rule = refuse("structure in " + " ".join(f"{number:09}" for number in range(count)))
        with shared_budget(1_000) as budget:
            decide(Provider(), [rule], Situation(Professional()))
        spent.append(1_000 - budget.steps_left)
    assert spent == [2, 9]


def test_person_with_an_activity_that_was_not_evaluated_is_not_refused_by_a_rule() -> None:
    person = read_userinfo(fifty_activities())
    closed = Provider(others_may_sign_in=False)
    rules = [refuse("profession in 21")] * 20
    assert decide_login(closed, rules, person, choice=Choice(must_ask=True), acr="").code == "access_refused"
    with shared_budget(1_000):
        decision = decide_login(closed, rules, person, choice=Choice(must_ask=True), acr="")
    assert (decision.allowed, decision.code) == (False, "access_rules_too_slow")


def test_comparing_names_takes_steps_for_their_characters() -> None:
    spent = []
    for length in (5, 50):
        with shared_budget(100_000) as budget:
            assert most_similar("a" * length, ["a" * length] * 10)
        spent.append(100_000 - budget.steps_left)
    assert spent == [10 * 10 + 10 * 5 * 5 // 4, 10 * 10 + 10 * 50 * 50 // 4]


def test_names_are_not_compared_without_enough_steps() -> None:
    with shared_budget(100) as budget:
        assert most_similar("given_nam", ["given_name"] * 10) == ""
    assert budget.is_used_up


def test_only_so_many_names_of_limited_length_are_compared() -> None:
    assert most_similar("a" * (MAX_LENGTH + 1), ["a" * (MAX_LENGTH + 1)]) == ""
    assert most_similar("abcd", ["x" * (MAX_LENGTH + 1), "abce"]) == "abce"
    assert most_similar("abcd", [*["xyz"] * MAX_NAMES, "abce"]) == ""


def test_checking_an_expression_takes_the_same_steps_each_time() -> None:
    spent = []
    for _time in range(2):
        with shared_budget(LOGIN_STEPS) as budget:
            validate_claim_path("SubjectRefPro.exercices[0].never_checked_before")
        spent.append(LOGIN_STEPS - budget.steps_left)
    assert spent[0] == spent[1] > 4 * len("SubjectRefPro.exercices[0].never_checked_before")


def test_expression_is_not_compiled_for_an_explanation_without_enough_steps() -> None:
    compiled.cache_clear()
    with shared_budget(4 * len("a.b.c") - 1):
        steps = explain_path("a" * 100 + ".b.c", {"a": 1})
    assert [step.kind for step in steps] == ["too_slow"]
