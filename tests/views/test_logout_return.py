"""The return from a logout: the page says what the ``state`` of this browser confirms, and changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client as Browser

from psc_connect.encryption import LOGOUT_STATE, PENDING_LOGIN, cipher_for
from psc_connect.login.browser_secret import BrowserSecret
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, BrowserSession, path_of, query_of
from tests.support.logout_forms import CLOSE, OTHER_PERSON, asks_for_identification, buttons, end_session_url, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

LOGOUT = "/psc/psc/logout/"
LOGGED_OUT = "/psc/psc/logged-out/"
SECRET_COOKIE = "psc_logout_secret"


def leave(person: BrowserSession, **fields: str) -> str:
    """Sign in and out; return the URL at which the provider sends the browser back."""
    person.sign_in()
    leaving = person.browser.post(LOGOUT, fields)
    back = person.provider_session.get(end_session_url(leaving), allow_redirects=False, timeout=10)
    return path_of(back.headers["Location"])


def confirms_nothing(response: Any) -> bool:
    """Return whether the page says that the provider's session may be open, and offers to close it."""
    assert response.status_code == 200
    context = response.context
    return not context["ended_at_provider"] and not context["signs_in"] and buttons(response) == [CLOSE]


# --- its own state ----------------------------------------------------------------------------------------------


@pytest.mark.case("LO03")
def test_the_state_of_this_browser_confirms_that_both_sessions_are_closed(
    provider: Provider, person: BrowserSession
) -> None:
    response = person.browser.get(leave(person))
    assert response.context["ended_at_provider"]
    assert "are both closed" in response.content.decode()
    assert buttons(response) == []


@pytest.mark.case("LO03")
@pytest.mark.parametrize("method", ["get", "head"])
def test_the_page_changes_nothing_and_can_be_reloaded(provider: Provider, person: BrowserSession, method: str) -> None:
    back = leave(person, then=OTHER_PERSON, next=PAGE)
    for _visit in range(2):
        response = getattr(person.browser, method)(back)
        assert response.status_code == 200
        assert SECRET_COOKIE not in response.cookies
        assert response.context["ended_at_provider"]
        assert response.context["signs_in"]
    assert not Session.objects.exists()


def test_the_state_says_what_the_logout_was_for(provider: Provider, person: BrowserSession) -> None:
    response = person.browser.get(leave(person, then=OTHER_PERSON, next=PAGE))
    assert response.context["signs_in"]
    assert response.context["next"] == PAGE
    response = person.browser.get(leave(person))
    assert not response.context["signs_in"]
    assert response.context["next"] == ""


def test_the_state_can_neither_be_read_nor_guessed(provider: Provider, person: BrowserSession) -> None:
    state = query_of(leave(person, then=OTHER_PERSON, next=PAGE))["state"]
    assert "page" not in state
    assert state != query_of(leave(person, then=OTHER_PERSON, next=PAGE))["state"]


# --- missing, foreign and old states ----------------------------------------------------------------------------


@pytest.mark.case("LO03")
def test_the_state_of_another_browser_confirms_nothing(provider: Provider, person: BrowserSession) -> None:
    back = leave(person, then=OTHER_PERSON, next=PAGE)
    stranger = Browser()
    assert confirms_nothing(stranger.get(back))
    stranger.cookies[SECRET_COOKIE] = "x" * 43
    assert confirms_nothing(stranger.get(back))


@pytest.mark.case("LO03")
def test_an_old_state_confirms_nothing(provider: Provider, person: BrowserSession) -> None:
    back = leave(person)
    with time_machine.travel(timedelta(seconds=590)):
        assert person.browser.get(back).context["ended_at_provider"]
    with time_machine.travel(timedelta(seconds=610)):
        assert confirms_nothing(person.browser.get(back))


