"""The audit log of accounts: what changed after their creation, and who changed it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from psc_connect.models import AccountChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User

    from psc_connect.models import Account, Provider


def record(
    account: Account,
    action: AccountChange.Action,
    *,
    provider: Provider,
    before: Mapping[str, Any] = MappingProxyType({}),
    by: User | None = None,
) -> None:
    """Save an audit entry. ``before``: the previous values. ``by=None``: changed by a login."""
    entry(account, action, provider=provider, before=before, by=by).save()


def entry(
    account: Account, action: AccountChange.Action, *, provider: Provider, before: Mapping[str, Any], by: User | None
) -> AccountChange:
    """Return an audit entry, unsaved."""
    return AccountChange(
        account=account,
        provider=provider.slug,
        action=action,
        username=account.user.get_username()[:255],
        before=dict(before),
        made_by=by,
        made_by_name=by.get_username()[:255] if by is not None else "",
    )
