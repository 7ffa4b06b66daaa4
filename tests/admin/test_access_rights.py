"""Rights to save access rules, and conflicts between two administrators."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from psc_connect.models import AccessRule, Provider
from tests.admin.access_page import page_of, rules_of, shown_by, submit, typed
from tests.admin.pages import Administrator, administrator, change_page, codes, select_of, stored, text_of
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


REASON = "As long as a rule gives a group, the rules, their order and the last line change only with"


@pytest.fixture
def prescribers(provider: Provider) -> Provider:
    """The provider with a rule that gives a group."""
    set_rules(provider, allow("department in 75"), give_group(Group.objects.create(name="Prescribers"), DOCTORS))
    return provider


def sent_by_a_browser(shown: dict[str, Any]) -> dict[str, Any]:
    """Return these fields without the disabled ones, which no browser sends."""
    return {name: value for name, value in shown.items() if not name.startswith(("rules-", "others_may_sign_in"))}


def test_without_the_right_to_change_users_the_rules_are_disabled_and_say_why_once(prescribers: Provider) -> None:
    editor = administrator("view_provider", "change_provider")
    page = editor.browser.get(page_of(prescribers))
    assert text_of(page).count(REASON) == 1
    disabled = (
        page.content.decode().partition('disabled aria-describedby="why-not-groups">')[2].partition("Last line")[0]
    )
    for name in ("rules-TOTAL_FORMS", "rules-0-outcome", "rules-1-group", 'name="_down"', 'name="_add"'):
        assert name in disabled
    assert " disabled" in select_of(page.content.decode(), "others_may_sign_in").partition(">")[0]
    refused = submit(editor, prescribers, typed("allow"))
    assert text_of(refused).count("As long as a rule gives a group") == 1


@pytest.mark.parametrize("right", ["view_provider", "change_user"])
def test_who_changes_users_or_only_views_types_into_the_rules(prescribers: Provider, right: str) -> None:
    rights = ["view_provider"] if right == "view_provider" else ["view_provider", "change_provider", right]
    page = administrator(*rights).browser.get(page_of(prescribers))
    assert REASON not in text_of(page)
    assert "disabled aria" not in page.content.decode()
    assert " disabled" not in select_of(page.content.decode(), "others_may_sign_in").partition(">")[0]


def test_other_fields_of_the_page_are_saved_by_a_browser_without_a_warning(prescribers: Provider) -> None:
    editor, before = administrator("view_provider", "change_provider"), rules_of(prescribers)
    sent = sent_by_a_browser(shown_by(editor, prescribers))
    answer = editor.browser.post(page_of(prescribers), {**sent, "contact": "dsi@hospital.example", "_save": "1"})
    assert answer.status_code == 302
    saved = stored(prescribers)
    assert (saved.contact, rules_of(saved)) == ("dsi@hospital.example", before)
    assert saved.others_may_sign_in == prescribers.others_may_sign_in
    page = editor.browser.get(page_of(prescribers))
    assert 'class="warning"' not in page.content.decode()
    assert text_of(page).count(REASON) == 1


def test_a_preview_is_of_the_stored_rules_where_they_are_disabled(prescribers: Provider) -> None:
    editor = administrator("view_provider", "change_provider")
    sent = sent_by_a_browser(shown_by(editor, prescribers))
    page = editor.browser.post(page_of(prescribers), {**sent, "_preview": "1"})
    assert page.context["people"]
    assert page.context["counts"]
    assert len([form for form in page.context["rules"] if form.initial]) == 2


def test_a_refused_change_is_not_to_be_confirmed(provider: Provider) -> None:
    lacked = Group.objects.create(name="Keepers")
    lacked.permissions.add(Permission.objects.get(codename="delete_account"))
    set_rules(provider, give_group(lacked, DOCTORS))
    refusing = {"others_may_sign_in": "False"}
    giving = typed("group", ("profession", "in", "10"), group=str(lacked.pk))
    editor = administrator("view_provider", "change_provider", "change_user")
    refused = submit(editor, provider, giving, **refusing)
    assert text_of(refused).count("all permissions of these groups: Keepers.") == 1
    assert not refused.context["must_confirm"]
    assert "save these rules anyway" not in text_of(refused)
    assert submit(administrator(), provider, giving, **refusing).context["must_confirm"]


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


@pytest.mark.case("AD03")
def test_the_choice_of_an_activity_takes_it_too_where_the_mapping_gives_groups(provider: Provider) -> None:
    editor = administrator("view_provider", "change_provider")
    provider.exported_groups.create(claim="activity.mode.code", group=Group.objects.create(name="Prescribers"))
    refused = editor.submit(change_page(provider), ask_activity="never")
    assert ("ask_activity", "users_not_allowed") in codes(refused)
    assert "or the mapping give groups" in editor.browser.get(change_page(provider)).content.decode()
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