@pytest.mark.case("LO03")
def test_the_state_of_another_provider_confirms_nothing(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    make_provider(simulator, "other")
    back = leave(person).replace("/psc/psc/", "/psc/other/")
    response = person.browser.get(back)
    assert confirms_nothing(response)


@pytest.mark.case("LO03")
@pytest.mark.parametrize("query", ["", "state=", "state=x", "state=%ED%A0%80", "state=%00", "state=gAAAAAB"])
def test_a_state_that_is_none_confirms_nothing(provider: Provider, person: BrowserSession, query: str) -> None:
    leave(person)
    assert confirms_nothing(person.browser.get(f"{LOGGED_OUT}?{query}"))


@pytest.mark.case("LO03")
def test_a_text_encrypted_for_another_purpose_is_no_state(provider: Provider, person: BrowserSession) -> None:
    leave(person)
    values = '["' + "0" * 64 + '","psc","sign_in","/page/one/"]'
    for purpose in (PENDING_LOGIN, LOGOUT_STATE):
        state = cipher_for(purpose).encrypt(values.encode()).decode()
        assert confirms_nothing(person.browser.get(LOGGED_OUT, {"state": state}))


@pytest.mark.case("RD05")
def test_a_state_leads_to_no_other_site(provider: Provider, person: BrowserSession) -> None:
    leave(person)
    browser = BrowserSecret(person.browser.cookies[SECRET_COOKIE].value, secure=False)
    # As an earlier version of this package with a laxer validation could have written it.
    state = browser.seal(LOGOUT_STATE, "psc", "sign_in", "//evil.example/")
    response = person.browser.get(LOGGED_OUT, {"state": state})
    assert response.context["signs_in"]
    assert "evil" not in response.content.decode()
    back = leave(person, then=OTHER_PERSON, next="https://evil.example/")
    assert "evil" not in person.browser.get(back).content.decode()


def test_without_a_confirmation_the_person_can_close_the_session_at_the_provider(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    person.sign_in()
    simulator.sign_in(None)
    person.browser.cookies.clear()
    response = person.browser.get(LOGGED_OUT)
    assert "click below to close it" in response.content.decode()
    assert "remove your card" not in response.content.decode()
    leaving = press(person, response, CLOSE)
    assert query_of(end_session_url(leaving)).keys() == {"client_id", "post_logout_redirect_uri", "state"}
    assert not asks_for_identification(person)


# --- cookies ----------------------------------------------------------------------------------------------------


def test_the_cookie_is_lax_and_lives_ten_minutes(provider: Provider, person: BrowserSession, settings: Any) -> None:
    settings.SESSION_COOKIE_SAMESITE = settings.CSRF_COOKIE_SAMESITE = "Strict"
    person.sign_in()
    morsel = person.browser.post(LOGOUT).cookies[SECRET_COOKIE]
    assert (morsel["samesite"], morsel["max-age"], morsel["path"]) == ("Lax", 600, "/")
    assert morsel["httponly"]
    assert not morsel["domain"]


@pytest.mark.case("NW06")
def test_with_https_the_cookie_is_restricted_to_the_host(
    simulator: Simulator, person: BrowserSession, settings: Any
) -> None:
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    simulator.register(client_of(host="https://testserver"))
    make_provider(simulator)
    person.sign_in()
    answer = person.browser.post(LOGOUT)
    morsel = answer.cookies[f"__Host-{SECRET_COOKIE}"]
    assert morsel["secure"]
    state = query_of(end_session_url(answer))["state"]
    assert person.browser.get(LOGGED_OUT, {"state": state}).context["ended_at_provider"]
    # A page of a sub-domain can set these.
    for name in (SECRET_COOKIE, f"\u2000__Host-{SECRET_COOKIE}"):
        stranger = Browser()
        header = f"{name}={morsel.value}".encode().decode("latin-1")
        response = stranger.get(LOGGED_OUT, {"state": state}, HTTP_COOKIE=header)
        assert not response.context["ended_at_provider"]


def test_a_strict_session_cookie_does_not_make_the_page_say_what_it_cannot_know(
    provider: Provider, person: BrowserSession, settings: Any
) -> None:
    """The browser withholds it from a request that comes from another site: the person may be signed in."""
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    back = leave(person)
    from_provider = {"Sec-Fetch-Site": "cross-site"}
    assert person.browser.get(back, headers=from_provider).context["ended_at_provider"]
    for query in ("", "?site_only=1", "?state=x"):
        response = person.browser.get(LOGGED_OUT + query, headers=from_provider)
        assert (response.status_code, response["Location"]) == (302, "/")
        assert person.browser.get(LOGGED_OUT + query).status_code == 200


# --- a second click ---------------------------------------------------------------------------------------------


@pytest.mark.case("LO02")
def test_a_second_click_does_not_say_that_the_providers_session_is_closed(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    person.sign_in()
    simulator.sign_in(None)
    person.browser.post(LOGOUT)
    # The browser drops the answer to the first click, and shows that to the second.
    second = person.browser.post(LOGOUT, follow=True)
    assert second.redirect_chain == [(f"{LOGGED_OUT}?site_only=1", 302)]
    assert confirms_nothing(second)
    # The page offers what the first click began.
    leaving = press(person, second, CLOSE)
    page = person.provider_session.get(end_session_url(leaving), allow_redirects=False, timeout=10)
    assert page.status_code == 200
    assert not asks_for_identification(person)


@pytest.mark.case("LO02")
def test_a_second_click_on_the_way_to_the_provider_is_confirmed_too(provider: Provider, person: BrowserSession) -> None:
    person.sign_in()
    url = end_session_url(person.browser.post(LOGOUT))
    for _click in range(2):
        back = person.provider_session.get(url, allow_redirects=False, timeout=10)
        assert person.come_back(back.headers["Location"]).context["ended_at_provider"]


@pytest.mark.case("LO01")
@pytest.mark.parametrize("then", ["", CLOSE, OTHER_PERSON])
def test_a_get_with_the_fields_of_the_form_ends_nothing(provider: Provider, person: BrowserSession, then: str) -> None:
    person.sign_in()
    for method in (person.browser.get, person.browser.head):
        assert method(LOGOUT, {"then": then, "next": PAGE}).status_code == 200
    assert person.browser.get(PAGE).status_code == 200
