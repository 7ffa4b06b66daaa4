"""The admin login and the provider pages, in a real browser with a strict Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.demo import Demo

Visit = Callable[..., Page]
PROVIDERS = "/admin/psc_connect/provider/"


def test_button_of_the_admin_login_is_below_the_form(visit: Visit) -> None:
    page = visit(viewport={"width": 1200, "height": 700})
    page.goto("/admin/")
    form, button = page.locator("#login-form").bounding_box(), page.locator(".psc-button").bounding_box()
    assert form is not None
    assert button is not None
    assert button["y"] >= form["y"] + form["height"]
    assert button["width"] > 250


def test_button_of_the_admin_login_signs_in_and_explains_who_has_access(visit: Visit) -> None:
    page = visit()
    page.goto("/admin/")
    page.locator(".psc-button").click()
    steps.choose_person(page)
    expect(page.locator("#content")).to_contain_text("Cette partie du site est réservée à ses administrateurs")
    page.get_by_role("button", name="Fermer aussi ma session Pro Santé Connect").click()
    page.wait_for_url(steps.LOGGED_OUT)


def test_provider_and_account_pages_open_without_console_errors(visit: Visit, demo: Demo) -> None:
    person, page = visit(), visit()
    steps.sign_in(person)
    steps.enter_admin(page, demo)
    page.goto(PROVIDERS)
    page.get_by_role("link", name="psc-simulator", exact=True).click()
    expect(page.locator(f'input[value="{demo.site}psc/psc-simulator/callback/"]')).to_be_visible()
    page.goto("/admin/psc_connect/account/")
    expect(page.locator("#result_list")).to_contain_text("KIT DOC0042788")


def test_administrator_declares_a_second_provider_and_people_choose(visit: Visit, demo: Demo) -> None:
    admin, page = visit(), visit()
    steps.enter_admin(admin, demo)
    admin.goto(f"{PROVIDERS}add/")
    admin.select_option("#id_environment", "simulator")
    admin.fill("#id_client_id", "shared-record")
    admin.fill("#id_client_secret", "known-to-everybody-since-it-is-a-demonstration")
    admin.locator("[name=_continue]").click()
    expect(admin.locator("#id_slug")).to_have_value("psc-simulator-2")
    page.goto("/me/")
    expect(page.locator("h1")).to_have_text("Choisissez comment vous connecter")
    page.locator('[data-provider="psc-simulator-2"]').click()
    steps.choose_person(page)
    page.wait_for_url("**/me/")
    admin.locator("#id_enabled").uncheck()
    admin.locator("[name=_save]").click()
    admin.wait_for_url(f"**{PROVIDERS}")
