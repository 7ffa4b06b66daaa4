"""The groups that a person is in while their claims, or a rule, say so: given, and taken away again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q

from psc_connect.claims.claims import Claims
from psc_connect.claims.expressions import TooSlow
from psc_connect.claims.paths import claim_matches
from psc_connect.models import Account, ExportedGroup, GroupGrant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from psc_connect.models import Provider

MAPPING, RULE = GroupGrant.Source.MAPPING, GroupGrant.Source.RULE
logger = logging.getLogger("psc_connect")


class AccountMoved(Exception):
    """The account has another user than when it was read, or is gone: an administrator's act came between."""


def users_have_groups() -> bool:
    """Whether the user model has Django's groups; a site's own need not."""
    try:
        return get_user_model()._meta.get_field("groups").many_to_many is True
    except FieldDoesNotExist:
        return False


def concern(provider: Provider) -> Q:
    """A condition on accounts: whether there is anything to look at. A login of a site without groups costs nothing."""
    rows = ExportedGroup.objects.filter(provider=provider.pk)
    return Q(Exists(rows)) | Q(Exists(GroupGrant.objects.filter(account=OuterRef("pk"))))


def wanted_groups(rows: Iterable[ExportedGroup], claims: Mapping[str, Any]) -> set[int]:
    seen = Claims.wrap(claims)
    return {row.group_id for row in rows if row_holds(row, seen)}


def row_holds(row: ExportedGroup, claims: Mapping[str, Any]) -> bool:
    """Whether the row puts this person into its group; one that cannot be evaluated in time does not, and is logged."""
    try:
        return claim_matches(row.claim, row.equals, claims)
    except TooSlow:
        logger.warning("group.claim_too_slow provider=%s group=%s", row.provider_id, row.group_id)
        return False


def bring_groups_up_to_date(account: Account, wanted: Mapping[str, Collection[int]]) -> None:
    """Give what each source (``MAPPING``, ``RULE``) wants; take away what it gave and wants no longer.

    A source that is not named keeps what it gave. A group that somebody has by hand is never noted as given, and so
    never taken away; one that another source, or another account of the same user, gave too stays. Within a
    transaction. Raises AccountMoved.
    """
    if not users_have_groups():
        return
    user = account.user
    if Account.objects.select_for_update().filter(pk=account.pk, user=user.pk).values_list("pk").first() is None:
        raise AccountMoved
    grants = list(GroupGrant.objects.filter(account__user=user.pk))
    present = {
        (each.source, each.group_id): each for each in grants if each.account_id == account.pk and each.source in wanted
    }
    asked = {(source, group) for source, groups in wanted.items() for group in groups}
    if not (present or asked):
        return
    given = {each.group_id for each in grants}
    has = set(user.groups.values_list("pk", flat=True))
    new = [
        GroupGrant(account=account, source=source, group_id=group)
        for source, group in sorted(asked - present.keys())
        if group in given or group not in has
    ]
    GroupGrant.objects.bulk_create(new)
    ended = [grant for key, grant in present.items() if key not in asked]
    if ended:
        GroupGrant.objects.filter(pk__in=[each.pk for each in ended]).delete()
    held = {each.group_id for each in (*grants, *new) if each not in ended}
    # One that was taken away by hand while its row still holds comes back.
    user.groups.add(*({each.group_id for each in new} | {group for _source, group in asked & present.keys()}) - has)
    user.groups.remove(*{each.group_id for each in ended} - held)


def take_back(account: Account) -> None:
    """End all that the account was given, by whatever source."""
    bring_groups_up_to_date(account, dict.fromkeys(GroupGrant.Source.values, ()))
