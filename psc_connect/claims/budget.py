"""The budget of steps that expressions, rules, searches, imports and masks of one login or one request share.

Steps, unlike seconds, are the same on every machine. One step takes about half a microsecond.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

# About 50 ms.
LOGIN_STEPS: Final = 100_000
# About 1 s, for a page of the admin.
REQUEST_STEPS: Final = 2_000_000


class TooSlow(Exception):
    """The work takes more steps than are left. The message contains neither an expression nor data."""


@dataclass(slots=True)
class Budget:
    """The steps that are left. Work that would take more is not begun, and none can be done after it."""

    steps_left: int

    def spend(self, steps: int) -> None:
        """Take these steps away, before the work is done. Raises TooSlow if fewer are left."""
        if steps > self.steps_left:
            self.steps_left = 0
            raise TooSlow
        self.steps_left -= steps

    @property
    def is_used_up(self) -> bool:
        return self.steps_left <= 0


_shared: ContextVar[Budget | None] = ContextVar("psc_connect_budget", default=None)


def current_budget() -> Budget:
    """Return the budget of this login or request; outside of both, a new one with the steps of a login."""
    return _shared.get() or Budget(LOGIN_STEPS)


@contextmanager
def shared_budget(steps: int) -> Iterator[Budget]:
    """Let everything inside share this number of steps. A budget inside another one takes its steps from that one."""
    outer = _shared.get()
    given = steps if outer is None else min(steps, outer.steps_left)
    budget = Budget(given)
    token = _shared.set(budget)
    try:
        yield budget
    finally:
        _shared.reset(token)
        if outer is not None:
            outer.steps_left -= given - budget.steps_left
