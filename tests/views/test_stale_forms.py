"""The forms of pages that were loaded before the last login, whose CSRF token has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.urls import reverse

from psc_connect import urls
from psc_connect.models import Account, Provider
from psc_connect.simulator import Simulator
from tests.support.access_rules import PODIATRISTS, allow, refuse, set_rules
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.logout_forms import CLOSE, OTHER_PERSON, end_session_url, form_fields, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider", "english", "professional_pages")]

URL = "/psc/psc/logout/"
LOGGED_OUT = "/psc/psc/logged-out/?site_only=1"
ACTIVITY = "/psc/psc/activity/"
STALE = "This page was no longer up to date"
FORGED = {"csrfmiddlewaretoken": "x" * 64}


@pytest.fixture(params=["cookie", "session"])
def person(request: pytest.FixtureRequest, settings: Any) -> Iterator[BrowserSession]:
    """A browser of a site that checks the token, kept in a cookie or in the session."""
    settings.CSRF_USE_SESSIONS = request.param == "session"
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    yield person
    person.close()


def sign_in_in_another_tab(person: BrowserSession) -> None:
    """Sign in again after the session has ended."""
    del person.browser.cookies["sessionid"]
    assert person.sign_in(PAGE)["Location"] == PAGE


def stored_sessions() -> list[dict[str, Any]]:
    return [session.get_decoded() for session in Session.objects.order_by("pk")]


# --- the sign-out -----------------------------------------------------------------------------------------------


@pytest.mark.case("LO01")
def test_stale_sign_out_changes_nothing_and_shows_a_button_that_works(person: BrowserSession) -> None:
    person.sign_in(PAGE)
    page = person.browser.get(URL)
    assert STALE not in page.content.decode()
    sign_in_in_another_tab(person)
    before = stored_sessions()
    response = person.browser.post(URL, form_fields(page))
    assert response.status_code == 403
    assert "You are already signed in" in response.content.decode()
    assert STALE in response.content.decode()
    assert (person.is_signed_in, stored_sessions()) == (True, before)
    assert end_session_url(press(person, response, OTHER_PERSON))
    assert not person.is_signed_in


def test_stale_button_of_a_refusal_shows_one_that_works(person: BrowserSession, provider: Provider) -> None:
    set_rules(provider, refuse(PODIATRISTS))
    page = person.sign_in(PAGE)
    set_rules(provider)
    person.sign_in(PAGE)
    response = press(person, page, CLOSE)
    assert (response.status_code, person.is_signed_in) == (403, True)
    assert end_session_url(press(person, response, OTHER_PERSON))
    assert not person.is_signed_in


def test_second_click_on_sign_out_leads_to_the_logged_out_page(person: BrowserSession) -> None:
    person.sign_in(PAGE)
    fields = form_fields(person.browser.get(URL))
    assert person.browser.post(URL, fields).status_code == 200
    assert person.browser.post(URL, fields)["Location"] == LOGGED_OUT
    assert end_session_url(press(person, person.browser.get(LOGGED_OUT), CLOSE))


def test_button_of_a_refusal_with_status_503_leads_on(
    person: BrowserSession, provider: Provider, settings: Any
) -> None:
    set_rules(provider, allow(PODIATRISTS))
    provider.access_rules.update(outcome="perhaps")
    page = person.sign_in(PAGE)
    assert (page.status_code, page.context["code"]) == (503, "access_rule_malformed")
    response = press(person, page, CLOSE)
    if settings.CSRF_USE_SESSIONS:
        # Django stores no session with a response over 499: the token is lost.
        assert response["Location"] == LOGGED_OUT
        response = press(person, person.browser.get(LOGGED_OUT), CLOSE)
    assert end_session_url(response)


@pytest.mark.case("LO01")
def test_refused_sign_out_sends_nothing_to_the_provider(person: BrowserSession, simulator: Simulator) -> None:
    person.sign_in(PAGE)
    simulator.clear_requests()
    for fields in ({}, FORGED, {"then": CLOSE}, {**FORGED, "then": OTHER_PERSON}):
        response = person.browser.post(URL, fields)
        assert (response.status_code, "refresh" in response.content.decode()) == (403, False)
    assert (simulator.requests, person.is_signed_in) == ([], True)


@pytest.mark.case("LO01")
def test_right_token_from_another_origin_is_refused(person: BrowserSession) -> None:
    person.sign_in(PAGE)
    fields = form_fields(person.browser.get(URL))
    for origin in ("https://evil.example", "null"):
        assert person.browser.post(URL, fields, headers={"Origin": origin}).status_code == 403
    assert person.is_signed_in
    assert person.browser.post(URL, fields, headers={"Origin": "http://testserver"}).status_code == 200


def test_refused_sign_out_is_logged_as_django_does(person: BrowserSession, caplog: pytest.LogCaptureFixture) -> None:
    person.sign_in(PAGE)
    with caplog.at_level(logging.WARNING, "django"):
        person.browser.post(URL, FORGED)
    [line] = [record for record in caplog.records if record.name.startswith("django")]
    assert (line.name, line.levelname) == ("django.security.csrf", "WARNING")
    assert line.getMessage() == "Forbidden (CSRF token from POST incorrect.): /psc/psc/logout/"


@pytest.mark.case("LO01")
def test_site_without_the_csrf_middleware_shows_a_button_that_works(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    person.sign_in(PAGE)
    response = person.browser.post(URL)
    assert (response.status_code, person.is_signed_in) == (403, True)
    assert end_session_url(press(person, response, OTHER_PERSON))
    # The page after it has a form too.
    assert end_session_url(press(person, person.browser.get(LOGGED_OUT), CLOSE))
    person.close()


def test_site_without_the_csrf_middleware_has_a_button_that_works_after_a_refusal(
    settings: Any, provider: Provider
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    set_rules(provider, refuse(PODIATRISTS))
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    assert end_session_url(press(person, person.sign_in(PAGE), OTHER_PERSON))
    person.close()


@pytest.mark.case("LO01")
@pytest.mark.parametrize("name", sorted({str(pattern.name) for pattern in urls.urlpatterns}))
def test_no_view_does_anything_by_a_post_without_the_token(person: BrowserSession, name: str) -> None:
    person.sign_in(PAGE)
    before = stored_sessions()
    response = person.browser.post(reverse(f"psc_connect:{name}", args=["psc"]), {**FORGED, "activity_choice": "x"})
    assert response.status_code in {302, 403, 405}
    assert (person.is_signed_in, stored_sessions()) == (True, before)
    assert "CSRF verification failed" not in response.content.decode()


# --- the choice of an activity ----------------------------------------------------------------------------------


@pytest.fixture
def doctor(person: BrowserSession, simulator: Simulator) -> BrowserSession:
    simulator.sign_in("doctor-two-activities")
    person.sign_in(PAGE)
    return person


def choose(doctor: BrowserSession, page: Any, **fields: str) -> Any:
    key = page.context["cards"][0][0].key
    token = str(page.context["csrf_token"])
    return doctor.browser.post(ACTIVITY, {"csrfmiddlewaretoken": token, "next": PAGE, "activity_choice": key, **fields})


def test_stale_choice_changes_nothing_and_shows_cards_that_work(doctor: BrowserSession) -> None:
    page = doctor.browser.get(ACTIVITY)
    assert STALE not in page.content.decode()
    before = stored_sessions()
    response = choose(doctor, page, **FORGED)
    assert (response.status_code, len(response.context["cards"])) == (403, 2)
    assert STALE in response.content.decode()
    assert (Account.objects.get().activity_choice, stored_sessions()) == ("", before)
    assert f'name="next" value="{PAGE}"' in response.content.decode()
    assert choose(doctor, response)["Location"] == PAGE
    assert Account.objects.get().activity_choice


def test_stale_choice_after_a_sign_out_leads_to_the_login(doctor: BrowserSession) -> None:
    page = doctor.browser.get(ACTIVITY)
    doctor.browser.logout()
    response = choose(doctor, page)
    assert (response.status_code, response["Location"]) == (302, "/psc/psc/login/?next=%2Fpage%2Fone%2F")


def test_stale_choice_does_not_lead_to_another_site(doctor: BrowserSession) -> None:
    response = choose(doctor, doctor.browser.get(ACTIVITY), next="https://evil.example/", **FORGED)
    assert "evil.example" not in response.content.decode()
