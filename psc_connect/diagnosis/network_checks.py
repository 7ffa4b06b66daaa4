"""Checks of the network between this server and the provider: proxy, DNS, TLS, clocks."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from psc_connect import conf
from psc_connect.administrator_messages import explain
from psc_connect.diagnosis.findings import Finding, Status
from psc_connect.oidc.client import resolve_host
from psc_connect.oidc.errors import ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psc_connect.oidc.deadline import Deadline
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.oidc.response_details import ResponseDetails

# Certificates are usually renewed well before their last two weeks.
CERTIFICATE_DAYS = 14
# Clocks that use a time service differ by less. Beyond the leeway of an ID token (60 s), logins begin to fail.
CLOCK_SECONDS = 30
LEEWAY_SECONDS = 60
DAY = 24 * 3600


def check_outgoing_connection() -> Iterator[Finding]:
    """Report the proxy, without its password, and the certificate authorities in use."""
    bundle = conf.ca_bundle()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle or DEFAULT_CA_BUNDLE_PATH)
    except OSError:
        yield Finding(
            "outgoing_connection",
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
    yield Finding("outgoing_connection", Status.PASSED, "outgoing_connection", f"{text} {authorities}")


def _without_password(proxy: str) -> str:
    return proxy.partition("://")[2].rpartition("@")[2]


def check_names(metadata: ProviderMetadata, deadline: Deadline) -> dict[str, Finding]:
    """Resolve the hosts that this server calls, or the proxy if there is one. Return a finding for each host."""
    urls = (metadata.token_endpoint, metadata.userinfo_endpoint, metadata.jwks_uri)
    return {host: _check_name(host, deadline) for host in dict.fromkeys(resolved_host(url) for url in urls if url)}


def resolved_host(url: str) -> str:
    """Return the host and port that are resolved before a request to ``url``: its own, or those of the proxy."""
    proxy = conf.https_proxy()
    return _without_password(proxy) if proxy else urlsplit(url).netloc


def _check_name(host: str, deadline: Deadline) -> Finding:
    parts = urlsplit(f"//{host}")
    try:
        http = conf.http_policy()
        addresses = resolve_host(parts.hostname or "", parts.port or 443, http=http, deadline=deadline)
    except ProviderUnavailable as exc:
        advice = _("Ask your network administrators for name resolution (DNS) of %(host)s.") % {"host": host}
        return Finding("names", Status.FAILED, exc.code, f"{host} – {explain(exc.code)}", advice)
    return Finding("names", Status.PASSED, "names", f"{host} → {', '.join(addresses)}")


def check_certificate(response: ResponseDetails) -> Iterator[Finding]:
    """Report when the provider's certificate expires. It was accepted: otherwise there is no answer."""
    if response.certificate_expires_at is None:
        yield Finding(
            "tls", Status.WARNING, "tls_absent", _("Plain http: there is no certificate."), _("For development only.")
        )
        return
    days = int((response.certificate_expires_at - time.time()) // DAY)
    text = ngettext(
        "The provider's certificate was accepted; it expires in %(days)s day.",
        "The provider's certificate was accepted; it expires in %(days)s days.",
        days,
    ) % {"days": days}
    if days >= CERTIFICATE_DAYS:
        yield Finding("tls", Status.PASSED, "tls", text)
        return
    advice = _("The provider must renew it. Tell its support if that has not been done a few days before.")
    yield Finding("tls", Status.WARNING, "tls_expires_soon", text, advice)


def check_clock(response: ResponseDetails, *, requested_at: float, answered_at: float) -> Iterator[Finding]:
    """Compare this server's clock with the provider's ``Date``, to the second (RFC 9110 6.6.1)."""
    if response.date is None:
        # Not a warning: Keycloak without a proxy sends no date, and an administrator cannot change that.
        text = _("The provider sent no date: the clocks cannot be compared.")
        yield Finding("clock", Status.NOT_JUDGED, "clock_unknown", text)
        return
    # The date is truncated to whole seconds: half a second is the mean of what is lost.
    offset = round((requested_at + answered_at) / 2 - (response.date + 0.5))
    if abs(offset) <= CLOCK_SECONDS:
        text = _("The clocks of this server and of the provider agree (%(seconds)s s apart).")
        yield Finding("clock", Status.PASSED, "clock", text % {"seconds": abs(offset)})
        return
    status = Status.FAILED if abs(offset) > LEEWAY_SECONDS else Status.WARNING
    ahead = _("This server's clock is %(seconds)s seconds ahead of the provider's.")
    behind = _("This server's clock is %(seconds)s seconds behind the provider's.")
    text = (ahead if offset > 0 else behind) % {"seconds": abs(offset)}
    yield Finding(
        "clock", status, "clock_offset", text, _("Synchronise this server's clock with a time service (NTP).")
    )
