"""Pages that refuse a signed-in person: they can sign out of both sessions, or let another person sign in."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.test_login import DOCUMENTED
from tests.support.access_rules import refuse, set_rules
from tests.support.browser_session import PAGE, BrowserSession, query_of
from tests.support.logout_forms import (
    OTHER_PERSON,
    asks_for_identification,
    buttons,
    end_session_url,
    form_fields,
    press,
    return_from_provider,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "professional_pages")]
SIGN_OUT = ""
NO_ACCESS = f"/psc/login/?next={PAGE}"


@pytest.fixture
def podiatrist(provider: Provider, simulator: Simulator, person: BrowserSession) -> BrowserSession:
    person.sign_in()
    simulator.sign_in(None)
    return person


@pytest.mark.parametrize(("address", "next_page"), [("/doctors/", "/doctors/"), (NO_ACCESS, PAGE)])
def test_another_person_can_sign_in(podiatrist: BrowserSession, address: str, next_page: str) -> None:
    response = podiatrist.browser.get(address)
    assert response.status_code == 403
    assert buttons(response) == [OTHER_PERSON, SIGN_OUT]
    assert form_fields(response)["next"] == next_page
    leaving = press(podiatrist, response, OTHER_PERSON)
    # First the session of this site.
    assert not Session.objects.exists()
    assert "id_token_hint" in query_of(end_session_url(leaving))
    back = return_from_provider(podiatrist, leaving)
    link = f"/psc/psc/login/?{urlencode({'next': next_page})}"
    assert f'href="{escape(link)}' in back.content.decode()
    assert asks_for_identification(podiatrist)


@pytest.mark.parametrize("address", ["/doctors/", NO_ACCESS])
def test_the_person_can_sign_out_of_both(podiatrist: BrowserSession, address: str) -> None:
    response = podiatrist.browser.get(address)
    assert ">Close my Pro Santé Connect session too</button>" in response.content.decode()
    back = return_from_provider(podiatrist, press(podiatrist, response, SIGN_OUT))
    assert back.context["ended_at_provider"]
    assert not back.context["signs_in"]
    assert asks_for_identification(podiatrist)


def test_a_person_whose_activities_are_all_refused_can_leave(provider: Provider, podiatrist: BrowserSession) -> None:
    set_rules(provider, refuse())
    response = podiatrist.browser.get("/psc/psc/activity/")
    assert "accepts none of your activities" in response.content.decode()
    # The form of the cards is the first.
    assert 'name="then" value="sign_in"' in response.content.decode()


def test_a_person_who_is_no_administrator_can_leave(podiatrist: BrowserSession, settings: Any) -> None:
    engine = dict(settings.TEMPLATES[0])
    engine.pop("APP_DIRS")
    settings.TEMPLATES = [{**engine, "OPTIONS": {**engine["OPTIONS"], **DOCUMENTED["OPTIONS"]}}]
    response = podiatrist.browser.get("/admin/", follow=True)
    assert buttons(response)[:2] == [OTHER_PERSON, SIGN_OUT]
    assert form_fields(response)["next"] == "/admin/"


def test_without_a_kept_id_token_another_person_is_asked_for_identification(
    provider: Provider, person: BrowserSession, settings: Any
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person.sign_in()
    response = person.browser.get(NO_ACCESS)
    leaving = press(person, response, OTHER_PERSON)
    page = person.browser.get(leaving["Location"])
    assert not page.context["ended_at_provider"]
    assert query_of(person.browser.get(page.context["login_url"])["Location"])["prompt"] == "login"


@pytest.mark.parametrize("address", ["/doctors/", NO_ACCESS])
def test_a_user_signed_in_by_password_has_the_sign_out_alone(
    provider: Provider, person: BrowserSession, address: str
) -> None:
    person.browser.force_login(User.objects.create_user("anna"), "django.contrib.auth.backends.ModelBackend")
    response = person.browser.get(address)
    assert response.status_code == 403
    assert buttons(response) == [SIGN_OUT]
    assert "Pro Santé Connect session too" not in response.content.decode()
