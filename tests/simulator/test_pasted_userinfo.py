"""A userinfo pasted as JSON: sent unchanged, or refused with the position of the error."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from psc_connect.simulator.pasted_userinfo import MAX_JSON_LENGTH
from psc_connect.simulator.people import PEOPLE, Person
from tests.simulator.person_form import PASTED, claims_of, open_form, problems_on, refused_problems
from tests.simulator.service import Service, answer_of


def test_a_pasted_userinfo_is_sent_unchanged(service: Service) -> None:
    text = json.dumps(PASTED, ensure_ascii=False, indent=2).replace("\n", "\r\n")

    assert claims_of(service, service.press(open_form(service), json=text)) == PASTED


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.slug)
def test_every_userinfo_of_the_simulator_can_be_pasted(service: Service, person: Person) -> None:
    sent = service.press(open_form(service), json="\ufeff" + json.dumps(person.claims(), indent=4))
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
def test_invalid_json_is_refused_with_the_position_and_kept(service: Service, text: str, sentence: str) -> None:
    service.session.headers["Accept-Language"] = "en"
    page = service.press(open_form(service), json=text)

    problems = problems_on(page)
    assert list(problems) == ["json"]
    assert sentence in problems["json"]
    box = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page.text, re.DOTALL)
    assert box is not None
    assert unescape(box[1]).replace("\r\n", "\n") == text
    assert service.simulator.created_people.newest_first() == []


@pytest.mark.parametrize("name", ["sub", "SubjectNameID", "preferred_username", "given_name", "family_name"])
def test_a_missing_required_claim_is_refused(service: Service, name: str) -> None:
    text = json.dumps({key: value for key, value in PASTED.items() if key != name})

    assert refused_problems(service, json=text) == {"json": f"Missing: {name}."}


def test_pasted_markup_is_escaped(service: Service) -> None:
    page = service.press(open_form(service), json='{"</textarea><script>alert(1)</script>')

    assert "<script" not in page.text
    assert page.text.count("</textarea>") == 1


def test_a_form_of_more_than_a_megabyte_shows_an_error_page(service: Service) -> None:
    page = service.press(open_form(service), json="x" * (9 << 20))

    assert page.status_code == 413
    assert "too_large" in page.text
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_claims_of_any_shape_can_be_pasted(service: Service) -> None:
    """Only what the simulator needs is required, so that relying parties can be tested with wrong claims."""
    odd = {**PASTED, "given_name": None, "family_name": [], "SubjectNameID": 7, "otherIds": "", "SubjectRefPro": []}
    sent = service.press(open_form(service), json=json.dumps(odd))

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
def test_the_card_shows_the_practice(service: Service, register: Any, label: str) -> None:
    service.press(open_form(service), json=json.dumps({**PASTED, "SubjectRefPro": register}))
    service.session.cookies.clear()
    service.session.headers["Accept-Language"] = "en"

    assert f"<span>{label}</span>" in service.authorize().text
