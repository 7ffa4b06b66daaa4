"""People, as the admin shows them: with every kept identifier masked until an administrator reveals it.

A username may be an identifier: with the default mapping it is the national one. Every page, message and log of the
admin shows people with ``shown_person``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psc_connect.admin.base import VIEW_CLAIMS
from psc_connect.admin.masking import mask_identifiers
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from psc_connect.models import Account, AccountChange

# What an entry of the audit log keeps from before the change, but for these and the username, is an identifier.
NO_IDENTIFIERS: Final = frozenset({"account", "user", "issuer", "provider", "kind"})


def shown_person(
    user: User | None, text: str | None = None, *, kept: Iterable[str] = (), revealed: bool = False
) -> str:
    """Return the username and the full name of a person, with every kept identifier in them masked.

    ``text``: shown instead, such as the username that an audit log has kept of a user who may have been deleted.
    ``kept``: identifiers besides those of the user's accounts and unlinked accounts. ``revealed``: mask nothing (see
    ``is_revealed``). Of a list of people, prefetch the ``identifiers_of`` each.
    """
    if text is None:
        text = username_with_name(user) if user else ""
    return text if revealed else mask_identifiers(text, (*kept, *_kept_identifiers(user)))


def is_revealed(request: HttpRequest) -> bool:
    """Return whether the administrator may see identifiers and has asked for them."""
    return request.user.has_perm(VIEW_CLAIMS) and "reveal" in request.GET


def identifiers_of(user: str) -> tuple[str, ...]:
    """Return what to prefetch for ``shown_person``; ``user``: the lookup of the user."""
    account = f"{user}__psc_accounts"
    return (f"{account}__identifiers", f"{account}__changes", f"{user}__psc_unlinked_accounts")


def numbers_of(account: Account) -> Iterator[str]:
    """Yield every identifier of an account, and those that its audit log has kept."""
    yield from (account.subject, account.subject_name_id)
    yield from (row.number for row in account.identifiers.all())
    for change in account.changes.all():
        yield from _numbers_before(change)


def numbers_of_change(change: AccountChange) -> list[str]:
    """Return every identifier of the account of an entry of the audit log, and those that the entry has kept."""
    return [*(numbers_of(change.account) if change.account else ()), *_numbers_before(change)]


def _numbers_before(change: AccountChange) -> Iterator[str]:
    yield from (str(value) for name, value in change.before.items() if name not in {*NO_IDENTIFIERS, "username"})


def full_name(user: User) -> str:
    """Return the full name, or "" where the site's user model has none."""
    name: Callable[[], str] | None = getattr(user, "get_full_name", None)
    return name() if name else ""


def username_with_name(user: User, name: str = "") -> str:
    """Return the username with the full name, or with ``name`` where there is none. To be masked."""
    name = full_name(user) or name
    return f"{user.get_username()} ({name})" if name else user.get_username()


def shown_owner(account: Account, *, revealed: bool = False) -> str:
    """Return the user of an account as ``shown_person`` does, or with the name of the last sign-in."""
    user = account.user
    return shown_person(user, username_with_name(user, name_of_person(account)), revealed=revealed)


def name_of_person(account: Account) -> str:
    """Return the full name of the user, else the name of the last sign-in, else "". To be masked."""
    return full_name(account.user) or " ".join(filter(None, names_of_sign_in(account)))


def names_of_sign_in(account: Account) -> tuple[str, str]:
    """Return the given and family name of the last sign-in."""
    person = from_snapshot(account.professional) or Professional()
    return person.given_name, person.family_name


def _kept_identifiers(user: User | None) -> Iterator[str]:
    """Yield every identifier of the user's accounts, and those that are kept of unlinked accounts."""
    if user is None:
        return
    for account in user.psc_accounts.all():
        yield from numbers_of(account)
    for unlinked in user.psc_unlinked_accounts.all():
        yield unlinked.subject
        yield unlinked.subject_name_id
