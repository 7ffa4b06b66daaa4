"""Open sessions after a change: another login, other rules, another choice."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import AccessRule, Account, Provider
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import Person
from tests.support.browser_session import PAGE, BrowserSession, error_code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("professional_pages")]


def practice(profession: str, structure: str = "R1", **leaves: str) -> dict[str, Any]:
    activity = {"codeModeExercice": "L", "identifiantTechniqueDeLaStructure": structure, **leaves}
    return {"codeProfession": profession, "codeCategorieProfessionnelle": "C", "activities": [activity]}


def come(simulator: Simulator, *practices: dict[str, Any]) -> tuple[BrowserSession, Any]:
    claims = simulator.people["podiatrist"].claims()
    claims["SubjectRefPro"]["exercices"] = list(practices)
    simulator.sign_in(Person("somebody", claims))
    simulator.end_sessions()
    person = BrowserSession()
    response = person.sign_in(PAGE)
    person.close()
    return person, response


def refuse(provider: Provider, subject: str, value: str) -> None:
    conditions = [{"subject": subject, "operator": "in", "values": [value]}]
    AccessRule.objects.create(provider=provider, outcome="refuse", conditions=conditions)


def test_older_session_is_asked_when_a_second_activity_appears(provider, simulator):
    refuse(provider, "profession", "10")
    before, _response = come(simulator)
    come(simulator, practice("10"), practice("80", "R2"))
    assert before.browser.get("/doctors/")["Location"].startswith("/psc/psc/activity/")


def test_refused_activity_opens_no_page_if_the_provider_never_asks(provider, simulator):
    Provider.objects.update(ask_activity="never")
    refuse(provider, "profession", "10")
    person, _response = come(simulator, practice("10"), practice("80", "R2"))
    assert person.browser.get("/doctors/").status_code == 403
    assert person.browser.get("/podiatrists/class/").status_code == 200


def test_no_condition_holds_before_the_choice(provider, simulator):
    person, _response = come(simulator, practice("10"), practice("80", "R2"))
    assert person.browser.get("/template/").content.decode().startswith("does not")


def test_refused_login_limits_the_older_session(provider, simulator):
    AccessRule.objects.create(
        provider=provider,
        outcome="allow",
        conditions=[{"subject": "profession", "operator": "in", "values": ["10"]}],
    )
    Provider.objects.update(others_may_sign_in=False)
    person, _response = come(simulator, practice("10"))
    assert person.browser.get("/doctors/").status_code == 200
    _other, response = come(simulator, practice("80"))
    assert error_code_of(response) == "access_refused"
    assert person.browser.get("/doctors/")["Location"].startswith("/psc/psc/activity/")


def test_mapping_does_not_read_a_refused_activity(provider, simulator):
    provider.exported_attributes.filter(user_field="last_name").update(claim="profession.label")
    refuse(provider, "profession", "10")
    come(simulator, practice("10"), practice("80", "R2"))
    assert Account.objects.get().user.last_name == "Pédicure-Podologue"


@pytest.mark.parametrize("leaf", ["codeDepartement", "numeroFinessSite", "numeroSiretSite", "codeRole"])
def test_activities_that_a_rule_can_distinguish_are_two(leaf):
    practices = [practice("10", **{leaf: "75"}), practice("10", **{leaf: "13"})]
    assert len(read_userinfo({"SubjectRefPro": {"exercices": practices}}).activity_choices) == 2


def test_rule_ignores_the_case_of_a_number(provider, simulator):
    refuse(provider, "department", "2A")
    _person, response = come(simulator, practice("80", codeDepartement="2a"))
    assert error_code_of(response) == "access_refused"


def test_restricted_page_is_not_stored_by_shared_caches(provider, simulator):
    person, _response = come(simulator, practice("80"))
    for page in ("/podiatrists/", "/podiatrists/class/", "/professionals/"):
        assert person.browser.get(page)["Cache-Control"] == "private"
