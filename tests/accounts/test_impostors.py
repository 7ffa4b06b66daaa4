"""Logins with another person's number: in another claim, with another origin, under a reused ``sub``."""

from __future__ import annotations

import pytest

from psc_connect.models import Account, Provider
from psc_connect.professional.conditions import Condition, Situation
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator import Simulator
from tests.support.people import (
    OTHER_RPPS,
    PSI,
    REALM,
    RPPS,
    assert_refused_with,
    make_person,
    other_id,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]


@pytest.mark.case("AL09", "AL13")
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (make_person("1", other_id("RPPS", RPPS)), make_person("1", other_id("RPPS", OTHER_RPPS))),
        (
            make_person("1", other_id("RPPS", RPPS), other_id("PSI", PSI)),
            make_person("9", other_id("RPPS", OTHER_RPPS), other_id("PSI", PSI)),
        ),
        (make_person("1", SubjectNameID="8" + RPPS), make_person("1", SubjectNameID="8" + OTHER_RPPS)),
    ],
    ids=["the sub used again", "the PSI", "the main identifier"],
)
def test_an_account_has_one_rpps_number_for_life(provider, simulator, first, then):
    sign_in(simulator, first)
    assert_refused_with(simulator, then, "account_identifiers_conflict")


@pytest.mark.case("AL09")
def test_former_sub_does_not_lead_another_person_to_the_account(provider, simulator):
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    sign_in(simulator, make_person("2", other_id("RPPS", RPPS)))
    assert_refused_with(simulator, make_person("1", other_id("RPPS", OTHER_RPPS)), "account_identifiers_conflict")


@pytest.mark.case("AL09")
@pytest.mark.parametrize(
    ("id_token", "userinfo"),
    [
        ({"SubjectNameID": "8" + OTHER_RPPS}, {"SubjectNameID": "", "otherIds": [other_id("RPPS", "8" + RPPS)]}),
        ({"SubjectNameID": "", "preferred_username": "8" + OTHER_RPPS}, {"SubjectNameID": "8" + RPPS}),
    ],
    ids=["in otherIds", "under the other name"],
)
def test_id_token_and_userinfo_of_two_people_are_refused(
    provider: Provider, simulator: Simulator, id_token: dict[str, str], userinfo: dict[str, object]
) -> None:
    victim = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    simulator.faults.set("userinfo_claims", claims={"preferred_username": "", **userinfo})
    assert_refused_with(simulator, make_person("2", **id_token), "userinfo_identifier_mismatch")
    assert Account.objects.get() == victim


@pytest.mark.case("AL09")
def test_number_in_the_sub_is_compared_too(provider, simulator):
    sign_in(simulator, make_person(f"{REALM}8{RPPS}", other_id("RPPS", RPPS)))
    assert_refused_with(
        simulator, make_person(f"{REALM}8{OTHER_RPPS}", other_id("RPPS", RPPS)), "userinfo_identifier_mismatch"
    )


@pytest.mark.case("AL09")
@pytest.mark.parametrize(
    "entry",
    [
        other_id("SubjectNameID", "8" + RPPS),
        other_id("SubjectNameID", PSI),
        other_id("RPP\u017f", "8" + RPPS),
        other_id("p\u017f\u0131", PSI),
        other_id("RPPS" + " " * 60 + "junk", "8" + RPPS),
        other_id("AUTRE", "8" + RPPS),
        other_id("EDIT", "8" + RPPS),
    ],
)
def test_only_the_registers_own_origin_vouches_for_a_number(provider, simulator, entry):
    victim = sign_in(simulator, make_person("1", other_id("RPPS", "8" + RPPS), other_id("PSI", PSI)))
    other = sign_in(simulator, make_person("2", entry))
    assert other.pk != victim.pk


@pytest.mark.parametrize("origin", ["EDIT", "AUTRE", "RPP\u017f", ""])
def test_number_that_only_looks_like_an_rpps_number_is_not_the_persons_rpps(origin):
    professional = read_userinfo({"otherIds": [other_id(origin, "8" + RPPS)]})
    assert professional.rpps == ""
    assert not Condition.of("identifier_kind", "in", ["rpps"]).holds(Situation(professional))


def test_number_that_is_vouched_for_is_preferred_to_one_of_better_quality():
    professional = read_userinfo({"otherIds": [other_id("AUTRE", "8" + OTHER_RPPS, 1), other_id("RPPS", RPPS, 2)]})
    assert professional.rpps == RPPS


def test_new_identifiers_of_unknown_kinds_do_not_fill_the_table(provider, simulator):
    for turn in range(3):
        account = sign_in(simulator, make_person("1", *(other_id("AUTRE", f"n{turn}-{each}") for each in range(5))))
    assert account.identifiers.count() == 5
