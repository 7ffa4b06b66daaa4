"""Which of several providers a visitor is sent to without being asked: the first whose rule fits."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from psc_connect import conf
from psc_connect.models import Provider, ProviderSelectionRule

if TYPE_CHECKING:
    from django.http import HttpRequest


def enabled_providers() -> list[Provider]:
    return list(Provider.objects.filter(enabled=True))


def preselected(request: HttpRequest, providers: list[Provider]) -> Provider | None:
    """Return the first provider, in their order, one of whose rules fits the request, or None. One SQL query."""
    rules = ProviderSelectionRule.objects.filter(provider__in=providers)
    fitting = {rule.provider_id for rule in rules if fits(rule, request)}
    return next((provider for provider in providers if provider.pk in fitting), None)


def fits(rule: ProviderSelectionRule, request: HttpRequest) -> bool:
    """Whether the request is one of those that the rule is about. It only chooses a page: no right comes of it."""
    if rule.kind == rule.Kind.HOST:
        return urlsplit(f"//{request.get_host()}").hostname == rule.value.lower()
    if rule.kind == rule.Kind.HEADER:
        return request.headers.get(rule.header) == rule.value
    address = client_address(request)
    try:
        return address is not None and address in ipaddress.ip_network(rule.value)
    # A row that came by another way than a form.
    except ValueError:
        return False


def client_address(request: HttpRequest) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the visitor's address: the server's own knowledge, or what the outermost of the site's proxies saw.

    ``X-Forwarded-For`` is anybody's to write, but for the entries that the site's own proxies add at its end.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if count := conf.trusted_proxy_count():
        seen = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each.strip()]
        text = seen[-count] if len(seen) >= count else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
