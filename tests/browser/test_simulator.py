"""The simulator's own pages: whom to be, and somebody of one's own; on a narrow screen and without scripts too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from psc_connect.simulator import Client, Simulator, run_simulator
from tests.browser.test_accessibility import serious_faults
from tests.simulator.service import Service

Look = Callable[..., Page]


@pytest.fixture
def alone() -> Iterator[Simulator]:
    """One without the demonstration, whose home page is the service that one comes back to."""
    with run_simulator() as simulator:
        simulator.register(Client("the-service", "a secret", redirect_uris=(f"{simulator.origin}/",)))
        yield simulator


@pytest.fixture
def look(chromium: Browser, alone: Simulator) -> Iterator[Look]:
    pages: list[Page] = []

    def begin(**options: object) -> Page:
        page = chromium.new_context(**{"locale": "fr-FR", **options}).new_page()
        pages.append(page)
        begin_again(page, alone)
        return page

    yield begin
    for page in pages:
        page.context.close()


def begin_again(page: Page, simulator: Simulator) -> None:
    request = Service(simulator, simulator.clients["the-service"]).request(prompt="login")
    page.goto(f"{simulator.origin}/auth?{urlencode(request)}")


def open_form(page: Page) -> None:
    page.locator("button.secondary").click()
    page.wait_for_url("**/auth/create-person?*")


def send_wrong_fields(page: Page) -> None:
    open_form(page)
    page.fill("#rpps", "99700901203")
    page.fill("#profession", "Médecin")
    page.locator("button.primary").first.click()
    page.locator(".problems").wait_for()


def send_wrong_json(page: Page) -> None:
    open_form(page)
    page.fill("#json", '{"sub": ' + "x" * 200)
    page.locator("button.primary").last.click()
    page.locator(".problems").wait_for()


def come_back_with_somebody_kept(page: Page) -> None:
    asked = page.url
    open_form(page)
    page.locator("button.primary").first.click()
    page.wait_for_url("**/?code=*")
    page.goto(asked)
    expect(page.locator("h2").first).to_have_text(re.compile("Vos personnes|Your people"))


PAGES: dict[str, Callable[[Page], None]] = {
    "people": lambda page: page.locator("h2").first.wait_for(),
    "people, with one's own": come_back_with_somebody_kept,
    "form": open_form,
    "refused form": send_wrong_fields,
    "refused JSON": send_wrong_json,
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(look: Look, name: str, scheme: str) -> None:
    page = look(color_scheme=scheme)
    PAGES[name](page)
    assert serious_faults(page) == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
def test_a_narrow_screen_needs_no_scrolling_sideways(look: Look, name: str, locale: str) -> None:
    page = look(viewport={"width": 320, "height": 640}, locale=locale)
    PAGES[name](page)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_scripts_somebody_is_made_corrected_and_chosen_again(look: Look, alone: Simulator) -> None:
    page = look(java_script_enabled=False)
    send_wrong_fields(page)
    expect(page.locator("#rpps-problem")).to_contain_text("devrait être 2")
    expect(page.locator("#profession")).to_have_value("Médecin")
    page.fill("#rpps", "99700901202")
    page.fill("#profession", "60")
    page.locator("button.primary").first.click()
    page.wait_for_url("**/?code=*")

    begin_again(page, alone)
    page.get_by_role("button", name="Alix ESSAI").click()
    page.wait_for_url("**/?code=*")
    (own,) = alone.created_people.newest_first()
    assert own.national_identifier == "899700901202"


def test_a_problem_in_the_summary_leads_to_its_field(look: Look) -> None:
    page = look()
    send_wrong_fields(page)
    page.locator(".problems a").first.click()
    expect(page.locator("#rpps")).to_be_in_viewport()
    expect(page.locator("#rpps")).to_have_attribute("aria-describedby", "rpps-problem rpps-hint")
