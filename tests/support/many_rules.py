"""A professional with fifty activities, and twenty access rules of which only the last decides."""

from __future__ import annotations

from typing import Any

from psc_connect.claims.samples import load_sample
from psc_connect.models import AccessRule
from tests.support.access_rules import allow, give_group, refuse


def fifty_activities() -> dict[str, Any]:
    sample = load_sample("doctor-five-activities-2021")
    practices = sample["SubjectRefPro"]["exercices"]
    models = [activity for practice in practices for activity in practice["activities"]]
    activities = [
        {**models[number % len(models)], "identifiantTechniqueDeLaStructure": f"R{number}"} for number in range(50)
    ]
    sample["SubjectRefPro"]["exercices"] = [{**practices[0], "activities": activities}]
    return sample


def twenty_rules() -> list[AccessRule]:
    others = [refuse("profession in 10", f"structure in {number}") for number in range(18)]
    return [give_group(1, "profession in 10", "department in 75"), *others, allow("profession in 10")]
