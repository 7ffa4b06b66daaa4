"""The metadata that a provider publishes: compared with the stored metadata, accepted in parts, followed once a day."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from psc_connect import conf
from psc_connect.environments import environment_of_issuer
from psc_connect.models import DeclarationChange, Provider, ProviderFetchTimes
from psc_connect.oidc.client import fetch_metadata
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import MetadataError, MetadataProblem, ProviderUnavailable
from psc_connect.oidc.metadata import discovery_candidates, secret_recipient
from psc_connect.providers import audit
from psc_connect.providers.keys import IMPORT_SECONDS, REFRESH_SECONDS
from psc_connect.providers.serialization import Difference, diff, member_differences

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

    from psc_connect.oidc.metadata import ProviderMetadata

logger = logging.getLogger("psc_connect")

FOLLOWED_EVERY = timedelta(hours=24)
TRIED_AGAIN_AFTER = timedelta(minutes=10)
ISSUER_MISMATCH = "metadata_issuer_mismatch"


class MetadataRefused(Exception):
    """A published document may not replace the stored metadata; ``code`` says why.

    ``metadata_other_recipient``: the client secret would go to somebody else; ``metadata_changed_meanwhile``: an
    administrator has saved other metadata while the provider was asked.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the provider publishes now, and how it differs from the stored metadata."""

    document: dict[str, Any]
    diff: tuple[Difference, ...]


def fetch_document(url: str) -> dict[str, Any]:
    """Return the metadata document of a discovery URL, or of an issuer, in 10 s at most.

    Raises ProviderUnavailable, MetadataError (``metadata_issuer_mismatch`` if it is the document of another issuer).
    """
    deadline = Deadline(IMPORT_SECONDS)
    return _fetch(url, deadline) if "/.well-known/" in url else _fetch_of_issuer(url, deadline)


def fetch_own_document(issuer: str, deadline: Deadline) -> dict[str, Any]:
    """Return the document that an issuer publishes. Raises as ``fetch_document``."""
    document = _fetch_of_issuer(issuer, deadline)
    # With and without a slash at the end, two issuers have one discovery URL.
    if document["issuer"] != issuer:
        raise MetadataError((MetadataProblem("issuer", ISSUER_MISMATCH),))
    return document


def _fetch_of_issuer(issuer: str, deadline: Deadline) -> dict[str, Any]:
    """Return the document at PSC's own path, else the one at the standard's.

    For ANS's issuers only PSC's path: the document at the standard path has another authorization endpoint.
    """
    own, standard = discovery_candidates(issuer)
    try:
        return _fetch(own, deadline)
    except ProviderUnavailable as exc:
        if exc.code not in {"provider_not_found", "provider_request_refused"} or environment_of_issuer(issuer):
            raise
    return _fetch(standard, deadline)


def _fetch(discovery_url: str, deadline: Deadline) -> dict[str, Any]:
    return fetch_metadata(discovery_url, http=conf.http_policy(), deadline=deadline)


def check_metadata(document: object) -> ProviderMetadata:
    """Check a document as this site's settings allow it. Raises MetadataError with every problem."""
    return Provider(metadata=document).parsed_metadata


def compare(provider: Provider, deadline: Deadline) -> Comparison:
    """Fetch the published metadata and compare it with the stored. Raises ProviderUnavailable, MetadataError."""
    document = fetch_own_document(provider.issuer, deadline)
    kept = provider.metadata if isinstance(provider.metadata, dict) else {}
    return Comparison(document, member_differences(kept, document))


def with_members(kept: object, document: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return the kept metadata with these members as the document has them, without those that it lacks."""
    base = kept if isinstance(kept, dict) else {}
    rest = {name: value for name, value in base.items() if name not in names}
    return rest | {name: document[name] for name in document if name in names}


def save_metadata(provider: Provider, wanted: dict[str, Any], *, source: str, by: User | None = None) -> bool:
    """Save the wanted metadata; return whether anything has changed.

    Raises MetadataError, MetadataRefused; nothing is saved then.
    """
    check_metadata(wanted)
    if secret_recipient(wanted) != provider.secret_recipient:
        raise MetadataRefused("metadata_other_recipient")
    if wanted == provider.metadata:
        return False
    changes = diff({"metadata": provider.metadata}, {"metadata": wanted})
    with transaction.atomic():
        # An administrator may have saved other metadata during the request.
        stored = Provider.objects.select_for_update().get(pk=provider.pk)
        if stored.metadata != provider.metadata:
            raise MetadataRefused("metadata_changed_meanwhile")
        provider.metadata = wanted
        provider.save(update_fields=["metadata"])
        audit.record(provider, changes, version_before=stored.version, source=source, by=by)
    return True


def follow_if_due(provider: Provider) -> None:
    """Save the changes of the published metadata, once a day, in 3 s at most.

    They go to every declaration of the issuer that follows its metadata. One worker does it, and tries again after ten
    minutes if the provider did not answer. It never fails a login. A changed issuer is only logged.
    """
    if not provider.metadata_followed or not provider.issuer or not _claim_check(provider):
        return
    try:
        document = fetch_own_document(provider.issuer, Deadline(REFRESH_SECONDS))
        for each in (provider, *other_followers(provider)):
            _follow(each, document)
    except (ProviderUnavailable, MetadataError) as exc:
        _try_again_later(provider, exc.code)
    except (DatabaseError, Provider.DoesNotExist):
        # Not raised: if the login needs the database, its own queries fail.
        logger.warning("metadata.not_followed provider=%s code=database_unavailable", provider.slug)


def other_followers(provider: Provider) -> list[Provider]:
    """Return the other declarations of the same issuer that follow its metadata, enabled or not."""
    return [each for each in Provider.of_issuer(provider.issuer) if each.metadata_followed and each != provider]


def _follow(provider: Provider, document: dict[str, Any]) -> None:
    try:
        if save_metadata(provider, document, source=DeclarationChange.Source.LOGIN):
            logger.info("metadata.followed provider=%s", provider.slug)
    except MetadataRefused as exc:
        logger.warning("metadata.not_followed provider=%s code=%s", provider.slug, exc.code)


def _try_again_later(provider: Provider, code: str) -> None:
    if code == ISSUER_MISMATCH:
        # An alarm, once a day.
        logger.error("metadata.issuer_changed provider=%s", provider.slug)
        return
    logger.warning("metadata.not_followed provider=%s code=%s", provider.slug, code)
    soon = timezone.now() - FOLLOWED_EVERY + TRIED_AGAIN_AFTER
    ProviderFetchTimes.objects.filter(provider=provider).update(metadata_checked_at=soon)


def _claim_check(provider: Provider) -> bool:
    """Take this day's turn by one conditional UPDATE."""
    now = timezone.now()
    # A clock that was far ahead and has been put right must not put the next check off until then.
    checked_at = provider.fetch_times.metadata_checked_at
    if abs(now - checked_at) < FOLLOWED_EVERY:
        return False
    turn = ProviderFetchTimes.objects.filter(provider=provider, metadata_checked_at=checked_at)
    return turn.update(metadata_checked_at=now) == 1
