"""Typed values of a condition: codes, labels, numbers, several in one input."""

from __future__ import annotations

import time
from typing import Any

import pytest

from psc_connect.models import AccessRule, Provider
from tests.admin.access_page import codes, fields_of, page_of, press, rules_of, shown_by, submit, typed, typed_condition
from tests.admin.pages import Administrator, text_of
from tests.support.access_rules import DOCTORS, refuse, set_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
NOT_DOCTORS = ("profession", "not_in", "médecin")
IN_PARIS = ("department", "in", "75, 92")


@pytest.mark.parametrize(
    ("typed_value", "found"),
    [
        ("Médecin (10)", "profession 10"),
        ("medecin", "profession 10"),
        ("  MÉDECIN ", "profession 10"),
        ("10", "profession 10"),
        ("Pharmacien (21); 10", ["profession 21", "profession 10"]),
        ("ZZ9", "profession ZZ9"),
        ("10, 21; sage-femme", ["profession 10", "profession 21", "profession 50"]),
        ("chirurgien dent", "profession 40"),
    ],
)
def test_codes_found_by_a_search_are_ticked(
    admin: Administrator, provider: Provider, typed_value: str, found: Any
) -> None:
    response = submit(admin, provider, typed("refuse", ("profession", "in", typed_value)), button="_preview")
    fields = fields_of(response)
    assert fields["rules-0-conditions-0-codes"] == found
    assert fields["rules-0-conditions-0-typed"] == ""
    assert codes(response) == set()
    assert not AccessRule.objects.exists()


def test_an_unclear_text_is_kept_with_suggestions(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, typed("refuse", ("profession", "in", "10, Farmacien")), button="_save")
    assert codes(response) == {("typed", "access_code_unknown")}
    assert fields_of(response)["rules-0-conditions-0-typed"] == "Farmacien"
    assert "Which one is “Farmacien”? Pharmacien (21)" in text_of(response)
    assert not AccessRule.objects.exists()


def test_a_ticked_suggestion_replaces_the_text(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, typed("refuse", ("profession", "in", "10; Farmacien")), button="_preview")
    fields = fields_of(response)
    [suggestion] = response.context["rules"][0].conditions[0].suggestions
    value, label = suggestion.checkboxes[0]
    assert label == "Pharmacien (21)"
    response = press(admin, provider, {**fields, "rules-0-conditions-0-suggested": value}, "_save")
    assert rules_of(provider) == ["refuse [profession in 10 21]"]
    # A suggestion of another subject is ignored.
    other = {**fields, **typed_condition(0, 0, "role", ""), "rules-0-conditions-0-suggested": value}
    assert codes(press(admin, provider, other, "_save")) == {("typed", "condition_values_missing")}


def test_one_code_may_answer_two_texts(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, typed("refuse", ("profession", "in", "Farmacien; Farmacienne")), button="_preview")
    first, second = page.context["rules"][0].conditions[0].suggestions
    ticked = [first.checkboxes[0][0], second.checkboxes[0][0]]
    press(admin, provider, {**fields_of(page), "rules-0-conditions-0-suggested": ticked}, "_save")
    assert rules_of(provider) == ["refuse [profession in 21]"]


def test_a_text_without_suggestions_is_an_error_beside_others_with_some(
    admin: Administrator, provider: Provider
) -> None:
    page = submit(admin, provider, typed("refuse", ("profession", "in", "Farmacien; qqqqq xyz")), button="_save")
    assert "Which one is “Farmacien”?" in text_of(page)
    assert "“qqqqq xyz” is neither a code nor a label." in text_of(page)


def test_a_part_of_several_labels_is_unclear(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, typed("refuse", ("speciality", "in", "allergologie")), button="_preview")
    assert codes(response) == {("typed", "access_code_unknown")}
    assert "Allergologie (C) (C33) Allergologie (CAPA) (CAPA03) Allergologie (SM) (SM57)" in text_of(response)


def test_suggestions_take_limited_time(admin: Administrator, provider: Provider) -> None:
    texts = "; ".join(f"méd gen zz qq{number} " * 3 for number in range(20))
    rows = [typed("refuse", *[("speciality", "in", texts)] * 10)] * 30
    began = time.thread_time()
    assert submit(admin, provider, *rows, button="_preview").status_code == 200
    assert time.thread_time() - began < 6


