"""Providers, their signing keys and their fetch times, written directly into the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psc_connect.models import Provider, ProviderFetchTimes, SigningKey
from psc_connect.providers.key_rows import PINNED, RETIRED, save_rows, with_states


def store_keys(provider: Provider, jwks: Any, *, pinned: Collection[str] = (), retired: Collection[str] = ()) -> None:
    """Replace the keys of a provider, whatever the set is worth."""
    rows = [SigningKey.read(jwk) for jwk in jwks.get("keys", ())]
    save_rows(provider, with_states(rows, {**dict.fromkeys(pinned, PINNED), **dict.fromkeys(retired, RETIRED)}))


def set_times(provider: Provider, **times: datetime | None) -> None:
    ProviderFetchTimes.objects.filter(pk=provider.fetch_times.pk).update(**times)


def change_provider(provider: Provider, **changes: Any) -> None:
    """Write columns of a provider, its keys (``jwks``) and when these were imported (``jwks_updated_at``)."""
    if "jwks" in changes:
        store_keys(provider, changes.pop("jwks"))
    if "jwks_updated_at" in changes:
        set_times(provider, jwks_updated_at=changes.pop("jwks_updated_at"))
    Provider.objects.filter(pk=provider.pk).update(**changes)
