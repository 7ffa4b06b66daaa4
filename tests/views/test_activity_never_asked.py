"""A provider that never asks for the activity: no choice is taken, and no earlier one decides."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, ExportedGroup, Provider
from tests.support.browser_session import PAGE, BrowserSession
from tests.views.test_activity import ASKED, cards, choose, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "professional_pages")]
DOCTOR = "doctor-two-activities"


@pytest.mark.case("AD03")
def test_a_provider_that_never_asks_takes_no_choice(provider, simulator, person):
    sign_in(person, simulator, DOCTOR)
    [_first, (_code, second)] = cards(person.browser.get(ASKED))
    Provider.objects.update(ask_activity="never")
    other = BrowserSession()
    assert sign_in(other, simulator, DOCTOR)["Location"] == PAGE
    assert other.browser.get(ASKED)["Location"] == PAGE
    assert choose(other.browser, second)["Location"] == PAGE
    assert "/psc/psc/activity/" not in other.browser.get("/template/").content.decode()
    assert Account.objects.get().activity_choice == ""
    assert other.browser.session["psc_connect"]["activity_choice"] == ""
    other.close()


def test_a_session_that_was_asked_can_choose_when_the_provider_no_longer_asks(provider, simulator, person):
    sign_in(person, simulator, DOCTOR)
    doctor = person.browser
    [_first, (_code, second)] = cards(doctor.get(ASKED))
    Provider.objects.update(ask_activity="never")
    assert doctor.get("/doctors/")["Location"] == "/psc/psc/activity/?next=%2Fdoctors%2F"
    assert choose(doctor, second)["Location"] == PAGE
    assert doctor.get("/doctors/").status_code == 200


@pytest.mark.case("AD03")
def test_an_earlier_choice_gives_no_group_of_the_mapping_where_the_provider_never_asks(provider, simulator, person):
    sign_in(person, simulator, DOCTOR)
    [_first, (second, _decision)] = person.browser.get(ASKED).context["cards"]
    group, mode = Group.objects.create(name="Second"), second.activity.mode.code
    ExportedGroup.objects.create(provider=provider, claim="activity.mode.code", equals=mode, group=group)
    choose(person.browser, second.key)
    for ask, count in (("several", 1), ("never", 0)):
        Provider.objects.update(ask_activity=ask)
        again = BrowserSession()
        sign_in(again, simulator, DOCTOR)
        assert User.objects.get().groups.count() == count
        again.close()
