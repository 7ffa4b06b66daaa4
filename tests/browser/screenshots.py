"""Update the screenshots of the README, from the root of the repository: ``python -m tests.browser.screenshots``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser import admin_pages, steps
from tests.browser.conftest import FLAGS
from tests.browser.demo import ROOT, Demo, running_demo

FOLDER = ROOT / "docs" / "pictures"


def take_screenshots(page: Page, demo: Demo) -> None:
    page.goto("/")
    page.locator(".psc-button").screenshot(path=FOLDER / "button.png")
    page.screenshot(path=FOLDER / "home.png")
    page.locator(".psc-button").click()
    page.wait_for_url(steps.SIMULATOR)
    page.screenshot(path=FOLDER / "simulator.png")
    steps.cancel(page)
    page.screenshot(path=FOLDER / "error.png", clip={"x": 0, "y": 120, "width": 1100, "height": 460})
    steps.sign_in(page)
    page.screenshot(path=FOLDER / "me.png")
    steps.open_activities(page)
    page.screenshot(path=FOLDER / "activity.png")
    steps.sign_out(page)
    steps.enter_admin(page, demo)
    take_admin_screenshots(page)


def take_admin_screenshots(page: Page) -> None:
    """Take screenshots of the administration pages, cut at 1500 pixels."""
    page.set_viewport_size({"width": 1280, "height": 760})
    for name, open_page in admin_pages.PAGES.items():
        open_page(page)
        height = page.evaluate("document.documentElement.scrollHeight")
        clip: Any = {"x": 0, "y": 0, "width": 1280, "height": min(height, 1500)}
        page.screenshot(path=FOLDER / f"admin-{name}.png", full_page=True, clip=clip)


def main() -> None:
    path = os.environ.get("PSC_TESTS_CHROMIUM", "/usr/bin/chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(base_url=demo.site, locale="fr-FR", viewport={"width": 1100, "height": 760})
        take_screenshots(page, demo)
        browser.close()


if __name__ == "__main__":
    main()
