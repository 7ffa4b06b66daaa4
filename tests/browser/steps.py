"""Steps of people on the pages of the demonstration."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page

from tests.browser.demo import Demo

# The person that the steps sign in.
DOCTOR = "doctor-two-activities"
DOCTORS_MASKED = "89••••••••85"
SIMULATOR = re.compile(r"/auth\?")
END_SESSION = re.compile("/protocol/openid-connect/logout")
ACTIVITY = re.compile(r"/psc/psc-simulator/activity/")
LOGGED_OUT = re.compile(r"/psc/psc-simulator/logged-out/")


def choose_person(page: Page, slug: str = DOCTOR) -> None:
    """Choose a person at the simulator, and an activity if the site asks for one."""
    page.wait_for_url(SIMULATOR)
    page.locator(f"button[name=person][value={slug}]").click()
    page.wait_for_url(lambda url: not SIMULATOR.search(url))
    if ACTIVITY.search(page.url):
        page.locator(".psc-activity-card").first.click()
        page.wait_for_url(lambda url: not ACTIVITY.search(url))


def open_activities(page: Page) -> None:
    """Open the page that asks for an activity, as a signed-in person."""
    page.goto("/me/")
    page.get_by_role("link", name=re.compile("Changer d’activité|Change activity")).click()
    page.wait_for_url(ACTIVITY)


def sign_in(page: Page) -> None:
    page.goto("/")
    page.locator(".psc-button").click()
    choose_person(page)
    page.wait_for_url("**/me/")


def be_refused(page: Page) -> None:
    """Sign in as a person without an identifier, who cannot get an account."""
    names = dict.fromkeys(("SubjectNameID", "preferred_username", "given_name", "family_name"), "")
    page.goto("/")
    page.locator(".psc-button").click()
    page.wait_for_url(SIMULATOR)
    page.locator("button[formaction$=create-person]").click()
    page.fill("#json", json.dumps({**names, "sub": "f:0:nobody"}))
    page.locator("form:has(#json) button[type=submit]").last.click()
    page.wait_for_url("**/callback/**")


def cancel(page: Page) -> None:
    page.goto("/")
    page.locator(".psc-button").click()
    page.wait_for_url(SIMULATOR)
    page.get_by_role("button", name=re.compile("Annuler|Cancel")).click()
    page.wait_for_url("**/callback/**")


def sign_out(page: Page) -> None:
    page.goto("/me/")
    page.locator(".psc-logout-button").click()
    page.wait_for_url(LOGGED_OUT)


def stay_on_signing_out_page(page: Page) -> None:
    """Stay on the page that redirects to the provider, which is made to answer without content."""
    page.context.route(END_SESSION, lambda route: route.fulfill(status=204))
    page.goto("/me/")
    with page.expect_request(END_SESSION):
        page.locator(".psc-logout-button").click()
    page.locator('meta[http-equiv="refresh"]').wait_for(state="attached")


def enter_admin(page: Page, demo: Demo) -> None:
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", demo.password)
    page.locator("#login-form [type=submit]").click()
    page.wait_for_url("**/admin/")
