"""The pages of an account, used as by an administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from psc_connect.accounts.identifiers import Identifier, row_of
from psc_connect.models import Account, AccountChange, Provider
from tests.admin.pages import Administrator

LIST = "/admin/psc_connect/account/"
# Numbers of the test range, with a valid check digit.
RPPS, PSI = "99700427885", "5b0c6f2e-7a43-4f0e-9d6a-2f1f3c9e8b17"


def make_account(provider: Provider, name: str, identifier: Identifier, **rights: Any) -> Account:
    user = User.objects.create_user(name, **rights)
    # Not ending with the username, which would be masked.
    subject = f"f:{name}:{identifier.number}"
    account = Account.objects.create(provider=provider, user=user, issuer=provider.issuer, subject=subject)
    row_of(account, identifier).save()
    return account


def page_of(account: Account, name: str) -> str:
    return f"{LIST}{account.pk}/{name}/"


def look(admin: Administrator, account: Account, name: str, **typed: Any) -> Any:
    response = admin.browser.post(page_of(account, name), typed)
    assert response.status_code == 200
    return response


def payload_on(response: Any) -> str:
    payload: str = response.context["payload"]
    assert f'name="payload" value="{payload}"' in response.content.decode()
    return payload


def confirm(admin: Administrator, account: Account, name: str, looked_at: Any, **ticked: str) -> Any:
    return admin.browser.post(page_of(account, name), {"payload": payload_on(looked_at), **ticked})


def error_codes(response: Any) -> set[str]:
    return {error.code for errors in response.context["form"].errors.as_data().values() for error in errors}


def nothing_done() -> bool:
    return not AccountChange.objects.exists() and not LogEntry.objects.exists()
