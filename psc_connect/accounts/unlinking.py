"""Unlinking of an account from its user: groups are removed, sessions end, and a record is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.crypto import salted_hmac

from psc_connect.access.groups import remove_granted_groups
from psc_connect.models import UnlinkedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

    from psc_connect.models import Account

# The attribute of users that holds the time of their last unlinking.
STAMP = "psc_connect_unlinked_at"


@transaction.atomic
def unlink(account: Account, *, by: User | None) -> UnlinkedAccount:
    """Delete the account with its identifiers, and save an ``UnlinkedAccount``."""
    unlinked = detach(account, by=by)
    account.delete()
    return unlinked


def detach(account: Account, *, by: User | None) -> UnlinkedAccount:
    """Remove the groups that the account grants its user, and save an ``UnlinkedAccount``, which ends its sessions.

    The caller then deletes the account or links it to another user.
    """
    remove_granted_groups(account)
    return UnlinkedAccount.objects.create(
        user=account.user,
        username=account.user.get_username()[:255],
        provider=account.provider.slug,
        issuer=account.issuer,
        subject=account.subject,
        subject_name_id=account.subject_name_id,
        created_at=account.created_at,
        unlinked_by=by,
        unlinked_by_name=by.get_username()[:255] if by is not None else "",
    )


def stamp_of_user(user: str = "user") -> Subquery:
    """Return a subquery for the time of the last unlinking of a row's user."""
    newest = UnlinkedAccount.objects.filter(user=OuterRef(user)).order_by("-unlinked_at", "-pk")
    return Subquery(newest.values("unlinked_at")[:1])


def bind_sessions(user: User) -> User:
    """Make the user's session hash depend on the last unlinking.

    Sessions of our backend that were opened before it have another hash, and end in every session store. Sessions
    opened by password use another backend and are not affected. Without an unlinking, the hash is Django's.
    """
    if not hasattr(user, STAMP):
        # The user was loaded by the site's own code.
        newest = UnlinkedAccount.objects.filter(user=user.pk).values_list("unlinked_at", flat=True)
        setattr(user, STAMP, newest.first())
    stamp = getattr(user, STAMP)
    if stamp is None or not hasattr(user, "get_session_auth_hash"):
        return user
    # On the instance: the user model is the site's.
    user.get_session_auth_hash = BoundHash(user, stamp)  # type: ignore[method-assign]
    user.get_session_auth_fallback_hash = BoundFallbackHashes(user, stamp)  # type: ignore[method-assign]
    return user


@dataclass(frozen=True, slots=True)
class BoundHash:
    """Replaces ``get_session_auth_hash`` of one user. A class rather than a closure, so that users can be pickled."""

    user: User
    stamp: datetime

    def __call__(self) -> str:
        return self.bound(type(self.user).get_session_auth_hash(self.user))

    def bound(self, hash_: str) -> str:
        return salted_hmac(
            "psc_connect.accounts.unlinking", f"{hash_}{self.stamp.isoformat()}", algorithm="sha256"
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class BoundFallbackHashes(BoundHash):
    """Replaces ``get_session_auth_fallback_hash`` (``SECRET_KEY_FALLBACKS``)."""

    def __call__(self) -> Iterator[str]:  # type: ignore[override]
        return (self.bound(hash_) for hash_ in type(self.user).get_session_auth_fallback_hash(self.user))
