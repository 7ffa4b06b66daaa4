"""Two declarations of one issuer, as when one takes the place of another: that of the session decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, Provider
from psc_connect.simulator import Simulator
from tests.conftest import client_of, make_provider
from tests.support.access_rules import DOCTORS, PODIATRISTS, allow, give, join, refuse
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
    """Choose one of the cards of the page that asks, at the provider by which the person came."""
    address = f"/psc/{person.slug}/activity/"
    cards = [each.key for each, _decision in person.browser.get(address).context["cards"]]
    return person.browser.post(address, {"activity_choice": cards[number], "next": PAGE})


def groups() -> set[str]:
    return set(User.objects.get().groups.values_list("name", flat=True))


def test_the_question_is_answered_at_the_one_that_was_used(
    provider: Provider, second: Provider, simulator: Simulator
) -> None:
    give(provider, join(Group.objects.create(name="prescribers")))
    come(simulator, "psc")
    Provider.objects.filter(pk=provider.pk).update(enabled=False)
    person = come(simulator, "second")
    assert Account.objects.get().provider == second
    assert answer(person)["Location"] == PAGE
    assert groups() == set()
    # The address of the one before asks nobody who came by the other.
    assert person.browser.get("/psc/psc/activity/").status_code == 302


def test_a_session_of_each_is_judged_by_its_own_rules(
    provider: Provider, second: Provider, simulator: Simulator
) -> None:
    give(provider, allow(DOCTORS))
    first = come(simulator, "psc")
    other = come(simulator, "second")
    give(second, refuse(DOCTORS))
    assert answer(other).status_code == 403
    assert answer(first)["Location"] == PAGE
    give(second)
    give(provider, allow(PODIATRISTS), refuse())
    assert answer(other)["Location"] == PAGE
    assert answer(first).status_code == 403
