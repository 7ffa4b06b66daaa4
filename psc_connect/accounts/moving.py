"""Moving of all accounts of an issuer to another one: the same provider under another host or scheme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from psc_connect.accounts import audit
from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.accounts.matching import is_privileged
from psc_connect.models import Account, AccountChange, AccountIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User

    from psc_connect.models import Provider

T = TypeVar("T")
# Rows of one statement: databases limit its parameters.
BATCH = 500


@dataclass(frozen=True, slots=True)
class AccountsToMove:
    """The accounts of an issuer and their identifiers, with the keys that they will have at the other issuer.

    ``conflicts``: pairs of an account and one that the other issuer has already, with the same identifier or
    the same ``sub``, present or former.
    """

    accounts: tuple[Account, ...]
    identifiers: tuple[AccountIdentifier, ...]
    conflicts: tuple[tuple[int, int], ...]

    @property
    def of_administrators(self) -> tuple[Account, ...]:
        """The accounts of staff and superusers."""
        return tuple(account for account in self.accounts if is_privileged(account.user))


def find_accounts_to_move(old: str, new: str) -> AccountsToMove:
    """Return what moves from the old issuer to the new one, in four statements whatever the number of accounts."""
    rows = Account.objects.filter(issuer=old).order_by("pk")
    # Compared in Python too: the database's collation may be less strict.
    accounts = tuple(row for row in rows.select_related("user").defer("professional") if row.issuer == old)
    # The accounts that the new issuer has already, by key. A `sub` is compared with former ones too.
    known = dict(AccountIdentifier.objects.filter(account__issuer=new).values_list("match_key", "account"))
    for pk, subject in Account.objects.filter(issuer=new).values_list("pk", "subject"):
        known[shared_key(new, Identifier(SUB, subject))] = pk
    moving = {shared_key(new, Identifier(SUB, account.subject)): account.pk for account in accounts}
    conflicts = {(moving[key], known[key]) for key in moving.keys() & known.keys()}
    identifiers = []
    for row in AccountIdentifier.objects.filter(account__issuer=old):
        identifier = as_identifier(row)
        # The other rows have a key of their account, which stays the same.
        if row.match_key == shared_key(old, identifier):
            row.match_key = shared_key(new, identifier)
            identifiers.append(row)
            if row.match_key in known:
                conflicts.add((row.account_id, known[row.match_key]))
    return AccountsToMove(accounts, tuple(identifiers), tuple(sorted(conflicts)))


def lock_accounts(issuer: str) -> None:
    """Lock the accounts of an issuer until the transaction ends."""
    list(Account.objects.select_for_update().order_by("pk").filter(issuer=issuer).values_list("pk"))


def move_accounts(found: AccountsToMove, *, to: Provider, by: User | None) -> None:
    """Give the accounts the issuer of another provider, and record it. Must run in a transaction.

    Raises IntegrityError if a sign-in has created an account with the same ``sub`` or identifier meanwhile.
    """
    moved = AccountChange.Action.MOVED
    for accounts in _batches(found.accounts):
        entries = [audit.entry(each, moved, provider=to, before={"issuer": each.issuer}, by=by) for each in accounts]
        Account.objects.filter(pk__in=[each.pk for each in accounts]).update(issuer=to.issuer, provider=to)
        AccountChange.objects.bulk_create(entries)
    for identifiers in _batches(found.identifiers):
        AccountIdentifier.objects.bulk_update(identifiers, ("match_key",))


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
