"""Merging of two accounts of one person, and linking of an account to another user, by an administrator.

Both are planned first. The plan that the administrator has confirmed is carried out only if it is still the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth import get_user_model
from django.db import transaction

from psc_connect.access.groups import update_groups
from psc_connect.accounts import audit
from psc_connect.accounts.identifiers import (
    SUB,
    Identifier,
    as_identifier,
    contradict,
    key_of,
    lifelong_numbers,
    row_of,
)
from psc_connect.accounts.matching import is_privileged
from psc_connect.accounts.unlinking import detach, unlink
from psc_connect.models import Account, AccountChange, AccountIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User


# ``GroupGrant.Source``, and the primary key of the group.
Grant: TypeAlias = tuple[str, int]


class PlanRefused(Exception):
    """The accounts cannot be merged or linked.

    ``code``: ``merge_same``, ``merge_other_issuer``, ``merge_two_people``, ``merge_third_account``, ``link_same``,
    ``link_has_account``, or ``plan_changed`` (the plan is no longer the confirmed one).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Merger:
    """The plan of a merge: logins with ``other`` or ``kept`` will sign in ``kept.user``.

    ``refuses_other_sub``: logins with the ``sub`` of ``other`` will be refused instead, unless they come with a number
    that it does not have yet. ``fingerprint``: what the administrator decides on, as JSON.
    """

    kept: Account
    other: Account
    identifiers: tuple[Identifier, ...]
    refuses_other_sub: bool
    groups: frozenset[Grant]
    fingerprint: list[Any]

    @property
    def user(self) -> User:
        return self.kept.user

    @property
    def former_user(self) -> User:
        return self.other.user

    @property
    def is_of_two_users(self) -> bool:
        return self.kept.user_id != self.other.user_id


@dataclass(frozen=True, slots=True)
class Link:
    """The plan of a link: logins with ``account`` will sign in ``user``."""

    account: Account
    user: User
    groups: frozenset[Grant]
    fingerprint: list[Any]

    @property
    def former_user(self) -> User:
        return self.account.user


def plan_merger(kept: Account, other: Account) -> Merger:
    """Return the plan of a merge, without changing anything. Raises PlanRefused."""
    if kept.pk == other.pk:
        raise PlanRefused("merge_same")
    if kept.issuer != other.issuer:
        raise PlanRefused("merge_other_issuer")
    own = [as_identifier(row) for row in kept.identifiers.all()]
    own_numbers = {(identifier.kind, identifier.number) for identifier in own}
    others = (*map(as_identifier, other.identifiers.all()), Identifier(SUB, other.subject))
    moving = tuple(
        dict.fromkeys(identifier for identifier in others if (identifier.kind, identifier.number) not in own_numbers)
    )
    if contradict(own, others):
        raise PlanRefused("merge_two_people")
    keys = {key_of(kept, identifier) for identifier in (*own, *moving)}
    if AccountIdentifier.objects.filter(match_key__in=keys).exclude(account__in=(kept.pk, other.pk)).exists():
        raise PlanRefused("merge_third_account")
    groups, refuses_other_sub = _grants_of(other), not _prove_same_person((*own, *moving), others)
    fingerprint = [
        _account_state(kept),
        _account_state(other),
        refuses_other_sub,
        sorted([identifier.kind, identifier.number] for identifier in moving),
        sorted(map(list, groups)),
    ]
    return Merger(kept, other, moving, refuses_other_sub, groups, fingerprint)


def _prove_same_person(kept: Collection[Identifier], sent: Collection[Identifier]) -> bool:
    """Return whether an account with the identifiers ``kept`` is found with a former ``sub`` and those ``sent``.

    They are compared as in ``identifiers.is_same_person``: after a merge, each key is that of its identifier.
    """
    trusted = {(each.kind, each.number) for each in kept if each.is_trusted}
    if any(each.is_trusted and each.kind != SUB and (each.kind, each.number) in trusted for each in sent):
        return True
    return bool(lifelong_numbers(kept).items() & lifelong_numbers(sent).items())


def plan_link(account: Account, user: User) -> Link:
    """Return the plan of a link, without changing anything. Raises PlanRefused."""
    if account.user_id == user.pk:
        raise PlanRefused("link_same")
    if Account.objects.filter(issuer=account.issuer, user=user.pk).exists():
        raise PlanRefused("link_has_account")
    groups = _grants_of(account)
    fingerprint = [_account_state(account), _user_state(user), sorted(map(list, groups))]
    return Link(account, user, groups, fingerprint)


