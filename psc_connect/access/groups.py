"""The groups that the mapping or the access rules grant to users: added at a login, removed when no longer granted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q

from psc_connect.claims.budget import TooSlow
from psc_connect.claims.claims import Claims
from psc_connect.claims.paths import claim_matches
from psc_connect.models import Account, ExportedGroup, GroupGrant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from psc_connect.models import Provider

MAPPING, RULE = GroupGrant.Source.MAPPING, GroupGrant.Source.RULE
logger = logging.getLogger("psc_connect")


class AccountMoved(Exception):
    """The account was deleted, or linked to another user by an administrator, after it was read."""


def users_have_groups() -> bool:
    """Return whether the user model has Django's ``groups``. A custom user model may not."""
    try:
        return get_user_model()._meta.get_field("groups").many_to_many is True
    except FieldDoesNotExist:
        return False


def may_change_groups(provider: Provider) -> Q:
    """Return a condition on accounts: a login may change their groups. It saves queries on sites without groups."""
    rows = ExportedGroup.objects.filter(provider=provider.pk)
    return Q(Exists(rows)) | Q(Exists(GroupGrant.objects.filter(account=OuterRef("pk"))))


def mapped_groups(rows: Iterable[ExportedGroup], claims: Mapping[str, Any]) -> set[int]:
    parsed = Claims.wrap(claims)
    return {row.group_id for row in rows if row_holds(row, parsed)}


def row_holds(row: ExportedGroup, claims: Mapping[str, Any]) -> bool:
    """Return whether the row grants its group for these claims: False, and logged, if evaluation takes too long."""
    try:
        return claim_matches(row.claim, row.equals, claims)
    except TooSlow:
        logger.warning("group.claim_too_slow provider=%s group=%s", row.provider_id, row.group_id)
        return False


def update_groups(account: Account, groups: Mapping[str, Collection[int]]) -> None:
    """Add the groups that each source (``MAPPING``, ``RULE``) grants, and remove those it no longer grants.

    The grants of a source that is not in ``groups`` are kept. A group that an administrator gave by hand is not a
    grant and is never removed. A group that another source, or another account of the user, grants too is kept.
    Must run in a transaction. Raises AccountMoved.
    """
    if not users_have_groups():
        return
    user = account.user
    if Account.objects.select_for_update().filter(pk=account.pk, user=user.pk).values_list("pk").first() is None:
        raise AccountMoved
    grants = list(GroupGrant.objects.filter(account__user=user.pk))
    own_grants = {
        (grant.source, grant.group_id): grant
        for grant in grants
        if grant.account_id == account.pk and grant.source in groups
    }
    granted = {(source, group) for source, source_groups in groups.items() for group in source_groups}
    if not (own_grants or granted):
        return
    known_groups = {grant.group_id for grant in grants}
    user_groups = set(user.groups.values_list("pk", flat=True))
    new = [
        GroupGrant(account=account, source=source, group_id=group)
        for source, group in sorted(granted - own_grants.keys())
        # A group that the user has without a grant was given by hand.
        if group in known_groups or group not in user_groups
    ]
    GroupGrant.objects.bulk_create(new)
    ended = [grant for key, grant in own_grants.items() if key not in granted]
    if ended:
        GroupGrant.objects.filter(pk__in=[grant.pk for grant in ended]).delete()
    still_granted = {grant.group_id for grant in (*grants, *new) if grant not in ended}
    # Includes groups that were removed by hand while they are still granted.
    to_add = {grant.group_id for grant in new} | {group for _source, group in granted & own_grants.keys()}
    user.groups.add(*to_add - user_groups)
    user.groups.remove(*{grant.group_id for grant in ended} - still_granted)


def remove_granted_groups(account: Account) -> None:
    """Remove all groups that the account grants to its user, from every source."""
    update_groups(account, dict.fromkeys(GroupGrant.Source.values, ()))
