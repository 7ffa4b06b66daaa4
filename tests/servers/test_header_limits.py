"""The cookies of pending logins stay below the limits of servers, since every request contains them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests

from psc_connect.simulator import Simulator
from tests.conftest import client_of
from tests.servers.processes import NGINX, gunicorn, make_site, nginx

pytestmark = pytest.mark.servers

PAGES = {
    "none": "",
    "of the maximum length": "/page/" + "x" * 500 + "/",
    "with multi-byte characters": "/page/" + "é" * 250 + "/",
    "too long": "/page/one/?q=" + "x" * 3_000,
}


@pytest.fixture(scope="module")
def gunicorn_origin(running_simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("site") / "site.sqlite3"
    with gunicorn(make_site(running_simulator, database)) as origin:
        yield origin


@pytest.fixture(scope="module", params=["gunicorn", "nginx"])
def site(
    request: pytest.FixtureRequest, gunicorn_origin: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "gunicorn":
        yield gunicorn_origin
        return
    if NGINX is None:
        if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    with nginx(gunicorn_origin, tmp_path_factory.mktemp("nginx")) as origin:
        yield origin


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def start_login(browser: requests.Session, site: str, page: str) -> str:
    response = browser.get(f"{site}/psc/psc/login/", params={"next": page}, allow_redirects=False, timeout=20)
    assert response.status_code == 302, response.text
    return response.headers["Location"]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_after_sixty_started_logins_the_site_answers_and_signs_in(simulator, site, browser, page):
    simulator.register(client_of(host=site))
    for _ in range(60):
        url = start_login(browser, site, page)
    assert browser.get(f"{site}/", timeout=20).status_code == 200
    callback = browser.get(url, allow_redirects=False, timeout=20).headers["Location"]
    response = browser.get(callback, timeout=20)
    assert response.status_code == 200
    assert [step.status_code for step in response.history] == [302]


def test_a_long_page_after_many_short_ones_does_not_make_the_answer_too_long(simulator, site, browser):
    """Each deleted login is a header of the response, and nginx accepts 4 kB of headers from the server behind it."""
    simulator.register(client_of(host=site))
    for _ in range(20):
        start_login(browser, site, "")
    url = start_login(browser, site, PAGES["with multi-byte characters"])
    for _ in range(20):
        start_login(browser, site, "")
    url = start_login(browser, site, PAGES["of the maximum length"])
    response = browser.get(browser.get(url, allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert response.status_code == 200


def test_a_site_whose_own_cookies_are_long_still_answers(simulator, site, browser):
    simulator.register(client_of(host=site))
    browser.cookies.set("the-sites-own", "x" * 3_000)
    for _ in range(20):
        url = start_login(browser, site, PAGES["of the maximum length"])
    response = browser.get(browser.get(url, allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert response.status_code == 200


def test_thirty_logins_started_at_once_leave_the_site_usable(simulator, site, browser):
    """As when a browser restores its tabs: each request is sent before the cookies of the others have arrived."""
    simulator.register(client_of(host=site))
    urls = []
    for _ in range(30):
        with requests.Session() as tab:
            urls.append(start_login(tab, site, "/page/one/"))
            browser.cookies.update(tab.cookies)
    assert len(browser.cookies) == 30
    assert browser.get(f"{site}/", timeout=20).status_code == 200
    urls += [start_login(browser, site, PAGES["of the maximum length"]) for _ in range(3)]
    assert sum(len(cookie.name) + len(cookie.value or "") + 3 for cookie in browser.cookies) <= 4096
    response = browser.get(browser.get(urls[-1], allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert response.status_code == 200
