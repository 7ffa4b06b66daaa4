"""The provider that a visitor is sent to without being asked: the first one with a matching selection rule."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from psc_connect import conf
from psc_connect.login.site_urls import host_name
from psc_connect.models import Provider, ProviderSelectionRule

if TYPE_CHECKING:
    from django.http import HttpRequest


def enabled_providers() -> list[Provider]:
    return list(Provider.objects.filter(enabled=True).select_related("stored_fetch_times"))


def select_provider(request: HttpRequest, providers: list[Provider]) -> Provider | None:
    """Return the first of the providers that has a rule matching the request, or None. Costs one SQL query."""
    rules = ProviderSelectionRule.objects.filter(provider__in=providers)
    matching = {rule.provider_id for rule in rules if rule_matches(rule, request)}
    return next((provider for provider in providers if provider.pk in matching), None)


def rule_matches(rule: ProviderSelectionRule, request: HttpRequest) -> bool:
    """Return whether the rule matches the request. A rule only selects a login page: it grants no right."""
    if rule.kind == rule.Kind.HOST:
        return host_name(request) == rule.value.lower()
    if rule.kind == rule.Kind.HEADER:
        return request.headers.get(rule.header) == rule.value
    address = client_address(request)
    try:
        return address is not None and address in ipaddress.ip_network(rule.value)
    # The row was saved without the form's validation.
    except ValueError:
        return False


def client_address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the visitor's address: ``REMOTE_ADDR``, or the address that the site's outermost proxy received.

    Visitors can write anything into ``X-Forwarded-For``, except for the last entries, which the site's own proxies add.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if count := conf.trusted_proxy_count():
        entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry.strip()]
        text = entries[-count] if len(entries) >= count else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
