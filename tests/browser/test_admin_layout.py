"""Layout of the administration pages: no word is broken, labels and buttons are aligned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import admin_pages, steps
from tests.browser.demo import Demo

Visit = Callable[..., Page]
LISTS = ("providers", "accounts", "unlinked", "account-changes")
# Finds the words of a table that are broken over lines; breaks after hyphens and in masking dots are allowed.
BROKEN_WORDS = """table => {
    const broken = [];
    const texts = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/[^\\s•-]+-?/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (range.getClientRects().length > 1) broken.push(word[0]);
        }
    }
    return broken;
}"""


@pytest.fixture
def administrator(visit: Visit, demo: Demo) -> Callable[[int], Page]:
    def enter(width: int) -> Page:
        steps.sign_in(visit())
        page = visit(viewport={"width": width, "height": 800})
        steps.enter_admin(page, demo)
        return page

    return enter


@pytest.mark.parametrize("width", [1280, 320])
def test_no_list_breaks_a_word(administrator: Callable[[int], Page], width: int) -> None:
    page = administrator(width)
    admin_pages.unlink(page)
    page.get_by_role("button", name="Oui, dissocier et fermer les sessions").click()
    broken = {}
    for name in LISTS:
        admin_pages.PAGES[name](page)
        broken[name] = page.locator("#result_list").evaluate_all(f"tables => tables.flatMap({BROKEN_WORDS})")
        # A hint is shown if columns are hidden.
        has_hint = page.locator(".psc-sideways").is_visible()
        assert has_hint == (width == 320 and page.locator("#result_list").count() == 1)
    assert {name: words for name, words in broken.items() if words} == {}


def test_checkbox_labels_use_the_available_width(administrator: Callable[[int], Page]) -> None:
    page = administrator(1280)
    page.goto(f"{admin_pages.PROVIDER}change/")
    heights = page.locator(".vCheckboxLabel:visible").evaluate_all("labels => labels.map(each => each.offsetHeight)")
    assert len(heights) > 2
    assert max(heights) < 30


def test_a_usual_claim_path_is_fully_visible(administrator: Callable[[int], Page]) -> None:
    page = administrator(1280)
    page.goto(f"{admin_pages.PROVIDER}mapping/")
    page.fill("#id_attributes-0-claim", "SubjectRefPro.exercices[0].codeProfession")
    page.locator("h1").first.click()
    overhang = page.locator("#id_attributes-0-claim").evaluate("input => input.scrollWidth - input.clientWidth")
    assert overhang <= 0


def test_the_cancel_link_is_beside_the_button(administrator: Callable[[int], Page]) -> None:
    page = administrator(1280)
    page.goto(f"{admin_pages.PROVIDER}keys/")
    page.locator("button[value=retire]").first.click()
    boxes = [page.locator(".submit-row").first.locator(each).bounding_box() for each in ("button", ".closelink")]
    [button, cancel] = [(box["y"], box["height"]) for box in boxes if box]
    assert button == pytest.approx(cancel, abs=1)
