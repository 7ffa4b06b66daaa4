"""Signed payloads of forms: what a page has shown, sent back unchanged to its next step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.utils.translation import gettext

from psc_connect.encryption import SIGNED_PAYLOAD, InvalidToken, cipher_for

if TYPE_CHECKING:
    from django.http import HttpRequest

# In seconds.
MAX_AGE: Final = 3600


class PayloadExpired(Exception):
    """The page was open for longer than ``MAX_AGE``, or the payload is not one of this page."""


def tell_expired(request: HttpRequest) -> None:
    messages.error(
        request, gettext("This page has been open for too long: nothing has been saved. Please start again.")
    )


def sign_payload(kind: str, payload: object) -> str:
    """Return a text for a hidden input. It is encrypted too, since it may hold a secret of another system.

    ``kind``: the page, and what else must not change until the payload is read.
    """
    return cipher_for(SIGNED_PAYLOAD).encrypt(json.dumps([kind, payload]).encode()).decode()


def read_signed_payload(kind: str, text: object) -> Any:
    """Return the payload that was signed for the same ``kind``. Raises PayloadExpired."""
    try:
        signed_kind, payload = json.loads(cipher_for(SIGNED_PAYLOAD).decrypt(str(text).encode(), ttl=MAX_AGE))
    except (InvalidToken, TypeError, ValueError):
        raise PayloadExpired from None
    if signed_kind != kind:
        raise PayloadExpired
    return payload
