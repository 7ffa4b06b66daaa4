"""The page of the signing keys, as an administrator uses it."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.admin.pages import Administrator, stored


def paste(admin: Administrator, provider: Provider, document: str = "", **fields: Any) -> Any:
    return admin.press(provider, "keys", action="paste", document=document, **fields)


def accept(admin: Administrator, provider: Provider, shown: Any) -> Any:
    return admin.press(provider, "keys", action="accept", payload=shown.context["payload"])


def replace(admin: Administrator, provider: Provider, document: str) -> Any:
    return accept(admin, provider, paste(admin, provider, document))


def only_key(provider: Provider) -> Any:
    (key,) = stored(provider).key_set().keys
    return key
