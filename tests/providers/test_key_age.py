"""Keys older than a day: fetched again by one login, so that a withdrawn key stops being trusted."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from psc_connect.models import Provider
from psc_connect.oidc.errors import JWKSError
from psc_connect.providers.keys import import_keys
from tests.support.browser_session import PAGE, error_code_of
from tests.support.parallel_logins import age_keys, in_parallel, reached_page, sign_in_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.case("KR03")
def test_keys_older_than_a_day_are_fetched_again_once(simulator, provider):
    age_keys()
    assert reached_page(sign_in_once())
    assert reached_page(sign_in_once())
    assert simulator.count("jwks") == 1
    fetched_at = Provider.objects.get().fetch_times.jwks_updated_at
    assert fetched_at is not None
    assert timezone.now() - fetched_at < timedelta(minutes=1)


@pytest.mark.case("KR03")
def test_keys_of_less_than_a_day_are_not_fetched(simulator, provider):
    age_keys(timedelta(hours=23, minutes=59))
    assert reached_page(sign_in_once())
    assert simulator.count("jwks") == 0


def test_the_age_is_a_setting(simulator, provider, settings):
    settings.PSC_CONNECT_JWKS_MAX_AGE = 60
    age_keys(timedelta(seconds=61))
    assert reached_page(sign_in_once())
    assert simulator.count("jwks") == 1


@pytest.mark.case("KR03")
def test_ten_logins_in_parallel_with_old_keys_make_one_fetch(simulator, provider):
    age_keys()
    simulator.faults.set("hang", endpoint="jwks", seconds=0.5)
    assert all(reached_page(response) for response in in_parallel(10))
    assert simulator.count("jwks") == 1


@pytest.mark.case("KR03")
def test_a_key_that_the_provider_withdrew_is_no_longer_trusted(simulator, provider, person):
    stolen = simulator.keys.current
    simulator.rotate_keys(withdraw_old=True)
    # Whoever holds the key goes on signing with it.
    simulator.keys.published.insert(0, stolen)
    published = json.dumps({"keys": [simulator.keys.published[1].public]}).encode()
    simulator.faults.set("answer", endpoint="jwks", body=published)
    assert reached_page(person.sign_in(PAGE))
    person.browser.logout()
    age_keys()
    assert error_code_of(person.sign_in(PAGE)) == "id_token_unknown_key"
    assert simulator.count("jwks") == 1
    simulator.keys.published.remove(stolen)
    assert reached_page(person.sign_in(PAGE))


@pytest.mark.case("KR03")
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("outage", {"endpoint": "jwks"}),
        ("jwks_empty", {}),
        ("maintenance_page", {"endpoint": "jwks"}),
        ("huge_body", {"endpoint": "jwks", "megabytes": 5}),
        ("close_connection_before_answer", {"endpoint": "jwks", "reused_only": False}),
        ("hang", {"endpoint": "jwks"}),
    ],
)
def test_a_refresh_that_fails_does_not_fail_the_login(simulator, provider, fault, options):
    age_keys()
    simulator.faults.set(fault, **options)
    before = Provider.objects.get().jwks
    began = time.monotonic()
    assert reached_page(sign_in_once())
    # Three seconds at most for what the login could do without; the hanging answer would take a minute.
    assert time.monotonic() - began < 8
    assert simulator.count("jwks") >= 1
    asked = simulator.count("jwks")
    assert reached_page(sign_in_once())
    assert simulator.count("jwks") == asked
    assert Provider.objects.get().jwks == before


@pytest.mark.case("KR01")
@pytest.mark.parametrize("outcome", ["imported", "failed"])
def test_an_import_by_an_administrator_leaves_the_logins_their_fetch(simulator, provider, outcome):
    if outcome == "failed":
        with simulator.fault("jwks_empty"), pytest.raises(JWKSError):
            import_keys(provider)
    else:
        import_keys(provider)
    simulator.rotate_keys(withdraw_old=True)
    assert reached_page(sign_in_once())
