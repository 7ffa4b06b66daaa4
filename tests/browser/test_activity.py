"""The choice of an activity, with the keyboard and without JavaScript, and the page for doctors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps

Visit = Callable[..., Page]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_activity_is_changed_with_the_keyboard_alone(visit: Visit, scripts: bool) -> None:
    page = visit(java_script_enabled=scripts)
    steps.sign_in(page)
    steps.open_activities(page)
    expect(page.locator("h1")).to_have_text("En quelle qualité vous connectez-vous ?".replace(" ?", "\u00a0?"))
    cards = page.locator("button.psc-activity-card")
    chosen = page.locator("button.psc-activity-card[aria-current=true]")
    expect(chosen).to_contain_text("Votre choix actuel")
    other = cards.nth(1 - int(cards.nth(1).get_attribute("aria-current") == "true"))
    structure = other.locator(".psc-activity-card-structure").inner_text()
    other.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/")
    expect(page.locator(".psc-activity")).to_contain_text(structure)


def test_each_card_says_profession_structure_place_and_mode(visit: Visit) -> None:
    page = visit()
    steps.sign_in(page)
    steps.open_activities(page)
    card = page.get_by_role("button", name="CABINET M DOC0042788")
    for text in ("Médecin", "Qualifié en Médecine générale", "75009 PARIS", "Libéral"):
        expect(card).to_contain_text(text)


def test_the_page_for_doctors_is_open_to_a_doctor_and_closed_to_a_podiatrist(visit: Visit) -> None:
    page = visit()
    page.goto("/prescriptions/")
    steps.choose_person(page)
    expect(page.locator("h1")).to_have_text("Prescriptions")
    other = visit()
    other.goto("/prescriptions/")
    steps.choose_person(other, "podiatrist")
    expect(other.locator("h1")).to_have_text("Cette page ne vous est pas ouverte")
    expect(other.locator("main")).to_contain_text("Pédicure-Podologue")
