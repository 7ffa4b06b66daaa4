"""What a diagnosis sees of an answer besides its body: the provider's clock, and how long its certificate lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(slots=True)
class ResponseDetails:
    """The last answer inside `recording_response_details()`; times in seconds since 1970, None where not sent."""

    date: float | None = None
    certificate_expires_at: float | None = None


_current: ContextVar[ResponseDetails | None] = ContextVar("psc_connect_observed", default=None)


@contextmanager
def recording_response_details() -> Iterator[ResponseDetails]:
    """Let every answer that comes in inside be noted; costs nothing where nobody looks."""
    observed = ResponseDetails()
    token = _current.set(observed)
    try:
        yield observed
    finally:
        _current.reset(token)


def record_response_details(response: Any) -> None:
    """Look at a `requests` response whose body has not been read: its connection is still there."""
    observed = _current.get()
    if observed is None:
        return
    try:
        # RFC 9110 6.6.1.
        observed.date = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        observed.date = None
    connection = getattr(response.raw, "connection", None)
    observed.certificate_expires_at = getattr(connection, "certificate_expires_at", None)
