"""Logins with every fault of the simulator. tests/dry_run/test_refusals.py runs the same table on dry runs."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from psc_connect.encryption import ID_TOKEN, cipher_for
from psc_connect.models import Provider
from psc_connect.simulator.faults import FAULTS
from psc_connect.simulator.signing_keys import unpublished_key
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.fault_cases import AT_KEYS, HARMLESS, REFUSED, TESTED_ELSEWHERE
from tests.support.refusals import assert_refused
from tests.support.stored_keys import change_provider

pytestmark = pytest.mark.django_db


def test_every_fault_of_the_simulator_has_its_outcome_here():
    in_table = {wrong.fault for wrong in (*REFUSED, *HARMLESS)}
    assert in_table | TESTED_ELSEWHERE.keys() == FAULTS.keys()
    assert not in_table & TESTED_ELSEWHERE.keys()


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in REFUSED])
def test_a_wrong_answer_is_refused_by_its_code(simulator, person, wrong):
    change_provider(Provider.objects.get(), **wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    response = person.sign_in(PAGE)
    knows_the_page = wrong.code not in {"authorization_state_unknown", "authorization_state_missing"}
    knows_the_page &= wrong.fault != "repeated_parameter"
    assert_refused(
        person,
        response,
        wrong.code,
        simulator=simulator,
        calls=wrong.calls,
        next_page=PAGE if knows_the_page else "",
    )


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in HARMLESS])
def test_an_odd_but_harmless_answer_signs_in(simulator, person, wrong):
    change_provider(Provider.objects.get(), **wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    assert person.sign_in(PAGE)["Location"] == PAGE
    assert person.is_signed_in
    assert simulator.count("token") <= 2
    assert simulator.count("userinfo") <= 2


@pytest.mark.case("JO04")
@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_no_address_of_a_token_is_ever_called(simulator, provider, person, member):
    forger = unpublished_key("RS256")
    simulator.faults.set("bad_signature")
    simulator.faults.set("id_token_header", header={member: simulator.origin + "/evil", "kid": forger.kid})
    response = person.sign_in(PAGE)
    assert_refused(person, response, "id_token_unknown_key", simulator=simulator, calls=AT_KEYS, next_page=PAGE)
    assert [request.path for request in simulator.requests if request.path == "/evil"] == []


@pytest.mark.case("UI08")
def test_distributed_claims_are_never_fetched(simulator, provider, person):
    sources = {"src": {"endpoint": simulator.origin + "/evil"}}
    with simulator.fault(
        "userinfo_claims",
        claims={"_claim_names": {"given_name": "src"}, "_claim_sources": sources},
        drop=("given_name",),
    ):
        person.sign_in()
    assert person.is_signed_in
    assert "/evil" not in [request.path for request in simulator.requests]


@pytest.mark.case("ID17")
def test_an_id_token_of_an_earlier_login_is_refused(simulator, provider, person):
    first = BrowserSession()
    first.sign_in()
    raw = cipher_for(ID_TOKEN).decrypt(first.browser.session["psc_connect"]["id_token"].encode()).decode()
    first.browser.logout()
    first.close()
    get_user_model().objects.all().delete()
    simulator.clear_requests()
    with simulator.fault("token_response", members={"id_token": raw}):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "id_token_nonce_mismatch", simulator=simulator, calls=("token",), next_page=PAGE)


@pytest.mark.case("TR05")
def test_the_token_request_is_not_sent_again(simulator, provider, person):
    with simulator.fault("outage", endpoint="token"):
        person.sign_in()
    assert simulator.count("token") == 1
    assert simulator.count("jwks") == 0


@pytest.mark.case("TR05")
def test_a_connection_that_closes_twice_is_not_retried_a_second_time(simulator, provider, person):
    # This leaves an open connection, which the next login reuses.
    with simulator.fault("wrong_nonce"):
        person.sign_in()
    simulator.clear_requests()
    with simulator.fault("close_connection_before_answer", endpoint="token", reused_only=False):
        response = person.sign_in(PAGE)
    assert_refused(
        person, response, "provider_answer_broken", simulator=simulator, calls=("token", "token"), next_page=PAGE
    )
