"""The pages of an account in the admin, as an administrator goes through them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from psc_connect.accounts.identifiers import Identifier, row_of
from psc_connect.models import Account, AccountChange, Provider
from tests.admin.pages import Administrator

LIST = "/admin/psc_connect/account/"
# Of the range of tests, with a right key.
RPPS, PSI = "99700427885", "5b0c6f2e-7a43-4f0e-9d6a-2f1f3c9e8b17"


def make_account(provider: Provider, name: str, identifier: Identifier, **rights: bool) -> Account:
    user = User.objects.create_user(name, **rights)
    account = Account.objects.create(provider=provider, user=user, issuer=provider.issuer, subject=f"f:x:{name}")
    row_of(account, identifier).save()
    return account


def page_of(account: Account, name: str) -> str:
    return f"{LIST}{account.pk}/{name}/"


def look(admin: Administrator, account: Account, name: str, **typed: Any) -> Any:
    response = admin.browser.post(page_of(account, name), typed)
    assert response.status_code == 200
    return response


def offer_on(response: Any) -> str:
    offer: str = response.context["offer"]
    assert f'name="offer" value="{offer}"' in response.content.decode()
    return offer


def confirm(admin: Administrator, account: Account, name: str, looked_at: Any, **ticked: str) -> Any:
    return admin.browser.post(page_of(account, name), {"offer": offer_on(looked_at), **ticked})


def error_codes(response: Any) -> set[str]:
    return {error.code for errors in response.context["form"].errors.as_data().values() for error in errors}


def nothing_done() -> bool:
    return not AccountChange.objects.exists() and not LogEntry.objects.exists()
