"""In what capacity somebody is signed in: the one there is, the one chosen last, or the one to be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psc_connect.models import AskCapacity

if TYPE_CHECKING:
    from psc_connect.models import Provider
    from psc_connect.professional.person import Capacity, Professional


@dataclass(frozen=True, slots=True)
class Choice:
    """``capacity`` is None while it is to be asked for, where there is nothing to choose, and where it is not asked."""

    capacity: Capacity | None = None
    must_ask: bool = False


def at_login(provider: Provider, professional: Professional, *, chosen_last: str) -> Choice:
    """Say what a login does about it; somebody without professional data is never asked."""
    capacities = professional.capacities
    if not capacities:
        return Choice()
    if provider.ask_capacity == AskCapacity.ALWAYS:
        return Choice(must_ask=True)
    if len(capacities) == 1:
        return Choice(capacities[0])
    if provider.ask_capacity == AskCapacity.NEVER:
        return Choice()
    chosen = professional.capacity_of(chosen_last)
    return Choice(chosen, must_ask=chosen is None)
