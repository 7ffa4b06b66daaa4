"""Accounts of superusers and of staff: who may unlink, merge and link them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User

from psc_connect.accounts.identifiers import Identifier
from psc_connect.models import Account, Provider, UnlinkedAccount
from tests.admin.account_page import LIST, PSI, RPPS, confirm, error_codes, look, make_account, nothing_done, page_of
from tests.admin.pages import administrator, messages_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english"), pytest.mark.case("NW03")]


@pytest.fixture
def of_boss(provider: Provider) -> Account:
    return make_account(provider, "boss", Identifier("rpps", RPPS, "RPPS", 1), is_superuser=True, is_staff=True)


@pytest.fixture
def of_doctor(provider: Provider) -> Account:
    return make_account(provider, "dr-martin", Identifier("psi", PSI, "PSI", 2))


def test_staff_unlink_no_superuser_on_its_page(of_boss: Account, of_doctor: Account) -> None:
    staff = administrator("view_account", "delete_account")
    page = staff.browser.get(page_of(of_boss, "change")).content.decode()
    assert "ask a superuser to do this" in page
    assert page_of(of_boss, "delete") not in page
    assert staff.browser.post(page_of(of_boss, "delete"), {"post": "yes"}).status_code == 403
    assert Account.objects.count() == 2
    assert "superuser" not in staff.browser.get(page_of(of_doctor, "change")).content.decode()
    assert staff.browser.post(page_of(of_doctor, "delete"), {"post": "yes"}).status_code == 302
    assert Account.objects.get() == of_boss


@pytest.mark.parametrize("post", [{}, {"post": "yes"}])
def test_staff_unlink_no_superuser_among_several(of_boss: Account, of_doctor: Account, post: dict[str, str]) -> None:
    staff = administrator("view_account", "delete_account")
    selected = [of_boss.pk, of_doctor.pk]
    answer = staff.browser.post(LIST, {"action": "delete_selected", "_selected_action": selected, **post})
    assert answer.status_code == 302
    assert [(level, "superuser" in text) for level, text in messages_of(answer)] == [("error", True)]
    assert (Account.objects.count(), UnlinkedAccount.objects.count()) == (2, 0)
    assert nothing_done()


def test_superusers_unlink_superusers(of_boss: Account, of_doctor: Account) -> None:
    admin = administrator()
    assert page_of(of_boss, "delete") in admin.browser.get(page_of(of_boss, "change")).content.decode()
    selected = [of_boss.pk, of_doctor.pk]
    admin.browser.post(LIST, {"action": "delete_selected", "_selected_action": selected, "post": "yes"})
    assert UnlinkedAccount.objects.count() == 2


def test_staff_delete_no_account_of_a_superuser_with_its_user(of_boss: Account, of_doctor: Account) -> None:
    """Django asks the admin of the accounts before it deletes a user with them."""
    staff = administrator("view_user", "delete_user", "view_account", "delete_account")
    boss, doctor = (f"/admin/auth/user/{account.user_id}/delete/" for account in (of_boss, of_doctor))
    assert "doesn’t have permission" in text_of(staff.browser.get(boss)).replace("'", "’")
    assert staff.browser.post(boss, {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [of_boss.user_id], "post": "yes"}
    assert staff.browser.post("/admin/auth/user/", selected).status_code in (200, 302, 403)
    assert Account.objects.filter(pk=of_boss.pk).exists()
    assert staff.browser.post(doctor, {"post": "yes"}).status_code == 302
    assert not Account.objects.filter(pk=of_doctor.pk).exists()


def test_a_viewer_of_accounts_is_not_told_of_superusers(of_boss: Account) -> None:
    page = administrator("view_account").browser.get(page_of(of_boss, "change")).content.decode()
    assert "superuser" not in page


def test_the_page_of_a_superuser_leads_staff_to_no_merger_and_no_link(of_boss: Account, of_doctor: Account) -> None:
    staff = administrator("view_account", "link_account", "change_user")
    for account, is_open in ((of_boss, False), (of_doctor, True)):
        page = staff.browser.get(page_of(account, "change")).content.decode()
        assert (page_of(account, "merge") in page, page_of(account, "link") in page) == (is_open, is_open)
        assert ("ask a superuser" in page) != is_open


# Accounts of staff.


@pytest.mark.parametrize("name", ["link", "merge"])
def test_no_one_signs_in_as_staff_with_permissions_that_the_administrator_lacks(
    provider: Provider, of_doctor: Account, name: str
) -> None:
    of_keeper = make_account(provider, "keeper", Identifier("rpps", RPPS, "RPPS", 1), is_staff=True)
    keeper = of_keeper.user
    keeper.user_permissions.add(Permission.objects.get(codename="replace_provider_secrets"))
    if name == "link":
        of_keeper.delete()
    account, wanted = (of_doctor, {"user": "keeper"}) if name == "link" else (of_keeper, {"other": "dr-martin"})
    staff = administrator("view_account", "link_account", "change_user")
    assert error_codes(look(staff, account, name, **wanted)) == {"permissions_beyond"}
    assert nothing_done()
    complete = administrator("view_account", "link_account", "change_user", "replace_provider_secrets")
    confirm(complete, account, name, look(complete, account, name, **wanted), privileged="on")
    assert Account.objects.get().user == keeper


def test_people_who_are_not_staff_may_have_other_permissions(of_doctor: Account) -> None:
    """Who signs in as a doctor is the work of a help desk, which has no access to the doctors' own pages."""
    doctor = User.objects.create_user("dr-durand")
    doctor.user_permissions.add(Permission.objects.get(codename="view_claims"))
    staff = administrator("view_account", "link_account", "change_user")
    confirm(staff, of_doctor, "link", look(staff, of_doctor, "link", user="dr-durand"))
    assert Account.objects.get().user == doctor
