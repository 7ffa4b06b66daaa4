"""The access rules page: rows are typed without scripts, and saved in their order."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from psc_connect.models import AccessRule, DeclarationChange, Provider
from tests.admin.access_page import (
    codes,
    fields_of,
    page_of,
    press,
    rules_of,
    shown_by,
    submit,
    typed,
    typed_condition,
    values_of,
)
from tests.admin.pages import Administrator, change_page, messages_of, stored, text_of
from tests.support.access_rules import DOCTORS, allow, give_group, refuse, set_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOT_DOCTORS = ("profession", "not_in", "médecin")
IN_PARIS = ("department", "in", "75, 92")


def test_rules_are_typed_as_sentences_and_saved(admin: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Prescribers")
    response = submit(
        admin,
        provider,
        typed("group", ("profession", "in", "Médecin (10); sage-femme"), group=str(group.pk)),
        typed("refuse", NOT_DOCTORS, IN_PARIS, message="Doctors only."),
        typed("allow", ("structure", "in", "75 071 2184, 0b0193488")),
        others_may_sign_in="False",
        refusal_message="Nobody else.",
        contact="dsi@hospital.example",
    )
    assert [level for level, _text in messages_of(response)] == ["success"]
    assert rules_of(provider) == [
        "group [profession in 10 50]",
        "refuse [profession not_in 10] [department in 75 92]",
        "allow [structure in 750712184 0B0193488]",
    ]
    assert list(provider.access_rules.values_list("group__name", "message"))[:2] == [
        ("Prescribers", ""),
        (None, "Doctors only."),
    ]
    saved = stored(provider)
    assert (saved.others_may_sign_in, saved.refusal_message, saved.contact) == (
        False,
        "Nobody else.",
        "dsi@hospital.example",
    )


def test_what_the_page_shows_is_what_it_saves(admin: Administrator, provider: Provider) -> None:
    set_rules(
        provider,
        give_group(Group.objects.create(name="Prescribers"), "profession in 10 21", "mode not_in L"),
        refuse("structure in 750712184 123456789", message="Not these."),
        refuse("speciality starts_with SM", "identifier_kind in rpps psi", "means in CARD", "acr in eidas1"),
        give_group(None, DOCTORS),
        allow(),
    )
    before = list(provider.access_rules.values("position", "conditions", "outcome", "message", "group"))
    assert press(admin, provider, shown_by(admin, provider), "_save").status_code == 302
    assert list(provider.access_rules.values("position", "conditions", "outcome", "message", "group")) == before
    assert not DeclarationChange.objects.exists()


def test_one_more_empty_condition_and_row_are_shown(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse(DOCTORS), refuse("mode in L", "department in 75"))
    forms = list(admin.browser.get(page_of(provider)).context["rules"])
    assert [len(form.conditions) for form in forms] == [2, 3, 2]
    row = typed("refuse", NOT_DOCTORS, IN_PARIS)
    forms = list(submit(admin, provider, row, row, button="_add").context["rules"])
    assert [len(form.conditions) for form in forms] == [3, 3, 2, 2]


@pytest.mark.parametrize(
    ("button", "pressed", "order"),
    [
        ("_up", "rules-1", "bac"),
        ("_down", "rules-1", "acb"),
        ("_down", "rules-0", "bac"),
        ("_up", "rules-0", "abc"),
        ("_down", "rules-2", "abc"),
        ("_up", "rules-3", "abc"),
        ("_up", "x", "abc"),
    ],
)
def test_rows_are_moved_with_all_typed_values(
    admin: Administrator, provider: Provider, button: str, pressed: str, order: str
) -> None:
    set_rules(provider, *[refuse(DOCTORS, message=message) for message in "abc"])
    fields = {**shown_by(admin, provider), **typed_condition(1, 1, "department", "69")}
    moved = press(admin, provider, fields, button, pressed)
    assert "".join(form["message"].value() or "" for form in moved.context["rules"]) == order
    place = order.index("b")
    assert fields_of(moved)[f"rules-{place}-conditions-1-typed"] == "69"
    assert "".join(provider.access_rules.values_list("message", flat=True)) == "abc"


def test_a_row_is_deleted_by_its_checkbox(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, *[refuse(DOCTORS, message=message) for message in "abc"])
    fields = {**shown_by(admin, provider), "rules-1-DELETE": "on"}
    assert [form["message"].value() for form in press(admin, provider, fields, "_preview").context["rules"]][:2] == [
        "a",
        "c",
    ]
    press(admin, provider, fields, "_save")
    assert list(provider.access_rules.values_list("position", "message")) == [(0, "a"), (1, "c")]


@pytest.mark.parametrize(
    ("row", "errors"),
    [
        (typed("", NOT_DOCTORS), {("outcome", "required")}),
        (typed("moon", NOT_DOCTORS), {("outcome", "invalid_choice")}),
        (typed("group", NOT_DOCTORS), {("group", "access_group_missing")}),
        (typed("group", NOT_DOCTORS, group="999"), {("group", "invalid_choice")}),
        (typed("refuse", ("", "in", "Médecin")), {("subject", "required")}),
        (typed("refuse", ("moon", "in", "Médecin")), {("subject", "invalid_choice")}),
        (typed("refuse", ("profession", "moon", "10")), {("operator", "invalid_choice")}),
        (typed("refuse", ("profession", "in", "")), {("typed", "condition_values_missing")}),
        (typed("refuse", ("department", "in", " , ; ")), {("typed", "condition_values_missing")}),
        (typed("refuse", ("structure", "in", "é")), {("typed", "condition_value_malformed")}),
        (typed("refuse", NOT_DOCTORS, message="x" * 501), {("message", "max_length")}),
        (typed("refuse", ("structure", "in", "1," * 501)), set()),
        (
            typed("refuse", ("structure", "in", ",".join(map(str, range(501))))),
            {("typed", "condition_values_too_many")},
        ),
    ],
    ids=str,
)
def test_a_wrong_row_is_refused_and_shown_again(
    admin: Administrator, provider: Provider, row: dict[str, str], errors: set[tuple[str, str]]
) -> None:
    response = submit(admin, provider, row, button="_save" if errors else "_preview")
    assert codes(response) == errors
    assert not AccessRule.objects.exists()
    expected = {name: value for name, value in row.items() if not name.endswith(("typed", "_FORMS"))}
    shown = values_of(response, 0)
    assert {name: shown[name] for name in expected} == expected


def test_the_page_links_to_the_rows_with_errors(admin: Administrator, provider: Provider) -> None:
    rows = (typed("allow", IN_PARIS), typed("", NOT_DOCTORS))
    page = submit(admin, provider, *rows, others_may_sign_in="moon")
    assert "Nothing has been saved. Please check: Row 2 , Last line" in text_of(page)
    assert all(f'href="#{each}"' in page.content.decode() for each in ("row-2", "others"))
    assert "Please check" not in text_of(submit(admin, provider, *rows, button="_preview"))


def test_values_of_another_outcome_are_ignored(admin: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Prescribers")
    submit(admin, provider, typed("refuse", NOT_DOCTORS, message="No.", group=str(group.pk)))
    submit(
        admin,
        provider,
        typed("refuse", NOT_DOCTORS, message="No.", group=str(group.pk)),
        typed("allow", NOT_DOCTORS, message="No.", group=str(group.pk)),
    )
    assert list(provider.access_rules.values_list("outcome", "message", "group")) == [
        ("refuse", "No.", None),
        ("allow", "", None),
    ]


def test_a_row_for_everyone_needs_an_outcome_and_no_condition(admin: Administrator, provider: Provider) -> None:
    submit(admin, provider, typed("allow"), typed(""))
    assert rules_of(provider) == ["allow"]


@pytest.mark.parametrize("total", ["", "x", "-1", "51", "9" * 400])
def test_an_invalid_number_of_rows_saves_nothing(admin: Administrator, provider: Provider, total: str) -> None:
    set_rules(provider, refuse(DOCTORS))
    fields = {**shown_by(admin, provider), "rules-TOTAL_FORMS": total}
    assert press(admin, provider, fields, "_save").status_code == 200
    assert rules_of(provider) == ["refuse [profession in 10]"]


@pytest.mark.parametrize("total", ["", "x", "-1", "11", "9" * 400])
def test_an_invalid_number_of_conditions_saves_nothing(admin: Administrator, provider: Provider, total: str) -> None:
    set_rules(provider, refuse(DOCTORS))
    fields = {**shown_by(admin, provider), "rules-0-conditions-TOTAL_FORMS": total}
    assert codes(press(admin, provider, fields, "_save"))
    assert rules_of(provider) == ["refuse [profession in 10]"]


def test_an_unfinished_row_is_kept_without_errors_when_another_is_added(
    admin: Administrator, provider: Provider
) -> None:
    page = submit(admin, provider, typed("", ("profession", "not_in", "10; Farmacien"), message="No."), button="_add")
    assert codes(page) == set()
    fields = fields_of(page)
    shown = {name: fields[f"rules-0-{name}"] for name in ("outcome", "message", "conditions-0-operator")}
    assert shown == {"outcome": "", "message": "No.", "conditions-0-operator": "not_in"}
    assert (fields["rules-0-conditions-0-codes"], fields["rules-0-conditions-0-typed"]) == (
        "profession 10",
        "Farmacien",
    )
    assert "Which one is “Farmacien”? Pharmacien (21)" in text_of(page)


def test_an_emptied_row_and_an_emptied_condition_are_removed(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse(DOCTORS, "mode in L"), allow(DOCTORS))
    emptied = {**typed_condition(0, 0, "", ""), **typed_condition(1, 0, "", ""), "rules-1-outcome": ""}
    press(admin, provider, {**shown_by(admin, provider), **emptied}, "_save")
    assert rules_of(provider) == ["refuse [mode in L]"]


def test_a_form_without_the_last_line_saves_nothing(admin: Administrator, provider: Provider) -> None:
    fields = {name: value for name, value in shown_by(admin, provider).items() if name != "others_may_sign_in"}
    assert press(admin, provider, fields, "_save").status_code == 200
    assert stored(provider).others_may_sign_in


def test_at_most_fifty_rows_are_shown_and_saved(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, *[refuse(f"department in {number}") for number in range(10, 60)])
    fields = shown_by(admin, provider)
    assert fields["rules-TOTAL_FORMS"] == "50"
    assert len(list(press(admin, provider, fields, "_add").context["rules"])) == 50
    press(admin, provider, {**fields, "rules-49-message": "The last."}, "_save")
    assert provider.access_rules.count() == 50
    assert provider.access_rules.last().message == "The last."  # type: ignore[union-attr]


def test_an_unreadable_row_is_marked_and_not_replaced_by_saving(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse(DOCTORS), allow())
    AccessRule.objects.filter(outcome="refuse").update(conditions={"subject": "profession"})
    page = admin.browser.get(page_of(provider))
    assert "Row 1 cannot be read: it refuses everyone who reaches it." in text_of(page)
    fields = shown_by(admin, provider)
    assert codes(press(admin, provider, fields, "_save")) == {("outcome", "required")}
    assert provider.access_rules.count() == 2
    corrected = {**fields, "rules-0-outcome": "refuse", **typed_condition(0, 0, "department", "75")}
    press(admin, provider, corrected, "_save")
    assert rules_of(provider) == ["refuse [department in 75]", "allow"]


def test_a_row_with_a_deleted_group_is_marked_and_may_be_kept(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, give_group(None, DOCTORS))
    assert "Row 1: its group has been deleted" in text_of(admin.browser.get(page_of(provider)))
    group = Group.objects.create(name="Prescribers")
    fields = shown_by(admin, provider)
    press(admin, provider, fields, "_save")
    assert provider.access_rules.get().group is None
    press(admin, provider, {**fields, "rules-0-group": str(group.pk)}, "_save")
    assert provider.access_rules.get().group == group


def test_the_rules_are_described_on_the_providers_page_and_in_its_history(
    admin: Administrator, provider: Provider
) -> None:
    submit(
        admin,
        provider,
        typed("refuse", ("profession", "in", "10; 21"), IN_PARIS, message="No."),
        typed("allow", ("structure", "starts_with", "75")),
        others_may_sign_in="False",
        refusal_message="Nobody else.",
    )
    first = "Profession: Médecin (10) or Pharmacien (21) and Department: 75 or 92 → is refused: “No.”"
    page = text_of(admin.browser.get(change_page(provider)))
    assert first in page
    assert "Structure (FINESS, SIRET, SIREN or identifier) beginning with 75 → may sign in" in page
    assert "Everyone else → is refused: “Nobody else.”" in page
    never = typed("refuse", ("profession", "in", "10; 21"), IN_PARIS, message="Never.")
    submit(admin, provider, never, others_may_sign_in="True")
    history = text_of(admin.open(provider, "history"))
    assert f"access rule 1 {first} {first.replace('No.', 'Never.')}" in history
