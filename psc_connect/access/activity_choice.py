"""In what capacity somebody is signed in: the one there is, the one chosen last, or the one to be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psc_connect.models import AskActivity

if TYPE_CHECKING:
    from psc_connect.models import Provider
    from psc_connect.professional.professional import ActivityChoice, Professional


@dataclass(frozen=True, slots=True)
class Choice:
    """The activity of a login; None while a page has to ask, and where there is nothing to choose or ask."""

    activity_choice: ActivityChoice | None = None
    must_ask: bool = False


def at_login(provider: Provider, professional: Professional, *, chosen_last: str) -> Choice:
    """Say what a login does about it; somebody without professional data is never asked."""
    activity_choices = professional.activity_choices
    if not activity_choices:
        return Choice()
    if provider.ask_activity == AskActivity.ALWAYS:
        return Choice(must_ask=True)
    if len(activity_choices) == 1:
        return Choice(activity_choices[0])
    if provider.ask_activity == AskActivity.NEVER:
        return Choice()
    chosen = professional.activity_choice_of(chosen_last)
    return Choice(chosen, must_ask=chosen is None)
