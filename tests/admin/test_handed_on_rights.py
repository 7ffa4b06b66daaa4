"""Administrators hand on no right that they lack: who is linked, which groups are given, who is unlinked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, DeclarationChange, Provider
from tests.admin.access_page import page_of as access_page_of
from tests.admin.access_page import submit, typed
from tests.admin.account_page import RPPS
from tests.admin.mapping_page import add_group
from tests.admin.mapping_page import page_of as mapping_page_of
from tests.admin.mapping_page import submit as submit_mapping
from tests.admin.pages import (
    EDITOR,
    administrator,
    change_page,
    codes,
    select_of,
    stored,
    text_of,
)
from tests.support.access_rules import DOCTORS, allow, give_group, refuse, set_rules
from tests.support.browser_session import PAGE, BrowserSession

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english"), pytest.mark.case("NW03")]
GIVING = ("group", ("profession", "in", "10"))


# Options that link users.


def test_staff_do_not_become_superuser_by_a_field_that_they_write(
    provider: Provider, simulator: Any, person: BrowserSession
) -> None:
    """The whole attack: the field of the number, privileged users, and one's own number in a superuser's last name."""
    boss = User.objects.create_superuser("boss")
    attacker = administrator(*EDITOR)
    answer = attacker.submit(change_page(provider), link_user_field="last_name", link_privileged_users="on")
    assert codes(answer) == {
        ("link_user_field", "users_not_allowed"),
        ("link_privileged_users", "users_not_allowed"),
    }
    User.objects.filter(pk=boss.pk).update(last_name=RPPS)
    person.sign_in(PAGE)
    assert not Account.objects.filter(user=boss).exists()
    assert (stored(provider).link_user_field, stored(provider).link_privileged_users) == ("", False)


def test_the_options_are_shown_disabled_with_the_reason(provider: Provider) -> None:
    Provider.objects.update(link_user_field="last_name", link_privileged_users=True)
    page = administrator(*EDITOR).browser.get(change_page(provider)).content.decode()
    assert " disabled" in select_of(page, "link_user_field").partition(">")[0]
    assert '<option value="last_name" selected>' in select_of(page, "link_user_field")
    assert page.count("only a superuser can change it") == 2
    page = administrator().browser.get(change_page(provider)).content.decode()
    assert " disabled" not in select_of(page, "link_user_field")
    assert "only a superuser can change it" not in page


def test_what_a_browser_does_not_send_of_them_keeps_its_value(provider: Provider) -> None:
    """A browser sends no disabled input."""
    Provider.objects.update(link_user_field="last_name", link_privileged_users=True)
    options = ("link_user_field", "link_privileged_users")
    answer = administrator(*EDITOR).submit(change_page(provider), drop=options, button_text="Enter")
    assert answer.status_code == 302
    saved = stored(provider)
    assert (saved.link_user_field, saved.link_privileged_users, saved.button_text) == ("last_name", True, "Enter")
    assert [change[0] for change in DeclarationChange.objects.get().changes] == ["button_text"]


def test_emptying_one_of_them_is_refused_and_not_ignored(provider: Provider) -> None:
    Provider.objects.update(link_user_field="last_name")
    answer = administrator(*EDITOR).submit(change_page(provider), link_user_field="")
    assert codes(answer) == {("link_user_field", "users_not_allowed")}


# Groups, by a row of the mapping.


def test_a_row_of_the_mapping_gives_no_group_beyond_ones_own_permissions(
    provider: Provider, held: Group, lacked: Group
) -> None:
    editor, before = administrator(*EDITOR), provider.version
    answer = add_group(editor, provider, claim="given_name", equals="x", group=str(lacked.pk))
    assert "Keepers" in answer.context["problem"]
    assert "Readers" not in answer.context["problem"]
    assert not provider.exported_groups.exists()
    assert stored(provider).version == before
    assert add_group(editor, provider, claim="given_name", equals="x", group=str(held.pk)).status_code == 302
    complete = administrator(*EDITOR, "delete_account")
    assert add_group(complete, provider, claim="given_name", equals="x", group=str(lacked.pk)).status_code == 302


@pytest.mark.parametrize("change", [{"groups-0-equals": "y"}, {"groups-0-claim": "family_name"}])
def test_a_changed_row_counts_as_a_new_one(provider: Provider, lacked: Group, change: dict[str, str]) -> None:
    provider.exported_groups.create(claim="given_name", equals="x", group=lacked)
    assert "Keepers" in submit_mapping(administrator(*EDITOR), provider, **change).context["problem"]
    assert provider.exported_groups.get().equals == "x"


def test_a_group_is_not_put_in_the_place_of_another(provider: Provider, held: Group, lacked: Group) -> None:
    provider.exported_groups.create(claim="given_name", equals="x", group=held)
    answer = submit_mapping(administrator(*EDITOR), provider, **{"groups-0-group": str(lacked.pk)})
    assert "Keepers" in answer.context["problem"]
    assert provider.exported_groups.get().group == held


def test_rows_that_stay_and_rows_that_go_need_no_permission(provider: Provider, held: Group, lacked: Group) -> None:
    provider.exported_groups.create(claim="given_name", equals="x", group=lacked)
    editor = administrator(*EDITOR)
    assert add_group(editor, provider, claim="given_name", equals="y", group=str(held.pk)).status_code == 302
    assert submit_mapping(editor, provider, **{"groups-0-DELETE": "on"}).status_code == 302
    assert provider.exported_groups.get().group == held


def test_the_mapping_page_disables_these_groups_and_says_why(provider: Provider, held: Group, lacked: Group) -> None:
    page = administrator(*EDITOR).browser.get(mapping_page_of(provider)).content.decode()
    select = select_of(page, "groups-0-group")
    assert f'<option value="{lacked.pk}" disabled>' in select
    assert f'<option value="{held.pk}">' in select
    assert "all permissions of these groups: Keepers." in page
    assert (
        "all permissions of these groups" not in administrator().browser.get(mapping_page_of(provider)).content.decode()
    )


def test_a_row_that_has_such_a_group_keeps_it_in_a_browser(provider: Provider, lacked: Group) -> None:
    provider.exported_groups.create(claim="given_name", equals="x", group=lacked)
    page = administrator(*EDITOR).browser.get(mapping_page_of(provider)).content.decode()
    assert f'<option value="{lacked.pk}" selected>' in select_of(page, "groups-0-group")


# Groups, by an access rule.


def test_an_access_rule_gives_no_group_beyond_ones_own_permissions(
    provider: Provider, held: Group, lacked: Group
) -> None:
    editor = administrator(*EDITOR)
    assert "Keepers" in submit(editor, provider, typed(*GIVING, group=str(lacked.pk))).context["problem"]
    assert not provider.access_rules.exists()
    assert submit(editor, provider, typed(*GIVING, group=str(held.pk))).status_code == 302
    complete = administrator(*EDITOR, "delete_account")
    assert submit(complete, provider, typed(*GIVING, group=str(lacked.pk))).status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        "a row above is removed",
        "the order is changed",
        "a row below lets more people in",
        "others may sign in",
        "its conditions are changed",
    ],
)
def test_no_change_lets_more_people_reach_such_a_group(provider: Provider, lacked: Group, change: str) -> None:
    above, giving = typed("refuse", ("department", "in", "75")), typed(*GIVING, group=str(lacked.pk))
    below, wider = (typed("allow", ("department", "in", text)) for text in ("92", "92, 93"))
    set_rules(
        provider,
        refuse("department in 75"),
        give_group(lacked, DOCTORS),
        allow("department in 92"),
        others_may_sign_in=False,
    )
    rows, values = {
        "a row above is removed": ([giving, below], {}),
        "the order is changed": ([giving, above, below], {}),
        "a row below lets more people in": ([above, giving, wider], {}),
        "others may sign in": ([above, giving, below], {"others_may_sign_in": "True"}),
        "its conditions are changed": ([above, typed("group", group=str(lacked.pk)), below], {}),
    }[change]
    editor = administrator(*EDITOR)
    before = list(provider.access_rules.values())
    assert "Keepers" in submit(editor, provider, *rows, **values).context["problem"]
    assert list(provider.access_rules.values()) == before
    assert not stored(provider).others_may_sign_in


def test_other_texts_of_the_page_and_its_removal_need_no_permission(provider: Provider, lacked: Group) -> None:
    set_rules(provider, allow("department in 75"), give_group(lacked, DOCTORS))
    editor, above = administrator(*EDITOR), typed("allow", ("department", "in", "75"))
    giving = typed(*GIVING, group=str(lacked.pk))
    assert submit(editor, provider, above, giving, contact="dsi@hospital.example").status_code == 302
    assert submit(editor, provider, above).status_code == 302
    assert provider.access_rules.count() == 1


def test_the_access_rules_page_says_why_before_anything_is_typed(provider: Provider, lacked: Group) -> None:
    page = administrator(*EDITOR).browser.get(access_page_of(provider)).content.decode()
    assert "all permissions of these groups: Keepers." in page
    assert f'<option value="{lacked.pk}" disabled>' in page
    page = administrator("view_provider", "change_provider").browser.get(access_page_of(provider)).content.decode()
    assert "Giving groups takes the permission to change users" in page
    assert "permissions" not in text_of(administrator("view_provider").browser.get(access_page_of(provider)))


def test_the_choice_of_an_activity_is_read_only_where_rules_give_such_a_group(
    provider: Provider, lacked: Group
) -> None:
    set_rules(provider, give_group(lacked, DOCTORS))
    editor = administrator(*EDITOR)
    page = editor.browser.get(change_page(provider)).content.decode()
    assert " disabled" in select_of(page, "ask_activity").partition(">")[0]
    assert "all permissions of these groups: Keepers." in page
    answer = editor.submit(change_page(provider), ask_activity="never")
    assert codes(answer) == {("ask_activity", "users_not_allowed")}
    complete = administrator(*EDITOR, "delete_account")
    assert complete.submit(change_page(provider), ask_activity="never").status_code == 302


def test_the_choice_of_an_activity_is_read_only_where_the_mapping_gives_such_a_group(
    provider: Provider, lacked: Group
) -> None:
    provider.exported_groups.create(claim="activity.mode.code", group=lacked)
    editor = administrator(*EDITOR)
    page = editor.browser.get(change_page(provider)).content.decode()
    assert " disabled" in select_of(page, "ask_activity").partition(">")[0]
    assert "all permissions of these groups: Keepers." in page
    assert codes(editor.submit(change_page(provider), ask_activity="never")) == {("ask_activity", "users_not_allowed")}
    assert stored(provider).ask_activity == "several"
    complete = administrator(*EDITOR, "delete_account")
    assert complete.submit(change_page(provider), ask_activity="never").status_code == 302


def test_permissions_by_a_group_of_ones_own_count(provider: Provider, lacked: Group) -> None:
    editor = administrator(*EDITOR)
    get_user_model().objects.get(username__startswith="administrator-").groups.add(lacked)
    assert submit(editor, provider, typed(*GIVING, group=str(lacked.pk))).status_code == 302


def test_a_superuser_gives_any_group(provider: Provider, lacked: Group) -> None:
    admin = administrator()
    assert submit(admin, provider, typed(*GIVING, group=str(lacked.pk))).status_code == 302
    assert add_group(admin, provider, claim="given_name", equals="x", group=str(lacked.pk)).status_code == 302
