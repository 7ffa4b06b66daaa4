from __future__ import annotations

import pytest

from tests.admin.pages import Administrator
from tests.journey import Person


@pytest.fixture
def rehearsing(admin: Administrator) -> Person:
    """The administrator's browser on the way through a login."""
    return Person(browser=admin.browser)
