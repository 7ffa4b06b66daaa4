"""The simulator's pages: list of people, creation of a person; also on narrow screens and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from psc_connect.simulator import Client, Simulator, run_simulator
from tests.browser.test_accessibility import serious_faults, width_on_a_narrow_screen
from tests.simulator.service import Service

Open = Callable[..., Page]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator without the demonstration; its home page is the redirect URI of a client."""
    with run_simulator() as simulator:
        simulator.register(Client("the-service", "a secret", redirect_uris=(f"{simulator.origin}/",)))
        yield simulator


@pytest.fixture
def open_simulator(chromium: Browser, simulator: Simulator) -> Iterator[Open]:
    pages: list[Page] = []

    def open_page(**options: Any) -> Page:
        page = chromium.new_context(**{"locale": "fr-FR", **options}).new_page()
        pages.append(page)
        start_login(page, simulator)
        return page

    yield open_page
    for page in pages:
        page.context.close()


def start_login(page: Page, simulator: Simulator) -> None:
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


def create_person(page: Page) -> None:
    login_url = page.url
    open_form(page)
    page.locator("button.primary").first.click()
    page.wait_for_url("**/?code=*")
    page.goto(login_url)
    expect(page.locator("h2").first).to_have_text(re.compile("Vos personnes|Your people"))


PAGES: dict[str, Callable[[Page], None]] = {
    "people": lambda page: page.locator("h2").first.wait_for(),
    "people, with a created one": create_person,
    "form": open_form,
    "refused form": send_wrong_fields,
    "refused JSON": send_wrong_json,
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("locale", ["fr-FR", "en-GB"])
def test_page_has_no_serious_fault_and_needs_no_horizontal_scrolling(
    open_simulator: Open, name: str, locale: str
) -> None:
    page = open_simulator(locale=locale)
    PAGES[name](page)
    assert serious_faults(page) == []
    assert width_on_a_narrow_screen(page) <= 320


def test_without_scripts_a_person_is_created_after_a_correction_and_chosen_again(
    open_simulator: Open, simulator: Simulator
) -> None:
    page = open_simulator(java_script_enabled=False)
    send_wrong_fields(page)
    expect(page.locator("#rpps-problem")).to_contain_text("devrait être 2")
    expect(page.locator("#profession")).to_have_value("Médecin")
    page.fill("#rpps", "99700901202")
    page.fill("#profession", "60")
    page.locator("button.primary").first.click()
    page.wait_for_url("**/?code=*")

    start_login(page, simulator)
    page.get_by_role("button", name="Alix ESSAI").click()
    page.wait_for_url("**/?code=*")
    (created,) = simulator.created_people.newest_first()
    assert created.national_identifier == "899700901202"


def test_a_problem_in_the_summary_leads_to_its_field(open_simulator: Open) -> None:
    page = open_simulator()
    send_wrong_fields(page)
    page.locator(".problems a").first.click()
    expect(page.locator("#rpps")).to_be_in_viewport()
    expect(page.locator("#rpps")).to_have_attribute("aria-describedby", "rpps-problem rpps-hint")
