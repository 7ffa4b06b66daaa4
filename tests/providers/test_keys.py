"""Signing keys of a provider: which logins fetch them, and what a failed fetch leaves."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from psc_connect.models import Provider
from psc_connect.providers.serialization import key_names
from tests.conftest import make_provider
from tests.support.browser_session import PAGE, error_code_of
from tests.support.fault_cases import AT_KEYS, AT_KEYS_TWICE
from tests.support.parallel_logins import age_keys, in_parallel, reached_page, sign_in_once
from tests.support.refusals import assert_refused
from tests.support.stored_keys import change_provider, set_times, store_keys

pytestmark = pytest.mark.django_db(transaction=True)


# --- rotation ---------------------------------------------------------------------------------------------------


def test_a_login_in_steady_state_asks_for_no_keys(simulator, provider):
    assert reached_page(sign_in_once())
    assert (simulator.count("jwks"), simulator.count("metadata")) == (0, 0)


@pytest.mark.case("KR01", "JO09")
@pytest.mark.parametrize("withdraw_old", [False, True])
@pytest.mark.parametrize("moment", ["between two logins", "just before the token is signed"])
def test_a_rotation_costs_one_fetch_and_sends_the_code_once(simulator, provider, person, moment, withdraw_old):
    if moment == "between two logins":
        simulator.rotate_keys(withdraw_old=withdraw_old)
        url = person.authorize(person.begin(PAGE))
    else:
        url = person.authorize(person.begin(PAGE))
        simulator.rotate_keys(withdraw_old=withdraw_old)
    assert reached_page(person.come_back(url))
    assert (simulator.count("token"), simulator.count("jwks"), simulator.count("userinfo")) == (1, 1, 1)
    assert reached_page(sign_in_once())
    assert simulator.count("jwks") == 1
    assert {key.kid for key in Provider.objects.get().key_set().keys} == {key.kid for key in simulator.keys.published}


@pytest.mark.case("JO08")
def test_a_token_that_names_no_key_is_tried_with_each(simulator, provider):
    simulator.rotate_keys()
    store_keys(provider, {"keys": simulator.jwks["keys"][::-1]})
    with simulator.fault("missing_kid"):
        assert reached_page(sign_in_once())
    assert simulator.count("jwks") == 0


def test_the_keys_page_remembers_since_when_each_key_is_known(simulator, provider):
    assert reached_page(sign_in_once())
    simulator.rotate_keys()
    assert reached_page(sign_in_once())
    row = Provider.objects.get()
    known = {key.thumbprint for key in row.signing_keys.exclude(first_seen=None)}
    assert known >= {key.thumbprint for key in row.key_set().keys}
    fetched_at = row.fetch_times.jwks_updated_at
    assert fetched_at is not None
    assert timezone.now() - fetched_at < timedelta(minutes=1)


@pytest.mark.case("CC06", "KR01")
def test_logins_in_parallel_after_a_rotation_all_succeed_with_one_fetch(simulator, provider):
    simulator.rotate_keys(withdraw_old=True)
    simulator.faults.set("hang", endpoint="jwks", seconds=0.5)
    assert all(reached_page(response) for response in in_parallel(6))
    assert simulator.count("jwks") == 1
    assert simulator.count("token") == 6


@pytest.mark.case("KR01", "JO09")
def test_a_junk_kid_of_before_makes_a_rotation_a_refusal_that_can_be_retried(simulator, provider, person, time_machine):
    with simulator.fault("unknown_kid"):
        assert error_code_of(sign_in_once()) == "id_token_unknown_key"
    simulator.rotate_keys(withdraw_old=True)
    simulator.clear_requests()
    response = person.sign_in(PAGE)
    assert_refused(person, response, "id_token_unknown_key", simulator=simulator, calls=("token",), next_page=PAGE)
    time_machine.move_to(time.time() + 61)
    assert reached_page(person.sign_in(PAGE))
    assert simulator.count("jwks") == 1


# --- at most one forced fetch a minute --------------------------------------------------------------------------


@pytest.mark.case("JO09", "JO10")
def test_fifty_junk_kids_make_one_fetch(simulator, provider):
    for number in range(10):
        with simulator.fault("unknown_kid", kid=f"junk-{number}"):
            assert error_code_of(sign_in_once()) == "id_token_unknown_key"
    simulator.faults.set("unknown_kid")
    answers = [answer for _round in range(8) for answer in in_parallel(5)]
    assert {error_code_of(answer) for answer in answers} == {"id_token_unknown_key"}
    assert simulator.count("jwks") == 1
    assert simulator.count("token") == 50


def test_the_next_minute_allows_one_more_fetch(simulator, provider, time_machine):
    simulator.faults.set("unknown_kid")
    for _minute in range(3):
        sign_in_once()
        sign_in_once()
        time_machine.move_to(time.time() + 61)
    assert simulator.count("jwks") == 3


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=3650)])
def test_a_clock_that_was_ahead_does_not_block_the_slot(simulator, provider, ahead):
    set_times(provider, jwks_fetch_began_at=timezone.now() + ahead)
    simulator.rotate_keys(withdraw_old=True)
    assert reached_page(sign_in_once())


def test_a_worker_that_died_while_fetching_does_not_hold_the_others(simulator, provider):
    # Eleven seconds ago: no fetch takes longer than ten, and the slot is taken for a minute all the same.
    set_times(provider, jwks_fetch_began_at=timezone.now() - timedelta(seconds=11))
    with simulator.fault("unknown_kid"):
        assert error_code_of(sign_in_once()) == "id_token_unknown_key"
    assert simulator.count("jwks") == 0


@pytest.mark.case("JO15")
@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("jwks_empty", {}, "jwks_no_usable_key"),
        ("jwks_without_keys", {}, "jwks_keys_missing"),
        ("outage", {"endpoint": "jwks"}, "provider_server_error"),
        ("maintenance_page", {"endpoint": "jwks"}, "provider_maintenance_page"),
        ("huge_body", {"endpoint": "jwks", "megabytes": 5}, "provider_answer_too_large"),
        ("jwks_more_keys", {"keys": [{"kty": "RSA"}] * 1_000}, "jwks_too_many_keys"),
        ("jwks_keys", {"members": {"use": "enc"}}, "jwks_no_usable_key"),
        ("answer", {"endpoint": "jwks", "body": b"{"}, "jwks_not_json"),
    ],
)
def test_a_forced_fetch_that_fails_keeps_the_keys_that_sign_people_in(simulator, person, fault, options, code):
    before = Provider.objects.get().jwks
    simulator.faults.set(fault, **options)
    with simulator.fault("unknown_kid"):
        response = person.sign_in(PAGE)
    calls = AT_KEYS_TWICE if code == "provider_server_error" else AT_KEYS
    assert_refused(person, response, code, simulator=simulator, calls=calls, next_page=PAGE)
    assert Provider.objects.get().jwks == before
    assert reached_page(person.sign_in(PAGE))


# --- where no fetch is allowed, and where there are no keys yet -------------------------------------------------


def test_pinned_keys_are_never_fetched(simulator, provider, person):
    store_keys(provider, provider.jwks, pinned=key_names(provider.jwks))
    age_keys(timedelta(days=400))
    assert reached_page(sign_in_once())
    simulator.rotate_keys(withdraw_old=True)
    assert error_code_of(person.sign_in(PAGE)) == "id_token_unknown_key"
    assert simulator.count("jwks") == 0


def test_a_provider_without_jwks_uri_never_calls_out(simulator, provider, person):
    metadata = simulator.metadata
    del metadata["jwks_uri"]
    Provider.objects.update(metadata=metadata)
    age_keys()
    assert reached_page(sign_in_once())
    simulator.rotate_keys(withdraw_old=True)
    assert error_code_of(person.sign_in(PAGE)) == "id_token_unknown_key"
    assert (simulator.count("jwks"), simulator.count("metadata")) == (0, 0)


def test_a_provider_without_keys_and_without_jwks_uri_is_refused(simulator, provider, person):
    metadata = simulator.metadata
    del metadata["jwks_uri"]
    change_provider(provider, metadata=metadata, jwks={})
    response = person.sign_in(PAGE)
    assert_refused(person, response, "id_token_unknown_key", simulator=simulator, calls=("token",), next_page=PAGE)


@pytest.mark.parametrize("workers", [1, 5])
def test_the_first_logins_fetch_the_keys_that_no_administrator_imported(simulator, workers):
    make_provider(simulator, jwks={}, jwks_updated_at=None)
    simulator.faults.set("hang", endpoint="jwks", seconds=0.3)
    assert all(reached_page(response) for response in in_parallel(workers))
    assert simulator.count("jwks") == 1


def test_private_parts_in_a_fetched_set_are_not_kept(simulator):
    make_provider(simulator, jwks={}, jwks_updated_at=None)
    leaked = {**simulator.jwks["keys"][0], "kid": "leaked", "d": "a-private-part"}
    with simulator.fault("jwks_more_keys", keys=[leaked]):
        assert reached_page(sign_in_once())
    assert "a-private-part" not in str(Provider.objects.get().jwks)
    assert [key.reason for key in Provider.objects.get().key_set().ignored] == [
        "jwks_key_private",
        "jwks_key_encryption",
    ]


# --- what is open while the provider is waited for --------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["token", "jwks", "userinfo"])
def test_nothing_is_locked_while_the_provider_is_waited_for(simulator, provider, endpoint):
    simulator.rotate_keys(withdraw_old=True)
    simulator.faults.set("hang", endpoint=endpoint, seconds=1)
    seen: list[Any] = []

    def login_or_write(number: int) -> Any:
        if number == 0:
            answer = sign_in_once()
            seen.append(connection.in_atomic_block)
            return answer
        while not simulator.count(endpoint):
            threading.Event().wait(0.01)
        # Another process's write, on the very row; without a wait for a lock of ours.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
        Provider.objects.filter(pk=provider.pk).update(button_text="written meanwhile")
        seen.append(simulator.count("userinfo") if endpoint != "userinfo" else 0)
        return None

    answer, _ = in_parallel(2, login_or_write)
    assert reached_page(answer)
    assert seen == [0, False]
    assert Provider.objects.get().button_text == "written meanwhile"
