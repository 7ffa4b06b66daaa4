"""A userinfo pasted as JSON is sent as it is, or refused with the place of what is wrong."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from psc_connect.simulator.pasted_userinfo import MAX_JSON_LENGTH
from psc_connect.simulator.people import PEOPLE, Person
from tests.simulator.person_form import PASTED, claims_of, opened, problems_on, refused
from tests.simulator.service import Service, answer_of


def test_a_pasted_userinfo_is_sent_as_it_is(service: Service) -> None:
    text = json.dumps(PASTED, ensure_ascii=False, indent=2).replace("\n", "\r\n")

    assert claims_of(service, service.press(opened(service), json=text)) == PASTED


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.slug)
def test_every_answer_of_the_simulator_can_be_pasted_into_it(service: Service, person: Person) -> None:
    sent = service.press(opened(service), json="\ufeff" + json.dumps(person.claims(), indent=4))
    tokens = service.exchange(answer_of(sent)["code"]).json()

    assert service.userinfo(tokens["access_token"]).json() == person.userinfo
    claims = service.verified(tokens["id_token"])
    assert (claims["authMode"], claims["acr"]) == (person.auth_mode, person.acr)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste the response first."),
        (" \n", "Paste the response first."),
        ('{\n "sub": "x",\n "a": <>\n}', 'error at line 3, column 7, near “"a": <>”.'),
        ("{", "error at line 1, column 2, near “{”."),
        ("{\n", "near “{”."),
        ("sub: x", "error at line 1, column 1"),
        ("{'sub': 'x'}", "error at line 1, column 2"),
        ('{"sub": "x"} {}', "error at line 1, column 14"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('"sub"', "must be a JSON object"),
        ("{}", "Missing: sub, SubjectNameID, preferred_username, given_name, family_name."),
        (json.dumps({**PASTED, "sub": ""}), "The field sub must be a text that is not empty."),
        (json.dumps({**PASTED, "sub": 1}), "The field sub must be a text that is not empty."),
        (json.dumps({**PASTED, "sub": None}), "The field sub must be a text that is not empty."),
        (json.dumps({**PASTED, "x": float("nan")}), "cannot be sent"),
        (json.dumps({**PASTED, "x": 0}).replace("0}", "1e999}"), "cannot be sent"),
        (json.dumps({**PASTED, "x": 0}).replace("0}", "9" * 5000 + "}"), "cannot be sent"),
        (json.dumps({**PASTED, "x": "\ud800"}), "cannot be sent"),
        (json.dumps({**PASTED, "\udfff": ""}), "cannot be sent"),
        ("[" * 100_000, "Objects or lists are nested too deeply: 20 levels at most."),
        (json.dumps(PASTED).replace("null", "[" * 21 + "]" * 21), "Objects or lists are nested too deeply"),
        (json.dumps({**PASTED, "x": "y" * MAX_JSON_LENGTH}), "This text is too long: 200,000 characters at most."),
    ],
)
def test_what_is_no_userinfo_is_refused_with_the_place_and_stays(service: Service, text: str, sentence: str) -> None:
    service.session.headers["Accept-Language"] = "en"
    page = service.press(opened(service), json=text)

    problems = problems_on(page)
    assert list(problems) == ["json"]
    assert sentence in problems["json"]
    box = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page.text, re.DOTALL)
    assert box is not None
    assert unescape(box[1]).replace("\r\n", "\n") == text
    assert service.simulator.created_people.newest_first() == []


@pytest.mark.parametrize("name", ["sub", "SubjectNameID", "preferred_username", "given_name", "family_name"])
def test_a_leaf_that_every_userinfo_has_is_asked_for(service: Service, name: str) -> None:
    text = json.dumps({key: value for key, value in PASTED.items() if key != name})

    assert refused(service, json=text) == {"json": f"Missing: {name}."}


def test_pasted_markup_is_shown_and_not_run(service: Service) -> None:
    page = service.press(opened(service), json='{"</textarea><script>alert(1)</script>')

    assert "<script" not in page.text
    assert page.text.count("</textarea>") == 1


def test_a_form_beyond_a_megabyte_is_answered_with_a_page(service: Service) -> None:
    page = service.press(opened(service), json="x" * (9 << 20))

    assert page.status_code == 413
    assert "too_large" in page.text
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_any_shape_can_be_sent_by_a_careless_provider(service: Service) -> None:
    """What a relying party must bear can be pasted: only what the simulator itself needs is asked for."""
    odd = {**PASTED, "given_name": None, "family_name": [], "SubjectNameID": 7, "otherIds": "", "SubjectRefPro": []}
    sent = service.press(opened(service), json=json.dumps(odd))

    assert claims_of(service, sent) == odd
    service.session.cookies.clear()
    assert service.authorize().status_code == 200


@pytest.mark.parametrize(
    ("register", "label"),
    [
        (None, "Without professional data"),
        ({"exercices": {}}, "Without professional data"),
        ({"exercices": [1, {"codeProfession": "60"}]}, "Profession 60, 0 activities"),
        ({"exercices": [{"codeProfession": "60", "activities": [{}]}]}, "Profession 60, 1 activity"),
        ({"exercices": [{"codeProfession": "60", "activities": ""}, {}]}, "Profession 60, , 0 activities"),
    ],
)
def test_the_card_says_what_somebody_practises(service: Service, register: Any, label: str) -> None:
    service.press(opened(service), json=json.dumps({**PASTED, "SubjectRefPro": register}))
    service.session.cookies.clear()
    service.session.headers["Accept-Language"] = "en"

    assert f"<span>{label}</span>" in service.authorize().text
