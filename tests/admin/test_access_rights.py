"""Rights to save access rules, and conflicts between two administrators."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from psc_connect.models import AccessRule, Provider
from tests.admin.access_page import page_of, rules_of, shown_by, submit, typed
from tests.admin.pages import Administrator, administrator, change_page, codes, stored
from tests.support.access_rules import DOCTORS, allow, give_group, set_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOT_DOCTORS = ("profession", "not_in", "médecin")
IN_PARIS = ("department", "in", "75, 92")


def test_the_second_of_two_administrators_is_warned_and_loses_nothing(admin: Administrator, provider: Provider) -> None:
    second = administrator("view_provider", "change_provider")
    shown = shown_by(second, provider)
    submit(admin, provider, typed("refuse", NOT_DOCTORS, message="Theirs."), contact="them@hospital.example")
    mine = typed("refuse", IN_PARIS, message="Mine.")
    page = submit(second, provider, mine, shown=shown)
    assert "administrator-" in page.context["problem"]
    assert "Theirs." in str(page.context["present"])
    assert "them@hospital.example" in str(page.context["present"])
    assert list(provider.access_rules.values_list("message", flat=True)) == ["Theirs."]
    submit(second, provider, mine, shown={**shown, "version": page.context["version"]})
    assert list(provider.access_rules.values_list("message", flat=True)) == ["Mine."]


def test_values_saved_here_are_kept_when_another_saves_the_provider(admin: Administrator, provider: Provider) -> None:
    second = administrator("view_provider", "change_provider")
    shown = second.fields_of(change_page(provider))
    submit(admin, provider, typed("refuse", NOT_DOCTORS), contact="dsi@hospital.example")
    assert second.browser.post(change_page(provider), {**shown, "button_text": "Enter"}).status_code == 302
    saved = stored(provider)
    assert (saved.contact, saved.button_text, rules_of(saved)) == (
        "dsi@hospital.example",
        "Enter",
        ["refuse [profession not_in 10]"],
    )


@pytest.mark.case("AD01")
def test_the_page_takes_the_rights_of_the_provider(provider: Provider) -> None:
    viewer, editor = administrator("view_provider"), administrator("view_provider", "change_provider")
    row = typed("refuse", NOT_DOCTORS)
    assert viewer.browser.get(page_of(provider)).status_code == 200
    assert submit(viewer, provider, row, button="_preview").status_code == 200
    assert submit(viewer, provider, row).status_code == 403
    assert administrator("view_account").browser.get(page_of(provider)).status_code == 403
    assert submit(editor, provider, row).status_code == 302
    assert editor.browser.get("/admin/psc_connect/provider/999/access-rules/").status_code == 404


@pytest.mark.case("AD03")
def test_rules_that_give_groups_take_the_right_to_change_users(provider: Provider) -> None:
    group = Group.objects.create(name="Prescribers")
    editor = administrator("view_provider", "change_provider")
    giving = typed("group", ("profession", "in", "10"), group=str(group.pk))
    assert "ask a colleague" in submit(editor, provider, giving).context["problem"]
    assert not AccessRule.objects.exists()
    allowed = administrator("view_provider", "change_provider", "change_user")
    before = typed("allow", ("department", "in", "75"))
    assert submit(allowed, provider, before, giving).status_code == 302
    # The rows above it decide who reaches it; the rows below it decide who may sign in.
    assert "ask a colleague" in submit(editor, provider, giving).context["problem"]
    assert "ask a colleague" in submit(editor, provider, giving, before).context["problem"]
    assert "ask a colleague" in submit(editor, provider, before).context["problem"]
    below = typed("refuse", NOT_DOCTORS)
    assert "ask a colleague" in submit(editor, provider, before, giving, below).context["problem"]
    assert "ask a colleague" in submit(editor, provider, before, giving, others_may_sign_in="False").context["problem"]
    assert submit(editor, provider, before, giving, contact="dsi@hospital.example").status_code == 302
    assert submit(allowed, provider, before, giving, below, others_may_sign_in="False").status_code == 302
    assert provider.access_rules.count() == 3


@pytest.mark.case("AD03")
def test_the_choice_of_an_activity_takes_the_right_to_change_users_where_rules_give_groups(provider: Provider) -> None:
    editor = administrator("view_provider", "change_provider")
    assert editor.submit(change_page(provider), ask_activity="always").status_code == 302
    set_rules(provider, give_group(Group.objects.create(name="Prescribers"), DOCTORS))
    refused = editor.submit(change_page(provider), ask_activity="never")
    assert ("ask_activity", "users_not_allowed") in codes(refused)
    assert editor.submit(change_page(provider), button_text="Enter").status_code == 302
    allowed = administrator("view_provider", "change_provider", "change_user")
    assert allowed.submit(change_page(provider), ask_activity="never").status_code == 302
    assert stored(provider).ask_activity == "never"


def test_a_copy_of_a_provider_has_its_rules_and_with_the_right_their_groups(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    from tests.admin.pages import ADD

    group = Group.objects.create(name="Prescribers")
    set_rules(
        provider, give_group(group, DOCTORS), allow(DOCTORS), others_may_sign_in=False, contact="dsi@hospital.example"
    )
    copier = administrator("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    for number, who in enumerate((admin, copier)):
        page = {"environment": "production", "client_id": f"c{number}", "client_secret": "s" * 20}
        who.submit(ADD, **page, like=str(provider.pk))
        copy = Provider.objects.get(client_id=f"c{number}")
        assert (copy.others_may_sign_in, copy.contact) == (False, "dsi@hospital.example")
        expected = ["group [profession in 10]", "allow [profession in 10]"]
        assert rules_of(copy) == (expected if who is admin else expected[1:])
    assert len(rules_of(provider)) == 2
