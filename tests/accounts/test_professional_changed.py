"""What the account keeps of the professional, and the signal that tells what has changed since the last login."""

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
def heard():
    received: list[dict[str, Any]] = []

    def listen(**said: Any) -> None:
        received.append(said)

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


def test_the_account_keeps_what_was_said_at_the_last_login(provider, simulator, claims):
    sign_in(simulator, claims)
    kept = from_snapshot(Account.objects.get().professional)
    assert [each.activity.structure_name for each in kept.activity_choices] == [
        each["raisonSocialeSite"] for each in claims["SubjectRefPro"]["exercices"][0]["activities"]
    ]


def test_nothing_is_said_at_the_first_login_nor_where_nothing_changed(provider, simulator, claims, heard):
    sign_in(simulator, claims)
    sign_in(simulator, claims)
    assert heard == []


def test_an_activity_that_is_gone_is_said(provider, simulator, claims, heard):
    sign_in(simulator, claims)
    gone = claims["SubjectRefPro"]["exercices"][0]["activities"].pop()
    sign_in(simulator, claims)
    [said] = heard
    assert said["account"] == Account.objects.get()
    assert said["user"] == said["account"].user
    assert len(said["before"].activity_choices) == 2
    assert len(said["after"].activity_choices) == 1
    assert gone["raisonSocialeSite"] in {each.before for each in said["changes"]}
    assert len(from_snapshot(Account.objects.get().professional).activity_choices) == 1


def test_a_snapshot_of_an_older_version_is_made_anew_in_silence(provider, simulator, claims, heard):
    sign_in(simulator, claims)
    Account.objects.update(professional={"version": 0, "family_name": "X"})
    sign_in(simulator, claims)
    assert heard == []
    assert from_snapshot(Account.objects.get().professional) is not None