@pytest.mark.parametrize(
    ("subject", "text", "values"),
    [
        ("department", "29 35", "29 35"),
        ("department", "2A 2b,971", "2A 2B 971"),
        ("department", "2 9", "29"),
        ("structure", "750712184 690000001", "750712184 690000001"),
        ("structure", "75 071 2184", "750712184"),
        ("structure", "123 456 789 00012", "12345678900012"),
        ("structure", "R1234567 2B0000012", "R1234567 2B0000012"),
    ],
)
def test_spaces_separate_values_where_each_part_is_a_value(
    admin: Administrator, provider: Provider, subject: str, text: str, values: str
) -> None:
    assert not submit(admin, provider, typed("refuse", (subject, "in", text)), button="_preview").context["remarks"]
    submit(admin, provider, typed("refuse", (subject, "in", text)))
    assert rules_of(provider) == [f"refuse [{subject} in {values}]"]


@pytest.mark.parametrize(("subject", "text"), [("department", "29 350"), ("department", "96"), ("structure", "75071")])
def test_a_value_of_unknown_form_is_remarked_on_and_saved(
    admin: Administrator, provider: Provider, subject: str, text: str
) -> None:
    row = typed("refuse", (subject, "in", text))
    [remark] = submit(admin, provider, row, button="_preview").context["remarks"]
    assert remark.startswith(f"Row 1: “{text.replace(' ', '')}” does not have the form of")
    assert submit(admin, provider, row).status_code == 302


def test_an_unticked_code_is_removed(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse("profession in 10 21"))
    fields = shown_by(admin, provider)
    assert fields["rules-0-conditions-0-codes"] == ["profession 10", "profession 21"]
    press(admin, provider, {**fields, "rules-0-conditions-0-codes": ["profession 21"]}, "_save")
    assert rules_of(provider) == ["refuse [profession in 21]"]


def test_codes_of_the_former_subject_are_ignored(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse(DOCTORS))
    fields = shown_by(admin, provider)
    assert codes(press(admin, provider, {**fields, "rules-0-conditions-0-subject": "role"}, "_save")) == {
        ("typed", "condition_values_missing")
    }
    press(
        admin,
        provider,
        {**fields, **typed_condition(0, 0, "department", "69")},
        "_save",
    )
    assert rules_of(provider) == ["refuse [department in 69]"]


def test_codes_of_the_former_subject_are_not_shown_again(admin: Administrator, provider: Provider) -> None:
    set_rules(provider, refuse(DOCTORS))
    for subject, text in (("department", "69"), ("role", ""), ("", "69")):
        fields = {**shown_by(admin, provider), **typed_condition(0, 0, subject, text)}
        assert "rules-0-conditions-0-codes" not in fields_of(press(admin, provider, fields, "_add"))


def test_a_code_of_no_table_is_remarked_on_and_saved(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, typed("refuse", ("profession", "in", "ZZ9")), button="_preview")
    assert "Row 1: no table here has the code ZZ9. It may be newer than the tables." in text_of(response)
    submit(admin, provider, typed("refuse", ("profession", "in", "ZZ9")))
    assert rules_of(provider) == ["refuse [profession in ZZ9]"]


def test_a_closed_code_is_marked(admin: Administrator, provider: Provider) -> None:
    from psc_connect.professional.nomenclatures import table

    closed = next(each for each in table("TRE_R02-SecteurActivite").concepts.values() if each.closed)
    set_rules(provider, refuse(f"sector in {closed.code}"))
    assert f"{closed.label} ({closed.code}), no longer assigned" in text_of(admin.browser.get(page_of(provider)))


def test_searches_on_one_page_take_limited_time(admin: Administrator, provider: Provider) -> None:
    parts = "; ".join(",".join(f"zq{number:02x}{part:02x}" for part in range(40)) for number in range(30))
    began = time.thread_time()
    response = submit(admin, provider, *[typed("refuse", *[("speciality", "in", parts)] * 10)] * 10, button="_preview")
    assert response.status_code == 200
    assert time.thread_time() - began < 6
