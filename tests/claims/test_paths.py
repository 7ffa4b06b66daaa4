"""Claim paths: values, explanations of a wrong path, and proposals from a sample."""

from __future__ import annotations

import time
from typing import Any

import pytest

from psc_connect.claims.paths import claim_matches, claim_value, explain_path, proposals
from psc_connect.claims.samples import SAMPLES, load_sample

DOCTOR = load_sample("doctor-two-exercices-2022")


def steps_and_kinds(path: str, claims: Any = DOCTOR) -> list[tuple[str, str]]:
    return [(step.path, step.kind) for step in explain_path(path, claims)]


def test_a_path_is_followed_up_to_its_value() -> None:
    assert steps_and_kinds("SubjectRefPro.exercices[0].codeProfession") == [
        ("SubjectRefPro", "object"),
        ("SubjectRefPro.exercices", "list"),
        ("SubjectRefPro.exercices[0]", "object"),
        ("SubjectRefPro.exercices[0].codeProfession", "value"),
    ]


def test_a_wrong_step_is_the_last_one_and_the_nearest_name_is_proposed() -> None:
    *before, last = explain_path("SubjectRefPro.exercices[0].codeProfesion.more", DOCTOR)
    assert [step.kind for step in before] == ["object", "list", "object"]
    assert (last.path, last.kind) == ("SubjectRefPro.exercices[0].codeProfesion", "nothing")
    assert last.nearest == "codeProfession"


def test_all_steps_of_a_large_userinfo_are_explained() -> None:
    (practice, *_others) = DOCTOR["SubjectRefPro"]["exercices"]
    activities = (practice["activities"] * 500)[:500]
    claims = {"SubjectRefPro": {"exercices": [{**practice, "activities": activities}]}}
    path = "SubjectRefPro.exercices[0].activities[499].codePostal"
    assert [kind for _path, kind in steps_and_kinds(path, claims)] == [
        "object",
        "list",
        "object",
        "list",
        "object",
        "value",
    ]


def test_a_path_of_many_slow_steps_is_explained_in_part() -> None:
    inner: dict[str, Any] = {}
    for _level in range(45):
        inner = {"a": inner}
    path = "otherIds|" + "|".join(["[@,@][]"] * 13) + "|[0]" + ".a" * 40
    assert claim_value(path, {"otherIds": [inner]})
    began = time.thread_time()
    steps = steps_and_kinds(path, {"otherIds": [inner]})
    assert time.thread_time() - began < 1
    assert 13 < len(steps) < 50


def test_a_step_says_what_it_selects() -> None:
    root, listed, *_rest = explain_path("SubjectRefPro.exercices.nothing", DOCTOR)
    assert "exercices" in root.names
    assert listed.size == 2
    assert "codeProfession" in listed.names


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("nothing.at.all", ["nothing"]),
        ("Mode_Acces_Raison", ["empty"]),
        ("SubjectRefPro.exercices[9].codeProfession", ["object", "list", "nothing"]),
        ("otherIds[?origine=='NONE'] | [0].identifiant", ["list", "empty"]),
        ("given_name", ["value"]),
        ("otherIds[0].qualite", ["list", "object", "value"]),
        ("length(otherIds)", ["value"]),
        ("sum(given_name)", ["nothing"]),
        ("a..b", ["nothing"]),
    ],
)
def test_every_kind_of_step_has_its_name(path: str, kinds: list[str]) -> None:
    claims = {**DOCTOR, "otherIds": [{"identifiant": "899700427869", "origine": "RPPS", "qualite": 1}]}
    assert [kind for _path, kind in steps_and_kinds(path, claims)] == kinds


@pytest.mark.parametrize("name", SAMPLES)
def test_every_proposed_path_selects_its_value(name: str) -> None:
    sample = load_sample(name)
    found = proposals(sample)
    assert found
    for proposal in found:
        assert claim_value(proposal.path, sample) == (None if proposal.value == "" else proposal.value)
        assert explain_path(proposal.path, sample)[-1].kind == ("empty" if proposal.value == "" else "value")


def leaves_of(value: Any) -> int:
    if isinstance(value, (dict, list)):
        return sum(leaves_of(each) for each in (value.values() if isinstance(value, dict) else value))
    return 1


@pytest.mark.parametrize("name", SAMPLES)
def test_every_value_of_a_sample_has_a_path(name: str) -> None:
    assert len(proposals(load_sample(name))) == leaves_of(load_sample(name))


def test_names_that_are_not_words_are_quoted() -> None:
    claims = {"a b": {"c-d": 1}, 'say "x"': 2, "1st": [3]}
    assert [each.path for each in proposals(claims)] == ['"a b"."c-d"', '"say \\"x\\""', '"1st"[0]']
    assert [claim_value(each.path, claims) for each in proposals(claims)] == [1, 2, 3]


def test_there_are_300_proposals_at_most() -> None:
    assert len(proposals({f"claim{number}": number for number in range(5000)})) == 300


@pytest.mark.parametrize(
    ("path", "equals", "expected"),
    [
        ("SubjectRefPro.exercices[0].codeProfession", "10", True),
        ("SubjectRefPro.exercices[0].codeProfession", "1", False),
        ("SubjectRefPro.exercices[].codeProfession", "10", True),
        ("SubjectRefPro.exercices[].codeProfession", "99", False),
        ("nothing", "", False),
        ("given_name", "", False),  # a text is not the boolean true
        ("Acces_Regulation_Medicale", "", False),
        ("Acces_Regulation_Medicale", "FAUX", True),
        ("contains(SubjectRefPro.exercices[].codeProfession, '10')", "", True),
        ("contains(SubjectRefPro.exercices[].codeProfession, '99')", "", False),
        ("email_verified", "false", True),
        ("length(SubjectRefPro.exercices)", "2", True),
        ("SubjectRefPro", "object", False),
        ("`true`", "", True),
        ("`1`", "", False),
        ("sum(given_name)", "", False),
        ("a..b", "", False),
    ],
)
def test_claim_matches(path: str, equals: str, expected: bool) -> None:
    assert claim_matches(path, equals, DOCTOR) is expected
