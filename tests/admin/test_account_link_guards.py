"""Guards of merging and linking accounts: rights, recent authentication, and the signed payload of the preview."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser

from psc_connect.admin.signed_payloads import sign_payload
from psc_connect.models import Account, AccountChange, Provider
from tests.admin.account_page import LIST, confirm, error_codes, look, nothing_done, page_of, payload_on
from tests.admin.pages import Administrator, administrator, messages_of, signed_in_long_ago

pytestmark = pytest.mark.django_db


@pytest.mark.case("AD02", "AL10")
@pytest.mark.parametrize("name", ["merge", "link"])
@pytest.mark.parametrize(
    "rights", [("view_account",), ("view_account", "delete_account"), ("view_account", "change_user")]
)
def test_merging_and_linking_take_both_rights(
    kept: Account, other: Account, right: User, name: str, rights: tuple[str, ...]
) -> None:
    staff = administrator("view_account", *rights)
    assert staff.browser.get(page_of(kept, name)).status_code == 403
    for typed in ({"other": other.user.username, "user": right.username}, {"payload": "x"}):
        assert staff.browser.post(page_of(kept, name), typed).status_code == 403
    text = staff.browser.get(page_of(kept, "change")).content.decode()
    assert page_of(kept, name) not in text
    answer = staff.browser.post(LIST, {"action": "merge_selected", "_selected_action": [kept.pk, other.pk]})
    assert "/merge/" not in answer.get("Location", "")


def test_both_rights_suffice(kept: Account, right: User) -> None:
    staff = administrator("view_account", "link_account", "change_user")
    assert page_of(kept, "link") in staff.browser.get(page_of(kept, "change")).content.decode()
    confirm(staff, kept, "link", look(staff, kept, "link", user=right.username))
    assert Account.objects.get().user == right


def test_only_administrators_see_the_pages(kept: Account, right: User) -> None:
    browser = Browser()
    assert "/login/" in browser.get(page_of(kept, "link"))["Location"]
    browser.force_login(right, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(page_of(kept, "link"), {"user": right.username}).status_code == 302
    assert nothing_done()


@pytest.mark.parametrize("name", ["merge", "link"])
def test_an_unknown_account_has_no_page(admin: Administrator, kept: Account, name: str) -> None:
    for number in ("999999", "x", "_5F"):
        assert admin.browser.get(f"{LIST}{number}/{name}/").status_code == 404


@pytest.mark.case("AL10")
@pytest.mark.parametrize("name", ["merge", "link"])
def test_no_get_changes_anything(admin: Administrator, kept: Account, other: Account, right: User, name: str) -> None:
    page = look(admin, kept, name, other=other.user.username, user=right.username)
    query = {"payload": payload_on(page), "privileged": "on", "other": f"#{other.pk}", "user": right.username}
    assert admin.browser.get(page_of(kept, name), query).status_code == 200
    assert nothing_done()


@pytest.mark.case("AL10")
@pytest.mark.parametrize("name", ["merge", "link"])
def test_a_form_of_another_site_changes_nothing(kept: Account, other: Account, right: User, name: str) -> None:
    me = User.objects.create_superuser("me")
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    chosen, plan_of = (other, "other") if name == "merge" else (right, "user")
    payload = sign_payload(f"{name} of account {kept.pk} by {me.pk}", {"chosen": str(chosen.pk), "fingerprint": []})
    for fields in ({"payload": payload}, {plan_of: f"#{chosen.pk}"}):
        assert browser.post(page_of(kept, name), fields).status_code == 403
    assert nothing_done()


@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "rot13", "undefined"])
@pytest.mark.parametrize("name", ["merge", "link"])
def test_a_form_in_another_encoding_than_utf_8_is_refused(
    admin: Administrator, kept: Account, name: str, charset: str
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\n\\ud800\r\n--x--\r\n'
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    assert admin.browser.generic("POST", page_of(kept, name), body, content_type=kind).status_code == 400


@pytest.mark.case("AL10")
@pytest.mark.parametrize("name", ["merge", "link"])
def test_an_old_sign_in_must_be_confirmed(
    admin: Administrator, kept: Account, other: Account, right: User, name: str
) -> None:
    page = look(admin, kept, name, other=other.user.username, user=right.username)
    assert page.context["why_not"] == ""
    signed_in_long_ago(admin)
    for response in (
        admin.browser.get(page_of(kept, name)),
        look(admin, kept, name, other=other.user.username, user=right.username),
        confirm(admin, kept, name, page),
    ):
        assert response.status_code == 200
        assert "/admin/psc_connect/provider/confirm/" in response.context["why_not"]
    assert nothing_done()


@pytest.mark.case("AL10")
def test_the_preview_of_one_change_confirms_no_other(
    admin: Administrator, provider: Provider, kept: Account, other: Account, right: User
) -> None:
    merger = look(admin, kept, "merge", other=other.user.username)
    link_preview = look(admin, other, "link", user=right.username)
    for account, name, shown in (
        (kept, "link", merger),
        (other, "merge", merger),
        (kept, "link", link_preview),
        (other, "merge", link_preview),
    ):
        answer = confirm(admin, account, name, shown)
        assert answer["Location"] == page_of(account, name)
    assert nothing_done()


@pytest.mark.case("AL10")
def test_the_preview_of_one_administrator_confirms_nothing_for_another(
    admin: Administrator, kept: Account, right: User
) -> None:
    page = look(admin, kept, "link", user=right.username)
    colleague = administrator("view_account", "link_account", "change_user")
    assert confirm(colleague, kept, "link", page)["Location"] == page_of(kept, "link")
    assert nothing_done()


@pytest.mark.parametrize("payload", ["", "x", "gAAAAA" + "x" * 100, "é"])
def test_an_invalid_payload_changes_nothing(admin: Administrator, kept: Account, payload: str) -> None:
    answer = admin.browser.post(page_of(kept, "link"), {"payload": payload})
    assert answer["Location"] == page_of(kept, "link")
    assert nothing_done()


def test_a_payload_is_accepted_once(admin: Administrator, kept: Account, other: Account) -> None:
    page = look(admin, kept, "merge", other=other.user.username)
    confirm(admin, kept, "merge", page)
    answer = confirm(admin, kept, "merge", page)
    assert answer["Location"] == page_of(kept, "merge")
    assert AccountChange.objects.count() == 1


@pytest.mark.case("AL10")
@pytest.mark.parametrize("change", [{"is_staff": True}, {"username": "another"}, {"is_active": False}])
def test_a_plan_that_has_changed_is_refused(
    admin: Administrator, kept: Account, right: User, change: dict[str, Any]
) -> None:
    page = look(admin, kept, "link", user=right.username)
    User.objects.filter(pk=right.pk).update(**change)
    answer = confirm(admin, kept, "link", page, privileged="on")
    assert answer["Location"] == page_of(kept, "link")
    assert [level for level, _text in messages_of(admin.browser.get(answer["Location"]))] == ["error"]
    assert nothing_done()


@pytest.mark.case("AD02", "AD03")
@pytest.mark.parametrize("right_of", ["is_staff", "is_superuser"])
@pytest.mark.parametrize("name", ["merge", "link"])
def test_a_user_who_administers_the_site_takes_a_second_checkbox(
    admin: Administrator, kept: Account, other: Account, right: User, right_of: str, name: str
) -> None:
    User.objects.filter(pk__in=(kept.user_id, right.pk)).update(**{right_of: True})
    page = look(admin, kept, name, other=other.user.username, user=right.username)
    assert 'name="privileged"' in page.content.decode()
    again = confirm(admin, kept, name, page)
    assert (again.status_code, again.context["must_tick"]) == (200, True)
    assert nothing_done()
    assert confirm(admin, kept, name, again, privileged="on")["Location"] == page_of(kept, "change")
    assert AccountChange.objects.exists()


def test_the_right_can_be_given(db: None) -> None:
    assert Permission.objects.get(codename="link_account").content_type.model == "account"


@pytest.mark.case("AD02", "AD03")
@pytest.mark.parametrize("name", ["merge", "link"])
def test_only_superusers_change_who_signs_in_as_a_superuser(
    kept: Account, other: Account, right: User, name: str
) -> None:
    staff = administrator("view_account", "link_account", "change_user")
    users = User.objects.filter(pk__in=(kept.user_id, right.pk))
    users.update(is_staff=True)
    typed = {"other": other.user.username, "user": right.username}
    shown = look(staff, kept, name, **typed)
    users.update(is_superuser=True)
    assert error_codes(look(staff, kept, name, **typed)) == {"superusers_alone"}
    assert confirm(staff, kept, name, shown, privileged="on")["Location"] == page_of(kept, name)
    assert nothing_done()


@pytest.mark.case("AD02", "AD03")
def test_only_superusers_take_the_account_of_a_superuser_away(kept: Account, other: Account, right: User) -> None:
    staff = administrator("view_account", "link_account", "change_user")
    User.objects.filter(pk=other.user_id).update(is_superuser=True)
    for account, name in ((kept, "merge"), (other, "link")):
        page = look(staff, account, name, other=other.user.username, user=right.username)
        assert error_codes(page) == {"superusers_alone"}
    assert nothing_done()


@pytest.mark.case("AD03")
@pytest.mark.parametrize("right_of", ["is_staff", "is_superuser"])
def test_deactivating_a_user_who_administers_the_site_takes_the_checkbox(
    kept: Account, other: Account, right_of: str
) -> None:
    staff = (
        administrator() if right_of == "is_superuser" else administrator("view_account", "link_account", "change_user")
    )
    User.objects.filter(pk=other.user_id).update(**{right_of: True})
    page = look(staff, kept, "merge", other=other.user.username)
    assert 'name="privileged"' in page.content.decode()
    again = confirm(staff, kept, "merge", page, deactivate="on")
    assert again.context["must_tick"]
    assert nothing_done()
    confirm(staff, kept, "merge", again, deactivate="on", privileged="on")
    assert not User.objects.get(pk=other.user_id).is_active


def test_keeping_that_user_takes_no_checkbox(admin: Administrator, kept: Account, other: Account) -> None:
    User.objects.filter(pk=other.user_id).update(is_staff=True)
    confirm(admin, kept, "merge", look(admin, kept, "merge", other=other.user.username))
    assert User.objects.get(pk=other.user_id).is_active
    assert AccountChange.objects.exists()
