"""What a page shows and its next step accepts: sealed, so that what is accepted is what was shown, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.utils.translation import gettext

from psc_connect.encryption import SIGNED_PAYLOAD, InvalidToken, cipher_for

if TYPE_CHECKING:
    from django.http import HttpRequest

ACCEPTED_WITHIN: Final = 3600


class PayloadExpired(Exception):
    """The page was open for more than an hour, or this is no offer of it."""


def tell_expired(request: HttpRequest) -> None:
    messages.error(request, gettext("This page has been open for too long: nothing has been saved. Begin anew."))


def seal(kind: str, payload: object) -> str:
    """Return a text for a hidden input. It is encrypted, since a secret of another system may be in it."""
    return cipher_for(SIGNED_PAYLOAD).encrypt(json.dumps([kind, payload]).encode()).decode()


def unseal(kind: str, text: object) -> Any:
    """Return what ``seal`` was given for the same page. Raises OfferExpired."""
    try:
        sealed_kind, payload = json.loads(cipher_for(SIGNED_PAYLOAD).decrypt(str(text).encode(), ttl=ACCEPTED_WITHIN))
    except (InvalidToken, TypeError, ValueError):
        raise PayloadExpired from None
    if sealed_kind != kind:
        raise PayloadExpired
    return payload
