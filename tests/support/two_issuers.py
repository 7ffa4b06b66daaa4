"""A provider before and after its host has changed: two simulators with the same people, each declared here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psc_connect.models import Account, AccountChange, DeclarationChange, Provider
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import Person
from tests.support.browser_session import PAGE, BrowserSession

OLD, NEW = "old", "new"


@dataclass
class TwoIssuers:
    """``old`` and ``new``: the provider under its former and its new issuer."""

    old: Provider
    new: Provider
    simulators: dict[str, Simulator]

    def sign_in(self, slug: str, who: Person | str = "podiatrist") -> BrowserSession:
        """Sign a person in at one of the two, in a new browser."""
        simulator = self.simulators[slug]
        simulator.end_sessions()
        simulator.sign_in(who)
        person = BrowserSession(slug=slug)
        assert person.sign_in(PAGE).status_code == 302
        assert person.is_signed_in
        person.close()
        return person


def state_of_accounts() -> list[Any]:
    """Return what a move changes, to compare before and after."""
    accounts = Account.objects.order_by("pk").values_list("pk", "issuer", "provider", "subject", "user")
    keys = Account.objects.order_by("identifiers__pk").values_list("identifiers__match_key", flat=True)
    return [*accounts, *keys, AccountChange.objects.count(), DeclarationChange.objects.count()]
