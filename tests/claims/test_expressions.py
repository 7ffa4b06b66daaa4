"""JMESPath with limits: exploding expressions stop, deep ones are refused, others give jmespath's result."""

from __future__ import annotations

import copy
import inspect
import re
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from psc_connect.claims.budget import TooSlow
from psc_connect.claims.expressions import EVALUATION_STEPS, MAX_CHARACTERS, Evaluation, TooDeep, compiled
from psc_connect.claims.samples import load_sample

DOCTOR = load_sample("doctor-five-activities-2021")
HOLDS_ITSELF_TWICE = "|".join(["[@,@]"] * 24)


def with_many_activities(number: int) -> dict[str, Any]:
    claims = copy.deepcopy(DOCTOR)
    (practice,) = claims["SubjectRefPro"]["exercices"]
    practice["activities"] = (practice["activities"] * number)[:number]
    return claims


LARGEST = with_many_activities(500)


def value_of(path: str, claims: dict[str, Any] = DOCTOR) -> Any:
    return Evaluation().value_of(compiled(path), claims)


# Each nested as deeply as MAX_NESTING allows.
EXPLODING = {
    "a list that doubles": "|".join(["[@,@][]"] * 16),
    "a list that grows eightfold": "|".join(["[@,@,@,@,@,@,@,@][]"] * 12),
    "one that holds itself": HOLDS_ITSELF_TWICE,
    "one that holds itself, as text": f"to_string({HOLDS_ITSELF_TWICE})",
    "two of them, compared": "({0})==({0})".format("|".join(["[@,@,@]"] * 11)),
    "one of them, looked for": f"{HOLDS_ITSELF_TWICE[:119]}|contains([@],[@][0])",
    "one of them, made flat": f"{HOLDS_ITSELF_TWICE[:83]}|@{'[]' * 20}",
    "objects that hold themselves": "|".join(["{a:@,b:@}"] * 25),
    "objects that are merged": "|".join(["merge(@,{a:@})"] * 16),
    "text in text": "|".join(["to_string([@,@])"] * 15),
    "text that is joined": "|".join(["to_string(@)", *["join(@,[@,@,@])"] * 15]),
    "lists of lists, sliced": "|".join(["[@,@][]"] * 8 + ["[@,@]"] * 6) + "|[][][][][][*][:]",
    "a list that is sorted over and over": "|".join(["[@,@][]"] * 13) + "|map(&sort(['a','b']),@)",
}


@pytest.mark.parametrize("name", EXPLODING)
@pytest.mark.parametrize("claims", [DOCTOR, LARGEST], ids=["a doctor", "500 activities"])
def test_an_exploding_expression_is_stopped(name: str, claims: dict[str, Any]) -> None:
    path = EXPLODING[name]
    assert len(path) <= MAX_CHARACTERS
    began = time.thread_time()
    with pytest.raises(TooSlow):
        value_of(path, claims)
    assert time.thread_time() - began < 1


