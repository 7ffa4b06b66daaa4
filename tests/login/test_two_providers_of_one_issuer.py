"""Two providers of one issuer, as when one replaces another: the provider of the session decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, Provider
from psc_connect.simulator import Simulator
from tests.conftest import client_of, make_provider
from tests.support.access_rules import DOCTORS, PODIATRISTS, allow, give_group, refuse, set_rules
from tests.support.browser_session import PAGE, BrowserSession

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "professional_pages")]
DOCTOR = "doctor-two-activities"


@pytest.fixture
def second(provider: Provider, simulator: Simulator) -> Provider:
    return make_provider(simulator, slug="second")


def come(simulator: Simulator, slug: str, who: str = DOCTOR) -> BrowserSession:
    simulator.register(client_of(slug))
    simulator.sign_in(who)
    simulator.end_sessions()
    person = BrowserSession(slug=slug)
    person.sign_in(PAGE)
    person.close()
    return person


def answer(person: BrowserSession, number: int = 0) -> Any:
    """Choose an activity at the provider of the session."""
    address = f"/psc/{person.slug}/activity/"
    cards = [each.key for each, _decision in person.browser.get(address).context["cards"]]
    return person.browser.post(address, {"activity_choice": cards[number], "next": PAGE})


def groups() -> set[str]:
    return set(User.objects.get().groups.values_list("name", flat=True))


def test_activity_is_chosen_at_the_provider_of_the_session(
    provider: Provider, second: Provider, simulator: Simulator
) -> None:
    set_rules(provider, give_group(Group.objects.create(name="prescribers")))
    come(simulator, "psc")
    Provider.objects.filter(pk=provider.pk).update(enabled=False)
    person = come(simulator, "second")
    assert Account.objects.get().provider == second
    assert answer(person)["Location"] == PAGE
    assert groups() == set()
    # The activity page of the other provider redirects.
    assert person.browser.get("/psc/psc/activity/").status_code == 302


def test_each_session_follows_the_rules_of_its_own_provider(
    provider: Provider, second: Provider, simulator: Simulator
) -> None:
    set_rules(provider, allow(DOCTORS))
    first = come(simulator, "psc")
    other = come(simulator, "second")
    set_rules(second, refuse(DOCTORS))
    assert answer(other).status_code == 403
    assert answer(first)["Location"] == PAGE
    set_rules(second)
    set_rules(provider, allow(PODIATRISTS), refuse())
    assert answer(other)["Location"] == PAGE
    assert answer(first).status_code == 403
