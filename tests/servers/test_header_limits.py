"""The cookies of pending logins go out on every request: no server may ever find them too long."""

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
    "as long as may be": "/page/" + "x" * 500 + "/",
    "in letters of several bytes": "/page/" + "é" * 250 + "/",
    "longer than may be": "/page/one/?q=" + "x" * 3_000,
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


def begin(browser: requests.Session, site: str, page: str) -> str:
    answer = browser.get(f"{site}/psc/psc/login/", params={"next": page}, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_after_sixty_starts_the_site_answers_and_signs_in(simulator, site, browser, page):
    simulator.register(client_of(host=site))
    for _ in range(60):
        begun = begin(browser, site, page)
    assert browser.get(f"{site}/", timeout=20).status_code == 200
    back = browser.get(begun, allow_redirects=False, timeout=20).headers["Location"]
    landed = browser.get(back, timeout=20)
    assert landed.status_code == 200
    assert [step.status_code for step in landed.history] == [302]


def test_a_long_page_after_many_short_ones_does_not_make_the_answer_too_long(simulator, site, browser):
    """Each login that goes is a header of the answer: nginx takes 4 kB of them all from the server behind it."""
    simulator.register(client_of(host=site))
    for _ in range(20):
        begin(browser, site, "")
    begun = begin(browser, site, PAGES["in letters of several bytes"])
    for _ in range(20):
        begin(browser, site, "")
    begun = begin(browser, site, PAGES["as long as may be"])
    landed = browser.get(browser.get(begun, allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert landed.status_code == 200


def test_a_site_whose_own_cookies_are_long_still_answers(simulator, site, browser):
    simulator.register(client_of(host=site))
    browser.cookies.set("the-sites-own", "x" * 3_000)
    for _ in range(20):
        begun = begin(browser, site, PAGES["as long as may be"])
    landed = browser.get(browser.get(begun, allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert landed.status_code == 200


def test_thirty_logins_begun_at_one_instant_leave_the_site_open(simulator, site, browser):
    """As when a browser opens its tabs again: each request goes out before another's cookie has come."""
    simulator.register(client_of(host=site))
    begun = []
    for _ in range(30):
        with requests.Session() as tab:
            begun.append(begin(tab, site, "/page/one/"))
            browser.cookies.update(tab.cookies)
    assert len(browser.cookies) == 30
    assert browser.get(f"{site}/", timeout=20).status_code == 200
    begun += [begin(browser, site, PAGES["as long as may be"]) for _ in range(3)]
    assert sum(len(cookie.name) + len(cookie.value or "") + 3 for cookie in browser.cookies) <= 4096
    landed = browser.get(browser.get(begun[-1], allow_redirects=False, timeout=20).headers["Location"], timeout=20)
    assert landed.status_code == 200
