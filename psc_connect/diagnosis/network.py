"""The way to the provider: out of this machine, to a name, through TLS, at the same time of day."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from psc_connect import conf
from psc_connect.diagnosis.findings import Finding, Status
from psc_connect.error_messages import explain
from psc_connect.oidc.client import resolve_host
from psc_connect.oidc.errors import ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psc_connect.oidc.deadline import Deadline
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.oidc.response_details import ResponseDetails

# A certificate that lives on for less was not renewed when it should have been.
CERTIFICATE_DAYS = 14
# More than that is no accident of two clocks; beyond the leeway of 60 s logins begin to fail.
CLOCK_SECONDS = 30
LEEWAY_SECONDS = 60
DAY = 24 * 3600


def way_out() -> Iterator[Finding]:
    """Which proxy and which authorities are in force; a password of the proxy is never shown."""
    bundle = conf.ca_bundle()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle or DEFAULT_CA_BUNDLE_PATH)
    except OSError:
        yield Finding(
            "way_out",
            Status.FAILED,
            "provider_ca_bundle_unreadable",
            explain("provider_ca_bundle_unreadable"),
            _("Correct PSC_CONNECT_CA_BUNDLE: a file of certificates in PEM that this process may read."),
        )
        return
    proxy = conf.https_proxy()
    text = _("Through the proxy %(proxy)s.") % {"proxy": _without_password(proxy)} if proxy else _("Without a proxy.")
    authorities = (
        _("Certificate authorities: the file %(file)s.") % {"file": bundle}
        if bundle
        else _("Certificate authorities: those of the package certifi.")
    )
    yield Finding("way_out", Status.PASSED, "way_out", f"{text} {authorities}")


def _without_password(proxy: str) -> str:
    return proxy.partition("://")[2].rpartition("@")[2]


def names(metadata: ProviderMetadata, deadline: Deadline) -> dict[str, Finding]:
    """Whether the hosts that this server calls are known here; behind a proxy, whether the proxy is. By host."""
    urls = (metadata.token_endpoint, metadata.userinfo_endpoint, metadata.jwks_uri)
    return {host: _name(host, deadline) for host in dict.fromkeys(asked_host(url) for url in urls if url)}


def asked_host(url: str) -> str:
    """Return the host, with its port, whose name is asked for before this address is called."""
    proxy = conf.https_proxy()
    return _without_password(proxy) if proxy else urlsplit(url).netloc


def _name(host: str, deadline: Deadline) -> Finding:
    parts = urlsplit(f"//{host}")
    try:
        http = conf.http_policy()
        addresses = resolve_host(parts.hostname or "", parts.port or 443, http=http, deadline=deadline)
    except ProviderUnavailable as exc:
        advice = _("Ask the people of your network for name resolution (DNS) to %(host)s.") % {"host": host}
        return Finding("names", Status.FAILED, exc.code, f"{host} – {explain(exc.code)}", advice)
    return Finding("names", Status.PASSED, "names", f"{host} → {', '.join(addresses)}")


def certificate(observed: ResponseDetails) -> Iterator[Finding]:
    """How long the provider's certificate lives; it was accepted, or there would be no answer."""
    if observed.certificate_expires_at is None:
        yield Finding(
            "tls", Status.WARNING, "tls_absent", _("Plain http: there is no certificate."), _("For development only.")
        )
        return
    days = int((observed.certificate_expires_at - time.time()) // DAY)
    text = ngettext(
        "The provider's certificate was accepted; it expires in %(days)s day.",
        "The provider's certificate was accepted; it expires in %(days)s days.",
        days,
    ) % {"days": days}
    if days >= CERTIFICATE_DAYS:
        yield Finding("tls", Status.PASSED, "tls", text)
        return
    advice = _("The provider has to renew it; tell its support if that has not been done a few days before.")
    yield Finding("tls", Status.WARNING, "tls_expires_soon", text, advice)


def clock(observed: ResponseDetails, *, asked_at: float, answered_at: float) -> Iterator[Finding]:
    """How far this server's clock is from the provider's, to the second (RFC 9110 6.6.1)."""
    if observed.date is None:
        # A bare Keycloak sends none, and nobody can do anything about it: no reason to wake somebody up.
        text = _("The provider's answer has no date: the clocks cannot be compared.")
        yield Finding("clock", Status.PASSED, "clock_unknown", text)
        return
    # Its date is cut to whole seconds.
    offset = round((asked_at + answered_at) / 2 - (observed.date + 0.5))
    if abs(offset) <= CLOCK_SECONDS:
        text = _("The clocks of this server and of the provider agree (%(seconds)s s apart).")
        yield Finding("clock", Status.PASSED, "clock", text % {"seconds": abs(offset)})
        return
    status = Status.FAILED if abs(offset) > LEEWAY_SECONDS else Status.WARNING
    ahead = _("This server's clock is %(seconds)s seconds ahead of the provider's.")
    behind = _("This server's clock is %(seconds)s seconds behind the provider's.")
    text = (ahead if offset > 0 else behind) % {"seconds": abs(offset)}
    yield Finding("clock", status, "clock_offset", text, _("Set this server's clock by a time service (NTP)."))
