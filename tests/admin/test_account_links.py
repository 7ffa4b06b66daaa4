"""Accounts are merged, and linked to another user, after a preview."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from psc_connect.accounts.identifiers import Identifier
from psc_connect.models import Account, AccountChange, GroupGrant, Provider
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import to_snapshot
from tests.admin.account_page import LIST, PSI, RPPS, confirm, error_codes, look, make_account, nothing_done, page_of
from tests.admin.pages import Administrator, messages_of, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by", ["username", "number"])
def test_two_accounts_are_merged_after_a_preview(admin: Administrator, kept: Account, other: Account, by: str) -> None:
    typed = other.user.username if by == "username" else f"#{other.pk}"
    page = look(admin, kept, "merge", other=typed)
    text = text_of(page)
    assert kept.user.username in text
    assert other.user.username in text
    assert nothing_done()
    answer = confirm(admin, kept, "merge", page)
    assert answer["Location"] == page_of(kept, "change")
    assert [account.user for account in Account.objects.all()] == [kept.user]
    change = AccountChange.objects.get()
    assert change.made_by is not None
    assert change.made_by.username == "administrator-"
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(kept.pk), str(other.pk)}
    assert [level for level, _text in messages_of(admin.browser.get(page_of(kept, "change")))] == ["success"]


def test_the_preview_names_both_people(admin: Administrator, kept: Account, other: Account) -> None:
    User.objects.filter(pk=other.user_id).update(first_name="Aurore", last_name="PONTGIVARD")
    assert "dr-martin-2 (Aurore PONTGIVARD)" in text_of(look(admin, kept, "merge", other=f"#{other.pk}"))


def test_accounts_with_different_names_are_merged_with_a_checkbox_only(
    admin: Administrator, kept: Account, other: Account, english: None
) -> None:
    User.objects.filter(pk=kept.user_id).update(first_name="Hélène", last_name="Martin")
    User.objects.filter(pk=other.user_id).update(first_name="Aurore", last_name="PONTGIVARD")
    page = look(admin, kept, "merge", other=other.user.username)
    assert "These two accounts do not have the same name." in text_of(page)
    answer = confirm(admin, kept, "merge", page)
    assert answer.context["must_tick"]
    assert nothing_done()
    confirm(admin, kept, "merge", page, different_names="on")
    assert Account.objects.count() == 1


@pytest.mark.case("NW02")
def test_a_merge_after_which_the_other_sub_is_refused_takes_a_checkbox(
    admin: Administrator, provider: Provider, english: None
) -> None:
    kept, other = (make_account(provider, name, Identifier("unknown", name)) for name in ("one", "two"))
    page = look(admin, kept, "merge", other=other.user.username)
    assert "Sign-ins with the other account will be refused." in text_of(page)
    assert "signs in with either account" not in text_of(page)
    answer = confirm(admin, kept, "merge", page)
    assert answer.context["must_tick"]
    assert nothing_done()
    confirm(admin, kept, "merge", page, refused_sub="on")
    assert Account.objects.get().pk == kept.pk


def test_a_merge_after_which_both_subs_sign_in_asks_nothing(
    admin: Administrator, kept: Account, other: Account, english: None
) -> None:
    page = look(admin, kept, "merge", other=other.user.username)
    assert "signs in with either account" in text_of(page)
    assert "refused_sub" not in page.content.decode()


@pytest.mark.parametrize(("first", "last"), [("HELENE", "MARTIN"), ("Hélène", ""), ("", "")])
def test_case_and_accents_make_no_different_name(
    admin: Administrator, kept: Account, other: Account, first: str, last: str
) -> None:
    User.objects.filter(pk=kept.user_id).update(first_name="Hélène", last_name="Martin")
    User.objects.filter(pk=other.user_id).update(first_name=first, last_name=last)
    confirm(admin, kept, "merge", look(admin, kept, "merge", other=other.user.username))
    assert Account.objects.count() == 1


def test_names_that_only_the_provider_gave_are_compared_too(
    admin: Administrator, kept: Account, other: Account
) -> None:
    for account, name in ((kept, "MARTIN"), (other, "PONTGIVARD")):
        Account.objects.filter(pk=account.pk).update(professional=to_snapshot(Professional(family_name=name)))
    page = look(admin, kept, "merge", other=other.user.username)
    assert page.context["have_different_names"]
    assert "dr-martin-2 (PONTGIVARD)" in text_of(page)


@pytest.mark.parametrize("name", ["change", "merge", "link", "delete"])
def test_every_page_of_an_account_names_the_person(admin: Administrator, kept: Account, name: str) -> None:
    for given in ({"first_name": "Aurore", "last_name": "PONTGIVARD"}, {"first_name": "", "last_name": ""}):
        User.objects.filter(pk=kept.user_id).update(**given)
        assert "Aurore PONTGIVARD" in text_of(admin.browser.get(page_of(kept, name)))
        # From now on only the provider gives the name.
        known = Professional(given_name="Aurore", family_name="PONTGIVARD")
        Account.objects.filter(pk=kept.pk).update(professional=to_snapshot(known))


def test_accounts_that_are_unlinked_together_are_named(admin: Administrator, kept: Account, other: Account) -> None:
    User.objects.filter(pk=other.user_id).update(first_name="Aurore", last_name="PONTGIVARD")
    answer = admin.browser.post(LIST, {"action": "delete_selected", "_selected_action": [kept.pk, other.pk]})
    assert "dr-martin-2 (Aurore PONTGIVARD) – " in text_of(answer)
    assert Account.objects.count() == 2


def test_the_page_masks_every_identifier(admin: Administrator, kept: Account, other: Account) -> None:
    text = look(admin, kept, "merge", other=other.user.username).content.decode()
    assert PSI not in text
    assert RPPS not in text
    assert other.subject not in text
    assert "PSI" in text


@pytest.mark.parametrize("ticked", [True, False])
def test_the_other_user_is_deactivated_with_the_checkbox(
    admin: Administrator, kept: Account, other: Account, ticked: bool
) -> None:
    page = look(admin, kept, "merge", other=other.user.username)
    confirm(admin, kept, "merge", page, **({"deactivate": "on"} if ticked else {}))
    assert User.objects.get(pk=other.user_id).is_active is not ticked


def test_administrators_do_not_deactivate_themselves(admin: Administrator, kept: Account, other: Account) -> None:
    me = User.objects.get(username="administrator-")
    Account.objects.filter(pk=other.pk).update(user=me)
    page = look(admin, kept, "merge", other=me.username)
    assert not page.context["may_deactivate"]
    confirm(admin, kept, "merge", page, deactivate="on")
    assert User.objects.get(pk=me.pk).is_active
    assert Account.objects.count() == 1


def test_the_groups_that_are_moved_are_shown(admin: Administrator, kept: Account, other: Account) -> None:
    group = Group.objects.create(name="Podologues")
    GroupGrant.objects.create(account=other, group=group)
    page = look(admin, kept, "merge", other=other.user.username)
    assert "Podologues" in text_of(page)
    confirm(admin, kept, "merge", page)
    assert set(kept.user.groups.all()) == {group}


def test_the_two_selected_accounts_lead_to_the_page(admin: Administrator, kept: Account, other: Account) -> None:
    answer = admin.browser.post(LIST, {"action": "merge_selected", "_selected_action": [other.pk, kept.pk]})
    assert answer["Location"] == f"{page_of(kept, 'merge')}?other=%23{other.pk}"
    fields = admin.fields_of(answer["Location"], "plan_form")
    assert fields["other"] == f"#{other.pk}"
    assert nothing_done()
    for selected in ([kept.pk], [kept.pk, other.pk, make_account(kept.provider, "x", Identifier("edit", "1")).pk]):
        admin.browser.post(LIST, {"action": "merge_selected", "_selected_action": selected})
        assert Account.objects.count() >= 2


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("nobody", "merge_account_unknown"),
        ("DR-MARTIN-2", "merge_account_unknown"),
        ("#999999", "merge_account_unknown"),
        ("#", "merge_account_unknown"),
        ("#" + "9" * 40, "merge_account_unknown"),
        ("#x", "merge_account_unknown"),
        ("dr-martin", "merge_same"),
    ],
)
def test_an_unknown_account_is_an_error_of_the_form(
    admin: Administrator, kept: Account, other: Account, typed: str, code: str
) -> None:
    assert error_codes(look(admin, kept, "merge", other=typed)) == {code}


def test_an_account_of_another_issuer_is_an_error(admin: Administrator, kept: Account, other: Account) -> None:
    Account.objects.filter(pk=other.pk).update(issuer="https://elsewhere.example")
    assert error_codes(look(admin, kept, "merge", other="dr-martin-2")) == {"merge_account_unknown"}
    assert error_codes(look(admin, kept, "merge", other=f"#{other.pk}")) == {"merge_other_issuer"}


def test_a_user_with_several_accounts_takes_the_number_of_one(
    admin: Administrator, kept: Account, other: Account
) -> None:
    third = make_account(kept.provider, "third", Identifier("edit", "ANS20231122132732", "EDIT"))
    Account.objects.filter(pk=third.pk).update(user=other.user)
    assert error_codes(look(admin, kept, "merge", other="dr-martin-2")) == {"merge_accounts_several"}
    assert look(admin, kept, "merge", other=f"#{third.pk}").context["plan"].other == third


@pytest.mark.parametrize("by", ["username", "number"])
def test_an_account_is_linked_to_another_user(admin: Administrator, kept: Account, right: User, by: str) -> None:
    page = look(admin, kept, "link", user=right.username if by == "username" else f"# {right.pk}")
    assert nothing_done()
    confirm(admin, kept, "link", page)
    assert Account.objects.get().user == right
    assert AccountChange.objects.get().action == AccountChange.Action.LINKED
    assert LogEntry.objects.get().object_id == str(kept.pk)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("nobody", "link_user_unknown"),
        ("DR-DURAND", "link_user_unknown"),
        ("#999999", "link_user_unknown"),
        ("#x", "link_user_unknown"),
        ("dr-martin", "link_same"),
        ("dr-martin-2", "link_has_account"),
    ],
)
def test_a_user_who_cannot_have_the_account_is_an_error_of_the_form(
    admin: Administrator, kept: Account, other: Account, right: User, typed: str, code: str
) -> None:
    assert error_codes(look(admin, kept, "link", user=typed)) == {code}


def test_a_deactivated_user_is_marked(admin: Administrator, kept: Account, right: User, english: None) -> None:
    assert "is deactivated" not in text_of(look(admin, kept, "link", user=right.username))
    User.objects.filter(pk=right.pk).update(is_active=False)
    assert "is deactivated" in text_of(look(admin, kept, "link", user=right.username))
