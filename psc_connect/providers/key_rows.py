"""The signing keys of a provider as rows: made from a key set, and saved in place of the stored ones."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from psc_connect.models import SigningKey
from psc_connect.models.signing_key import key_set_of
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import strip_private_members

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from psc_connect.models import Provider

CURRENT, PINNED, RETIRED = SigningKey.State.CURRENT, SigningKey.State.PINNED, SigningKey.State.RETIRED


def rows_of_document(document: object, *, known: Collection[SigningKey]) -> list[SigningKey]:
    """Return unsaved rows for a pasted, uploaded or fetched key set. Raises JWKSError.

    Private and symmetric members are dropped. A known key keeps its state and dates. Pinned keys that the set lacks are
    kept, and so are decisions about retired ones. A set without a usable key is refused: no one could sign in.
    """
    formers = {row.thumbprint: row for row in known if row.thumbprint}
    now = timezone.now()
    rows: dict[Any, SigningKey] = {}
    for jwk in strip_private_members(document)["keys"]:
        row = SigningKey.read(jwk)
        former = formers.get(row.thumbprint or "")
        row.first_seen = former.first_seen if former and former.first_seen else now
        if former:
            row.state, row.last_used = former.state, former.last_used
        name = (row.thumbprint, row.kid, row.alg) if row.thumbprint else json.dumps(jwk, sort_keys=True)
        rows.setdefault(name, row)
    published = {row.thumbprint for row in rows.values()}
    kept = [_unpublished(row) for row in known if row.state != CURRENT and row.thumbprint not in published]
    found = [*rows.values(), *kept]
    key_set = key_set_of(found)
    if not key_set.keys:
        are_retired = any(key.reason == "jwks_key_retired" for key in key_set.ignored)
        raise JWKSError("jwks_all_retired" if are_retired else "jwks_no_usable_key")
    return found


def thumbprints_of(document: object) -> set[str | None]:
    """Return the thumbprints of the keys in a key set. Raises JWKSError."""
    return {SigningKey.read(jwk).thumbprint for jwk in strip_private_members(document)["keys"]}


def _unpublished(row: SigningKey) -> SigningKey:
    """Return the row of a key that the provider has withdrawn: of a retired one only the decision is kept."""
    kept = copy.copy(row)
    kept.withdrawn = True
    if row.state == RETIRED:
        kept.jwk, kept.first_seen = None, None
    return kept


def states_of(rows: Iterable[SigningKey]) -> dict[str, str]:
    return {row.thumbprint: row.state for row in rows if row.thumbprint}


def with_states(rows: Iterable[SigningKey], states: Mapping[str, str]) -> list[SigningKey]:
    """Return unsaved rows with these states by thumbprint; every other key is current."""
    decided = []
    for row in rows:
        changed = copy.copy(row)
        changed.state = states.get(row.thumbprint or "", CURRENT)
        # Without a key and without a decision, the row says nothing.
        if changed.jwk is not None or changed.state != CURRENT:
            decided.append(changed)
    known = {row.thumbprint for row in decided}
    return decided + [
        SigningKey(thumbprint=thumbprint, state=state)
        for thumbprint, state in states.items()
        if thumbprint not in known and state != CURRENT
    ]


def save_rows(provider: Provider, rows: list[SigningKey]) -> bool:
    """Save unsaved rows in place of the provider's keys, in the caller's transaction; return whether they differ."""
    present = [*provider.signing_keys.all()]
    if not have_other_content(present, rows):
        _save_withdrawn(present, rows)
        provider.key_rows = present
        return False
    provider.signing_keys.all().delete()
    for row in rows:
        row.pk, row.provider = None, provider
    provider.key_rows = SigningKey.objects.bulk_create(rows)
    return True


def _save_withdrawn(present: Iterable[SigningKey], rows: Iterable[SigningKey]) -> None:
    withdrawn = {row.thumbprint for row in rows if row.withdrawn}
    for row in present:
        if row.withdrawn != (row.thumbprint in withdrawn):
            row.withdrawn = not row.withdrawn
            row.save(update_fields=["withdrawn"])


def have_other_content(rows: Iterable[SigningKey], others: Iterable[SigningKey]) -> bool:
    """Return whether these are other keys, or keys in another state; their order says nothing."""
    return sorted(map(_content, rows)) != sorted(map(_content, others))


def _content(row: SigningKey) -> str:
    return json.dumps([row.thumbprint, row.kid, row.jwk, row.state], sort_keys=True)
