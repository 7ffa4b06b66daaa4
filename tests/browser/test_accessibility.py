"""Accessibility: axe finds no serious fault, and narrow screens need no horizontal scrolling."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser import admin_pages, steps
from tests.browser.demo import Demo

Visit = Callable[..., Page]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Django gives the fields of its tabular inlines no labels, only the heads of their columns.
RUN_AXE = "axe.run({exclude: ['.tabular']}, {resultTypes: ['violations']})"
# Django's admin fades from one colour to the other; axe would measure one in between.
WITHOUT_TRANSITIONS = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { transition: none !important }");
    document.adoptedStyleSheets.push(sheet);
}"""
AXE = (resources.files("axe_core_python") / "axe.min.js").read_text("utf-8")


def _open(address: str) -> Callable[[Page], Any]:
    return lambda page: page.goto(address)


def _simulator(page: Page) -> None:
    page.goto("/psc/login/")
    page.wait_for_url(steps.SIMULATOR)


def _already_signed_in(page: Page) -> None:
    steps.sign_in(page)
    page.goto("/psc/login/")


def _refused_by_the_admin(page: Page) -> None:
    steps.sign_in(page)
    page.goto("/admin/")


def _signing_out(page: Page) -> None:
    steps.sign_in(page)
    steps.stay_on_signing_out_page(page)


def _signed_out(page: Page) -> None:
    steps.sign_in(page)
    steps.sign_out(page)


def _choose_activity(page: Page) -> None:
    steps.sign_in(page)
    steps.open_activities(page)


def _closed_to_this_profession(page: Page) -> None:
    page.goto("/prescriptions/")
    steps.choose_person(page, "podiatrist")


def _fetched_by_a_script(page: Page) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    page.route("**/psc/login/", lambda route: route.fulfill(response=route.fetch(headers=headers)))
    page.goto("/psc/login/")
    expect(page.get_by_role("link", name="Continuer")).to_be_visible()


def _signed_out_for_another_person(page: Page) -> None:
    steps.be_refused(page)
    page.locator("button[name=then][value=sign_in]").click()
    page.wait_for_url(steps.LOGGED_OUT)


PAGES: dict[str, Callable[[Page], Any]] = {
    "home": _open("/"),
    "my session": steps.sign_in,
    "simulator": _simulator,
    "choice of an activity": _choose_activity,
    "closed to this profession": _closed_to_this_profession,
    "refusal": steps.cancel,
    "refusal after identification": steps.be_refused,
    "already signed in": _already_signed_in,
    "signing out": _signing_out,
    "signed out": _signed_out,
    "signed out for another person": _signed_out_for_another_person,
    "signed out here": _open("/psc/psc-simulator/logged-out/?site_only=1"),
    "login page of the admin": _open("/admin/login/"),
    "fetched by a script": _fetched_by_a_script,
    "refused by the admin": _refused_by_the_admin,
}


def serious_faults(page: Page) -> list[str]:
    """Return what axe finds in the light and in the dark colours of the page."""
    page.wait_for_load_state()
    page.evaluate(AXE)
    page.evaluate(WITHOUT_TRANSITIONS)
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        violations = page.evaluate(RUN_AXE)["violations"]
        found += [
            f"{scheme}: {violation['id']}: {node['html']}"
            for violation in violations
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]
    page.emulate_media(color_scheme="light")
    return found


def width_on_a_narrow_screen(page: Page) -> int:
    """Return the width in pixels that the page needs on a screen of 320 pixels."""
    page.wait_for_load_state()
    page.set_viewport_size({"width": 320, "height": 640})
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_serious_fault_and_needs_no_horizontal_scrolling(visit: Visit, name: str) -> None:
    page = visit()
    PAGES[name](page)
    assert serious_faults(page) == []
    assert width_on_a_narrow_screen(page) <= 320


def test_narrow_screen_stacks_the_table_of_user_fields(visit: Visit) -> None:
    page = visit(viewport={"width": 320, "height": 640})
    steps.sign_in(page)
    table = page.locator(".wide")
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
    for label in ("Claim", "Champ de l’utilisateur", "Valeur", "Quand"):
        shown = table.locator(f"td[data-label='{label}']").first.bounding_box()
        assert shown is not None
        assert 0 <= shown["x"] < shown["x"] + shown["width"] <= 320


def hidden_pixels(page: Page, parts: str) -> int:
    """Return by how many pixels the contents of these parts of the page overflow at most."""
    overhang = page.locator(parts).evaluate_all("parts => parts.map(part => part.scrollWidth - part.clientWidth)")
    return max(overhang, default=0)


def test_administration_has_no_serious_fault_and_hides_no_column(visit: Visit, demo: Demo) -> None:
    """Each page is opened once: to open it takes longer than to measure it."""
    steps.sign_in(visit())
    page = visit()
    steps.enter_admin(page, demo)
    faults, widths, hidden, hidden_when_narrow = {}, {}, {}, {}
    for name, open_page in admin_pages.PAGES.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        open_page(page)
        faults[name] = serious_faults(page)
        # On a wide screen this includes Django's lists.
        hidden[name] = hidden_pixels(page, ".results, .psc-scroll")
        widths[name] = width_on_a_narrow_screen(page)
        # On a narrow one, our tables and the buttons.
        hidden_when_narrow[name] = hidden_pixels(page, ".psc-scroll, .submit-row")
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: width for name, width in widths.items() if width > 320} == {}
    assert {name: pixels for name, pixels in hidden.items() if pixels > 1} == {}
    assert {name: pixels for name, pixels in hidden_when_narrow.items() if pixels > 1} == {}


def test_axe_reports_a_fault(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert any("html-has-lang" in fault for fault in serious_faults(page))
