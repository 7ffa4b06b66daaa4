"""Contradicting identifiers are refused; accounts are never merged automatically."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import Person
from tests.support.people import (
    EDIT,
    OTHER_PSI,
    OTHER_RPPS,
    PSI,
    RPPS,
    assert_refused_with,
    make_person,
    other_id,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]


@pytest.mark.case("AL09", "AL13")
@pytest.mark.parametrize(
    "third",
    [
        # The sub of one account, the identifier of the other.
        make_person("1", other_id("RPPS", OTHER_RPPS)),
        make_person("2", other_id("PSI", PSI)),
        # Two identifiers of two accounts, under an unknown sub.
        make_person("3", other_id("RPPS", OTHER_RPPS), other_id("PSI", PSI, 2)),
        make_person("3", other_id("PSI", PSI), SubjectNameID="8" + OTHER_RPPS),
        # A former sub counts as well.
        make_person("0", other_id("RPPS", OTHER_RPPS)),
    ],
)
def test_identifiers_of_two_accounts_are_refused(
    provider: Provider, simulator: Simulator, caplog: Any, third: Person
) -> None:
    sign_in(simulator, make_person("0", other_id("PSI", PSI)))
    one = sign_in(simulator, make_person("1", other_id("PSI", PSI)))
    other = sign_in(simulator, make_person("2", other_id("RPPS", OTHER_RPPS)))
    caplog.clear()
    assert_refused_with(simulator, third, "account_identifiers_conflict")
    [message] = [each.getMessage() for each in caplog.records if "identifiers_conflict" in each.getMessage()][:1]
    assert message.startswith("account.identifiers_conflict provider=psc accounts=")
    assert {*message.rpartition("=")[2].split(",")} == {str(one.pk), str(other.pk)}
    for number in (PSI, OTHER_RPPS):
        assert number not in "\n".join(each.getMessage() for each in caplog.records if each.name == "psc_connect")


@pytest.mark.case("AL09")
def test_two_rpps_numbers_of_one_person_are_refused(provider: Provider, simulator: Simulator) -> None:
    code = "userinfo_identifiers_contradict"
    assert_refused_with(simulator, make_person("1", other_id("RPPS", RPPS), other_id("RPPS", OTHER_RPPS, 2)), code)
    assert_refused_with(simulator, make_person("1", other_id("RPPS", RPPS), SubjectNameID="8" + OTHER_RPPS), code)


def test_a_number_that_only_looks_like_an_rpps_contradicts_nothing(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS), other_id("AUTRE", "8" + OTHER_RPPS)))
    assert account.identifiers.count() == 2


@pytest.mark.case("AL09")
@pytest.mark.parametrize("name", ["SubjectNameID", "preferred_username"])
@pytest.mark.parametrize("sent", ["8" + OTHER_RPPS, EDIT, OTHER_PSI, "somebody else"])
def test_a_userinfo_that_names_another_person_than_the_id_token_is_refused(
    provider: Provider, simulator: Simulator, name: str, sent: str
) -> None:
    simulator.faults.set("userinfo_claims", claims={name: sent})
    assert_refused_with(simulator, make_person("1", **{name: "8" + RPPS}), "userinfo_identifier_mismatch")


@pytest.mark.case("AL09")
@pytest.mark.parametrize(
    ("id_token", "userinfo"),
    [("8" + RPPS, RPPS), (RPPS, f" 8{RPPS} "), (PSI.upper(), PSI), ("8" + RPPS, ""), ("", "8" + RPPS), (5, "5")],
)
def test_another_form_of_the_same_identifier_is_accepted(
    provider: Provider, simulator: Simulator, id_token: object, userinfo: object
) -> None:
    simulator.faults.set("userinfo_claims", claims={"SubjectNameID": userinfo})
    assert sign_in(simulator, make_person("1", SubjectNameID=id_token)).subject == "1"


MANY = [other_id("X", f"junk{number}") for number in range(60)]


@pytest.mark.case("AL09")
def test_second_rpps_number_after_many_others_is_found(provider: Provider, simulator: Simulator) -> None:
    numbers = [other_id("RPPS", RPPS), *MANY, other_id("RPPS", OTHER_RPPS)]
    assert_refused_with(simulator, make_person("1", *numbers), "userinfo_identifiers_contradict")


def test_account_is_found_by_a_number_after_many_others(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    assert sign_in(simulator, make_person("2", *MANY, other_id("RPPS", RPPS))) == account
    assert account.identifiers.count() <= 52
