"""Entries of the audit log of providers: old and new values, and who changed them. They contain no secret."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers.serialization import SECRET, Difference, diff, serialize_provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.contrib.auth.models import User

    from psc_connect.fields import StoredSecret

REPLACED = "replaced"


def record(
    provider: Provider,
    changes: Iterable[Difference],
    *,
    version_before: int | None,
    source: str,
    by: User | None = None,
) -> None:
    """Write one entry with these changes; write none if there are none."""
    rows = [[change.name, change.old, change.new] for change in changes]
    if rows:
        version = Provider.objects.filter(pk=provider.pk).values_list("version", flat=True).first()
        DeclarationChange.objects.create(
            provider=provider if provider.pk else None,
            slug=provider.slug,
            made_by=by,
            made_by_name=by.get_username()[:255] if by is not None else "",
            source=source,
            changes=rows,
            version_before=version_before,
            version=version,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The serialization of a provider at one moment; empty before it is created and after it is deleted."""

    declaration: dict[str, Any] = field(default_factory=dict)
    secret: StoredSecret | None = None
    version: int | None = None


def snapshot(provider: Provider) -> Snapshot:
    """Read the provider from the database."""
    stored = Provider.objects.filter(pk=provider.pk).first() if provider.pk else None
    if stored is None:
        return Snapshot()
    declared = {name: value for name, value in serialize_provider(stored).items() if name != SECRET}
    return Snapshot(declared, stored.client_secret, stored.version)


def record_since(before: Snapshot, provider: Provider, *, source: str, by: User | None = None) -> None:
    """Record the changes of the provider, and of the rows that belong to it, since ``before``."""
    after = snapshot(provider)
    changes = [
        *diff(before.declaration, after.declaration),
        *_secret_replaced(before.secret, after.secret),
    ]
    record(provider, changes, version_before=before.version, source=source, by=by)


@contextmanager
def recorded(provider: Provider, *, source: str, by: User | None = None) -> Iterator[None]:
    """Record what the block changes."""
    before = snapshot(provider)
    yield
    record_since(before, provider, source=source, by=by)


def _secret_replaced(old: StoredSecret | None, new: StoredSecret | None) -> list[Difference]:
    """Return the change of the secret: a reference (``env:…``) is named, a secret is not."""
    if not new or new == old:
        return []
    return [Difference(SECRET, (old.reference() or None) if old else None, new.reference() or REPLACED)]
