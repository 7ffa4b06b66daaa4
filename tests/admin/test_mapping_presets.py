"""Presets of the mapping: filled in on the page among the typed rows, and saved by Save only."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Provider
from tests.admin.mapping_page import add_row, page_of, row_codes, row_previews, submit
from tests.admin.pages import Administrator, FormReader, administrator, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def shown_rows(page: Any) -> list[tuple[str, str]]:
    forms = page.context["attributes"].forms
    rows = [(form["claim"].value() or "", form["user_field"].value() or "") for form in forms]
    return [row for row in rows if any(row)]


def rows_of(provider: Provider) -> list[tuple[str, str]]:
    return list(provider.exported_attributes.values_list("claim", "user_field"))


DEFAULT = [("given_name", "first_name"), ("family_name", "last_name"), ("SubjectNameID", "username")]


def test_a_preset_is_shown_and_nothing_is_saved(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, "_fill", preset="directory")
    added = [("profession.label", ""), ("speciality.label", ""), ("rpps", "")]
    assert shown_rows(page) == [*DEFAULT, *added]
    assert rows_of(provider) == DEFAULT
    results = row_previews(page)
    assert results[3].found == "Pédicure-Podologue"
    assert results[3].result == "Choose the field that it fills, or delete the row."


def test_fields_that_the_user_model_lacks_are_listed(admin: Administrator, provider: Provider) -> None:
    text = text_of(submit(admin, provider, "_fill", preset="directory"))
    assert "profession.label – no field is called profession, profession_label, metier" in text
    assert "no field for some rows" in text
    assert "no field for some rows" not in text_of(submit(admin, provider, "_fill", preset="minimal"))


def test_typed_values_are_kept_even_with_errors(admin: Administrator, provider: Provider) -> None:
    typed = {"attributes-3-claim": "a[", "attributes-3-user_field": "email", "attributes-1-DELETE": "on"}
    page = submit(admin, provider, "_fill", preset="minimal", **typed)
    # The last name is a row of the preset: it is filled in again.
    assert shown_rows(page) == [
        ("given_name", "first_name"),
        ("SubjectNameID", "username"),
        ("a[", "email"),
        ("family_name", "last_name"),
    ]


def test_a_preset_is_saved_once_its_fields_are_chosen(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, "_fill", preset="directory")
    reader = FormReader("mapping_form")
    reader.feed(page.content.decode())
    refused = admin.browser.post(page_of(provider), {**reader.fields, "_save": "on"})
    assert row_codes(refused) == {("user_field", "required")}
    assert rows_of(provider) == DEFAULT
    chosen = {"attributes-3-user_field": "email", "attributes-4-DELETE": "on", "attributes-5-DELETE": "on"}
    assert admin.browser.post(page_of(provider), {**reader.fields, **chosen, "_save": "on"}).status_code == 302
    assert rows_of(provider) == [*DEFAULT, ("profession.label", "email")]


def test_the_second_of_two_administrators_is_warned_after_a_preset_was_filled_in(
    admin: Administrator, provider: Provider
) -> None:
    page = submit(admin, provider, "_fill", preset="minimal")
    provider.exported_attributes.filter(user_field="first_name").update(claim="x")
    reader = FormReader("mapping_form")
    reader.feed(page.content.decode())
    assert admin.browser.post(page_of(provider), {**reader.fields, "_save": "on"}).context["problem"]


@pytest.mark.parametrize("name", ["", "everything"])
def test_an_unknown_preset_fills_in_nothing(admin: Administrator, provider: Provider, name: str) -> None:
    page = add_row(admin, provider, "_fill", claim="email")
    assert "preset" not in page.context["presets"].errors
    page = submit(admin, provider, "_fill", preset=name)
    assert page.context["presets"].errors.as_data()["preset"]
    assert shown_rows(page) == DEFAULT


def test_with_the_right_to_view_only_a_preset_is_shown_and_not_saved(provider: Provider) -> None:
    page = submit(administrator("view_provider"), provider, "_fill", preset="structure")
    assert ("structure.name", "") in shown_rows(page)
    assert rows_of(provider) == DEFAULT
