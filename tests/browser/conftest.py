from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.demo import Demo, running_demo

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


# Not for the whole run: while Playwright's event loop runs, Django refuses database access in this thread.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("PSC_TESTS_CHROMIUM", "/usr/bin/chromium")
    if shutil.which(path) is None:
        reason = f"{path} does not exist: set PSC_TESTS_CHROMIUM to a Chromium"
        if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A browser context with one page, and the errors of its console."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.console_errors: list[str] = []
        # The console also reports the statuses 403 and 400 of our error pages: those are expected.
        context.on("console", self._record)
        context.on("weberror", lambda error: self.console_errors.append(str(error.error)))
        self.page: Page = context.new_page()

    def _record(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "the server responded with a status of 40" not in message.text:
            self.console_errors.append(message.text)


@pytest.fixture
def visit(chromium: Browser, demo: Demo) -> Iterator[Any]:
    """Open browser contexts; at the end, assert that no console has an error."""
    visitors: list[Visitor] = []

    def open_browser(**options: Any) -> Page:
        context = chromium.new_context(base_url=demo.site, **{"locale": "fr-FR", **options})
        context.set_default_timeout(15_000)
        visitors.append(Visitor(context))
        return visitors[-1].page

    yield open_browser
    console_errors = [error for visitor in visitors for error in visitor.console_errors]
    for visitor in visitors:
        visitor.context.close()
    assert not console_errors
