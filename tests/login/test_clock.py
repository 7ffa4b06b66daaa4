"""Wrong clocks, and special days such as those of a clock change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from django.utils import timezone as django_timezone

from psc_connect.models import Provider
from psc_connect.oidc.deadline import Deadline
from tests.support.browser_session import PAGE
from tests.support.refusals import assert_refused
from tests.support.stored_keys import change_provider

pytestmark = pytest.mark.django_db


@pytest.mark.case("CK01", "ID14")
@pytest.mark.parametrize("provider_is_ahead", [-45, -5, 5, 45])
def test_a_clock_45_seconds_off_signs_in(simulator, provider, person, provider_is_ahead):
    simulator.clock_offset = provider_is_ahead
    assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("CK01")
@pytest.mark.parametrize(
    ("provider_is_ahead", "code"),
    [
        # The site's clock is two minutes slow; it is four minutes fast, and a token is valid for two.
        (120, "id_token_issued_in_future"),
        (-240, "id_token_expired"),
        (3600, "id_token_issued_in_future"),
        (-24 * 3600, "id_token_expired"),
    ],
)
def test_clock_that_is_minutes_off_is_refused_with_its_code(simulator, provider, person, provider_is_ahead, code):
    simulator.clock_offset = provider_is_ahead
    response = person.sign_in(PAGE)
    assert_refused(person, response, code, simulator=simulator, calls=("token",), next_page=PAGE)


DAYS = {
    "summer time begins": datetime(2027, 3, 28, 0, 59, 58, tzinfo=timezone.utc),
    "summer time ends": datetime(2027, 10, 31, 0, 59, 58, tzinfo=timezone.utc),
    "a leap second": datetime(2016, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
    "the last second of 32 bits": datetime(2038, 1, 19, 3, 14, 6, tzinfo=timezone.utc),
    "after 32 bits": datetime(2040, 2, 29, 12, tzinfo=timezone.utc),
}


@pytest.fixture(params=["aware datetimes", "naive datetimes"])
def _in_paris(request, settings, provider):
    settings.TIME_ZONE, settings.USE_TZ = "Europe/Paris", request.param == "aware datetimes"


@pytest.mark.case("CK02")
@pytest.mark.usefixtures("_in_paris")
@pytest.mark.parametrize("moment", DAYS.values(), ids=DAYS)
def test_login_works_on_special_days(simulator, person, time_machine, moment):
    time_machine.move_to(moment)
    aged = django_timezone.now() - timedelta(hours=25)
    change_provider(Provider.objects.get(), jwks_updated_at=aged, max_age=3600)
    started = person.begin(PAGE)
    time_machine.move_to(moment + timedelta(seconds=3))
    assert person.come_back(person.authorize(started))["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200
    # Twenty-five hours are more than one day, whatever the local time.
    assert simulator.count("jwks") == 1


def test_a_clock_that_jumps_does_not_move_the_deadline(time_machine):
    deadline = Deadline(10)
    time_machine.move_to(datetime.now(timezone.utc) - timedelta(days=1))
    assert 9 < deadline.remaining() <= 10
    time_machine.move_to(datetime.now(timezone.utc) + timedelta(days=2))
    assert 9 < deadline.remaining() <= 10
