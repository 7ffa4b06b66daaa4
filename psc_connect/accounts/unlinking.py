"""An account is parted from its user: what it gave is taken back, its sessions end, and a trail stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.crypto import salted_hmac

from psc_connect.access.groups import take_back
from psc_connect.models import UnlinkedAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

    from psc_connect.models import Account

# The name under which users come with the moment of their last unlinking.
STAMP = "psc_connect_unlinked_at"


@transaction.atomic
def unlink(account: Account, *, by: User | None) -> UnlinkedAccount:
    """Delete the account, its identifiers with it, and keep a row of it."""
    unlinked = part(account, by=by)
    account.delete()
    return unlinked


def part(account: Account, *, by: User | None) -> UnlinkedAccount:
    """Take back what the account gave its user; by the row that is kept, whatever sessions it has opened end.

    The account itself is left for the caller, to be deleted or given to another user.
    """
    take_back(account)
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
    """The moment of the last unlinking of a row's user, in the statement that reads the row."""
    newest = UnlinkedAccount.objects.filter(user=OuterRef(user)).order_by("-unlinked_at", "-pk")
    return Subquery(newest.values("unlinked_at")[:1])


def bind_sessions(user: User) -> User:
    """Make the hash that Django holds the sessions of a user against depend on their last unlinking.

    A session that was opened before has another hash and ends, wherever sessions are stored; those that a password
    opened are none of ours and keep theirs. A user who was never unlinked has the very hash that Django gives.
    """
    if not hasattr(user, STAMP):
        # A site's own code found this user.
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
    """In the place of ``get_session_auth_hash`` on one instance; of a class, so that a site can pickle its users."""

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
    """The same for the hashes of the keys before (``SECRET_KEY_FALLBACKS``)."""

    def __call__(self) -> Iterator[str]:  # type: ignore[override]
        return (self.bound(hash_) for hash_ in type(self.user).get_session_auth_fallback_hash(self.user))
