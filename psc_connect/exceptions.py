"""The exception for a refused login."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.crypto import get_random_string

__all__ = ["LoginRefused", "PSCConnectDeprecationWarning"]

# Read out over the telephone: without 0, 1, I and O.
REFERENCE_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_reference() -> str:
    """Return 8 random characters, shown on an error page and logged with the error."""
    return get_random_string(8, REFERENCE_CHARACTERS)


class PSCConnectDeprecationWarning(DeprecationWarning):
    """The use of a public name that will be removed. The message names the release, and what to use instead."""


class LoginRefused(PermissionDenied):
    """A login that ended without a session.

    ``code`` is stable and safe to log. ``reference`` is on the error page and in the log line of this refusal.
    ``message`` and ``contact`` are texts that an administrator wrote for refused people. ``field`` is the user's field
    of the exported attribute that refused, or "". No attribute holds a token, a secret or personal data from the
    provider.
    """

    def __init__(self, code: str, *, message: str = "", contact: str = "", field: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.contact, self.field = code, message, contact, field
        self.reference = new_reference()
