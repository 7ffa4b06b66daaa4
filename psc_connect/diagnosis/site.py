"""What the site itself must have right: its addresses, the secret, the keys, the mapping, its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.checks import run_checks
from django.utils.translation import gettext as _

from psc_connect.checks.providers import check_provider
from psc_connect.diagnosis.findings import Finding, Status
from psc_connect.oidc.metadata import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage

    from psc_connect.login.site_urls import DeclaredAddresses
    from psc_connect.models import Provider


def addresses(declared: DeclaredAddresses) -> Iterator[Finding]:
    """The redirect URI as a login will send it, and what is wrong with it."""
    if declared.problem == "urls_missing":
        text = _("The URLs of the package are not included in this site.")
        advice = _('Add path("psc/", include("psc_connect.urls")) to the URLconf.')
        yield Finding("addresses", Status.FAILED, declared.problem, text, advice)
        return
    if declared.problem:
        text = _("The addresses of this site are not known here.")
        advice = _("Set PSC_CONNECT_BASE_URL to the origin that is declared to ANS, such as https://www.example.org.")
        yield Finding("addresses", Status.WARNING, declared.problem, text, advice)
        return
    told = _("Redirect URI: %(redirect)s – post-logout URI: %(logout)s") % {
        "redirect": declared.redirect_uri,
        "logout": declared.post_logout_redirect_uri,
    }
    parts = urlsplit(declared.redirect_uri)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        advice = _("Both must be declared to the provider, character by character.")
        yield Finding("addresses", Status.PASSED, "addresses", told, advice)
        return
    advice = _("Codes and sessions would travel unencrypted: serve the site over https and set PSC_CONNECT_BASE_URL.")
    yield Finding("addresses", Status.FAILED, "addresses_not_https", told, advice)


def declaration(provider: Provider) -> Iterator[Finding]:
    """What ``manage.py check --database default`` would say of this provider, enabled or not."""
    found = [_line("declaration", message) for message in check_provider(provider) if not message.is_silenced()]
    yield from found
    if not found:
        text = _("The declaration is complete: secret, metadata, keys, mapping.")
        yield Finding("declaration", Status.PASSED, "declaration", text)


def settings_of_the_site() -> list[Finding]:
    """What ``manage.py check --deploy`` says of this package."""
    messages = run_checks(include_deployment_checks=True)
    ours = [message for message in messages if str(message.id).startswith("psc_connect.")]
    return [_line("settings", message) for message in ours if not message.is_silenced()]


def _line(check: str, message: CheckMessage) -> Finding:
    status = Status.FAILED if message.is_serious() else Status.WARNING
    return Finding(check, status, str(message.id), str(message.msg), str(message.hint or ""))
