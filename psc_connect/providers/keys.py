"""A provider's signing keys: imported, and fetched again when they are old or a token names an unknown key.

An administrator pins keys (kept, whatever the provider publishes) and retires keys (they verify nothing).
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from psc_connect import conf
from psc_connect.models import DeclarationChange, Provider, ProviderFetchTimes
from psc_connect.models.signing_key import jwks_of, key_set_of
from psc_connect.oidc.client import fetch_jwks
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import IDTokenError, JWKSError, ProviderUnavailable, UnknownKey
from psc_connect.oidc.id_token import audience_rule, issuer_rule
from psc_connect.oidc.jws import verify_compact
from psc_connect.providers import audit
from psc_connect.providers.key_rows import rows_of_document, save_rows
from psc_connect.providers.serialization import diff

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from psc_connect.models import SigningKey
    from psc_connect.oidc.jwks import KeySet

logger = logging.getLogger("psc_connect")

# One fetch a minute, whatever the tokens say: an unknown `kid` costs an attacker nothing, and the provider a request.
FETCH_INTERVAL = timedelta(seconds=60)
IMPORT_SECONDS = 10.0
# What a login may spend on the refresh of old keys, which it could do without.
REFRESH_SECONDS = 3.0
POLL_SECONDS = 0.1


def locked(provider: Provider) -> Provider:
    """Lock a provider for the transaction and return its row: for writers that may change its keys.

    A login that fetches keys locks in the same order: first the fetch times, then the provider.
    """
    _times(provider).select_for_update().first()
    return Provider.objects.select_for_update().get(pk=provider.pk)


def import_keys(provider: Provider, *, source: str = DeclarationChange.Source.ADMIN, by: User | None = None) -> KeySet:
    """Fetch the provider's keys now and save them: for an administrator, or a declaration.

    Takes 10 s at most. Raises MetadataError, ProviderUnavailable, JWKSError; the old keys stay.
    """
    began = timezone.now()
    _times(provider).update(jwks_fetch_began_at=began)
    try:
        return _fetch(provider, Deadline(IMPORT_SECONDS), began=began, source=source, by=by)
    finally:
        # It does not use up the minute's slot of the logins: the provider may change its keys right afterwards.
        _times(provider).filter(jwks_fetch_began_at=began).update(jwks_fetch_began_at=None)


def replace_keys(provider: Provider, rows: list[SigningKey]) -> None:
    """Replace the provider's keys by unsaved rows, as an administrator decided.

    A fetch that is under way does not know of it: it will save nothing.
    """
    with transaction.atomic():
        _times(provider).update(jwks_fetch_began_at=None)
        before = jwks_of(provider.signing_keys.all())
        save_rows(provider, rows)
        if provider.jwks != before:
            _times(provider).update(jwks_updated_at=timezone.now() if provider.jwks else None)


def _times(provider: Provider) -> QuerySet[ProviderFetchTimes]:
    return ProviderFetchTimes.objects.filter(pk=provider.fetch_times.pk)


def fetch_key_set(provider: Provider, deadline: Deadline) -> dict[str, Any]:
    """Return the key set that the provider publishes now, without saving it.

    Raises MetadataError, ProviderUnavailable, JWKSError (``jwks_uri_missing`` where it publishes none).
    """
    url = provider.parsed_metadata.jwks_uri
    if not url:
        raise JWKSError("jwks_uri_missing")
    return fetch_jwks(url, http=conf.http_policy(), deadline=deadline)


def fetch_usable_keys(provider: Provider, deadline: Deadline) -> KeySet:
    """Return the keys that a login would have after a fetch, without saving them. Raises as a fetch does."""
    return key_set_of(rows_of_document(fetch_key_set(provider, deadline), known=provider.key_rows))


def are_pinned(provider: Provider) -> bool:
    """Return whether every key that verifies signatures is pinned: then there is nothing to fetch."""
    pinned = provider.jwks_pinned
    if not pinned:
        return False
    keys = provider.key_set().keys
    return bool(keys) and all(key.thumbprint in pinned for key in keys)


def may_fetch(provider: Provider) -> bool:
    """Return whether an unknown key may be fetched from the provider. Raises MetadataError."""
    return bool(provider.parsed_metadata.jwks_uri) and not are_pinned(provider)


def accepts_hint(provider: Provider, id_token: str) -> bool:
    """Return whether the provider issued this ID token, to this client, with a key that it still publishes.

    It may have expired. The stored keys are those of the last fetch.
    """
    keys = key_set_of([row for row in provider.key_rows if not row.withdrawn], with_retired=True)
    algorithm = provider.id_token_signed_response_alg
    try:
        claims, _key = verify_compact(id_token, algorithm=algorithm, keys=keys, error=IDTokenError)
    except (IDTokenError, UnknownKey):
        return False
    return not (issuer_rule(claims, provider.issuer) or audience_rule(claims, provider.client_id))


def record_use(provider: Provider, thumbprint: str) -> None:
    """Record that a key verified a login today: one statement a day for each key."""
    today = timezone.now().date()
    if any(row.last_used != today for row in provider.key_rows if row.thumbprint == thumbprint):
        provider.signing_keys.filter(thumbprint=thumbprint).update(last_used=today)


def keys_for_login(provider: Provider, deadline: Deadline) -> KeySet:
    """Return the stored keys; fetch them first if there are none, or, in one worker, if they are too old.

    A refresh that fails is logged and the old keys go on serving. Raises ProviderUnavailable or JWKSError
    only where there is no key at all.
    """
    if not provider.parsed_metadata.jwks_uri or not _is_due(provider):
        return provider.key_set()
    if not provider.jwks:
        return _fetch_once_a_minute(provider, deadline)
    if began := _claim_fetch(provider):
        try:
            return _fetch(provider, Deadline(min(REFRESH_SECONDS, deadline.remaining())), began=began)
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
    due_at = refresh_due_at(provider)
    return due_at is None or timezone.now() > due_at


def refresh_due_at(provider: Provider) -> datetime | None:
    """Return the time after which the first login fetches the keys again; None: the next login does."""
    updated = provider.fetch_times.jwks_updated_at
    return None if updated is None else updated + timedelta(seconds=conf.jwks_max_age())


def _fetch_once_a_minute(provider: Provider, deadline: Deadline) -> KeySet:
    if began := _claim_fetch(provider):
        return _fetch(provider, deadline, began=began)
    # Another worker is fetching, or has fetched less than a minute ago: its result is in the database.
    while True:
        _reread(provider)
        if not _is_in_flight(provider) or deadline.remaining() <= POLL_SECONDS:
            return provider.key_set()
        time.sleep(POLL_SECONDS)


def _claim_fetch(provider: Provider) -> datetime | None:
    """Take this minute's slot by one conditional UPDATE: no lock is held while the provider is called.

    Return the time of the slot, or None where it is taken.
    """
    now = timezone.now()
    # A clock that was ahead and has been put right must not block the slot until then.
    free = (
        Q(jwks_fetch_began_at=None)
        | Q(jwks_fetch_began_at__lte=now - FETCH_INTERVAL)
        | Q(jwks_fetch_began_at__gt=now + FETCH_INTERVAL)
    )
    return now if _times(provider).filter(free).update(jwks_fetch_began_at=now) else None


def _is_in_flight(provider: Provider) -> bool:
    began, ended = provider.fetch_times.jwks_fetch_began_at, provider.fetch_times.jwks_fetch_ended_at
    if began is None or (ended is not None and ended >= began):
        return False
    # A worker that died in the middle never writes the end.
    return timezone.now() - began < timedelta(seconds=IMPORT_SECONDS)


def _fetch(
    provider: Provider,
    deadline: Deadline,
    *,
    began: datetime,
    source: str = DeclarationChange.Source.LOGIN,
    by: User | None = None,
) -> KeySet:
    """Fetch the keys and save them, unless an administrator has decided about keys since the slot ``began``."""
    slot = _times(provider).filter(jwks_fetch_began_at=began)
    try:
        document = fetch_key_set(provider, deadline)
        with transaction.atomic():
            # A write comes first: SQLite would not wait for the lock after a read.
            ended = timezone.now()
            if slot.update(jwks_fetch_ended_at=ended, jwks_updated_at=ended):
                return _save_fetched(provider, document, source=source, by=by)
    except (ProviderUnavailable, JWKSError):
        slot.update(jwks_fetch_ended_at=timezone.now())
        raise
    _reread(provider)
    return provider.key_set()


def _save_fetched(provider: Provider, document: object, *, source: str, by: User | None) -> KeySet:
    # Locked, so that no other write comes between the two versions of the audit entry.
    version = Provider.objects.select_for_update().values_list("version", flat=True).get(pk=provider.pk)
    known = [*provider.signing_keys.all()]
    rows = rows_of_document(document, known=known)
    if save_rows(provider, rows):
        changes = diff({"jwks": jwks_of(known)}, {"jwks": provider.jwks})
        audit.record(provider, changes, version_before=version, source=source, by=by)
    keys = provider.key_set()
    if keys.has_private:
        logger.error("keys.private_published provider=%s", provider.slug)
    return keys


def _reread(provider: Provider) -> None:
    try:
        provider.fetch_times.refresh_from_db()
    except ProviderFetchTimes.DoesNotExist:
        # The provider was deleted while this login waited.
        raise JWKSError("jwks_no_usable_key") from None
    provider.key_rows = [*provider.signing_keys.all()]
