"""The page of the provider selection rules."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import DeclarationChange, Provider, ProviderSelectionRule
from tests.admin.pages import Administrator, administrator, change_page, messages_of, text_of

pytestmark = pytest.mark.django_db
NETWORK = {"kind": "network", "header": "", "value": "10.0.0.0/8"}


def page_of(provider: Provider) -> str:
    return f"/admin/psc_connect/provider/{provider.pk}/rules/"


def submit(admin: Administrator, provider: Provider, *rows: dict[str, str], shown: Any = None) -> Any:
    """Type the rows in the place of those that are shown, and save."""
    fields = shown or admin.fields_of(page_of(provider), "rules_form")
    kept = {name: value for name, value in fields.items() if not name.startswith("form-") or name.endswith("_FORMS")}
    typed = {f"form-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}
    return admin.browser.post(page_of(provider), {**kept, "form-TOTAL_FORMS": str(len(rows)), **typed})


def rules_of(provider: Provider) -> list[str]:
    return [str(each) for each in provider.selection_rules.all()]


def codes(response: Any) -> set[tuple[str, str]]:
    assert response.status_code == 200
    rules = response.context["rules"]
    errors = {(name, error.code) for form in rules for name, found in form.errors.as_data().items() for error in found}
    return errors | {("", error.code) for error in rules.non_form_errors().as_data()}


def test_rules_are_saved_as_the_list_that_they_are(admin: Administrator, provider: Provider) -> None:
    host = {"kind": "host", "header": "", "value": "records.example.org"}
    response = submit(admin, provider, NETWORK, host)
    assert [level for level, _text in messages_of(response)] == ["success"]
    assert rules_of(provider) == ["network = 10.0.0.0/8", "host = records.example.org"]
    submit(admin, provider, host)
    assert rules_of(provider) == ["host = records.example.org"]
    assert "selection_rules." in str(DeclarationChange.objects.order_by("pk").values_list("changes", flat=True))
    assert "records.example.org" in text_of(admin.browser.get(change_page(provider)))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({**NETWORK, "value": "everybody"}, ("value", "selection_network_malformed")),
        ({**NETWORK, "value": "10.0.0.1/8"}, ("value", "selection_network_malformed")),
        ({**NETWORK, "header": "X-Site"}, ("header", "selection_header_unexpected")),
        ({"kind": "host", "header": "", "value": "https://a.example"}, ("value", "selection_host_malformed")),
        ({"kind": "header", "header": "", "value": "north"}, ("header", "selection_header_malformed")),
        ({"kind": "moon", "header": "", "value": "x"}, ("kind", "invalid_choice")),
    ],
)
def test_a_wrong_rule_is_refused_and_shown_again(
    admin: Administrator, provider: Provider, row: dict[str, str], error: tuple[str, str]
) -> None:
    response = submit(admin, provider, row)
    assert error in codes(response)
    assert f'value="{row["value"]}"' in response.content.decode()
    assert not ProviderSelectionRule.objects.exists()


def test_the_same_rule_twice_is_refused(admin: Administrator, provider: Provider) -> None:
    assert codes(submit(admin, provider, NETWORK, NETWORK)) == {("", "row_twice")}


def test_the_second_of_two_is_told_and_nothing_is_lost(admin: Administrator, provider: Provider) -> None:
    second = administrator("view_provider", "change_provider")
    shown = second.fields_of(page_of(provider), "rules_form")
    submit(admin, provider, NETWORK)
    mine = {"kind": "host", "header": "", "value": "mine.example.org"}
    told = submit(second, provider, mine, shown=shown)
    assert "administrator-" in told.context["problem"]
    assert "10.0.0.0/8" in str(told.context["present"])
    assert rules_of(provider) == ["network = 10.0.0.0/8"]
    submit(second, provider, mine, shown={**shown, "version": told.context["version"]})
    assert rules_of(provider) == ["host = mine.example.org"]


def test_a_rule_that_somebody_saved_stays_when_another_saves_the_provider(
    admin: Administrator, provider: Provider
) -> None:
    second = administrator("view_provider", "change_provider")
    shown = second.fields_of(change_page(provider))
    submit(admin, provider, NETWORK)
    assert second.browser.post(change_page(provider), {**shown, "button_text": "Enter"}).status_code == 302
    assert rules_of(provider) == ["network = 10.0.0.0/8"]


@pytest.mark.case("AD01")
def test_the_rights_are_those_of_the_provider(provider: Provider) -> None:
    looker, editor = administrator("view_provider"), administrator("view_provider", "change_provider")
    assert looker.browser.get(page_of(provider)).status_code == 200
    assert submit(looker, provider, NETWORK).status_code == 403
    assert submit(editor, provider, NETWORK).status_code == 302
    assert administrator().browser.get("/admin/psc_connect/provider/999/rules/").status_code == 404
