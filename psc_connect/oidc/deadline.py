"""One limit of time for several calls."""

from __future__ import annotations

import time

from psc_connect.oidc.errors import ProviderUnavailable


class Deadline:
    """So many seconds from now on, by the monotonic clock, for every outgoing request of one callback together."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, above zero; ProviderUnavailable (`provider_timeout`) when there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise ProviderUnavailable("provider_timeout")
        return seconds
