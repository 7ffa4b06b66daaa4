"""The signing keys for administrators: preview and accept a key set, pin and retire keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from psc_connect.models import DeclarationChange
from psc_connect.models.signing_key import key_set_of
from psc_connect.providers import audit
from psc_connect.providers.key_rows import (
    CURRENT,
    PINNED,
    RETIRED,
    rows_of_document,
    states_of,
    thumbprints_of,
    with_states,
)
from psc_connect.providers.keys import locked, replace_keys
from psc_connect.providers.serialization import diff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User

    from psc_connect.models import Provider
    from psc_connect.oidc.jwks import KeySet, SigningKey

ADMIN = DeclarationChange.Source.ADMIN


class KeysChangedMeanwhile(Exception):
    """The stored keys are no longer those that the administrator was shown."""


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What a key set would change. A ``changed`` key has the ``kid`` of a stored key, but is another key.

    ``found``: the set as it would be stored, pinned keys included. ``pinned_gone``: the pinned keys that the set lacks;
    they stay.
    """

    found: KeySet
    new: tuple[SigningKey, ...]
    changed: tuple[SigningKey, ...]
    gone: tuple[SigningKey, ...]
    same: tuple[SigningKey, ...]
    pinned_gone: tuple[SigningKey, ...]

    @property
    def has_any(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def compare_keys(provider: Provider, document: object) -> KeyChanges:
    """Compare a key set with the stored keys. Raises JWKSError, also if no key of it can verify a signature."""
    found = key_set_of(rows_of_document(document, known=provider.key_rows))
    present = provider.key_set().keys
    known = {key.thumbprint for key in present}
    names = {key.kid for key in present if key.kid}
    fresh = [key for key in found.keys if key.thumbprint not in known]
    kept = {key.thumbprint for key in found.keys}
    published = thumbprints_of(document)
    return KeyChanges(
        found=found,
        new=tuple(key for key in fresh if key.kid not in names),
        changed=tuple(key for key in fresh if key.kid in names),
        gone=tuple(key for key in present if key.thumbprint not in kept),
        same=tuple(key for key in found.keys if key.thumbprint in known),
        pinned_gone=tuple(key for key in found.keys if key.thumbprint not in published),
    )


def accept_keys(provider: Provider, document: Mapping[str, Any], *, seen: object, by: User) -> KeySet:
    """Replace the stored keys, which must still be those that the administrator has ``seen``.

    Raises JWKSError, KeysChangedMeanwhile.
    """
    with transaction.atomic():
        row = locked(provider)
        if row.jwks != seen:
            raise KeysChangedMeanwhile
        before = row.jwks
        replace_keys(row, rows_of_document(document, known=row.key_rows))
        changes = diff({"jwks": before}, {"jwks": row.jwks})
        audit.record(row, changes, version_before=row.version, source=ADMIN, by=by)
    return row.key_set()


def decide(provider: Provider, thumbprint: str, decision: str, *, by: User) -> None:
    """Save what an administrator decides about one key: ``pin``, ``unpin``, ``retire``, ``restore``.

    Raises KeyError for an unknown key or decision.
    """
    state = {"pin": PINNED, "unpin": CURRENT, "retire": RETIRED, "restore": CURRENT}[decision]
    with transaction.atomic():
        row = locked(provider)
        states, before = states_of(row.key_rows), _decisions(row)
        if thumbprint not in states:
            raise KeyError(thumbprint)
        replace_keys(row, with_states(row.key_rows, {**states, thumbprint: state}))
        audit.record(row, diff(before, _decisions(row)), version_before=row.version, source=ADMIN, by=by)


def _decisions(provider: Provider) -> dict[str, list[str]]:
    return {"jwks_pinned": provider.jwks_pinned, "jwks_retired": provider.jwks_retired}
