"""Matching of a first login with an existing user by RPPS number, if the provider has a field for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection

from psc_connect.accounts.unlinking import unlink
from psc_connect.models import Account, AccountChange, Provider
from psc_connect.simulator import Simulator
from tests.support import backend_hooks
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.people import (
    OTHER_RPPS,
    RPPS,
    assert_refused_with,
    export_plain_usernames,
    make_person,
    other_id,
    sign_in,
)
from tests.support.refusals import assert_sign_in_is_refused

pytestmark = pytest.mark.django_db
DOCTOR = make_person("1", other_id("RPPS", "8" + RPPS))


@pytest.fixture
def provider(provider: Provider) -> Provider:
    """A site whose users have their RPPS number as last name."""
    export_plain_usernames(provider)
    provider.exported_attributes.filter(user_field="last_name").delete()
    Provider.objects.update(link_user_field="last_name")
    provider.refresh_from_db()
    return provider


def known(number: str = RPPS, **more: Any) -> User:
    return User.objects.create(**{"username": f"user-{User.objects.count()}", "last_name": number, **more})


def test_the_one_user_with_the_number_is_linked(provider: Provider, simulator: Simulator) -> None:
    user = known()
    known(OTHER_RPPS)
    account = sign_in(simulator, DOCTOR)
    assert account.user == user
    assert User.objects.count() == 2
    change = AccountChange.objects.get()
    assert (change.account, change.action, change.before) == (account, AccountChange.Action.MATCHED, {})


def test_matching_is_off_without_a_field(provider: Provider, simulator: Simulator) -> None:
    Provider.objects.update(link_user_field="")
    user = known()
    assert sign_in(simulator, DOCTOR).user != user
    assert not AccountChange.objects.exists()


def test_known_user_signs_in_if_unknown_users_are_not_created(provider: Provider, simulator: Simulator) -> None:
    Provider.objects.update(create_unknown_users=False)
    user = known()
    assert sign_in(simulator, DOCTOR).user == user
    assert_refused_with(simulator, make_person("2", other_id("RPPS", OTHER_RPPS)), "account_unknown")


def test_the_field_may_be_the_username(provider: Provider, simulator: Simulator) -> None:
    Provider.objects.update(link_user_field="username")
    user = known(username=RPPS, number="")
    assert sign_in(simulator, DOCTOR).user == user


@pytest.mark.parametrize(
    "number", ["", "8" + RPPS, f" {RPPS}", f"{RPPS} ", RPPS[:-1], OTHER_RPPS, RPPS.translate({0x39: 0xFF19})]
)
def test_the_number_is_compared_exactly(provider: Provider, simulator: Simulator, number: str) -> None:
    user = known(number)
    assert sign_in(simulator, DOCTOR).user != user


def test_collation_that_ignores_spaces_matches_no_other_user(provider: Provider, simulator: Simulator) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME COLUMN last_name TO strict")
        cursor.execute("ALTER TABLE auth_user ADD COLUMN last_name varchar(150) COLLATE RTRIM NOT NULL DEFAULT ''")
        cursor.execute("ALTER TABLE auth_user DROP COLUMN strict")
    padded = known(f"{RPPS}  ")
    assert User.objects.filter(last_name=RPPS).get() == padded
    assert sign_in(simulator, DOCTOR).user != padded


@pytest.mark.parametrize(
    "identifier",
    [
        other_id("EDIT", "8" + RPPS),
        other_id("", "8" + RPPS),
        other_id("ADELI", "751234567"),
        other_id("PSI", RPPS),
        other_id("AUTRE", RPPS),
    ],
)
def test_only_an_rpps_number_that_is_vouched_for_links(
    provider: Provider, simulator: Simulator, identifier: dict[str, Any]
) -> None:
    users = [known(number) for number in (RPPS, "8" + RPPS, "751234567", "0751234567")]
    assert sign_in(simulator, make_person("1", identifier)).user not in users


@pytest.mark.case("AL13")
@pytest.mark.parametrize("second_is_active", [True, False])
def test_two_users_with_the_number_are_refused(
    provider: Provider, simulator: Simulator, second_is_active: bool
) -> None:
    known()
    known(is_active=second_is_active)
    assert_refused_with(simulator, DOCTOR, "account_ambiguous")


@pytest.mark.case("AL11")
def test_an_inactive_user_with_the_number_is_refused(provider: Provider, simulator: Simulator) -> None:
    known(is_active=False)
    assert_refused_with(simulator, DOCTOR, "account_inactive")


@pytest.mark.case("AL01", "AD03")
@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_administrator_is_linked_by_hand_only(provider: Provider, simulator: Simulator, right: str) -> None:
    rights: dict[str, Any] = {right: True}
    user = known(**rights)
    assert_refused_with(simulator, DOCTOR, "account_link_privileged")
    assert User.objects.get() == user
    Provider.objects.update(link_privileged_users=True)
    assert sign_in(simulator, DOCTOR).user == user


def test_a_user_who_has_an_account_of_the_issuer_is_not_linked_a_second_time(
    provider: Provider, simulator: Simulator
) -> None:
    user = known()
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="another", user=user)
    assert_refused_with(simulator, DOCTOR, "account_already_linked")


@pytest.mark.case("AL08", "TN04")
def test_user_of_another_issuer_is_linked_by_hand_only(provider: Provider, simulator: Simulator) -> None:
    """The other issuer's mapping may have written the number."""
    user = known()
    Account.objects.create(provider=provider, issuer="https://elsewhere.example", subject="1", user=user)
    assert_refused_with(simulator, DOCTOR, "account_already_linked")
    assert not user.psc_accounts.filter(issuer=provider.issuer).exists()


