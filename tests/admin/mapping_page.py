"""The mapping page, used as by an administrator."""

from __future__ import annotations

from typing import Any

from psc_connect.models import Provider
from tests.admin.pages import Administrator

BACKENDS = ["psc_connect.backends.ProSanteConnectBackend", "django.contrib.auth.backends.ModelBackend"]
SAMPLE = "podiatrist-2023"


def page_of(provider: Provider) -> str:
    return f"/admin/psc_connect/provider/{provider.pk}/mapping/"


def submit(admin: Administrator, provider: Provider, button: str = "_save", **changes: str) -> Any:
    fields = {**admin.fields_of(page_of(provider), "mapping_form"), "sample": SAMPLE, **changes}
    return admin.browser.post(page_of(provider), {**fields, button: "on"})


def add_row(admin: Administrator, provider: Provider, button: str = "_save", **values: str) -> Any:
    number = provider.exported_attributes.count()
    values = {"claim": "email", "user_field": "email", "when": "login", **values}
    return submit(admin, provider, button, **{f"attributes-{number}-{name}": value for name, value in values.items()})


def add_group(admin: Administrator, provider: Provider, button: str = "_save", **values: str) -> Any:
    number = provider.exported_groups.count()
    return submit(admin, provider, button, **{f"groups-{number}-{name}": value for name, value in values.items()})


def row_codes(response: Any, kind: str = "attributes") -> set[tuple[str, str]]:
    assert response.status_code == 200
    formset = response.context[kind]
    errors = {
        (name, error.code) for form in formset for name, found in form.errors.as_data().items() for error in found
    }
    return errors | {("", error.code) for error in formset.non_form_errors().as_data()}


def row_previews(response: Any, kind: str = "attribute_rows") -> list[Any]:
    return [result for _form, result in response.context[kind] if result is not None]
