"""The same callback twice: a reload, and two clicks, consecutive or simultaneous."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session

from tests.conftest import client_of
from tests.support.browser_session import PAGE, BrowserSession, restart_parameters
from tests.support.refusals import assert_refused

# Not inside a transaction: the second claim of a state is an error of the database.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.case("AZ04")
def test_reload_by_the_signed_in_person_redirects_to_the_page(simulator, provider, person):
    url = person.authorize(person.begin(PAGE))
    person.come_back(url)
    session = person.browser.cookies[site.SESSION_COOKIE_NAME].value
    for _ in range(3):
        assert person.come_back(url)["Location"] == PAGE
    assert person.browser.cookies[site.SESSION_COOKIE_NAME].value == session
    assert (simulator.count("token"), simulator.count("userinfo")) == (1, 1)


@pytest.mark.case("AZ04")
def test_reload_after_the_logout_is_refused(simulator, provider, person):
    url = person.authorize(person.begin(PAGE))
    person.come_back(url)
    person.browser.post("/psc/psc/logout/")
    get_user_model().objects.all().delete()
    response = person.come_back(url)
    assert response.context["code"] == "authorization_state_unknown"
    assert not person.is_signed_in
    assert simulator.count("token") == 1


@pytest.mark.case("AZ03", "AZ04")
def test_callback_of_another_person_is_refused_to_a_signed_in_user(simulator, provider, person):
    other = BrowserSession()
    theirs = other.authorize(other.begin("/page/theirs/"))
    other.come_back(theirs)
    simulator.sign_in("nurse")
    person.sign_in(PAGE)
    user = person.user_id
    response = person.come_back(theirs)
    assert response.context["code"] == "authorization_state_unknown"
    assert person.user_id == user
    assert simulator.count("token") == 2
    other.close()


def test_old_callback_does_not_sign_out_a_user_signed_in_by_password(provider, person):
    person.browser.force_login(
        get_user_model().objects.create_user("local"), backend="django.contrib.auth.backends.ModelBackend"
    )
    user = person.user_id
    response = person.browser.get("/psc/psc/callback/", {"code": "c", "state": "A" * 43})
    assert response.context["code"] == "authorization_state_unknown"
    assert person.user_id == user


def twin_of(person: BrowserSession) -> BrowserSession:
    """Return a copy of the browser, for a request sent before the response to the previous one."""
    twin = BrowserSession(provider_session=person.provider_session)
    for name, morsel in person.browser.cookies.items():
        twin.browser.cookies[name] = morsel.value
    return twin


@pytest.mark.case("AZ04")
def test_second_click_restarts_the_login_once_and_signs_in(simulator, provider, person):
    url = person.authorize(person.begin(PAGE))
    second = twin_of(person)
    person.come_back(url)
    restart = second.come_back(url)
    assert simulator.count("token") == 1
    assert restart_parameters(restart) == {"next": PAGE, "again": "1"}
    started = second.browser.get(restart["Location"])
    assert second.come_back(second.authorize(started["Location"]))["Location"] == PAGE
    assert second.is_signed_in
    assert get_user_model().objects.count() == 1


@pytest.mark.case("AZ04")
def test_second_click_of_a_user_signed_in_meanwhile_redirects_to_the_page(simulator, provider, person):
    url = person.authorize(person.begin(PAGE))
    second = twin_of(person)
    person.come_back(url)
    # The first response has arrived: this request has its session and the old cookie.
    second.browser.cookies[site.SESSION_COOKIE_NAME] = person.browser.cookies[site.SESSION_COOKIE_NAME].value
    assert second.come_back(url)["Location"] == PAGE
    assert simulator.count("token") == 1


@pytest.mark.case("AZ04")
def test_restart_of_a_user_signed_in_meanwhile_redirects_to_the_page(provider, person):
    person.sign_in()
    assert person.browser.get("/psc/psc/login/", {"next": PAGE, "again": "1"})["Location"] == PAGE


@pytest.mark.case("AZ04")
def test_login_is_restarted_once_only(simulator, provider, person):
    with simulator.fault("outage", endpoint="token"):
        url = person.authorize(person.begin(PAGE))
        second = twin_of(person)
        person.come_back(url)
        restart = second.come_back(url)
        started = second.browser.get(restart["Location"])
        url = second.authorize(started["Location"])
        third = twin_of(second)
        second.come_back(url)
        response = third.come_back(url)
    assert_refused(
        third, response, "authorization_state_used", simulator=simulator, calls=("token", "token"), next_page=PAGE
    )


def click(url: str, cookies: dict[str, str], *, clicks: int) -> list[tuple[requests.Session, requests.Response]]:
    """Open the callback several times simultaneously, with the cookies from before the first response."""
    barrier = threading.Barrier(clicks)

    def open_it(_number: int) -> tuple[requests.Session, requests.Response]:
        browser = requests.Session()
        browser.cookies.update(cookies)
        barrier.wait()
        return browser, browser.get(url, allow_redirects=False, timeout=20)

    with ThreadPoolExecutor(clicks) as pool:
        return list(pool.map(open_it, range(clicks)))


def follow(browser: requests.Session, answer: requests.Response, provider_session: requests.Session) -> Any:
    """Follow a restart as a browser does; return the response of the next callback."""
    host = answer.url.partition("/psc/")[0]
    started = browser.get(host + answer.headers["Location"], allow_redirects=False, timeout=20)
    back = provider_session.get(started.headers["Location"], allow_redirects=False, timeout=20)
    return browser.get(back.headers["Location"], allow_redirects=False, timeout=20)


@pytest.mark.case("CC02", "AZ04")
@pytest.mark.parametrize("clicks", [2, 6])
def test_simultaneous_clicks_make_one_exchange_and_all_sign_in(simulator, provider, person, live_server, clicks):
    simulator.register(client_of(host=live_server.url))
    with requests.Session() as browser:
        started = browser.get(f"{live_server.url}/psc/psc/login/?next={PAGE}", allow_redirects=False, timeout=20)
        cookies = browser.cookies.get_dict()
    url = person.authorize(started.headers["Location"])
    with simulator.fault("hang", endpoint="token", seconds=0.7):
        answers = click(url, cookies, clicks=clicks)
    assert simulator.count("token") == 1
    restarts = [(mine, answer) for mine, answer in answers if "again=1" in answer.headers["Location"]]
    assert len(restarts) == clicks - 1
    for mine, answer in restarts:
        assert follow(mine, answer, person.provider_session).headers["Location"] == PAGE
    for mine, _answer in answers:
        assert f"page one of {get_user_model().objects.get()}" in mine.get(f"{live_server.url}{PAGE}", timeout=20).text
        mine.close()
    assert (get_user_model().objects.count(), Session.objects.count()) == (1, clicks)


@pytest.mark.case("CC02", "AZ04")
def test_simultaneous_clicks_on_a_restart_start_no_third_login(simulator, provider, person, live_server):
    simulator.register(client_of(host=live_server.url))
    with requests.Session() as browser:
        address = f"{live_server.url}/psc/psc/login/?next={PAGE}&again=1"
        started = browser.get(address, allow_redirects=False, timeout=20)
        cookies = browser.cookies.get_dict()
    url = person.authorize(started.headers["Location"])
    with simulator.fault("hang", endpoint="token", seconds=0.7):
        answers = click(url, cookies, clicks=2)
    assert simulator.count("token") == 1
    assert sorted(answer.status_code for _mine, answer in answers) == [302, 400]
    assert sum("<dd>authorization_state_used</dd>" in answer.text for _mine, answer in answers) == 1
    for mine, _answer in answers:
        mine.close()
