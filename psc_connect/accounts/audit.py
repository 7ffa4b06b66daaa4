"""The trail of an account: what has become of it since it was made, and by whom."""

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
    """Write one row; ``before`` is what there was until now. By nobody: a login did it."""
    AccountChange.objects.create(
        account=account,
        provider=provider.slug,
        action=action,
        username=account.user.get_username()[:255],
        before=dict(before),
        made_by=by,
        made_by_name=by.get_username()[:255] if by is not None else "",
    )
