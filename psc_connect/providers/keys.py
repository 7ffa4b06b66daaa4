"""A provider's signing keys on its row: imported, fetched again when old or when a token bears an unknown one.

An administrator pins keys (they stay, whatever the provider publishes) and retires keys (they verify nothing any more).
"""

from __future__ import annotations

import copy
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from psc_connect import conf
from psc_connect.models import DeclarationChange, Provider
from psc_connect.oidc.client import fetch_jwks
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import JWKSError, ProviderUnavailable, UnknownKey
from psc_connect.oidc.jwks import KeySet, parse_jwks, strip_private_members
from psc_connect.providers import audit
from psc_connect.providers.serialization import diff, key_names

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

    from psc_connect.oidc.jwks import SigningKey

logger = logging.getLogger("psc_connect")

# One fetch a minute, whatever the tokens say: an unknown `kid` costs an attacker nothing, and the provider a request.
FETCH_INTERVAL = timedelta(seconds=60)
IMPORT_SECONDS = 10.0
# What a login may spend on the refresh of old keys, which it could do without.
REFRESH_SECONDS = 3.0
POLL_SECONDS = 0.1

FETCHED_FIELDS = ("jwks", "jwks_updated_at", "jwks_first_seen")
# What set_keys() changes on an instance.
KEY_FIELDS = (*FETCHED_FIELDS, "jwks_fetch_began_at")
# What an administrator has decided of single keys, which goes with them; what forget_keys() changes.
DECIDED_FIELDS = ("jwks_pinned", "jwks_retired", "jwks_last_used")


def import_keys(provider: Provider, *, origin: str = DeclarationChange.Origin.ADMIN, by: User | None = None) -> KeySet:
    """Fetch the provider's keys now and put them on its row: for an administrator, or a declaration.

    Takes 10 s at most. Raises MetadataError, ProviderUnavailable, JWKSError; the old keys stay.
    """
    began = provider.jwks_fetch_began_at = timezone.now()
    provider.save(update_fields=["jwks_fetch_began_at"])
    try:
        return _fetch(provider, Deadline(IMPORT_SECONDS), origin=origin, by=by)
    finally:
        # It does not use up the minute's slot of the logins: the provider may change its keys right afterwards.
        Provider.objects.filter(pk=provider.pk, jwks_fetch_began_at=began).update(jwks_fetch_began_at=None)


def set_keys(provider: Provider, document: object) -> KeySet:
    """Put a pasted, uploaded or fetched key set on the instance, without saving it. Raises JWKSError.

    Private and symmetric members are dropped before anything is kept; pinned keys that the set lacks stay.
    """
    public = with_pinned(provider, document)
    every = parse_jwks(public)
    # An empty set would lock everybody out: the keys of before stay.
    keys = usable(every, retired=provider.jwks_retired)
    now = timezone.now()
    known = provider.jwks_first_seen
    supersede_fetch(provider)
    provider.jwks = public
    provider.jwks_updated_at = now
    provider.jwks_first_seen = {
        key.thumbprint: known.get(key.thumbprint, now.isoformat(timespec="seconds")) for key in every.keys
    }
    return keys


def usable(found: KeySet, *, retired: Collection[str]) -> KeySet:
    """Return the set without its retired keys. Raises JWKSError where no key is left to verify a signature."""
    keys = found.without(retired)
    if not keys.keys:
        raise JWKSError("jwks_all_retired" if found.keys else "jwks_no_usable_key")
    return keys


def fetched_document(provider: Provider, deadline: Deadline) -> dict[str, Any]:
    """Return the key set that the provider publishes now, without saving it.

    Raises MetadataError, ProviderUnavailable, JWKSError (``jwks_uri_missing`` where it publishes none).
    """
    url = provider.parsed_metadata.jwks_uri
    if not url:
        raise JWKSError("jwks_uri_missing")
    return fetch_jwks(url, http=conf.http_policy(), deadline=deadline)


def fetched_keys(provider: Provider, deadline: Deadline) -> KeySet:
    """Return the keys that a login would have after a fetch, without saving them. Raises as a fetch does."""
    return set_keys(copy.copy(provider), fetched_document(provider, deadline))


def with_pinned(provider: Provider, document: object) -> dict[str, Any]:
    """Return what may be stored of a key set, and the pinned keys of the row that it lacks. Raises JWKSError."""
    public = strip_private_members(document)
    if missing := set(provider.jwks_pinned) - key_names(public).keys():
        present = provider.jwks.get("keys") if isinstance(provider.jwks, dict) else None
        public["keys"] += [jwk for jwk in present or [] if missing & key_names({"keys": [jwk]}).keys()]
    return public


def are_pinned(provider: Provider) -> bool:
    """Whether every key that verifies anything is pinned: then there is nothing to fetch."""
    if not provider.jwks_pinned:
        return False
    keys = provider.key_set().keys
    return bool(keys) and all(key.thumbprint in provider.jwks_pinned for key in keys)


def may_fetch(provider: Provider) -> bool:
    """Whether a key that is not on the row may be looked for at the provider. Raises MetadataError."""
    return bool(provider.parsed_metadata.jwks_uri) and not are_pinned(provider)


