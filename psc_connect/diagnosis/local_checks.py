"""Checks without requests to the provider: addresses of the site, declaration of the provider, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.checks import run_checks
from django.utils.translation import gettext as _

from psc_connect.checks.providers import check_provider
from psc_connect.diagnosis.findings import Finding, Status
from psc_connect.environments import environment_of_issuer
from psc_connect.oidc.metadata import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage

    from psc_connect.login.site_urls import DeclaredAddresses
    from psc_connect.models import Provider


def check_addresses(declared: DeclaredAddresses, provider: Provider) -> Iterator[Finding]:
    """Report the redirect URI that a login sends, and what is wrong with it."""
    if declared.problem == "urls_missing":
        text = _("The URLs of the package are not included in this site.")
        advice = _('Add path("psc/", include("psc_connect.urls")) to the URLconf.')
        yield Finding("addresses", Status.FAILED, declared.problem, text, advice)
        return
    if declared.problem:
        text = _("The addresses of this site are not known here.")
        advice = _("Set PSC_CONNECT_BASE_URL to the origin declared to ANS, such as https://www.example.org.")
        yield Finding("addresses", Status.WARNING, declared.problem, text, advice)
        return
    text = _("Redirect URI: %(redirect)s – post-logout URI: %(logout)s") % {
        "redirect": declared.redirect_uri,
        "logout": declared.post_logout_redirect_uri,
    }
    parts = urlsplit(declared.redirect_uri)
    is_on_this_machine = is_loopback(parts.hostname or "")
    if is_on_this_machine and _is_production(provider):
        advice = _("Only a browser on this machine reaches them: set PSC_CONNECT_BASE_URL to the origin of the site.")
        yield Finding("addresses", Status.WARNING, "addresses_loopback", text, advice)
        return
    if parts.scheme == "https" or is_on_this_machine:
        advice = _("Both must be declared to the provider, character by character.")
        yield Finding("addresses", Status.PASSED, "addresses", text, advice)
        return
    advice = _("Codes and sessions would be sent unencrypted: serve the site over https and set PSC_CONNECT_BASE_URL.")
    yield Finding("addresses", Status.FAILED, "addresses_not_https", text, advice)


def _is_production(provider: Provider) -> bool:
    return "production" in (provider.environment, environment_of_issuer(provider.issuer))


def check_declaration(provider: Provider) -> Iterator[Finding]:
    """Report what ``manage.py check --database default`` finds about this provider, enabled or not."""
    findings = [_finding("declaration", message) for message in check_provider(provider) if not message.is_silenced()]
    yield from findings
    if not findings:
        text = _("The declaration is complete: secret, metadata, keys, mapping.")
        yield Finding("declaration", Status.PASSED, "declaration", text)


def check_settings() -> list[Finding]:
    """Return what ``manage.py check --deploy`` finds about this package."""
    messages = run_checks(include_deployment_checks=True)
    ours = [message for message in messages if str(message.id).startswith("psc_connect.")]
    findings = [_finding("settings", message) for message in ours if not message.is_silenced()]
    return findings or [Finding("settings", Status.PASSED, "settings", _("The settings of this site are correct."))]


def _finding(check: str, message: CheckMessage) -> Finding:
    status = Status.FAILED if message.is_serious() else Status.WARNING
    return Finding(check, status, str(message.id), str(message.msg), str(message.hint or ""))
