"""Identifier rows of an account: all identifiers that the provider sends, in any form."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from psc_connect.accounts.identifiers import MAIN
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import PEOPLE, Person
from tests.support.people import EDIT, PEOPLE_BY_SLUG, PSI, RPPS, identifiers_of, make_person, other_id, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]


def test_all_identifiers_of_the_userinfo_are_rows(provider: Provider, simulator: Simulator) -> None:
    person = PEOPLE_BY_SLUG["physiotherapist-psi"]
    account = sign_in(simulator, replace(person, userinfo={**person.userinfo, "username": "bastien"}))
    assert identifiers_of(account) == {("rpps", "99700901038", "RPPS", 1), ("psi", PSI, "PSI", 2)}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.slug)
def test_national_identifier_of_every_person_is_a_row(provider: Provider, simulator: Simulator, person: Person) -> None:
    account = sign_in(simulator, replace(person, userinfo={**person.userinfo, "username": person.slug}))
    numbers = {row.number for row in account.identifiers.all()}
    assert any(person.national_identifier.endswith(number) for number in numbers)


def test_identifier_sent_twice_is_one_row(provider: Provider, simulator: Simulator) -> None:
    twice = make_person("1", other_id("RPPS", RPPS), other_id("RPPS", "8" + RPPS), SubjectNameID="8" + RPPS)
    assert identifiers_of(sign_in(simulator, twice)) == {("rpps", RPPS, "RPPS", 1)}


def test_a_national_identifier_alone_is_a_row(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, make_person("1", SubjectNameID="8" + RPPS))
    assert identifiers_of(account) == {("rpps", RPPS, MAIN, 0)}


@pytest.mark.parametrize("quality", [-1, 2**31, 2**53, "1", None, True, 1.5])
def test_malformed_quality_does_not_refuse_the_login(provider: Provider, simulator: Simulator, quality: object) -> None:
    account = sign_in(simulator, make_person("1", {"identifiant": RPPS, "origine": "RPPS", "qualite": quality}))
    assert [row.quality for row in account.identifiers.filter(origin="RPPS")] == [0]


@pytest.mark.parametrize("others", [None, "", {}, "x", 5, [None, 1, "x", {}, {"identifiant": 5}, {"identifiant": ""}]])
def test_malformed_identifiers_do_not_refuse_the_login(
    provider: Provider, simulator: Simulator, others: object
) -> None:
    account = sign_in(simulator, make_person("1", otherIds=others))
    assert {row.kind for row in account.identifiers.all()} <= {"unknown"}


def test_identifier_longer_than_the_column_is_skipped_and_logged(
    provider: Provider, simulator: Simulator, caplog: Any
) -> None:
    long = "x" * 256
    account = sign_in(
        simulator, make_person("1", other_id("AUTRE", long), other_id("RPPS", RPPS), other_id("y" * 300, "y" * 255))
    )
    assert {(row.kind, row.number) for row in account.identifiers.all()} == {("rpps", RPPS), ("unknown", "y" * 255)}
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert messages == ["userinfo.identifier_too_long kind=unknown"]


def test_too_many_identifiers_are_skipped_and_logged(provider: Provider, simulator: Simulator, caplog: Any) -> None:
    many = [other_id("AUTRE", f"number-{each}") for each in range(900)]
    simulator.faults.set("userinfo_claims", claims={"otherIds": many})
    account = sign_in(simulator, make_person("1"))
    assert account.identifiers.count() == 50
    assert "userinfo.identifiers_too_many count=900" in caplog.text


def test_identifiers_that_differ_by_their_case_are_two_rows(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, make_person("1", other_id("AUTRE", "abc"), other_id("AUTRE", "ABC")))
    assert account.identifiers.count() == 2


def test_rows_are_kept_except_those_of_an_unknown_kind(provider: Provider, simulator: Simulator) -> None:
    sign_in(simulator, make_person("1", other_id("AUTRE", "former"), other_id("EDIT", EDIT), other_id("RPPS", RPPS, 2)))
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS, 1), other_id("PSI", PSI, 2)))
    expected = {("edit", EDIT, "EDIT", 1), ("rpps", RPPS, "RPPS", 1), ("psi", PSI, "PSI", 2)}
    assert identifiers_of(account) == expected
