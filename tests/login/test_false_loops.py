"""What looks like a loop of logins and is none, and the loops of a person who is signed in."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth.decorators import login_not_required, permission_required
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.test import AsyncClient
from django.urls import path

from psc_connect.login import recent_logins
from psc_connect.login.site_urls import login_link, login_url
from tests import urls as base
from tests.support.browser_session import PAGE, BrowserSession, error_code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider", "english"), pytest.mark.case("NW08")]

PROFESSIONAL = "psc_connect.middleware.ProSanteConnectMiddleware"
VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
CLICK = VISIT | {"Sec-Fetch-Site": "same-origin"}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LOGIN = login_url("psc", "")


@login_not_required
def site_login(request: Any) -> HttpResponse:
    """The site's own login page, with our button."""
    button = Template("{% load psc_connect %}{% psc_connect_button %}")
    return HttpResponse(button.render(RequestContext(request)))


@permission_required("auth.delete_user")
def secret_page(request: Any) -> HttpResponse:
    return HttpResponse("secret")


urlpatterns = [
    path("accounts/login/", site_login),
    path("accounts/logout/", LogoutView.as_view(next_page="/")),
    path("secret/", secret_page),
    *base.urlpatterns,
]


@pytest.fixture
def site_of_its_own(settings: Any) -> Any:
    """A site with its own pages to sign in and out."""
    settings.ROOT_URLCONF = __name__
    settings.LOGIN_URL = "/accounts/login/"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, PROFESSIONAL]
    return settings


def lose_session(person: BrowserSession) -> None:
    person.browser.cookies.pop(site.SESSION_COOKIE_NAME, None)


def is_already_signed_in_page(response: Any) -> bool:
    names = [template.name for template in response.templates]
    return response.status_code == 403 and "psc_connect/already_signed_in.html" in names


# --- signing out ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("site_of_its_own")
def test_person_who_signs_out_on_a_page_of_the_site_and_in_again_is_not_in_a_loop(person):
    for _ in range(5):
        assert person.sign_in(PAGE)["Location"] == PAGE
        person.browser.post("/accounts/logout/")
        assert not person.is_signed_in


def test_so_is_a_person_whose_session_is_in_a_cookie(person, site_of_its_own):
    site_of_its_own.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    for _ in range(5):
        assert person.sign_in(PAGE)["Location"] == PAGE
        person.browser.post("/accounts/logout/")


@pytest.mark.usefixtures("site_of_its_own")
def test_so_is_a_person_of_an_asynchronous_server(person):
    browser = AsyncClient()
    browser.cookies = person.browser.cookies
    for _ in range(4):
        assert person.sign_in(PAGE)["Location"] == PAGE
        async_to_sync(browser.post)("/accounts/logout/")
        assert not person.is_signed_in


@pytest.mark.usefixtures("site_of_its_own")
def test_posts_that_do_not_sign_out_keep_the_count(person):
    """As a page that posts in the background, of a browser that has lost its session."""
    for _ in range(2):
        person.sign_in(PAGE)
        person.browser.post(PAGE)
        lose_session(person)
        person.browser.post(PAGE)
    assert error_code_of(person.sign_in(PAGE)) == "loop_cookie_missing"


def test_without_the_middleware_the_page_says_that_the_person_may_have_signed_out(person, site_of_its_own):
    site_of_its_own.MIDDLEWARE = [name for name in site_of_its_own.MIDDLEWARE if name != PROFESSIONAL]
    for _ in range(2):
        person.sign_in(PAGE)
        person.browser.post("/accounts/logout/")
    response = person.sign_in(PAGE)
    assert error_code_of(response) == "loop_permission_missing"
    assert "each time you or the page that you wanted signed you out" in response.content.decode()
    # The page has ended the count.
    assert person.sign_in(PAGE)["Location"] == PAGE


# --- several tabs -----------------------------------------------------------------------------------------------------


def test_tab_of_a_person_who_is_signed_in_by_now_goes_to_its_page(person):
    for _ in range(2):
        person.sign_in(PAGE)
        lose_session(person)
    stale = person.begin(PAGE)
    assert person.sign_in("/page/two/")["Location"] == "/page/two/"
    assert person.come_back(person.authorize(stale))["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200


# --- which page -------------------------------------------------------------------------------------------------------


def test_loop_of_a_page_that_changes_its_query_ends_on_a_page(person):
    for number in range(2):
        assert person.sign_in(f"{PAGE}?attempt={number}").status_code == 302
        lose_session(person)
    assert error_code_of(person.sign_in(f"{PAGE}?attempt=3")) == "loop_cookie_missing"


def test_visits_of_a_person_who_is_signed_in_are_not_counted_as_logins(person):
    person.sign_in()
    for _ in range(2):
        assert person.browser.get(LOGIN, headers=VISIT)["Location"] == "/"
    lose_session(person)
    assert person.sign_in()["Location"] == "/"


def test_images_and_prefetches_of_a_person_who_is_signed_in_are_not_counted(person):
    person.sign_in()
    for headers in (IMAGE, IMAGE, VISIT | {"Sec-Purpose": "prefetch"}):
        assert person.browser.get(LOGIN, headers=headers).status_code == 302
    for _ in range(recent_logins.MAX_LOGINS):
        assert person.browser.get(LOGIN, headers=VISIT)["Location"] == "/"
    assert is_already_signed_in_page(person.browser.get(LOGIN, headers=VISIT))


# --- somebody who is signed in ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("site_of_its_own")
def test_person_without_permission_who_goes_round_by_our_button_sees_why(person):
    """The page sends to the login page of the site, whose button leads to the page."""
    person.sign_in()
    for _ in range(recent_logins.MAX_LOGINS):
        response = go_round(person)
        assert response["Location"] == "/secret/"
    assert is_already_signed_in_page(go_round(person))
    assert person.is_signed_in


def go_round(person: BrowserSession) -> Any:
    """Open the page that lacks a permission, and click on the button of the login page that it leads to."""
    login_page = person.browser.get(person.browser.get("/secret/")["Location"])
    button = re.search(r'href="([^"]+)"', login_page.content.decode())
    assert button is not None
    return person.browser.get(unescape(button[1]), headers=CLICK)


def test_buttons_of_pages_loaded_before_the_sign_in_lead_to_each_page(person):
    person.sign_in()
    for number in range(5):
        page = f"/page/{number}/"
        assert person.browser.get(login_link("psc", page), headers=CLICK)["Location"] == page
