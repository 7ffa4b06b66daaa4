"""The tag of the admin pages: a link to the page of the documentation that explains them."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.translation import get_language

if TYPE_CHECKING:
    from collections.abc import Mapping

register = template.Library()

# The name of a URL of the admin, after "psc_connect_" → its page in English and in the French guide.
PAGES: Final = {
    "provider_changelist": ("admin.md", "index.md"),
    "provider_add": ("admin.md#declare-a-provider", "declarer.md"),
    "provider_change": ("admin.md#change-a-provider", "declarer.md"),
    "provider_connection": ("admin.md#test-the-connection", "tester.md"),
    "provider_dry_run": ("admin.md#run-a-login-without-signing-in", "tester.md"),
    "provider_mapping": ("admin.md#map-claims-to-users", "attributs.md"),
    "provider_access_rules": ("admin.md#decide-who-may-sign-in", "regles.md"),
    "provider_rules": ("admin.md#send-visitors-to-one-of-several-providers", "declarer.md"),
    "provider_keys": ("admin.md#manage-the-signing-keys", "cles.md"),
    "provider_history": ("admin.md#read-the-history", "incidents.md"),
    "provider_move_accounts": ("operate.md#move-to-another-issuer", "comptes.md"),
    "provider_import": ("configuration.md", "declarer.md"),
    "provider_confirm": ("admin.md#give-rights", "declarer.md"),
    "account_changelist": ("admin.md#find-an-account", "comptes.md"),
    "account_change": ("admin.md#find-an-account", "comptes.md"),
    "account_delete": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "account_merge": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "account_link": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "account_withdraw": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "accountchange_changelist": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "accountchange_change": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "unlinkedaccount_changelist": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
    "unlinkedaccount_change": ("admin.md#merge-link-and-unlink-accounts", "comptes.md"),
}


@register.inclusion_tag("admin/psc_connect/documentation.html", takes_context=True)
def psc_connect_documentation(context: Mapping[str, Any]) -> dict[str, str]:
    """Link to the documentation of this admin page: the French guide on a French page."""
    match = context["request"].resolver_match
    # A site may serve an admin page of its own under a URL without a name.
    name = (match.url_name or "").removeprefix("psc_connect_") if match is not None else ""
    return {"url": _url(*PAGES[name]) if name in PAGES else ""}


def _url(english: str, french: str) -> str:
    folder = _folder()
    if not folder:
        return ""
    return f"{folder}/fr/{french}" if (get_language() or "").startswith("fr") else f"{folder}/{english}"


@cache
def _folder() -> str:
    """Return the address of docs/ that the package was built with, or "" if the package is not installed."""
    try:
        links = metadata.metadata("django-psc-connect").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    addresses = [
        address for name, _comma, address in (link.partition(", ") for link in links) if name == "Documentation"
    ]
    return addresses[0].rpartition("/")[0] if addresses else ""
