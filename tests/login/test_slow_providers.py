"""A provider that hangs or responds slowly: the callback responds within ten seconds."""

from __future__ import annotations

import time

import pytest

from psc_connect.conf import http_policy
from tests.support.browser_session import PAGE
from tests.support.refusals import assert_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("provider")]


@pytest.mark.case("TR01")
def test_silent_provider_times_out_after_five_seconds():
    """tests/oidc/test_time.py shows with a shorter limit that it ends a request."""
    assert (http_policy().connect_timeout, http_policy().read_timeout) == (3, 5)


@pytest.mark.case("TR02", "UI07")
def test_slow_responses_share_one_deadline_of_ten_seconds(simulator, person):
    # Four seconds for the tokens, then endless userinfo headers: each single read is fast.
    simulator.faults.set("hang", endpoint="token", seconds=4)
    simulator.faults.set("drip", endpoint="userinfo", seconds=0.5, headers=True)
    began = time.monotonic()
    response = person.sign_in(PAGE)
    # Fourteen seconds if each request had ten.
    assert 9.5 < time.monotonic() - began < 13.5
    assert_refused(
        person, response, "provider_timeout", simulator=simulator, calls=("token", "userinfo"), next_page=PAGE
    )
    assert response.status_code == 503
