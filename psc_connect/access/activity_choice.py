"""The activity of a login: the only one, the one chosen last, or one that the person must choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psc_connect.models import AskActivity

if TYPE_CHECKING:
    from psc_connect.models import Provider
    from psc_connect.professional.professional import ActivityChoice, Professional


@dataclass(frozen=True, slots=True)
class Choice:
    """The activity of a login; None if the person must still be asked, or if there is nothing to choose."""

    activity_choice: ActivityChoice | None = None
    must_ask: bool = False


def choice_at_login(provider: Provider, professional: Professional, *, chosen_last: str) -> Choice:
    """Return the activity of a login. A person without professional data is never asked."""
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
