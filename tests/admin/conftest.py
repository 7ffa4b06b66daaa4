from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User

from psc_connect.accounts.identifiers import Identifier
from psc_connect.models import Account, Provider
from tests.admin.account_page import PSI, RPPS, make_account
from tests.admin.pages import Administrator
from tests.support.browser_session import BrowserSession


@pytest.fixture
def admin_session(admin: Administrator) -> BrowserSession:
    """The browser session of an administrator, for a dry run."""
    return BrowserSession(browser=admin.browser)


@pytest.fixture
def kept(provider: Provider) -> Account:
    return make_account(provider, "dr-martin", Identifier("rpps", RPPS, "RPPS", 1))


@pytest.fixture
def other(provider: Provider) -> Account:
    return make_account(provider, "dr-martin-2", Identifier("psi", PSI, "PSI", 2))


@pytest.fixture
def right(db: None) -> User:
    return User.objects.create_user("dr-durand")


@pytest.fixture
def held(db: None) -> Group:
    """A group with a permission that ``pages.EDITOR`` has."""
    return group_with("Readers", "view_provider")


@pytest.fixture
def lacked(db: None) -> Group:
    """A group with a permission that ``pages.EDITOR`` lacks, and one that it has."""
    return group_with("Keepers", "view_provider", "delete_account")


def group_with(name: str, *permissions: str) -> Group:
    group = Group.objects.create(name=name)
    group.permissions.set(Permission.objects.filter(codename__in=permissions))
    return group
