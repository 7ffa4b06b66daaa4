"""What reading a professional and deciding by rules costs, beside one RS256 verification measured in the same run."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from psc_connect.access.activity_choice import Choice
from psc_connect.access.rules import decide_login
from psc_connect.claims.samples import load_sample
from psc_connect.models import AccessRule, Provider
from psc_connect.oidc.errors import IDTokenError
from psc_connect.oidc.jws import verify_compact
from psc_connect.oidc.strict_json import loads_strict
from psc_connect.professional.userinfo import read_userinfo
from tests.oidc.tokens import claims, key_set, sign
from tests.support.access_rules import allow, give_group, refuse
from tests.support.coverage_tracing import without_tracing

PROVIDER = Provider(others_may_sign_in=False)


def median_of(work: Callable[[], Any], runs: int = 41) -> float:
    """Return seconds."""
    took = []
    with without_tracing():
        for _run in range(runs):
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
    return statistics.median(took)


@pytest.fixture(scope="module")
def verification() -> float:
    raw, keys = sign(claims()), key_set()
    return median_of(lambda: verify_compact(raw, algorithm="RS256", keys=keys, error=IDTokenError))


def fifty_activities() -> dict[str, Any]:
    sample = load_sample("doctor-five-activities-2021")
    practice = sample["SubjectRefPro"]["exercices"][0]
    models = [activity for each in sample["SubjectRefPro"]["exercices"] for activity in each["activities"]]
    practice["activities"] = [
        {**models[number % len(models)], "identifiantTechniqueDeLaStructure": f"R{number}"} for number in range(50)
    ]
    sample["SubjectRefPro"]["exercices"] = [practice]
    return sample


def twenty_rules() -> list[AccessRule]:
    """None but the last decides: all of them are asked."""
    others = [refuse("profession in 10", f"structure in {number}") for number in range(18)]
    return [give_group(1, "profession in 10", "department in 75"), *others, allow("profession in 10")]


def test_twenty_rules_on_the_capacity_of_a_login_cost_less_than_a_verification(verification: float) -> None:
    person, rules = read_userinfo(fifty_activities()), twenty_rules()
    choice = Choice(person.activity_choices[-1])
    assert decide_login(PROVIDER, rules, person, choice=choice, acr="").groups == {1}
    deciding = median_of(lambda: decide_login(PROVIDER, rules, person, choice=choice, acr=""))
    assert deciding < verification, (deciding, verification)


def test_reading_fifty_activities_costs_less_than_the_json_in_which_they_came() -> None:
    """What every relying party does with them: a strict reading of the JSON, no name twice."""
    sent = fifty_activities()
    text = json.dumps(sent).encode()
    assert median_of(lambda: read_userinfo(sent)) < median_of(lambda: loads_strict(text))


def test_reading_and_deciding_of_fifty_activities_is_a_matter_of_milliseconds(verification: float) -> None:
    sent, rules, choice = fifty_activities(), twenty_rules(), Choice(must_ask=True)

    def read_and_decide() -> Any:
        return decide_login(PROVIDER, rules, read_userinfo(sent), choice=choice, acr="")

    assert len(read_userinfo(sent).activity_choices) == 50
    assert read_and_decide().groups == {1}
    took = median_of(read_and_decide, runs=15)
    # A verification is some thirty microseconds of C; to parse the JSON of these claims takes four times as long.
    assert took < 100 * verification, (took, verification)
