"""The access rules page, used as by an administrator without scripts."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.admin.pages import Administrator, FormReader

FORM = "access_rules_form"


def page_of(provider: Provider) -> str:
    return f"/admin/psc_connect/provider/{provider.pk}/access-rules/"


def typed(outcome: str, *conditions: tuple[str, str, str], **values: str) -> dict[str, str]:
    """Return the fields of a row; a condition is written ``("profession", "in", "médecin")``."""
    fields = {"outcome": outcome, **values}
    for number, (subject, operator, value) in enumerate(conditions):
        prefix = f"conditions-{number}"
        fields |= {f"{prefix}-subject": subject, f"{prefix}-operator": operator, f"{prefix}-typed": value}
    return {**fields, "conditions-TOTAL_FORMS": str(len(conditions)), "conditions-INITIAL_FORMS": "0"}


def typed_condition(row: int, number: int, subject: str, value: str) -> dict[str, str]:
    """Return the fields of one condition of a row of the page."""
    prefix = f"rules-{row}-conditions-{number}"
    return {f"{prefix}-subject": subject, f"{prefix}-typed": value}


def shown_by(admin: Administrator, provider: Provider) -> dict[str, Any]:
    return admin.fields_of(page_of(provider), FORM)


def fields_of(response: Any) -> dict[str, Any]:
    """Return the fields of the form that a response shows."""
    reader = FormReader(FORM)
    reader.feed(response.content.decode())
    return reader.fields


def values_of(response: Any, row: int) -> dict[str, Any]:
    """Return the value of every field of a row and of its conditions, by the name within the row."""
    form = response.context["rules"][row]
    fields = [field for each in (form, *form.conditions) for field in each]
    return {field.html_name.removeprefix(f"{form.prefix}-"): field.value() for field in fields}


def submit(
    admin: Administrator, provider: Provider, *rows: dict[str, str], button: str = "_save", **values: Any
) -> Any:
    """Replace the rows that are shown, and press a button; ``shown``: the fields of a page opened before."""
    fields = values.pop("shown", None) or shown_by(admin, provider)
    pressed = values.pop("pressed", "1")
    kept = {
        name: value
        for name, value in fields.items()
        if not name.startswith("rules-") or name in ("rules-TOTAL_FORMS", "rules-INITIAL_FORMS")
    }
    sent = {f"rules-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}
    return press(admin, provider, {**kept, "rules-TOTAL_FORMS": str(len(rows)), **sent, **values}, button, pressed)


def press(admin: Administrator, provider: Provider, fields: dict[str, Any], button: str, pressed: str = "1") -> Any:
    return admin.browser.post(page_of(provider), {**fields, button: pressed})


def rules_of(provider: Provider) -> list[str]:
    """Return the saved rules, each in one line."""
    rows = provider.access_rules.all()
    return [" ".join((row.outcome, *(_in_short(each) for each in row.conditions))).strip() for row in rows]


def _in_short(condition: dict[str, Any]) -> str:
    return f"[{condition['subject']} {condition['operator']} {' '.join(condition['values'])}]"


def codes(response: Any) -> set[tuple[str, str]]:
    """Return (field, code) of every error of the rows and of their conditions."""
    assert response.status_code == 200, response.headers.get("Location")
    formset = response.context["rules"]
    forms = [*formset, *(each for form in formset for each in form.conditions)]
    errors = {(name, error.code) for form in forms for name, found in form.errors.as_data().items() for error in found}
    formsets = [formset, *(form.conditions for form in formset)]
    return errors | {("", error.code) for each in formsets for error in each.non_form_errors().as_data()}


def decisions(response: Any) -> dict[str, list[tuple[str, bool, str]]]:
    """Return, for each person of the preview, (deciding row, whether allowed, result) of each activity."""
    return {
        person.name: [(each.row, each.allowed, each.result) for each in person.activity_choices]
        for person in response.context["people"]
    }
