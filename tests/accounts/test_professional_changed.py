"""The professional data of an account, and the signal sent when they change."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Account
from psc_connect.professional.snapshot import from_snapshot
from psc_connect.signals import professional_changed
from psc_connect.simulator.people import Person
from tests.support.browser_session import BrowserSession

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent_signals():
    received: list[dict[str, Any]] = []

    def listen(**kwargs: Any) -> None:
        received.append(kwargs)

    professional_changed.connect(listen)
    yield received
    professional_changed.disconnect(listen)


def sign_in(simulator, claims):
    simulator.sign_in(Person("somebody", claims))
    simulator.end_sessions()
    browser = BrowserSession()
    response = browser.sign_in()
    browser.close()
    assert response.status_code == 302, response.content.decode()


@pytest.fixture
def claims(simulator):
    return simulator.people["doctor-two-activities"].claims()


def test_account_keeps_the_professional_data_of_the_last_login(provider, simulator, claims):
    sign_in(simulator, claims)
    kept: Any = from_snapshot(Account.objects.get().professional)
    assert [each.activity.structure_name for each in kept.activity_choices] == [
        each["raisonSocialeSite"] for each in claims["SubjectRefPro"]["exercices"][0]["activities"]
    ]


def test_no_signal_at_the_first_login_or_without_a_change(provider, simulator, claims, sent_signals):
    sign_in(simulator, claims)
    sign_in(simulator, claims)
    assert sent_signals == []


def test_removed_activity_is_signalled(provider, simulator, claims, sent_signals):
    sign_in(simulator, claims)
    gone = claims["SubjectRefPro"]["exercices"][0]["activities"].pop()
    sign_in(simulator, claims)
    [kwargs] = sent_signals
    assert kwargs["account"] == Account.objects.get()
    assert kwargs["user"] == kwargs["account"].user
    assert len(kwargs["before"].activity_choices) == 2
    assert len(kwargs["after"].activity_choices) == 1
    assert gone["raisonSocialeSite"] in {each.before for each in kwargs["changes"]}
    kept: Any = from_snapshot(Account.objects.get().professional)
    assert len(kept.activity_choices) == 1


def test_snapshot_of_an_older_version_is_replaced_without_a_signal(provider, simulator, claims, sent_signals):
    sign_in(simulator, claims)
    Account.objects.update(professional={"version": 0, "family_name": "X"})
    sign_in(simulator, claims)
    assert sent_signals == []
    assert from_snapshot(Account.objects.get().professional) is not None