def test_a_joined_text_is_counted_before_it_is_built() -> None:
    path = '`["",""]`' + "|[@,@,@,@][]" * 5 + "|{l:@,t:to_string(@)}|{l:l,t:join(t,l[:60])}|join(t,l)"
    tracemalloc.start()
    try:
        with pytest.raises(TooSlow):
            value_of(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_the_number_of_steps_is_the_same_at_each_evaluation() -> None:
    spent = set()
    for _time in range(3):
        evaluation = Evaluation()
        with suppress(TooSlow):
            evaluation.value_of(compiled(EXPLODING["a list that doubles"]), DOCTOR)
        spent.add(evaluation.steps_left)
    assert len(spent) == 1


def test_expressions_of_one_evaluation_share_its_budget() -> None:
    evaluation = Evaluation()
    path = compiled("SubjectRefPro.exercices[].activities[].codePostal")
    evaluation.value_of(path, LARGEST)

    def go_on() -> None:
        for _time in range(EVALUATION_STEPS):
            evaluation.value_of(path, LARGEST)

    with pytest.raises(TooSlow):
        go_on()


@pytest.mark.parametrize(
    "path",
    [
        "@",
        "length(SubjectRefPro.exercices[].activities[])",
        "SubjectRefPro.exercices[].activities[?codeModeExercice=='L'][].raisonSocialeSite",
        "contains(SubjectRefPro.exercices[].activities[].codeSecteurDactivite, 'SA07')",
        "sort_by(SubjectRefPro.exercices[].activities[], &codePostal)[0].codePostal",
        "to_string(SubjectRefPro)",
        "join(', ', SubjectRefPro.exercices[].activities[].raisonSocialeSite)",
    ],
)
def test_usual_expressions_fit_the_largest_accepted_userinfo(path: str) -> None:
    assert value_of(path, LARGEST) == jmespath.search(path, LARGEST) is not None


def with_stack_left(frames: int, work: Callable[[], Any]) -> Any:
    """Call a function with only this many levels of the stack left."""

    def further_down(more: int) -> Any:
        return further_down(more - 1) if more else work()

    return further_down(sys.getrecursionlimit() - len(inspect.stack(0)) - frames)


DEEP = {
    "not": "!" * 254 + "a",
    "parentheses": "(" * 127 + "a" + ")" * 127,
    "open parentheses": "(" * 255,
    "brackets": "[" * 127 + "a" + "]" * 127,
    "open brackets": "[" * 255,
    "objects": "{a:" * 63 + "a" + "}" * 63,
    "filters": "[?a" * 63 + "]" * 63,
    "references": "&" + " &" * 100 + "a",
    "stars": "*" + ".*" * 127,
    "projections": "[*]" * 85,
    "slices": "[:]" * 85,
    "flattened": "a" + "[]" * 127,
    "pipes": "a" + "|a" * 127,
    "comparisons": "a" + "==a" * 84,
    "alternatives": "a" + "||a" * 84,
    "both": "a" + "&&a" * 84,
    "functions": "abs(" * 51 + "a" + ")" * 50,
    "functions of functions": "map(&" * 30 + "a" + ",@)" * 30,
    "lists after dots": "a" + ".[a" * 63 + "]" * 63,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_refused_everywhere(name: str) -> None:
    assert len(DEEP[name]) <= MAX_CHARACTERS

    with pytest.raises(TooDeep):
        with_stack_left(400, lambda: compiled(DEEP[name]))


def test_the_deepest_accepted_nesting_is_evaluated_deep_in_the_stack() -> None:
    for before, after in (("[", "]"), ("!", ""), ("(", ")"), ("abs(", ")"), ("", "[]"), ("", "==@"), ("", "|@")):
        path = before * 50 + "@" + after * 50
        assert len(path) <= MAX_CHARACTERS
        with_stack_left(400, partial(value_of, path))


def test_at_the_end_of_the_stack_our_errors_are_raised() -> None:
    path = "[" * 50 + "given_name" + "]" * 50
    with pytest.raises(TooDeep):
        with_stack_left(60, lambda: compiled(path))
    expression = compiled(path)
    with pytest.raises(TooSlow):
        with_stack_left(60, lambda: Evaluation().value_of(expression, DOCTOR))
    assert with_stack_left(300, lambda: Evaluation().value_of(expression, DOCTOR))


def test_an_expression_longer_than_the_column_is_refused() -> None:
    compiled("a" * MAX_CHARACTERS)
    with pytest.raises(TooDeep):
        compiled("a" * (MAX_CHARACTERS + 1))


@pytest.mark.parametrize(
    "path",
    [
        "&given_name",
        "[&given_name]",
        "{a: &given_name}",
        "to_string(&given_name)",
        "to_string([{a: &given_name}])",
        "to_number('nan')",
        "to_number('inf')",
        '`"\\ud800"`',
        '{"\\ud800": given_name}',
        '`"\\u0000"`',
    ],
)
def test_a_result_that_cannot_be_stored_is_none(path: str) -> None:
    assert value_of(path) is None


SIGNS = re.findall(
    r"\S+",
    "@ a given_name SubjectRefPro exercices . * [ ] [] [? ( ) { } , : | || & && ! == < 'x' `1` 0 -1 length( sort_by( "
    "to_string( keys( not_null( codeProfession",
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(SIGNS), max_size=40).map("".join))
def test_any_expression_gives_the_result_of_jmespath_or_our_error(path: str) -> None:
    try:
        expression = compiled(path)
    except JMESPathError:
        return
    with suppress(TooSlow):
        found = Evaluation().value_of(expression, DOCTOR)
        if found is not None:
            assert found == jmespath.search(path, DOCTOR)
