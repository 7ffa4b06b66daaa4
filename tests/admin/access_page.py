"""The page of the access rules, as an administrator uses it without scripts."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.admin.pages import Administrator

FORM = "access_rules_form"


def page_of(provider: Provider) -> str:
    return f"/admin/psc_connect/provider/{provider.pk}/access-rules/"


def typed(outcome: str, *conditions: tuple[str, str, str], **values: str) -> dict[str, str]:
    """Return a row as it is typed: ``("profession", "in", "médecin")``."""
    fields = {"outcome": outcome, **values}
    for number, (subject, operator, value) in enumerate(conditions):
        fields |= {f"{number}-subject": subject, f"{number}-operator": operator, f"{number}-typed": value}
    return fields


def shown_by(admin: Administrator, provider: Provider) -> dict[str, Any]:
    return admin.fields_of(page_of(provider), FORM)


def submit(
    admin: Administrator, provider: Provider, *rows: dict[str, str], button: str = "_save", **values: Any
) -> Any:
    """Type rows in the place of those that are shown, and press a button; ``shown``: a page that was open before."""
    fields = values.pop("shown", None) or shown_by(admin, provider)
    pressed = values.pop("pressed", "1")
    kept = {name: value for name, value in fields.items() if not name.startswith("rules-") or name.endswith("_FORMS")}
    sent = {f"rules-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}
    return press(admin, provider, {**kept, "rules-TOTAL_FORMS": str(len(rows)), **sent, **values}, button, pressed)


def press(admin: Administrator, provider: Provider, fields: dict[str, Any], button: str, pressed: str = "1") -> Any:
    return admin.browser.post(page_of(provider), {**fields, button: pressed})


def rules_of(provider: Provider) -> list[str]:
    """Return the rules that are saved, in a line each."""
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
    return errors | {("", error.code) for error in formset.non_form_errors().as_data()}


def tried(response: Any) -> dict[str, list[tuple[str, bool, str]]]:
    """Return, of each person, (deciding row, whether they may, what is said) of each capacity."""
    return {
        person.name: [(each.row, each.allowed, each.result) for each in person.activity_choices]
        for person in response.context["tried"]
    }
