"""Accessibility: axe finds no serious fault, and narrow screens need no horizontal scrolling."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import admin_pages, steps
from tests.browser.demo import Demo

Visit = Callable[..., Page]
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


PAGES: dict[str, Callable[[Page], Any]] = {
    "home": _open("/"),
    "my session": steps.sign_in,
    "simulator": _simulator,
    "choice of an activity": _choose_activity,
    "closed to this profession": _closed_to_this_profession,
    "refusal": steps.cancel,
    "already signed in": _already_signed_in,
    "signing out": _signing_out,
    "signed out": _signed_out,
    "signed out here": _open("/psc/psc-simulator/logged-out/?site_only=1"),
    "login page of the admin": _open("/admin/login/"),
    "refused by the admin": _refused_by_the_admin,
}


def serious_faults(page: Page) -> list[str]:
    page.wait_for_load_state()
    page.evaluate(AXE)
    # Django's tabular inlines have column headings instead of labels.
    found = page.evaluate("axe.run({exclude: ['.tabular']})")
    return [
        f"{fault['id']}: {node['html']}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visit: Visit, name: str, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    PAGES[name](page)
    assert serious_faults(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_narrow_screen_needs_no_horizontal_scrolling(visit: Visit, name: str) -> None:
    page = visit(viewport={"width": 320, "height": 640})
    PAGES[name](page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_narrow_screen_stacks_the_table_of_user_fields(visit: Visit) -> None:
    page = visit(viewport={"width": 320, "height": 640})
    steps.sign_in(page)
    table = page.locator(".wide")
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
    for label in ("Claim", "Champ de l’utilisateur", "Valeur", "Quand"):
        shown = table.locator(f"td[data-label='{label}']").first.bounding_box()
        assert shown is not None
        assert 0 <= shown["x"] < shown["x"] + shown["width"] <= 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_administration(visit: Visit, demo: Demo, scheme: str) -> None:
    steps.sign_in(visit())
    page = visit(color_scheme=scheme)
    steps.enter_admin(page, demo)
    found = {}
    for name, open_page in admin_pages.PAGES.items():
        open_page(page)
        found[name] = serious_faults(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_narrow_administration_needs_no_horizontal_scrolling(visit: Visit, demo: Demo) -> None:
    steps.sign_in(visit())
    page = visit(viewport={"width": 320, "height": 640})
    steps.enter_admin(page, demo)
    widths = {}
    for name, open_page in admin_pages.PAGES.items():
        open_page(page)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    # Some of Django's own pages are wider than that.
    assert {name: width for name, width in widths.items() if width > 320} == {}


@pytest.mark.parametrize(("width", "parts"), [(1280, ".results, .psc-scroll"), (320, ".psc-scroll, .submit-row")])
def test_no_table_of_the_administration_hides_a_column(visit: Visit, demo: Demo, width: int, parts: str) -> None:
    """On a wide screen this includes Django's lists; on a narrow one, our tables and the buttons."""
    steps.sign_in(visit())
    page = visit(viewport={"width": width, "height": 800})
    steps.enter_admin(page, demo)
    hidden = {}
    for name, open_page in admin_pages.PAGES.items():
        open_page(page)
        overhang = page.locator(parts).evaluate_all("parts => parts.map(part => part.scrollWidth - part.clientWidth)")
        hidden[name] = max(overhang, default=0)
    assert {name: pixels for name, pixels in hidden.items() if pixels > 1} == {}


def test_axe_reports_a_fault(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert any(fault.startswith("html-has-lang") for fault in serious_faults(page))
