"""The level (`acr`) and the time (`auth_time`) of the authentication."""

from __future__ import annotations

import pytest

from psc_connect.models import Provider
from psc_connect.simulator import run_simulator
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, error_code_of
from tests.support.refusals import assert_refused

pytestmark = pytest.mark.django_db


@pytest.mark.case("AZ22", "ID25")
@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("accepted", "fault", "code"),
    [
        ("eidas2 eidas3", None, "id_token_acr_refused"),
        ("eidas1", "lower_acr", "id_token_acr_refused"),
        ("eidas1", "missing_acr", "id_token_acr_missing"),
        ("eidas", None, "id_token_acr_refused"),
    ],
)
def test_acr_that_the_provider_does_not_accept_is_refused(simulator, person, accepted, fault, code):
    Provider.objects.update(accepted_acr_values=accepted)
    if fault:
        simulator.faults.set(fault)
    response = person.sign_in(PAGE)
    assert_refused(person, response, code, simulator=simulator, calls=("token",), next_page=PAGE)
    assert "eidas1" in response.content.decode()


@pytest.mark.case("AZ22")
@pytest.mark.parametrize(("accepted", "fault"), [("eidas1", None), ("eidas3 eidas1", None), ("", "missing_acr")])
def test_acr_that_the_provider_accepts_signs_in(simulator, provider, person, accepted, fault):
    Provider.objects.update(accepted_acr_values=accepted)
    if fault:
        simulator.faults.set(fault)
    person.sign_in()
    assert person.is_signed_in


@pytest.mark.case("AZ22")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("old_auth_time", "id_token_authentication_too_old"),
        ("missing_auth_time", "id_token_auth_time_missing"),
    ],
)
def test_max_age_is_checked_against_the_time_of_authentication(simulator, provider, person, fault, code):
    Provider.objects.update(max_age=3600)
    with simulator.fault(fault):
        response = person.sign_in(PAGE)
    assert_refused(person, response, code, simulator=simulator, calls=("token",), next_page=PAGE)


@pytest.mark.case("AZ22")
def test_a_fresh_authentication_passes_max_age(provider, person):
    Provider.objects.update(max_age=3600)
    person.sign_in()
    assert person.is_signed_in


@pytest.mark.case("AZ22")
@pytest.mark.parametrize("asked", ["eidas2", "eidas2 eidas1"])
def test_refused_acr_suggests_eidas1_to_the_administrators(person, db, asked):
    with run_simulator(clients=[client_of()]) as strict:
        strict.accepted_acr = frozenset({"eidas1"})
        make_provider(strict, acr_values=asked)
        strict.sign_in("podiatrist")
        response = person.sign_in(PAGE)
        assert_refused(person, response, "authorization_invalid_request", simulator=strict, next_page=PAGE)
        text = response.content.decode()
        assert f"“{asked}”" in text or f"« {asked} »" in text.replace("\u202f", " ").replace("\xa0", " ")
        assert "eidas1" in text
        Provider.objects.update(acr_values="eidas1")
        assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.parametrize("acr_values", ["eidas1", ""])
def test_no_suggestion_if_eidas1_or_no_level_was_requested(simulator, provider, person, acr_values):
    Provider.objects.update(acr_values=acr_values)
    with simulator.fault("callback_error", error="invalid_request"):
        response = person.sign_in(PAGE)
    assert error_code_of(response) == "authorization_invalid_request"
    assert response.context["hint"] == ""
