"""Sign-in on pages behind service workers, under Turbo and under htmx, and while other pages load the login page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import steps
from tests.browser.demo import Demo, running_demo

# A person with one activity, so that no page asks for it.
PERSON = "podiatrist"
CONTINUE = "Continuer"
LOGIN = re.compile(r"/psc/psc-simulator/login/")
REGISTER = "url => navigator.serviceWorker.register(url).then(() => navigator.serviceWorker.ready)"
IN_CONTROL = "navigator.serviceWorker.controller !== null"
Visit = Callable[..., Page]

pytestmark = pytest.mark.case("NW07")


def skip_or_fail(reason: str) -> None:
    if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("scripted"), settings="tests.sites.scripted.settings") as demo:
        yield demo


@pytest.fixture(scope="module")
def node_modules() -> None:
    folder = Path(os.environ.get("PSC_TESTS_NODE_MODULES", "missing"))
    missing = [name for name in ("@hotwired/turbo", "htmx.org") if not (folder / name).is_dir()]
    if missing:
        skip_or_fail(f"no {', '.join(missing)}: npm install them, and set PSC_TESTS_NODE_MODULES to node_modules")


@pytest.fixture
def visit(chromium: Browser, site: Demo) -> Iterator[Visit]:
    contexts = []

    def open_browser(name: str, worker: str = "") -> Page:
        context = chromium.new_context(base_url=site.site, locale="fr-FR")
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/pages/{name}/")
        if worker:
            page.evaluate(REGISTER, worker)
            page.reload()
            page.wait_for_function(IN_CONTROL)
        return page

    yield open_browser
    for context in contexts:
        context.close()


def pending_logins(page: Page) -> list[str]:
    return [cookie["name"] for cookie in page.context.cookies() if cookie["name"].startswith("psc_auth_")]


def choose_person(page: Page) -> None:
    """Choose the person at the provider, and arrive on the requested page."""
    steps.choose_person(page, PERSON)
    page.wait_for_url("**/me/")
    expect(page.locator("h1")).to_be_visible()


def go_on(page: Page) -> None:
    page.get_by_role("link", name=CONTINUE, exact=True).click()


# --- service workers --------------------------------------------------------------------------------------------

WORKERS = {
    "django-pwa": "/serviceworker.js",
    **{way: f"/worker.js?way={way}" for way in ("request", "clone", "new-request", "preload", "cache")},
}


@pytest.mark.parametrize("link", [".psc-button", "#protected"])
@pytest.mark.parametrize("worker", WORKERS)
def test_sign_in_and_out_behind_a_worker_that_passes_visits_on(visit: Visit, worker: str, link: str) -> None:
    page = visit("plain", WORKERS[worker])
    page.locator(link).click()
    choose_person(page)
    page.goto("/pages/plain/")
    page.locator(".psc-logout-button").click()
    page.wait_for_url(steps.LOGGED_OUT)


def test_refused_login_can_be_started_again_behind_a_worker(visit: Visit) -> None:
    page = visit("plain", WORKERS["django-pwa"])
    page.locator(".psc-button").click()
    page.wait_for_url(steps.SIMULATOR)
    page.get_by_role("button", name="Annuler").click()
    page.get_by_role("link", name="Recommencer").click()
    choose_person(page)


@pytest.mark.parametrize("link", [".psc-button", "#bare"])
@pytest.mark.parametrize("way", ["url", "changed-request"])
def test_sign_in_behind_a_worker_that_sends_requests_of_its_own(visit: Visit, way: str, link: str) -> None:
    page = visit("plain", f"/worker.js?way={way}")
    page.locator(link).click()
    expect(page.locator("h1")).to_have_text("Cliquez pour continuer")
    assert pending_logins(page) == []
    go_on(page)
    page.wait_for_url("**fetched=1**")
    go_on(page)
    steps.choose_person(page, PERSON)
    page.wait_for_url("**/callback/**")
    go_on(page)
    page.wait_for_url("**/me/")
    expect(page.locator("h1")).to_be_visible()


# --- Turbo and htmx ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("node_modules")
@pytest.mark.parametrize("name", ["turbo", "turbo-frame", "htmx"])
def test_button_and_sign_out_work_under_scripts(visit: Visit, name: str) -> None:
    page = visit(name)
    page.locator(".psc-button").click()
    choose_person(page)
    page.goto(f"/pages/{name}/")
    page.locator(".psc-logout-button").click()
    page.wait_for_url(steps.LOGGED_OUT)
    expect(page.locator("h1")).to_have_text("Déconnexion effectuée")


@pytest.mark.usefixtures("node_modules")
@pytest.mark.parametrize("link", ["#protected", "#bare"])
@pytest.mark.parametrize("name", ["turbo", "turbo-frame"])
def test_turbo_opens_the_login_page_that_it_fetched(visit: Visit, name: str, link: str) -> None:
    page = visit(name)
    page.locator(link).click()
    choose_person(page)


@pytest.mark.usefixtures("node_modules")
@pytest.mark.parametrize("link", ["#protected", "#bare"])
def test_page_that_htmx_fetched_has_a_plain_link(visit: Visit, link: str) -> None:
    page = visit("htmx")
    page.locator(link).click()
    expect(page.locator("h1")).to_have_text("Cliquez pour continuer")
    assert pending_logins(page) == []
    go_on(page)
    choose_person(page)


@pytest.mark.usefixtures("node_modules")
def test_part_that_htmx_fetched_has_a_plain_link(visit: Visit) -> None:
    page = visit("htmx-part")
    page.get_by_role("button").click()
    go_on(page)
    choose_person(page)


@pytest.mark.usefixtures("node_modules")
@pytest.mark.parametrize("link", [".psc-button", "#bare"])
def test_link_under_the_pointer_starts_no_login(visit: Visit, link: str) -> None:
    """Turbo fetches links when the pointer is over them."""
    page = visit("turbo")
    page.locator(link).hover()
    page.wait_for_timeout(500)
    assert pending_logins(page) == []


# --- what is not a visit ----------------------------------------------------------------------------------------


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("name", ["prefetch", "prefetch-rules", "prerender-rules"])
def test_prefetch_starts_no_login(visit: Visit, name: str) -> None:
    page = visit(name)
    page.wait_for_timeout(500)
    assert pending_logins(page) == []
    page.locator(".psc-button").click()
    choose_person(page)


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site", "another site"])
def test_first_login_finishes_after_sixty_images(visit: Visit, site: Demo, host: str) -> None:
    page = visit("plain")
    page.locator(".psc-button").click()
    page.wait_for_url(steps.SIMULATOR)
    assert len(pending_logins(page)) == 1
    images: list[str] = []
    other = page.context.new_page()
    other.on("request", lambda request: images.append(request.url) if LOGIN.search(request.url) else None)
    other.goto(site.site.replace("127.0.0.1", host).rstrip("/") + "/pages/images/")
    assert len(set(images)) == 60
    assert len(pending_logins(page)) == 1
    choose_person(page)


def test_login_that_is_refused_in_a_frame_starts_again_outside_it(visit: Visit) -> None:
    page = visit("frame")
    frame = page.frame_locator("iframe")
    frame.locator(".psc-button").click()
    frame.get_by_role("link", name="Recommencer").click()
    choose_person(page)


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("worker", ["", WORKERS["django-pwa"]], ids=["no worker", "django-pwa"])
def test_login_of_a_person_finishes_after_navigations_of_another_site(visit: Visit, site: Demo, worker: str) -> None:
    page = visit("plain", worker)
    page.locator(".psc-button").click()
    page.wait_for_url(steps.SIMULATOR)
    other = page.context.new_page()
    for _ in range(17):
        other.goto(site.site.replace("127.0.0.1", "localhost").rstrip("/") + "/pages/attack/")
        other.locator("#marked").click()
        other.wait_for_url(steps.SIMULATOR)
    choose_person(page)


# --- a page loaded before the sign-in ---------------------------------------------------------------------------


@pytest.mark.case("RD06")
def test_button_of_a_stale_tab_leads_to_its_page(visit: Visit) -> None:
    page = visit("plain")
    stale = page.context.new_page()
    stale.goto("/pages/plain/")
    page.locator(".psc-button").click()
    choose_person(page)
    stale.locator(".psc-button").click()
    stale.wait_for_url("**/me/")
