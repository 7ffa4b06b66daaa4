"""Former identifiers of an account are shown, and withdrawn where another person has received them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.models import Account, AccountChange, AccountIdentifier, Provider
from psc_connect.simulator import Simulator
from tests.admin.account_page import page_of
from tests.admin.pages import Administrator, administrator, messages_of, signed_in_long_ago, text_of
from tests.support.people import (
    OTHER_PSI,
    PSI,
    REALM,
    RPPS,
    STAFF,
    STAFF_SUB,
    assert_refused_with,
    export_plain_usernames,
    make_person,
    other_id,
    sign_in,
)

pytestmark = pytest.mark.django_db
HOLDER = make_person(STAFF_SUB, other_id("PSI", PSI), SubjectNameID=STAFF)
HOLDER_NOW = make_person(f"{REALM}8{RPPS}", other_id("PSI", PSI), SubjectNameID=f"8{RPPS}")
NEXT_HOLDER = make_person(STAFF_SUB, other_id("PSI", OTHER_PSI), SubjectNameID=STAFF, username="next-holder")
RIGHTS = ("view_account", "link_account", "change_user")


@pytest.fixture
def account(provider: Provider, simulator: Simulator) -> Account:
    export_plain_usernames(provider)
    sign_in(simulator, HOLDER)
    return sign_in(simulator, HOLDER_NOW)


def former_rows(account: Account) -> list[AccountIdentifier]:
    return list(account.identifiers.filter(kind__in=("sub", "finess_staff")))


def withdraw(admin: Administrator, account: Account, *rows: AccountIdentifier) -> Any:
    return admin.browser.post(page_of(account, "withdraw"), {"identifiers": [row.pk for row in rows]})


@pytest.mark.case("NW02")
def test_next_holder_of_a_number_signs_in_after_it_is_withdrawn(
    admin: Administrator, account: Account, simulator: Simulator
) -> None:
    assert_refused_with(simulator, NEXT_HOLDER, "account_identifiers_conflict")
    assert withdraw(admin, account, *former_rows(account))["Location"] == page_of(account, "change")
    next_account = sign_in(simulator, NEXT_HOLDER)
    assert next_account.user_id != account.user_id
    assert sign_in(simulator, HOLDER_NOW).pk == account.pk


def test_page_of_an_account_says_which_identifiers_are_former(
    admin: Administrator, account: Account, english: None
) -> None:
    page = admin.browser.get(page_of(account, "change"))
    former = {str(each.kind) for each in page.context["identifiers"] if each.is_former}
    assert former == {"staff of a structure (FINESS)"}
    assert page_of(account, "withdraw") in page.content.decode()
    assert "A former sub finds the account only together with" in text_of(page)


def test_current_sub_is_not_withdrawn_where_it_is_a_former_one_too(
    admin: Administrator, account: Account, simulator: Simulator
) -> None:
    assert sign_in(simulator, HOLDER).pk == account.pk
    row = account.identifiers.get(number=STAFF_SUB)
    assert withdraw(admin, account, row).status_code == 200
    assert account.identifiers.filter(pk=row.pk).exists()


def test_account_without_former_identifiers_is_to_be_unlinked(
    admin: Administrator, kept: Account, english: None
) -> None:
    AccountIdentifier.objects.all().delete()
    assert page_of(kept, "withdraw") in admin.browser.get(page_of(kept, "change")).content.decode()
    page = admin.browser.get(page_of(kept, "withdraw"))
    assert "none to withdraw" in text_of(page)
    assert "unlink the account: its holder, if they return, gets a new account" in text_of(page)
    assert page_of(kept, "delete") in page.content.decode()


def test_next_holder_of_a_current_number_signs_in_after_the_account_is_unlinked(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    export_plain_usernames(provider)
    former = sign_in(simulator, HOLDER)
    assert_refused_with(simulator, NEXT_HOLDER, "account_identifiers_conflict")
    page = admin.browser.get(page_of(former, "withdraw")).content.decode()
    assert page_of(former, "delete") in page
    assert 'id="withdraw_form"' not in page
    assert admin.browser.post(page_of(former, "delete"), {"post": "yes"}).status_code == 302
    next_account = sign_in(simulator, NEXT_HOLDER)
    assert next_account.user_id != former.user_id
    returned = sign_in(simulator, HOLDER_NOW)
    assert returned.pk != next_account.pk
    assert sign_in(simulator, NEXT_HOLDER).pk == next_account.pk


def test_page_with_former_identifiers_names_the_way_for_the_current_ones(
    admin: Administrator, account: Account, english: None
) -> None:
    page = admin.browser.get(page_of(account, "withdraw"))
    assert "cannot be withdrawn" in text_of(page)
    assert page_of(account, "delete") in page.content.decode()


def test_staff_who_may_not_unlink_are_told_to_ask(account: Account, english: None) -> None:
    page = administrator(*RIGHTS).browser.get(page_of(account, "withdraw"))
    assert "Ask a colleague who may unlink accounts." in text_of(page)
    assert page_of(account, "delete") not in page.content.decode()


def test_withdrawal_is_in_the_audit_log_and_masked(admin: Administrator, account: Account, english: None) -> None:
    withdraw(admin, account, former_rows(account)[0])
    messages = messages_of(admin.browser.get(page_of(account, "change")))
    assert messages == [("success", "The identifiers have been withdrawn.")]
    change = AccountChange.objects.get(action=AccountChange.Action.WITHDRAWN)
    assert (change.account, change.made_by_name) == (account, "administrator-")
    number = change.before["number"]
    page = f"/admin/psc_connect/accountchange/{change.pk}/change/"
    assert number not in admin.browser.get(page).content.decode()
    assert number in admin.browser.get(page, {"reveal": "1"}).content.decode()


def test_identifiers_are_masked_on_the_page_until_they_are_revealed(admin: Administrator, account: Account) -> None:
    page = page_of(account, "withdraw")
    assert STAFF not in admin.browser.get(page).content.decode()
    assert STAFF in admin.browser.get(page, {"reveal": "1"}).content.decode()
    staff = administrator(*RIGHTS)
    assert STAFF not in staff.browser.get(page, {"reveal": "1"}).content.decode()


@pytest.mark.parametrize("kind", ["psi", "rpps"])
def test_identifier_of_the_last_sign_in_is_not_withdrawn(admin: Administrator, account: Account, kind: str) -> None:
    row = account.identifiers.get(kind=kind)
    assert withdraw(admin, account, row).status_code == 200
    assert account.identifiers.filter(pk=row.pk).exists()
    assert not AccountChange.objects.filter(action=AccountChange.Action.WITHDRAWN).exists()


@pytest.mark.parametrize("missing", RIGHTS)
def test_withdrawal_takes_the_rights_of_a_link(account: Account, missing: str) -> None:
    staff = administrator(*(right for right in RIGHTS if right != missing))
    assert withdraw(staff, account, *former_rows(account)).status_code == 403
    assert former_rows(account)


def test_withdrawal_takes_a_recent_authentication(admin: Administrator, account: Account) -> None:
    answer = withdraw(signed_in_long_ago(admin), account, *former_rows(account))
    assert "/provider/confirm/" in answer.content.decode()
    assert former_rows(account)


@pytest.mark.case("NW03")
def test_only_a_superuser_withdraws_identifiers_of_a_superuser(account: Account, english: None) -> None:
    User.objects.filter(pk=account.user_id).update(is_superuser=True)
    staff = administrator(*RIGHTS)
    page = staff.browser.get(page_of(account, "withdraw"))
    assert "One of these accounts is a superuser's: ask a superuser to do this." in text_of(page)
    assert 'id="withdraw_form"' not in page.content.decode()
    withdraw(staff, account, *former_rows(account))
    assert former_rows(account)


def test_a_withdrawn_number_stays_masked_in_the_username(
    provider: Provider, simulator: Simulator, english: None
) -> None:
    """A number of the hospital's own, since those of known forms are masked in any case."""
    number = username = "jdupont7"
    export_plain_usernames(provider)
    account = sign_in(simulator, make_person(REALM + number, other_id("PSI", PSI), username=username))
    sign_in(simulator, HOLDER_NOW)
    assert User.objects.get(pk=account.user_id).get_username() == username
    rights = (*RIGHTS, "view_accountchange", "delete_account")
    withdraw(administrator(*rights), account, *former_rows(account))
    assert not former_rows(account)
    admin = administrator(*rights, "view_claims")
    change = AccountChange.objects.get(action=AccountChange.Action.WITHDRAWN, before__kind="sub")
    pages = (
        "/admin/psc_connect/account/",
        *(page_of(account, name) for name in ("change", "delete", "merge", "link", "withdraw")),
        "/admin/psc_connect/accountchange/",
        f"/admin/psc_connect/accountchange/{change.pk}/change/",
    )
    for page in pages:
        assert number not in admin.browser.get(page).content.decode(), page


def test_kind_and_number_have_a_colon_between_them(admin: Administrator, account: Account) -> None:
    number = account.identifiers.get(kind="finess_staff")
    page = admin.browser.get(page_of(account, "withdraw"), {"reveal": "1"}, HTTP_ACCEPT_LANGUAGE="en")
    assert f"staff of a structure (FINESS): {number.number}" in text_of(page)
    page = admin.browser.get(page_of(account, "withdraw"), {"reveal": "1"}, HTTP_ACCEPT_LANGUAGE="fr")
    assert f"personnel d’une structure (FINESS)\N{NO-BREAK SPACE}: {number.number}" in page.content.decode()
