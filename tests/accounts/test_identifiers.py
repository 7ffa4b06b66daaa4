"""An account is found again by what the provider's register says of the person, once the ``sub`` is another one."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.models import Account, AccountChange, AccountIdentifier, Provider
from psc_connect.simulator import Simulator
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.identities import (
    EDIT,
    OTHER_PSI,
    PSI,
    REALM,
    RPPS,
    of,
    refused,
    rows_of,
    sign_in,
    somebody,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]


@pytest.mark.case("AL09")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (of("RPPS", "8" + RPPS), of("RPPS", "8" + RPPS)),
        # However it is written.
        (of("RPPS", "8" + RPPS), of("RPPS", RPPS)),
        (of("PSI", PSI), of("psi", PSI.upper())),
    ],
)
def test_an_account_is_found_again_under_another_sub(
    provider: Provider, simulator: Simulator, before: dict[str, Any], after: dict[str, Any]
) -> None:
    first = sign_in(simulator, somebody(REALM + "internal", before))
    again = sign_in(simulator, somebody(REALM + "8" + RPPS, after))
    assert (again.pk, again.user_id) == (first.pk, first.user_id)
    assert again.subject == REALM + "8" + RPPS
    assert (SUB, REALM + "internal", "", 0) in rows_of(again)
    assert User.objects.count() == Account.objects.count() == 1


@pytest.mark.case("AL09")
def test_an_account_is_found_again_by_the_main_identifier(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    assert sign_in(simulator, somebody("2", SubjectNameID="8" + RPPS)).pk == first.pk


@pytest.mark.case("AL09")
def test_a_person_who_goes_from_adeli_to_rpps_to_psi_keeps_one_account(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps", "psi", "adeli"]
    adeli = "751234567"
    stages = [
        somebody("1", of("ADELI", "0" + adeli), SubjectNameID="0" + adeli),
        somebody("2", of("RPPS", RPPS), of("ADELI", adeli, 2), SubjectNameID="8" + RPPS),
        somebody("3", of("PSI", PSI), of("RPPS", RPPS, 2), SubjectNameID=PSI),
        somebody("4", of("PSI", PSI)),
    ]
    accounts = {sign_in(simulator, stage).pk for stage in stages}
    assert len(accounts) == 1
    account = Account.objects.get()
    assert {row.number for row in account.identifiers.all()} == {adeli, RPPS, PSI, "1", "2", "3"}
    assert [change.before for change in account.changes.order_by("pk")] == [{"sub": "1"}, {"sub": "2"}, {"sub": "3"}]


def test_a_trail_tells_the_sub_of_before(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    assert not AccountChange.objects.exists()
    sign_in(simulator, somebody("2", of("RPPS", RPPS)))
    change = AccountChange.objects.get()
    assert (change.account, change.action, change.provider) == (account, AccountChange.Action.SUBJECT, "psc")
    assert (change.username, change.before, change.made_by) == (account.user.username, {"sub": "1"}, None)


def test_the_session_of_before_goes_on(provider: Provider, simulator: Simulator) -> None:
    browser = BrowserSession()
    sign_in(simulator, somebody("1", of("RPPS", RPPS)), browser)
    sign_in(simulator, somebody("2", of("RPPS", RPPS)))
    assert browser.browser.get(PAGE).status_code == 200


def test_a_former_sub_finds_the_account_again(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    sign_in(simulator, somebody("2", of("RPPS", RPPS)))
    # Nothing else is told this time.
    for sub in ("1", "2", "1"):
        account = sign_in(simulator, somebody(sub))
        assert (account.pk, account.subject) == (first.pk, sub)
    assert User.objects.count() == 1


@pytest.mark.case("AL09", "AL06")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        # An identity of the tests, and what nobody knows.
        (of("EDIT", EDIT), of("EDIT", EDIT)),
        (of("AUTRE", "12345"), of("AUTRE", "12345")),
        # An RPPS number that the register does not vouch for.
        (of("RPPS", RPPS), of("EDIT", "8" + RPPS)),
        (of("RPPS", RPPS), of("", "8" + RPPS)),
        (of("EDIT", "8" + RPPS), of("RPPS", RPPS)),
        # A wrong key is another number.
        (of("RPPS", RPPS), of("RPPS", RPPS[:-1] + "4")),
        (of("PSI", PSI), of("PSI", OTHER_PSI)),
        # Another kind with the same digits.
        (of("ADELI", "751234567"), of("ADELI", "751234567")),
    ],
)
def test_what_is_not_trusted_finds_nobody(
    provider: Provider, simulator: Simulator, before: dict[str, Any], after: dict[str, Any]
) -> None:
    first = sign_in(simulator, somebody("1", before))
    assert sign_in(simulator, somebody("2", after)).user_id != first.user_id
    assert not AccountChange.objects.exists()


@pytest.mark.case("AL04")
def test_the_preferred_username_finds_nobody(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    assert sign_in(simulator, somebody("2", preferred_username="8" + RPPS)).user_id != first.user_id


@pytest.mark.case("AL08")
def test_the_same_identifier_at_another_issuer_finds_nobody(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    # As if the account were of the sandbox.
    Account.objects.update(issuer="https://elsewhere.example")
    elsewhere = Account.objects.get()
    AccountIdentifier.objects.update(match_key=shared_key(elsewhere.issuer, as_identifier(first.identifiers.get())))
    assert sign_in(simulator, somebody("1", of("RPPS", RPPS))).user_id != first.user_id


@pytest.mark.parametrize("trusted", [(), [], ["psi"], ["unknown"], "rpps"])
def test_a_site_decides_what_is_trusted(
    provider: Provider, simulator: Simulator, settings: Any, trusted: object
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = trusted
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS), of("AUTRE", "x")))
    assert sign_in(simulator, somebody("2", of("RPPS", RPPS), of("AUTRE", "x"))).user_id != first.user_id


def test_a_site_of_tests_may_trust_identities_of_tests(provider: Provider, simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["edit"]
    first = sign_in(simulator, somebody("1", of("EDIT", EDIT)))
    assert sign_in(simulator, somebody("2", SubjectNameID=EDIT)).pk == first.pk


def test_what_is_trusted_later_is_so_from_the_next_login_on(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    first = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps"]
    sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    assert sign_in(simulator, somebody("2", of("RPPS", RPPS))).pk == first.pk


def test_what_is_not_trusted_any_longer_loses_its_key_even_if_it_is_not_given(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    account = sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    key = shared_key(account.issuer, Identifier("rpps", RPPS, "RPPS"))
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    # Whoever is found by it already is somebody else.
    assert sign_in(simulator, somebody("2", of("RPPS", RPPS))).pk != account.pk
    assert AccountIdentifier.objects.filter(match_key=key).exists()
    sign_in(simulator, somebody("1"))
    assert not AccountIdentifier.objects.filter(match_key=key).exists()
    # And it does not come back unseen, though it is trusted again: another account may be found by it meanwhile.
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps"]
    sign_in(simulator, somebody("1"))
    assert not AccountIdentifier.objects.filter(match_key=key).exists()


@pytest.mark.case("AL11")
def test_an_inactive_user_who_is_found_again_is_refused(provider: Provider, simulator: Simulator) -> None:
    sign_in(simulator, somebody("1", of("RPPS", RPPS)))
    User.objects.update(is_active=False)
    refused(simulator, somebody("2", of("RPPS", RPPS)), "account_inactive")
    assert Account.objects.get().subject == "1"
