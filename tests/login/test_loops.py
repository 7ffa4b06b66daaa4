"""A page that sends the person who has just signed in back to the login."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import partial
from html import unescape
from typing import Any

import pytest
import requests
import time_machine
from django.conf import settings as site
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.models import Session
from django.http import HttpResponseRedirect
from django.urls import reverse

from psc_connect.login import recent_logins
from psc_connect.models import Account
from psc_connect.simulator import Simulator
from tests.conftest import client_of, make_provider
from tests.support import backend_hooks
from tests.support.browser_session import BACK_CHANNEL, PAGE, BrowserSession, error_code_of, path_of
from tests.support.refusals import assert_sign_in_is_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]

OTHER_PAGE = "/page/two/"
MAX_HOPS = 40


def signs_out_without_permission(get_response: Any) -> Any:
    """A middleware of a site: nobody has the permission for its pages."""

    def middleware(request: Any) -> Any:
        if request.path.startswith("/page/") and request.user.is_authenticated:
            auth.logout(request)
            return redirect_to_login(request.path)
        return get_response(request)

    return middleware


def home_sends_to_the_login(get_response: Any) -> Any:
    """A middleware of a site: its home page sends all people to the login, without ``?next=``."""
    login = reverse("psc_connect:login", args=["psc"])
    return lambda request: HttpResponseRedirect(login) if request.path == "/" else get_response(request)


def visit(person: BrowserSession, page: str = PAGE, *, after_each: Callable[[], Any] = lambda: None) -> Any:
    """Open a page and follow each redirect, of the site and of the provider; return the last response."""
    url = page
    for _ in range(MAX_HOPS):
        if "response_type=code" in url:
            url = person.authorize(url)
            continue
        response = person.browser.get(path_of(url))
        after_each()
        if response.status_code != 302:
            return response
        url = response["Location"]
    pytest.fail(f"more than {MAX_HOPS} hops")


def lose_session(person: BrowserSession) -> None:
    person.browser.cookies.pop(site.SESSION_COOKIE_NAME, None)


def assert_loop_ends(response: Any, code: str, *, simulator: Simulator) -> None:
    assert (response.status_code, error_code_of(response)) == (403, code)
    # The third login asked the provider nothing.
    assert [each.endpoint for each in simulator.requests if each.endpoint in BACK_CHANNEL] == ["token", "userinfo"] * 2


@pytest.mark.case("NW08")
def test_loop_of_a_session_cookie_that_does_not_stick_ends_on_a_page(simulator, person):
    response = visit(person, after_each=partial(lose_session, person))
    assert_loop_ends(response, "loop_cookie_missing", simulator=simulator)
    assert not person.is_signed_in


@pytest.mark.case("NW08")
@pytest.mark.django_db(transaction=True)
def test_loop_of_a_cookie_for_another_path_ends_on_a_page(simulator, live_server, settings):
    """`requests` keeps cookies as browsers do, and gives up after 30 redirects."""
    simulator.register(client_of(host=live_server.url))
    settings.SESSION_COOKIE_PATH = "/elsewhere/"
    with requests.Session() as browser:
        response = browser.get(f"{live_server.url}{PAGE}", timeout=20)
    assert response.status_code == 403
    assert "<dd>loop_cookie_missing</dd>" in response.text
    # Page, login, provider and callback, three times.
    assert len(response.history) == 11


@pytest.mark.case("NW08")
def test_loop_of_a_user_that_is_not_found_again_ends_on_a_page(simulator, person, settings):
    backend_hooks.use_backend(settings, backend_hooks.FindsUsersWhileSigningIn)
    assert_loop_ends(visit(person), "loop_user_missing", simulator=simulator)


@pytest.mark.case("NW08")
def test_loop_of_a_session_store_that_loses_sessions_ends_on_a_page(simulator, person):
    """As a cache in the memory of each server: the site cannot tell it from a session that its code has ended."""
    response = visit(person, after_each=lambda: Session.objects.all().delete())
    assert_loop_ends(response, "loop_permission_missing", simulator=simulator)


@pytest.mark.case("NW08")
def test_loop_of_a_site_that_signs_out_without_permission_ends_on_a_page(simulator, person, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.signs_out_without_permission"]
    response = visit(person)
    assert_loop_ends(response, "loop_permission_missing", simulator=simulator)
    # To start again would end here again.
    assert '<a class="psc-action" href="/"' in response.content.decode()
    assert response.context["start_again_url"] not in unescape(response.content.decode())


@pytest.mark.case("NW08")
def test_loop_of_sessions_in_cookies_ends_on_a_page(simulator, person, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    response = visit(person, after_each=partial(lose_session, person))
    assert_loop_ends(response, "loop_cookie_missing", simulator=simulator)


@pytest.mark.case("NW08")
def test_home_page_that_sends_to_the_login_ends_on_a_page(person, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.home_sends_to_the_login"]
    response = visit(person, "/")
    assert response.status_code == 403
    assert "psc_connect/already_signed_in.html" in [template.name for template in response.templates]
    assert person.is_signed_in


@pytest.mark.case("NW08")
def test_person_can_start_again_from_the_page(person):
    """The cause may have been mended, as cookies that were forbidden."""
    response = visit(person, after_each=partial(lose_session, person))
    again = response.context["start_again_url"]
    assert visit(person, again).content.decode().startswith("page one of")


@pytest.mark.case("NW08")
def test_person_who_starts_again_for_nothing_sees_the_page_again(person):
    response = visit(person, after_each=partial(lose_session, person))
    again = visit(person, response.context["start_again_url"], after_each=partial(lose_session, person))
    assert error_code_of(again) == "loop_cookie_missing"


@pytest.mark.case("NW08")
def test_two_tabs_that_loop_at_once_both_end(person):
    """Each hop of one comes between two of the other."""
    urls, ended = [PAGE, OTHER_PAGE], {}
    for _ in range(MAX_HOPS):
        for tab, url in enumerate(urls):
            if tab in ended:
                continue
            if "response_type=code" in url:
                urls[tab] = person.authorize(url)
                continue
            response = person.browser.get(path_of(url))
            lose_session(person)
            if response.status_code == 302:
                urls[tab] = response["Location"]
            else:
                ended[tab] = error_code_of(response)
    assert ended == {0: "loop_cookie_missing", 1: "loop_cookie_missing"}


@pytest.mark.case("NW08", "CC03")
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_five_tabs_of_one_page_at_once_all_sign_in(person, order):
    started = [person.begin(PAGE) for _ in range(5)]
    callbacks = [person.authorize(url) for url in started]
    for number in order:
        assert person.come_back(callbacks[number])["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("NW08", "CC03")
def test_login_that_started_before_the_last_one_ended_is_not_counted(person):
    person.sign_in(PAGE)
    lose_session(person)
    second, third, fourth = (person.authorize(person.begin(PAGE)) for _ in range(3))
    for callback in (second, third, fourth):
        assert person.come_back(callback)["Location"] == PAGE


@pytest.mark.case("NW08")
def test_three_logins_in_more_than_a_minute_are_no_loop(person):
    with time_machine.travel(datetime.datetime.now(datetime.timezone.utc)) as clock:
        for _ in range(5):
            assert person.sign_in(PAGE)["Location"] == PAGE
            lose_session(person)
            clock.shift(31)


@pytest.mark.case("NW08")
def test_third_login_that_takes_longer_than_a_minute_is_no_loop(person):
    """The provider asked for an identification: the browser does not go round by itself."""
    with time_machine.travel(datetime.datetime.now(datetime.timezone.utc)) as clock:
        for _ in range(2):
            person.sign_in(PAGE)
            lose_session(person)
        url = person.begin(PAGE)
        clock.shift(61)
        assert person.come_back(person.authorize(url))["Location"] == PAGE


@pytest.mark.case("NW08")
def test_logins_for_different_pages_are_no_loop(person):
    for number in range(8):
        page = f"/page/{number}/"
        assert person.sign_in(page)["Location"] == page
        lose_session(person)


@pytest.mark.case("NW08")
def test_person_who_signs_out_and_in_again_is_not_in_a_loop(person):
    for _ in range(4):
        assert person.sign_in(PAGE)["Location"] == PAGE
        person.browser.post("/psc/psc/logout/")


@pytest.mark.case("NW08")
@pytest.mark.parametrize("value", ["", "x", "gAAAA", "é"])
def test_cookie_that_cannot_be_read_counts_nothing(person, value):
    for _ in range(4):
        assert person.sign_in(PAGE)["Location"] == PAGE
        person.browser.cookies[recent_logins.NAME] = value
        lose_session(person)


def test_cookie_is_small_encrypted_and_for_this_host(simulator, person, settings):
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    simulator.register(client_of(host="https://testserver"))
    for number in range(8):
        person.sign_in(f"/page/{number}{'x' * 200}/")
        lose_session(person)
    cookie = person.browser.cookies[f"__Host-{recent_logins.NAME}"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert (cookie["domain"], cookie["max-age"]) == ("", recent_logins.SECONDS)
    assert len(cookie.value) < 700
    assert cookie.value.startswith("gAAAA")


@pytest.mark.case("NW08")
def test_user_that_get_user_of_the_site_does_not_find_is_refused(simulator, person, settings):
    person.sign_in()
    person.browser.post("/psc/psc/logout/")
    backend_hooks.use_backend(settings, backend_hooks.FindsNobodyAgain)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)


@pytest.mark.case("NW08")
def test_new_user_that_get_user_of_the_site_does_not_find_is_not_kept(simulator, person, settings):
    backend_hooks.use_backend(settings, backend_hooks.FindsNobodyAgain)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)
    assert not Account.objects.exists()


def test_two_providers_count_one_page_together(simulator, person):
    """The page sends the browser to the choice of the provider, or to any of them."""
    make_provider(simulator, "other")
    simulator.register(client_of(redirect_uris=tuple(f"http://testserver/psc/{s}/callback/" for s in ("psc", "other"))))
    other = BrowserSession(person.browser, person.provider_session, "other")
    for browser in (person, other):
        assert browser.sign_in(PAGE)["Location"] == PAGE
        lose_session(person)
    assert error_code_of(person.sign_in(PAGE)) == "loop_cookie_missing"