def test_account_takes_precedence_over_the_number(provider: Provider, simulator: Simulator) -> None:
    """Once an account exists, the user's number is not compared."""
    account = sign_in(simulator, DOCTOR)
    known()
    assert sign_in(simulator, DOCTOR) == account
    assert sign_in(simulator, make_person("2", other_id("RPPS", RPPS))) == account


@pytest.mark.case("AL14")
def test_unlinked_user_is_linked_as_at_a_first_login(provider: Provider, simulator: Simulator) -> None:
    user, browser = known(), BrowserSession()
    unlink(sign_in(simulator, DOCTOR, browser), by=None)
    assert browser.browser.get(PAGE).status_code == 302
    assert sign_in(simulator, DOCTOR).user == user
    # The audit log keeps both entries.
    entries = [(change.action, change.account) for change in AccountChange.objects.order_by("pk")]
    assert entries == [("matched", None), ("matched", Account.objects.get())]


def test_overridden_filter_users_by_claims_is_used(provider: Provider, simulator: Simulator, settings: Any) -> None:
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    by_number, by_hook = known(), known("8" + RPPS, is_staff=True)
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS), SubjectNameID="8" + RPPS))
    assert account.user == by_hook != by_number


@pytest.mark.parametrize("name", ["nothing", "is_staff", "password", "id", "groups", "date_joined"])
def test_field_that_is_absent_or_not_text_cannot_be_chosen(provider: Provider, name: str) -> None:
    provider.link_user_field = name
    with pytest.raises(ValidationError) as caught:
        provider.full_clean()
    assert [error.code for error in caught.value.error_dict["link_user_field"]] == ["link_field_unknown"]


@pytest.mark.parametrize("name", ["nothing", "password", "user_permissions"])
def test_removed_field_creates_no_second_user(provider: Provider, simulator: Simulator, name: str) -> None:
    Provider.objects.update(link_user_field=name)
    known()
    person = BrowserSession()
    simulator.sign_in(DOCTOR)
    response = assert_sign_in_is_refused("account_link_field_unknown", person=person, simulator=simulator)
    assert response.status_code == 503
    person.close()
