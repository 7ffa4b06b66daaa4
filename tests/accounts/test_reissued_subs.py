"""A ``sub`` that is issued to another person: it contains a staff number, and the holder has left."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.accounts.identifiers import MAX_IDENTIFIERS
from psc_connect.models import Account, Provider
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import Person
from tests.support.backend_hooks import LinksByEmail, use_backend
from tests.support.people import (
    EDIT,
    OTHER_PSI,
    OTHER_RPPS,
    PSI,
    REALM,
    RPPS,
    STAFF,
    STAFF_SUB,
    assert_refused_with,
    make_person,
    other_id,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]
RPPS_SUB = REALM + "8" + RPPS
CONFLICT = "account_identifiers_conflict"


def staff_member(*others: Any, sub: str = STAFF_SUB, number: str = STAFF, **claims: Any) -> Person:
    """Return a person who identifies by a staff number of a structure."""
    return make_person(sub, *others, SubjectNameID=number, preferred_username=number, **claims)


def doctor(*others: Any) -> Person:
    """Return the same person who identifies by an RPPS number later."""
    return make_person(RPPS_SUB, *others, SubjectNameID="8" + RPPS)


TRUSTED = [("rpps", "psi"), (), ("rpps",), ("edit",)]


@pytest.mark.case("NW02")
def test_staff_number_issued_to_another_person_does_not_open_the_former_holders_account(
    provider: Provider, simulator: Simulator
) -> None:
    holder = sign_in(simulator, staff_member(other_id("PSI", PSI)))
    assert sign_in(simulator, doctor(other_id("PSI", PSI))).pk == holder.pk
    assert_refused_with(simulator, staff_member(other_id("PSI", OTHER_PSI)), CONFLICT)
    assert Account.objects.get().subject == RPPS_SUB


# What the account has, besides the staff number; what comes with the `sub`; whether it signs in.
CURRENT_SUB = [
    ("nothing", [], [], True),
    ("the login has a number more", [], [other_id("PSI", PSI)], True),
    ("the login has a number less", [other_id("PSI", PSI)], [], True),
    ("an equal PSI", [other_id("PSI", PSI)], [other_id("PSI", PSI)], True),
    ("an equal RPPS, no PSI", [other_id("RPPS", RPPS), other_id("PSI", PSI)], [other_id("RPPS", RPPS)], True),
    ("another PSI", [other_id("PSI", PSI)], [other_id("PSI", OTHER_PSI)], False),
    ("another RPPS", [other_id("RPPS", RPPS)], [other_id("RPPS", OTHER_RPPS)], False),
    (
        "an equal RPPS, another PSI",
        [other_id("RPPS", RPPS), other_id("PSI", PSI)],
        [other_id("RPPS", RPPS), other_id("PSI", OTHER_PSI)],
        False,
    ),
    ("another PSI that is not vouched for", [other_id("PSI", PSI)], [other_id("AUTRE", OTHER_PSI)], True),
    ("another ADELI", [other_id("ADELI", "751234567")], [other_id("ADELI", "757654321")], True),
    ("another test identity", [other_id("EDIT", EDIT)], [other_id("EDIT", EDIT[:-1] + "3")], True),
]


@pytest.mark.case("NW02")
@pytest.mark.parametrize("trusted", TRUSTED, ids=str)
@pytest.mark.parametrize(
    ("kept", "sent", "opens"), [row[1:] for row in CURRENT_SUB], ids=[row[0] for row in CURRENT_SUB]
)
def test_current_sub_opens_the_account_unless_rpps_or_psi_differ(
    provider: Provider, simulator: Simulator, settings: Any, trusted: Any, kept: list[Any], sent: list[Any], opens: bool
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = trusted
    account = sign_in(simulator, staff_member(*kept))
    if opens:
        assert sign_in(simulator, staff_member(*sent)).pk == account.pk
    else:
        assert_refused_with(simulator, staff_member(*sent), CONFLICT)
    assert Account.objects.count() == 1


FORMER_SUB = [
    ("an equal PSI", [other_id("PSI", PSI)], True),
    ("an equal RPPS", [other_id("RPPS", RPPS)], True),
    ("both", [other_id("RPPS", RPPS), other_id("PSI", PSI)], True),
    ("nothing", [], False),
    ("another PSI", [other_id("PSI", OTHER_PSI)], False),
    ("another RPPS", [other_id("RPPS", OTHER_RPPS)], False),
    ("an equal PSI, another RPPS", [other_id("RPPS", OTHER_RPPS), other_id("PSI", PSI)], False),
    ("an equal RPPS that is not vouched for", [other_id("AUTRE", "8" + RPPS)], False),
    ("an equal ADELI", [other_id("ADELI", "751234567")], False),
    ("an equal number of an unknown kind", [other_id("AUTRE", "x")], False),
]


@pytest.mark.case("NW02")
@pytest.mark.parametrize("trusted", TRUSTED, ids=str)
@pytest.mark.parametrize(("sent", "opens"), [row[1:] for row in FORMER_SUB], ids=[row[0] for row in FORMER_SUB])
def test_former_sub_opens_the_account_only_with_an_equal_rpps_or_psi(
    provider: Provider, simulator: Simulator, settings: Any, trusted: Any, sent: list[Any], opens: bool
) -> None:
    numbers = [other_id("PSI", PSI), other_id("RPPS", RPPS), other_id("ADELI", "751234567"), other_id("AUTRE", "x")]
    account = sign_in(simulator, staff_member(*numbers))
    assert sign_in(simulator, doctor(*numbers)).pk == account.pk
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = trusted
    if opens:
        assert sign_in(simulator, staff_member(*sent)).pk == account.pk
    else:
        assert_refused_with(simulator, staff_member(*sent), CONFLICT)
    assert Account.objects.count() == User.objects.count() == 1


@pytest.mark.case("NW02")
def test_refusal_is_logged_with_the_account_and_without_numbers(
    provider: Provider, simulator: Simulator, caplog: Any
) -> None:
    account = sign_in(simulator, staff_member(other_id("PSI", PSI)))
    caplog.clear()
    assert_refused_with(simulator, staff_member(other_id("PSI", OTHER_PSI)), CONFLICT)
    messages = [record.getMessage() for record in caplog.records if record.name == "psc_connect"]
    assert f"account.identifiers_conflict provider=psc accounts={account.pk}" in messages
    assert not any(number in message for message in messages for number in (STAFF, PSI, OTHER_PSI))


@pytest.mark.case("NW02")
@pytest.mark.parametrize(("number", "opens"), [(OTHER_RPPS, False), (RPPS, True)])
def test_user_found_by_the_site_has_no_account_of_another_person(
    provider: Provider, simulator: Simulator, settings: Any, number: str, opens: bool
) -> None:
    holder = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    User.objects.update(email="reception@example.org")
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ()
    use_backend(settings, LinksByEmail)
    same_address = make_person("2", other_id("RPPS", number), email="reception@example.org")
    if opens:
        assert sign_in(simulator, same_address).user_id == holder.user_id
    else:
        assert_refused_with(simulator, same_address, CONFLICT)
    assert User.objects.count() == 1


MANY = [other_id("EDIT", f"ANS{number:014}") for number in range(MAX_IDENTIFIERS + 1)]


@pytest.mark.case("NW02")
def test_other_psi_after_many_identifiers_is_compared(provider: Provider, simulator: Simulator) -> None:
    sign_in(simulator, staff_member(other_id("PSI", PSI)))
    assert_refused_with(simulator, staff_member(*MANY, other_id("PSI", OTHER_PSI)), CONFLICT)
    assert Account.objects.get().identifiers.count() == 2


@pytest.mark.case("NW02")
def test_psi_after_many_identifiers_is_kept(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, staff_member(*MANY, other_id("PSI", PSI)))
    assert account.identifiers.filter(kind="psi", number=PSI).exists()
    assert account.identifiers.count() == MAX_IDENTIFIERS
    assert_refused_with(simulator, staff_member(other_id("PSI", OTHER_PSI)), CONFLICT)


@pytest.mark.case("NW02")
def test_two_psi_among_many_identifiers_contradict_each_other(provider: Provider, simulator: Simulator) -> None:
    both = staff_member(other_id("PSI", PSI), *MANY, other_id("PSI", OTHER_PSI))
    assert_refused_with(simulator, both, "userinfo_identifiers_contradict")
    assert not Account.objects.exists()
