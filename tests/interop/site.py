"""Our side of the journeys: providers declared for Keycloak's clients, and what a person reads on our pages."""

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
    """Declare the client `psc-…` as the administrator's form does, keys imported from Keycloak itself."""
    values = {
        "slug": client,
        "environment": Environment.CUSTOM,
        "client_id": f"psc-{client}",
        "client_secret": secret_of(client),
        "metadata": keycloak.metadata(),
        # Most journeys are about the protocol; one is about the question.
        "ask_activity": AskActivity.NEVER,
    }
    provider = Provider.objects.create(**{**values, **changes})
    add_default_attributes(provider)
    import_keys(provider)
    return provider


@contextmanager
def heard_logins() -> Iterator[list[dict[str, Any]]]:
    """The claims of every login meanwhile, as a site's receiver of the signal gets them."""
    heard: list[dict[str, Any]] = []

    def hear(*, claims: Any, **_: Any) -> None:
        heard.append(dict(claims))

    signed_in.connect(hear)
    try:
        yield heard
    finally:
        signed_in.disconnect(hear)


def shown_code(page: requests.Response) -> str:
    """The code that the error page shows."""
    found = re.search(r"<dd>([a-z_]+)</dd>", page.text)
    assert found, f"no code in the {page.status_code} page of {page.url.partition('?')[0]}"
    return found[1]


def start_again_link(page: requests.Response) -> str:
    return _the(r'class="psc-action" href="([^"]+/login/[^"]*)"', page)


def onward_link(page: requests.Response) -> str:
    """Where a page moves on by itself."""
    return _the(r'http-equiv="refresh" content="0; url=([^"]+)"', page)


def _the(pattern: str, page: requests.Response) -> str:
    (found,) = re.findall(pattern, page.text)
    return unescape(found)
