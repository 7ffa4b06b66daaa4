"""The site of these tests: providers for Keycloak's clients, and the contents of its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import requests

from psc_connect.models import AskActivity, Environment, Provider
from psc_connect.providers.keys import import_keys
from psc_connect.providers.validation import add_default_attributes
from psc_connect.signals import signed_in
from tests.interop.bare_client import secret_of
from tests.interop.keycloak import Keycloak


def declare(keycloak: Keycloak, client: str = "post", **changes: Any) -> Provider:
    """Declare the client `psc-…` as the administrator's form does, with keys imported from Keycloak."""
    values = {
        "slug": client,
        "environment": Environment.CUSTOM,
        "client_id": f"psc-{client}",
        "client_secret": secret_of(client),
        "metadata": keycloak.metadata(),
        # Most of these tests are about the protocol; one is about the choice of an activity.
        "ask_activity": AskActivity.NEVER,
    }
    provider = Provider.objects.create(**{**values, **changes})
    add_default_attributes(provider)
    import_keys(provider)
    return provider


@contextmanager
def recorded_logins() -> Iterator[list[dict[str, Any]]]:
    """Yield a list with the claims of every login inside the block, as receivers of the signal get them."""
    logins: list[dict[str, Any]] = []

    def record(*, claims: Any, **_: Any) -> None:
        logins.append(dict(claims))

    signed_in.connect(record)
    try:
        yield logins
    finally:
        signed_in.disconnect(record)


def shown_code(page: requests.Response) -> str:
    """Return the error code that the page shows."""
    found = re.search(r"<dd>([a-z_]+)</dd>", page.text)
    assert found, f"no code in the {page.status_code} page of {page.url.partition('?')[0]}"
    return found[1]


def start_again_link(page: requests.Response) -> str:
    return _find_one(r'class="psc-action" href="([^"]+/login/[^"]*)"', page)


def refresh_link(page: requests.Response) -> str:
    """Return the address that the page redirects to."""
    return _find_one(r'http-equiv="refresh" content="0; url=([^"]+)"', page)


def _find_one(pattern: str, page: requests.Response) -> str:
    (found,) = re.findall(pattern, page.text)
    return unescape(found)
