"""Accounts found by a trusted identifier after the ``sub`` has changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.models import Account, AccountChange, AccountIdentifier, Provider
from psc_connect.simulator import Simulator
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.people import (
    EDIT,
    OTHER_PSI,
    PSI,
    REALM,
    RPPS,
    assert_refused_with,
    identifiers_of,
    make_person,
    other_id,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]


@pytest.mark.case("AL09")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (other_id("RPPS", "8" + RPPS), other_id("RPPS", "8" + RPPS)),
        # In any form.
        (other_id("RPPS", "8" + RPPS), other_id("RPPS", RPPS)),
        (other_id("PSI", PSI), other_id("psi", PSI.upper())),
    ],
)
def test_account_is_found_under_another_sub(
    provider: Provider, simulator: Simulator, before: dict[str, Any], after: dict[str, Any]
) -> None:
    first = sign_in(simulator, make_person(REALM + "internal", before))
    again = sign_in(simulator, make_person(REALM + "8" + RPPS, after))
    assert (again.pk, again.user_id) == (first.pk, first.user_id)
    assert again.subject == REALM + "8" + RPPS
    assert (SUB, REALM + "internal", "", 0) in identifiers_of(again)
    assert User.objects.count() == Account.objects.count() == 1


@pytest.mark.case("AL09")
def test_account_is_found_by_the_main_identifier(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    assert sign_in(simulator, make_person("2", SubjectNameID="8" + RPPS)).pk == first.pk


@pytest.mark.case("AL09")
def test_person_who_changes_from_adeli_to_rpps_to_psi_keeps_one_account(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps", "psi", "adeli"]
    adeli = "751234567"
    stages = [
        make_person("1", other_id("ADELI", "0" + adeli), SubjectNameID="0" + adeli),
        make_person("2", other_id("RPPS", RPPS), other_id("ADELI", adeli, 2), SubjectNameID="8" + RPPS),
        make_person("3", other_id("PSI", PSI), other_id("RPPS", RPPS, 2), SubjectNameID=PSI),
        make_person("4", other_id("PSI", PSI)),
    ]
    accounts = {sign_in(simulator, stage).pk for stage in stages}
    assert len(accounts) == 1
    account = Account.objects.get()
    assert {row.number for row in account.identifiers.all()} == {adeli, RPPS, PSI, "1", "2", "3"}
    assert [change.before for change in account.changes.order_by("pk")] == [{"sub": "1"}, {"sub": "2"}, {"sub": "3"}]


def test_audit_log_has_the_previous_sub(provider: Provider, simulator: Simulator) -> None:
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    assert not AccountChange.objects.exists()
    sign_in(simulator, make_person("2", other_id("RPPS", RPPS)))
    change = AccountChange.objects.get()
    assert (change.account, change.action, change.provider) == (account, AccountChange.Action.SUBJECT, "psc")
    assert (change.username, change.before, change.made_by) == (account.user.username, {"sub": "1"}, None)


def test_older_session_continues(provider: Provider, simulator: Simulator) -> None:
    browser = BrowserSession()
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)), browser)
    sign_in(simulator, make_person("2", other_id("RPPS", RPPS)))
    assert browser.browser.get(PAGE).status_code == 200


def test_former_sub_finds_the_account_of_its_person(provider: Provider, simulator: Simulator, settings: Any) -> None:
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    sign_in(simulator, make_person("2", other_id("RPPS", RPPS)))
    # The number alone would find no account.
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    for sub in ("1", "2", "1"):
        account = sign_in(simulator, make_person(sub, other_id("RPPS", RPPS)))
        assert (account.pk, account.subject) == (first.pk, sub)
    assert User.objects.count() == 1


@pytest.mark.case("AL09", "AL06")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A test identity, and an unknown kind.
        (other_id("EDIT", EDIT), other_id("EDIT", EDIT)),
        (other_id("AUTRE", "12345"), other_id("AUTRE", "12345")),
        # An RPPS number that the register does not vouch for.
        (other_id("RPPS", RPPS), other_id("EDIT", "8" + RPPS)),
        (other_id("RPPS", RPPS), other_id("", "8" + RPPS)),
        (other_id("EDIT", "8" + RPPS), other_id("RPPS", RPPS)),
        # A number with a wrong check digit.
        (other_id("RPPS", RPPS), other_id("RPPS", RPPS[:-1] + "4")),
        (other_id("PSI", PSI), other_id("PSI", OTHER_PSI)),
        # Another kind with the same digits.
        (other_id("ADELI", "751234567"), other_id("ADELI", "751234567")),
    ],
)
def test_untrusted_identifier_finds_no_account(
    provider: Provider, simulator: Simulator, before: dict[str, Any], after: dict[str, Any]
) -> None:
    first = sign_in(simulator, make_person("1", before))
    assert sign_in(simulator, make_person("2", after)).user_id != first.user_id
    assert not AccountChange.objects.exists()


@pytest.mark.case("AL04")
def test_preferred_username_finds_no_account(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    assert sign_in(simulator, make_person("2", preferred_username="8" + RPPS)).user_id != first.user_id


@pytest.mark.case("AL08")
def test_same_identifier_at_another_issuer_finds_no_account(provider: Provider, simulator: Simulator) -> None:
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    # As if the account were of the sandbox.
    Account.objects.update(issuer="https://elsewhere.example")
    elsewhere = Account.objects.get()
    AccountIdentifier.objects.update(match_key=shared_key(elsewhere.issuer, as_identifier(first.identifiers.get())))
    assert sign_in(simulator, make_person("1", other_id("RPPS", RPPS))).user_id != first.user_id


@pytest.mark.parametrize("trusted", [(), [], ["psi"], ["unknown"], "rpps"])
def test_setting_decides_which_kinds_are_trusted(
    provider: Provider, simulator: Simulator, settings: Any, trusted: object
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = trusted
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS), other_id("AUTRE", "x")))
    assert sign_in(simulator, make_person("2", other_id("RPPS", RPPS), other_id("AUTRE", "x"))).user_id != first.user_id


def test_setting_may_trust_test_identities(provider: Provider, simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["edit"]
    first = sign_in(simulator, make_person("1", other_id("EDIT", EDIT)))
    assert sign_in(simulator, make_person("2", SubjectNameID=EDIT)).pk == first.pk


def test_kind_trusted_later_counts_from_the_next_login(provider: Provider, simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    first = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps"]
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    assert sign_in(simulator, make_person("2", other_id("RPPS", RPPS))).pk == first.pk


def test_kind_no_longer_trusted_loses_its_key_even_if_not_sent(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    key = shared_key(account.issuer, Identifier("rpps", RPPS, "RPPS"))
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    # Another account is found by it already.
    assert sign_in(simulator, make_person("2", other_id("RPPS", RPPS))).pk != account.pk
    assert AccountIdentifier.objects.filter(match_key=key).exists()
    sign_in(simulator, make_person("1"))
    assert not AccountIdentifier.objects.filter(match_key=key).exists()
    # Trusted again, but not sent: it is not restored, since another account may be found by it.
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = ["rpps"]
    sign_in(simulator, make_person("1"))
    assert not AccountIdentifier.objects.filter(match_key=key).exists()


@pytest.mark.case("AL11")
def test_inactive_user_found_by_an_identifier_is_refused(provider: Provider, simulator: Simulator) -> None:
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    User.objects.update(is_active=False)
    assert_refused_with(simulator, make_person("2", other_id("RPPS", RPPS)), "account_inactive")
    assert Account.objects.get().subject == "1"