def note_use(provider: Provider, key: SigningKey) -> None:
    """Write down that a key verified a login today: one statement a day for each key.

    Where another login has written meanwhile, what it wrote is read and kept; the last try asks no more, since a
    database might never find two JSON texts equal.
    """
    today, row = timezone.now().date().isoformat(), Provider.objects.filter(pk=provider.pk)
    known: dict[str, str] | None = provider.jwks_last_used
    for tried in range(3):
        if known is None or known.get(key.thumbprint) == today:
            return
        unchanged = row.filter(jwks_last_used=known) if tried < 2 else row
        if unchanged.update(jwks_last_used={**known, key.thumbprint: today}):
            return
        known = row.values_list("jwks_last_used", flat=True).first()


def forget_keys(provider: Provider) -> None:
    """Empty the key set of the instance, unsaved: keys of one issuer must never verify the tokens of another."""
    provider.jwks = {}
    provider.jwks_first_seen, provider.jwks_last_used = {}, {}
    provider.jwks_pinned, provider.jwks_retired = [], []
    provider.jwks_updated_at = None
    supersede_fetch(provider)


def supersede_fetch(provider: Provider) -> None:
    """Make a fetch that is under way lose, on the unsaved instance: what an administrator decides now is newer."""
    provider.jwks_fetch_began_at = None


def keys_for_login(provider: Provider, deadline: Deadline) -> KeySet:
    """Return the row's keys, fetched first if there are none, or by one worker if they are too old.

    A refresh that fails is logged and the old keys go on serving. Raises ProviderUnavailable or JWKSError
    only where there is no key at all.
    """
    if not provider.parsed_metadata.jwks_uri or not _is_due(provider):
        return provider.key_set()
    if not provider.jwks:
        return _fetch_once_a_minute(provider, deadline)
    if _claim_fetch(provider):
        try:
            return _fetch(provider, Deadline(min(REFRESH_SECONDS, deadline.remaining())))
        except (ProviderUnavailable, JWKSError) as exc:
            logger.warning("keys.refresh_failed provider=%s code=%s", provider.slug, exc.code)
    return provider.key_set()


def keys_after_unknown_key(provider: Provider, deadline: Deadline, *, unknown: UnknownKey) -> KeySet:
    """Return the keys as they are after one more fetch, by this worker or, in the same minute, by another.

    Raises ``unknown`` where a fetch is not allowed (pinned keys, no ``jwks_uri``), ProviderUnavailable, JWKSError.
    """
    if not may_fetch(provider):
        raise unknown
    return _fetch_once_a_minute(provider, deadline)


def _is_due(provider: Provider) -> bool:
    if not provider.jwks:
        return True
    if are_pinned(provider):
        return False
    updated = provider.jwks_updated_at
    return updated is None or timezone.now() - updated > timedelta(seconds=conf.jwks_max_age())


def _fetch_once_a_minute(provider: Provider, deadline: Deadline) -> KeySet:
    if _claim_fetch(provider):
        return _fetch(provider, deadline)
    # Somebody else's fetch is in flight, or ended less than a minute ago: what it brought is on the row.
    while True:
        _reread(provider)
        if not _is_in_flight(provider) or deadline.remaining() <= POLL_SECONDS:
            return provider.key_set()
        time.sleep(POLL_SECONDS)


def _claim_fetch(provider: Provider) -> bool:
    """Take this minute's slot by one conditional UPDATE: no lock is held while the provider is called."""
    now = timezone.now()
    # A clock that was ahead and has been put right must not block the slot until then.
    free = (
        Q(jwks_fetch_began_at=None)
        | Q(jwks_fetch_began_at__lte=now - FETCH_INTERVAL)
        | Q(jwks_fetch_began_at__gt=now + FETCH_INTERVAL)
    )
    claimed = Provider.objects.filter(free, pk=provider.pk).update(jwks_fetch_began_at=now) == 1
    if claimed:
        provider.jwks_fetch_began_at = now
    return claimed


def _is_in_flight(provider: Provider) -> bool:
    began, ended = provider.jwks_fetch_began_at, provider.jwks_fetch_ended_at
    if began is None or (ended is not None and ended >= began):
        return False
    # A worker that died in the middle never writes the end.
    return timezone.now() - began < timedelta(seconds=IMPORT_SECONDS)


def _fetch(
    provider: Provider,
    deadline: Deadline,
    *,
    origin: str = DeclarationChange.Origin.LOGIN,
    by: User | None = None,
) -> KeySet:
    """Fetch the keys and save them, unless the row's keys were decided otherwise since ``jwks_fetch_began_at``."""
    began, before = provider.jwks_fetch_began_at, provider.jwks
    row = Provider.objects.filter(pk=provider.pk, jwks_fetch_began_at=began)
    try:
        keys = set_keys(provider, fetched_document(provider, deadline))
    except (ProviderUnavailable, JWKSError):
        row.update(jwks_fetch_ended_at=timezone.now())
        raise
    if keys.has_private:
        logger.error("keys.private_published provider=%s", provider.slug)
    fetched = {name: getattr(provider, name) for name in FETCHED_FIELDS}
    with transaction.atomic():
        if row.update(jwks_fetch_ended_at=timezone.now(), **fetched):
            audit.record(provider, diff({"jwks": before}, {"jwks": provider.jwks}), origin=origin, by=by)
            return keys
    _reread(provider)
    return provider.key_set()


def _reread(provider: Provider) -> None:
    try:
        provider.refresh_from_db(fields=[*KEY_FIELDS, "jwks_fetch_ended_at"])
    except Provider.DoesNotExist:
        # Deleted while we waited.
        raise JWKSError("jwks_no_usable_key") from None
