"""Withdrawal of former identifiers from an account, by an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from psc_connect.accounts import audit
from psc_connect.accounts.identifiers import SUB, identifiers_of
from psc_connect.models import AccountChange, AccountIdentifier
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

    from psc_connect.models import Account


def former_identifiers(account: Account) -> list[AccountIdentifier]:
    """Return the identifiers of an account that its last sign-in did not send, and its former ``sub``."""
    professional = from_snapshot(account.professional) or Professional()
    current = {(identifier.kind, identifier.number) for identifier in identifiers_of(professional)}
    current.add((SUB, account.subject))
    return [row for row in account.identifiers.all() if (row.kind, row.number) not in current]


@transaction.atomic
def withdraw(account: Account, pks: Collection[int], *, by: User | None) -> None:
    """Delete these former identifiers: another person may have received them. Each gets an audit entry."""
    for row in former_identifiers(account):
        if row.pk in pks:
            before = {"kind": row.kind, "number": row.number}
            audit.record(account, AccountChange.Action.WITHDRAWN, provider=account.provider, before=before, by=by)
            row.delete()
