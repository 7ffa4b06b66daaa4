"""Setting and clearing faults, and a check that every fault is tested."""

from __future__ import annotations

import pytest

from psc_connect.simulator import Fault, Simulator
from psc_connect.simulator.app import ROUTES
from psc_connect.simulator.faults import FAULTS, Stage
from psc_connect.simulator.faults.mechanism import ENDPOINTS
from tests.simulator import test_faults_http_responses, test_faults_id_token, test_faults_json
from tests.simulator.service import Service


def test_every_fault_has_a_test_of_what_it_does() -> None:
    asserted = [
        row[0]
        for table in (test_faults_id_token.CLAIMS, test_faults_id_token.SIGNATURES, test_faults_id_token.UNVERIFIED)
        for row in table
    ]
    asserted += [
        row[0]
        for table in (test_faults_json.TOKEN, test_faults_json.USERINFO, test_faults_json.SIGNED_USERINFO)
        for row in table
    ]
    asserted += [
        row[0]
        for table in (test_faults_json.CALLBACK_ROWS, test_faults_json.LOGOUT, test_faults_json.DOCUMENTS)
        for row in table
    ]
    asserted += [row[0] for row in test_faults_http_responses.ANSWERS]
    asserted += test_faults_http_responses.ONE_BY_ONE

    assert set(asserted) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_every_fault_has_a_description(fault: Fault) -> None:
    description = fault.apply.__doc__ or ""
    assert description.endswith(".")
    assert description[0].isupper()


def test_a_fault_lasts_until_it_is_cleared(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("no_id_token")
    simulator.faults.set("token_type")
    assert simulator.faults.active == ("no_id_token", "token_type")
    assert "id_token" not in service.tokens()
    simulator.faults.clear("no_id_token")
    assert service.tokens()["token_type"] == "mac"
    simulator.faults.clear()

    assert simulator.faults.active == ()
    assert service.tokens()["token_type"] == "Bearer"


def test_a_fault_can_be_set_for_a_block(simulator: Simulator, service: Service) -> None:
    with simulator.fault("no_id_token"):
        assert "id_token" not in service.tokens()

    assert "id_token" in service.tokens()


def test_a_fault_is_cleared_when_its_block_fails(simulator: Simulator) -> None:
    with pytest.raises(LookupError), simulator.fault("no_id_token"):
        raise LookupError

    assert simulator.faults.active == ()


def test_a_fault_can_be_counted_down(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("no_id_token", times=2)

    assert ["id_token" in service.tokens() for _ in range(3)] == [False, False, True]


def test_a_fault_is_counted_only_where_it_applies(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("close_connection_before_answer", times=1, endpoint="jwks")
    url = simulator.metadata["jwks_uri"]

    assert service.session.get(url, timeout=10).status_code == 200
    with pytest.raises(OSError, match="Connection aborted"):
        service.session.get(url, timeout=10)
    assert service.session.get(url, timeout=10).status_code == 200
    assert service.session.get(url, timeout=10).status_code == 200


def test_two_faults_can_change_one_token(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("wrong_issuer", issuer="https://one.example")
    simulator.faults.set("wrong_nonce", nonce="another")
    claims = service.verified(service.tokens()["id_token"])

    assert (claims["iss"], claims["nonce"]) == ("https://one.example", "another")


def test_a_fault_set_again_takes_the_new_options(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("wrong_nonce", nonce="one")
    simulator.faults.set("wrong_nonce", nonce="other")

    assert service.verified(service.tokens()["id_token"])["nonce"] == "other"


def test_an_unknown_fault_is_refused(simulator: Simulator) -> None:
    with pytest.raises(KeyError):
        simulator.faults.set("expired")


def test_an_unknown_option_is_refused(simulator: Simulator) -> None:
    with pytest.raises(TypeError):
        simulator.faults.set("expired_id_token", minutes=10)


def test_a_missing_option_is_refused(simulator: Simulator) -> None:
    with pytest.raises(TypeError):
        simulator.faults.set("redirected")


def test_a_fault_of_another_stage_takes_no_endpoint(simulator: Simulator) -> None:
    with pytest.raises(TypeError, match="takes no endpoint"):
        simulator.faults.set("wrong_nonce", endpoint="token")


def test_an_unknown_endpoint_is_refused(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="no endpoint"):
        simulator.faults.set("outage", endpoint="tokens")


def test_every_endpoint_can_be_named() -> None:
    assert {name for name, _, _ in ROUTES.values()} == set(ENDPOINTS)


def test_clearing_what_is_not_set_is_no_error(simulator: Simulator) -> None:
    simulator.faults.clear("outage")

    assert simulator.faults.active == ()


def test_every_stage_has_a_fault() -> None:
    assert {fault.stage for fault in FAULTS.values()} == set(Stage)
