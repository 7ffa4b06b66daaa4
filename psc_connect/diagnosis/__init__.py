"""Does it work, before anybody tries? One provider is looked at from end to end, and nothing is changed by it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psc_connect.diagnosis import network, protocol, site
from psc_connect.diagnosis.findings import Finding, Status, worst
from psc_connect.diagnosis.site import settings_of_the_site
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import JWKSError, MetadataError, OIDCError, ProviderUnavailable
from psc_connect.oidc.response_details import recording_response_details
from psc_connect.providers.key_management import compare_keys
from psc_connect.providers.keys import fetched_document
from psc_connect.providers.metadata import compare

if TYPE_CHECKING:
    from psc_connect.login.site_urls import DeclaredAddresses
    from psc_connect.models import Provider
    from psc_connect.providers.key_management import KeyChanges
    from psc_connect.providers.metadata import Comparison

__all__ = ["Diagnosis", "Finding", "Status", "examine", "settings_of_the_site", "worst"]

# Below the 30 s after which gunicorn gives a worker up.
SECONDS = 20.0


@dataclass(slots=True)
class Diagnosis:
    """The lines, in the order of the way to a login; and what the provider published meanwhile, to be accepted."""

    findings: list[Finding] = field(default_factory=list)
    comparison: Comparison | None = None
    key_changes: KeyChanges | None = None

    @property
    def status(self) -> Status:
        return worst(self.findings)


def examine(provider: Provider, declared: DeclaredAddresses, *, seconds: float = SECONDS) -> Diagnosis:
    """Look at everything that a login of this provider needs, in 20 s at most. Never fails, changes nothing."""
    diagnosis, deadline = Diagnosis(), Deadline(seconds)
    lines = diagnosis.findings
    lines += site.addresses(declared)
    lines += site.declaration(provider)
    lines += network.way_out()
    try:
        metadata = provider.parsed_metadata
    except MetadataError as exc:
        lines.append(protocol.failure("metadata", exc))
        return diagnosis
    try:
        names = network.names(metadata, deadline)
        lines += names.values()
        _ask_for_document(provider, diagnosis, deadline)
        _ask_for_keys(provider, diagnosis, deadline)
        lines += protocol.credentials(
            provider,
            metadata,
            redirect_uri=declared.redirect_uri,
            deadline=deadline,
            name=names[network.asked_host(metadata.token_endpoint)],
        )
    # Time was up between two steps.
    except ProviderUnavailable as exc:
        lines.append(protocol.failure("connection", exc))
    return diagnosis


def _ask_for_document(provider: Provider, diagnosis: Diagnosis, deadline: Deadline) -> None:
    asked_at = time.time()
    try:
        with recording_response_details() as observed:
            diagnosis.comparison = compare(provider, deadline)
    except OIDCError as exc:
        diagnosis.findings.append(protocol.failure("metadata", exc))
        return
    lines = diagnosis.findings
    lines += network.certificate(observed)
    lines += network.clock(observed, asked_at=asked_at, answered_at=time.time())
    lines += protocol.metadata(diagnosis.comparison)


def _ask_for_keys(provider: Provider, diagnosis: Diagnosis, deadline: Deadline) -> None:
    try:
        diagnosis.key_changes = compare_keys(provider, fetched_document(provider, deadline))
    except (ProviderUnavailable, MetadataError, JWKSError) as exc:
        diagnosis.findings += protocol.keys_not_fetched(provider, exc)
        return
    diagnosis.findings += protocol.keys(diagnosis.key_changes)
