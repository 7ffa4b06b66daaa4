"""A time limit shared by several requests."""

from __future__ import annotations

import time

from psc_connect.oidc.errors import ProviderUnavailable


class Deadline:
    """A time limit, in seconds from now, for all requests of one callback together. Uses the monotonic clock."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, more than zero. Raises ProviderUnavailable (`provider_timeout`) if none are left."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise ProviderUnavailable("provider_timeout")
        return seconds
