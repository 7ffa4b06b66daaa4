"""The sequence of a connection test, in the order of a login."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psc_connect.diagnosis import browser_endpoint_checks, key_checks, local_checks, network_checks, provider_checks
from psc_connect.diagnosis.findings import Finding, Status, failure, worst
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import JWKSError, MetadataError, OIDCError, ProviderUnavailable
from psc_connect.oidc.response_details import recording_response_details
from psc_connect.providers.key_management import compare_keys
from psc_connect.providers.keys import fetch_key_set
from psc_connect.providers.metadata import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psc_connect.login.site_urls import DeclaredAddresses
    from psc_connect.models import Provider
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.providers.key_management import KeyChanges
    from psc_connect.providers.metadata import Comparison

# Below the 30 s after which gunicorn stops a worker.
TIMEOUT_SECONDS = 20.0


@dataclass(slots=True)
class Diagnosis:
    """The findings, in the order of a login, and the published metadata and keys that an administrator can accept."""

    findings: list[Finding] = field(default_factory=list)
    comparison: Comparison | None = None
    key_changes: KeyChanges | None = None

    @property
    def status(self) -> Status:
        return worst(self.findings)


def diagnose(provider: Provider, declared: DeclaredAddresses, *, seconds: float = TIMEOUT_SECONDS) -> Diagnosis:
    """Examine everything that a login with this provider needs, for ``seconds`` at most. Raise and change nothing."""
    diagnosis, deadline = Diagnosis(), Deadline(seconds)
    findings = diagnosis.findings
    findings += local_checks.check_addresses(declared, provider)
    findings += local_checks.check_declaration(provider)
    findings += network_checks.check_outgoing_connection()
    try:
        metadata = provider.parsed_metadata
    except MetadataError as exc:
        findings.append(failure("metadata", exc))
        return diagnosis
    try:
        names = network_checks.check_names(metadata, deadline)
        findings += names.values()
        _check_metadata(provider, diagnosis, deadline)
        _check_keys(provider, diagnosis, deadline)
        findings += _check_endpoints(provider, metadata, declared.redirect_uri, names=names, deadline=deadline)
        findings += browser_endpoint_checks.check_end_session(metadata, deadline=deadline)
    # The deadline passed between two steps.
    except ProviderUnavailable as exc:
        findings.append(failure("connection", exc))
    return diagnosis


def _check_endpoints(
    provider: Provider,
    metadata: ProviderMetadata,
    redirect_uri: str,
    *,
    names: Mapping[str, Finding],
    deadline: Deadline,
) -> tuple[Finding, ...]:
    """Ask the three endpoints of a login. ``names``: the findings about the names of their hosts, by host."""
    # First, because it tells what an error page of the authorization endpoint is about.
    credentials = provider_checks.check_credentials(
        provider,
        metadata,
        redirect_uri=redirect_uri,
        deadline=deadline,
        name=names[network_checks.resolved_host(metadata.token_endpoint)],
    )
    authorization = browser_endpoint_checks.check_authorization(
        provider, metadata, redirect_uri=redirect_uri, credentials=credentials.code, deadline=deadline
    )
    userinfo = provider_checks.check_userinfo(
        metadata, deadline=deadline, name=names[network_checks.resolved_host(metadata.userinfo_endpoint)]
    )
    return authorization, credentials, userinfo


def _check_metadata(provider: Provider, diagnosis: Diagnosis, deadline: Deadline) -> None:
    requested_at = time.time()
    try:
        with recording_response_details() as response:
            diagnosis.comparison = compare(provider, deadline)
    except OIDCError as exc:
        results = [provider_checks.metadata_not_fetched(exc)]
    else:
        results = [*provider_checks.check_metadata(diagnosis.comparison)]
    # An answer that was refused has a certificate and a date too.
    if diagnosis.comparison is not None or response.certificate_expires_at is not None:
        diagnosis.findings += network_checks.check_certificate(response)
    clock = network_checks.check_clock(response, requested_at=requested_at, answered_at=time.time())
    diagnosis.findings += [*clock, *results]


def _check_keys(provider: Provider, diagnosis: Diagnosis, deadline: Deadline) -> None:
    try:
        diagnosis.key_changes = compare_keys(provider, fetch_key_set(provider, deadline))
    except (ProviderUnavailable, MetadataError, JWKSError) as exc:
        diagnosis.findings.append(key_checks.keys_not_fetched(provider, exc))
        return
    diagnosis.findings += key_checks.check_keys(provider, diagnosis.key_changes)
