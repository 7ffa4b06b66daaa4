"""A provider's signing keys as an administrator sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from psc_connect.admin.documents import explain
from psc_connect.oidc.errors import JWKSError

if TYPE_CHECKING:
    from psc_connect.models import Provider
    from psc_connect.oidc.jwks import IgnoredKey, SigningKey


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key that verifies signatures, and since when it is on the row."""

    key: SigningKey
    since: datetime | None


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    key: IgnoredKey
    reason: str


@dataclass(frozen=True, slots=True)
class KeysTable:
    """The keys used, the keys ignored, or the ``problem`` of a set that cannot be read at all."""

    used: tuple[KeyRow, ...] = ()
    ignored: tuple[IgnoredRow, ...] = ()
    problem: str = ""


def keys_table(provider: Provider) -> KeysTable:
    try:
        keys = provider.key_set()
    except JWKSError as exc:
        return KeysTable(problem=explain(exc.code))
    first_seen = provider.jwks_first_seen if isinstance(provider.jwks_first_seen, dict) else {}
    return KeysTable(
        used=tuple(KeyRow(key, _date(first_seen.get(key.thumbprint))) for key in keys.keys),
        ignored=tuple(IgnoredRow(key, explain(key.reason)) for key in keys.ignored),
    )


def keys_state(provider: Provider) -> str:
    """Say in a few words, for the list of providers, whether a login would find keys."""
    table = keys_table(provider)
    if table.problem:
        return gettext("unreadable: import them again")
    if not table.used:
        return gettext("none yet: the first login fetches them")
    text = ngettext("%(count)s key", "%(count)s keys", len(table.used)) % {"count": len(table.used)}
    return gettext("%(keys)s, pinned") % {"keys": text} if provider.jwks_pinned else text


def _date(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
