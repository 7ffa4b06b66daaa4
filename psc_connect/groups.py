"""The groups that a person is in while their claims say so: given, and taken away again, by the rows of the mapping."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q

from psc_connect.claim_paths import holds
from psc_connect.claims import Claims
from psc_connect.expressions import TooSlow
from psc_connect.models import ExportedGroup, GroupGrant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psc_connect.models import Account, Provider

logger = logging.getLogger("psc_connect")


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
    seen = Claims.of(claims)
    return {row.group_id for row in rows if row_holds(row, seen)}


def row_holds(row: ExportedGroup, claims: Mapping[str, Any]) -> bool:
    """Whether the row puts this person into its group; one that cannot be evaluated in time does not, and is logged."""
    try:
        return holds(row.claim, row.equals, claims)
    except TooSlow:
        logger.warning("group.claim_too_slow provider=%s group=%s", row.provider_id, row.group_id)
        return False


def bring_groups_up_to_date(account: Account, rows: Iterable[ExportedGroup], claims: Mapping[str, Any]) -> None:
    """Give the groups whose rows hold; take away those that a row gave and none holds for now.

    A group that somebody has by hand is never noted as given, and so never taken away.
    """
    if not users_have_groups():
        return
    user, wanted = account.user, wanted_groups(rows, claims)
    granted = set(account.group_grants.values_list("group_id", flat=True))
    if new := wanted - granted - set(user.groups.values_list("pk", flat=True)):
        GroupGrant.objects.bulk_create(GroupGrant(account=account, group_id=group) for group in new)
    # One that was taken away by hand while its row still holds comes back.
    user.groups.add(*new, *(wanted & granted))
    take_back(account, granted - wanted)


def take_back(account: Account, groups: Iterable[int]) -> None:
    """End these grants of the account; a group that another account of the same user was given too stays."""
    ended = set(groups)
    if not ended:
        return
    account.group_grants.filter(group__in=ended).delete()
    elsewhere = GroupGrant.objects.filter(account__user=account.user_id, group__in=ended)
    account.user.groups.remove(*(ended - set(elsewhere.values_list("group_id", flat=True))))