@transaction.atomic
def merge(planned: Merger, *, by: User | None, deactivate: bool = False) -> None:
    """Merge two accounts. Sessions of the other account's user end; with ``deactivate``, the user is deactivated.

    Raises PlanRefused.
    """
    accounts = _lock_accounts(planned.kept.pk, planned.other.pk)
    if len(accounts) < 2:
        raise PlanRefused("plan_changed")
    merger = plan_merger(*accounts)
    if merger.fingerprint != planned.fingerprint:
        raise PlanRefused("plan_changed")
    kept, other = accounts
    AccountChange.objects.filter(account=other).update(account=kept)
    before = {"account": other.pk, "sub": other.subject, **_user_values(other.user)}
    _move_identifiers(merger)
    unlink(other, by=by)
    _update_match_keys(kept)
    _add_grants(kept, merger.groups)
    if deactivate and merger.is_of_two_users:
        other.user.is_active = False
        other.user.save(update_fields=["is_active"])
    audit.record(kept, AccountChange.Action.MERGED, provider=kept.provider, before=before, by=by)


@transaction.atomic
def link(planned: Link, *, by: User | None) -> None:
    """Link an account to another user. The sessions that it opened for the previous user end. Raises PlanRefused."""
    accounts = _lock_accounts(planned.account.pk)
    user = get_user_model()._default_manager.filter(pk=planned.user.pk).first()
    if not accounts or user is None:
        raise PlanRefused("plan_changed")
    [account] = accounts
    current = plan_link(account, user)
    if current.fingerprint != planned.fingerprint:
        raise PlanRefused("plan_changed")
    before = _user_values(account.user)
    detach(account, by=by)
    account.user = user
    account.save(update_fields=["user"])
    _add_grants(account, current.groups)
    audit.record(account, AccountChange.Action.LINKED, provider=account.provider, before=before, by=by)


def _lock_accounts(*pks: int) -> list[Account]:
    """Lock these accounts until the transaction ends, and return them in this order, with their users."""
    list(Account.objects.select_for_update().order_by("pk").filter(pk__in=pks).values_list("pk"))
    accounts = {
        account.pk: account for account in Account.objects.select_related("user", "provider").filter(pk__in=pks)
    }
    return [accounts[pk] for pk in pks if pk in accounts]


def _grants_of(account: Account) -> frozenset[Grant]:
    return frozenset(account.group_grants.values_list("source", "group_id"))


def _add_grants(account: Account, grants: frozenset[Grant]) -> None:
    """Add group grants to those of the account. The next login updates them."""
    groups: dict[str, set[int]] = {}
    for source, group in grants | _grants_of(account):
        groups.setdefault(source, set()).add(group)
    update_groups(account, groups)


def _move_identifiers(merger: Merger) -> None:
    kept, moving = merger.kept, set(merger.identifiers)
    rows = [row for row in merger.other.identifiers.all() if as_identifier(row) in moving]
    AccountIdentifier.objects.filter(pk__in=[row.pk for row in rows]).update(account=kept)
    if (former := Identifier(SUB, merger.other.subject)) in moving and former not in map(as_identifier, rows):
        row_of(kept, former).save(force_insert=True)


def _update_match_keys(account: Account) -> None:
    """Make the identifiers lead to this account: those that were moved, and those that both accounts had."""
    rows = list(account.identifiers.all())
    for row in rows:
        row.match_key = key_of(account, as_identifier(row))
    AccountIdentifier.objects.bulk_update(rows, ("match_key",))


def can_be_deactivated(user: User) -> bool:
    """Return whether the user model has ``is_active`` as a field. A custom user model may not."""
    return any(field.name == "is_active" for field in user._meta.concrete_fields)


def _user_values(user: User) -> dict[str, str]:
    return {"user": str(user.pk), "username": user.get_username()}


def _account_state(account: Account) -> list[Any]:
    return [account.pk, account.issuer, account.subject, _user_state(account.user)]


def _user_state(user: User) -> list[Any]:
    return [str(user.pk), user.get_username(), user.is_active, is_privileged(user)]
