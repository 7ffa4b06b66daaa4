"""What an administrator does with accounts that are one person's, or the wrong user's: merges two, links one anew.

Each is planned first; what is carried out is the plan that was looked at, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth import get_user_model
from django.db import transaction

from psc_connect.access.groups import bring_groups_up_to_date
from psc_connect.accounts import audit
from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, key_of, row_of, rpps_of
from psc_connect.accounts.matching import is_privileged
from psc_connect.accounts.unlinking import part, unlink
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account, AccountChange, AccountIdentifier

if TYPE_CHECKING:
    from django.contrib.auth.models import User


# What gives a group (``GroupGrant.Source``), and its number.
Grant: TypeAlias = tuple[str, int]


class PlanRefused(Exception):
    """These cannot be merged or linked; ``code`` says why.

    ``merge_same``, ``merge_other_issuer``, ``merge_two_people``, ``merge_third_account``; ``link_same``,
    ``link_has_account``;
    ``plan_changed``: it is not any longer what was looked at.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Merger:
    """``other`` becomes a part of ``kept``: whoever signs in with either is ``kept.user`` from then on.

    ``fingerprint``: all that an administrator decides on, as JSON.
    """

    kept: Account
    other: Account
    identifiers: tuple[Identifier, ...]
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
    """Whoever signs in with ``account`` is ``user`` from then on."""

    account: Account
    user: User
    groups: frozenset[Grant]
    fingerprint: list[Any]

    @property
    def former_user(self) -> User:
        return self.account.user


def plan_merger(kept: Account, other: Account) -> Merger:
    """Say what a merger would do, and do nothing. Raises PlanRefused."""
    if kept.pk == other.pk:
        raise PlanRefused("merge_same")
    if kept.issuer != other.issuer:
        raise PlanRefused("merge_other_issuer")
    present = [as_identifier(row) for row in kept.identifiers.all()]
    known = {(each.kind, each.number) for each in present}
    given = (*map(as_identifier, other.identifiers.all()), Identifier(SUB, other.subject))
    moving = tuple(dict.fromkeys(each for each in given if (each.kind, each.number) not in known))
    try:
        rpps_of((*present, *moving))
    except LoginRefused as exc:
        raise PlanRefused("merge_two_people") from exc
    keys = {key_of(kept, each) for each in (*present, *moving)}
    if AccountIdentifier.objects.filter(match_key__in=keys).exclude(account__in=(kept.pk, other.pk)).exists():
        raise PlanRefused("merge_third_account")
    groups, seen = _grants_of(other), sorted([each.kind, each.number] for each in moving)
    return Merger(kept, other, moving, groups, fingerprint=[_seen(kept), _seen(other), seen, sorted(map(list, groups))])


def plan_link(account: Account, user: User) -> Link:
    """Say what a new link would do, and do nothing. Raises PlanRefused."""
    if account.user_id == user.pk:
        raise PlanRefused("link_same")
    if Account.objects.filter(issuer=account.issuer, user=user.pk).exists():
        raise PlanRefused("link_has_account")
    groups = _grants_of(account)
    return Link(account, user, groups, fingerprint=[_seen(account), _seen_user(user), sorted(map(list, groups))])


@transaction.atomic
def merge(planned: Merger, *, by: User | None, deactivate: bool = False) -> None:
    """Merge two accounts; the other one's user stays, deactivated if asked for, and its sessions end.

    Raises PlanRefused.
    """
    accounts = _locked(planned.kept.pk, planned.other.pk)
    if len(accounts) < 2:
        raise PlanRefused("plan_changed")
    merger = plan_merger(*accounts)
    if merger.fingerprint != planned.fingerprint:
        raise PlanRefused("plan_changed")
    kept, other = accounts
    AccountChange.objects.filter(account=other).update(account=kept)
    before = {"account": other.pk, "sub": other.subject, **_told(other.user)}
    _move_identifiers(merger)
    unlink(other, by=by)
    _bring_keys_up_to_date(kept)
    _give(kept, merger.groups)
    if deactivate and merger.is_of_two_users:
        other.user.is_active = False
        other.user.save(update_fields=["is_active"])
    audit.record(kept, AccountChange.Action.MERGED, provider=kept.provider, before=before, by=by)


@transaction.atomic
def link(planned: Link, *, by: User | None) -> None:
    """Link an account to another user; the sessions that it opened for the user before end. Raises PlanRefused."""
    accounts = _locked(planned.account.pk)
    user = get_user_model()._default_manager.filter(pk=planned.user.pk).first()
    if not accounts or user is None:
        raise PlanRefused("plan_changed")
    [account] = accounts
    wanted = plan_link(account, user)
    if wanted.fingerprint != planned.fingerprint:
        raise PlanRefused("plan_changed")
    before = _told(account.user)
    part(account, by=by)
    account.user = user
    account.save(update_fields=["user"])
    _give(account, wanted.groups)
    audit.record(account, AccountChange.Action.LINKED, provider=account.provider, before=before, by=by)


def _locked(*pks: int) -> list[Account]:
    """Return these accounts in this order, each with its user, until the transaction ends for nobody else to change."""
    list(Account.objects.select_for_update().order_by("pk").filter(pk__in=pks).values_list("pk"))
    found = {each.pk: each for each in Account.objects.select_related("user", "provider").filter(pk__in=pks)}
    return [found[pk] for pk in pks if pk in found]


def _grants_of(account: Account) -> frozenset[Grant]:
    return frozenset(account.group_grants.values_list("source", "group_id"))


def _give(account: Account, grants: frozenset[Grant]) -> None:
    """Give the user what the account gave until now; the next login brings it up to date."""
    wanted: dict[str, set[int]] = {}
    for source, group in grants | _grants_of(account):
        wanted.setdefault(source, set()).add(group)
    bring_groups_up_to_date(account, wanted)


def _move_identifiers(merger: Merger) -> None:
    kept, wanted = merger.kept, set(merger.identifiers)
    rows = [row for row in merger.other.identifiers.all() if as_identifier(row) in wanted]
    for row in rows:
        row.account = kept
        row.match_key = key_of(kept, as_identifier(row))
    AccountIdentifier.objects.bulk_update(rows, ("account", "match_key"))
    if (former := Identifier(SUB, merger.other.subject)) in wanted and former not in map(as_identifier, rows):
        row_of(kept, former).save(force_insert=True)


def _bring_keys_up_to_date(account: Account) -> None:
    """By what both accounts had, neither may have been found until now."""
    rows = list(account.identifiers.all())
    for row in rows:
        row.match_key = key_of(account, as_identifier(row))
    AccountIdentifier.objects.bulk_update(rows, ("match_key",))


def can_be_deactivated(user: User) -> bool:
    """Whether the user model has a field for it; a site's own need not."""
    return any(each.name == "is_active" for each in user._meta.concrete_fields)


def _told(user: User) -> dict[str, str]:
    return {"user": str(user.pk), "username": user.get_username()}


def _seen(account: Account) -> list[Any]:
    return [account.pk, account.issuer, account.subject, _seen_user(account.user)]


def _seen_user(user: User) -> list[Any]:
    return [str(user.pk), user.get_username(), user.is_active, is_privileged(user)]
