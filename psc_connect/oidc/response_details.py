"""Details of a response that only the diagnosis needs: the provider's clock and the expiry of its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(slots=True)
class ResponseDetails:
    """Details of the last response. Times are in seconds since 1970, None if unknown."""

    date: float | None = None
    certificate_expires_at: float | None = None


_current: ContextVar[ResponseDetails | None] = ContextVar("psc_connect_response_details", default=None)


@contextmanager
def recording_response_details() -> Iterator[ResponseDetails]:
    """Record the details of every response received inside the block."""
    details = ResponseDetails()
    token = _current.set(details)
    try:
        yield details
    finally:
        _current.reset(token)


def record_response_details(response: Any) -> None:
    """Record a `requests` response, if asked for. To be called before the body is read and the connection released."""
    details = _current.get()
    if details is None:
        return
    try:
        # RFC 9110 6.6.1.
        details.date = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        details.date = None
    connection = getattr(response.raw, "connection", None)
    details.certificate_expires_at = getattr(connection, "certificate_expires_at", None)
