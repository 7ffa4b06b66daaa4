"""The exported attributes on the provider's page."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.admin.mapping import creation_is_impossible
from psc_connect.declaration import add_default_attributes
from psc_connect.models import ExportedAttribute, Provider
from tests.admin_pages import Administrator, change_page, text_of
from tests.email_user import CreatingBackend, EmailUser

pytestmark = pytest.mark.django_db
PREFIX = "exported_attributes"
BACKENDS = ["psc_connect.backends.ProSanteConnectBackend", "django.contrib.auth.backends.ModelBackend"]


def add_row(admin: Administrator, provider: Provider, **values: str) -> Any:
    number = provider.exported_attributes.count()
    values = {"claim": "email", "user_field": "email", "when": "login", **values}
    row = {f"{PREFIX}-{number}-{name}": value for name, value in values.items()}
    return admin.submit(change_page(provider), **{f"{PREFIX}-TOTAL_FORMS": str(number + 1)}, **row)


def row_codes(response: Any) -> set[tuple[str, str]]:
    assert response.status_code == 200
    (formset,) = response.context["inline_admin_formsets"]
    forms = formset.formset.forms
    errors = {(name, error.code) for form in forms for name, found in form.errors.as_data().items() for error in found}
    return errors | {("", error.code) for error in formset.formset.non_form_errors().as_data()}


def row_texts(response: Any) -> str:
    (formset,) = response.context["inline_admin_formsets"]
    return str([form.errors for form in formset.formset.forms])


def test_a_row_is_added(admin: Administrator, provider: Provider) -> None:
    claim = "SubjectRefPro.exercices[0].codeProfession"
    assert add_row(admin, provider, claim=claim, when="empty", required="on").status_code == 302
    row = provider.exported_attributes.get(user_field="email")
    assert (row.claim, row.when, row.required) == (claim, "empty", True)


def test_a_row_is_deleted(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), **{f"{PREFIX}-0-DELETE": "on"})
    assert provider.exported_attributes.count() == 2


@pytest.mark.parametrize("claim", ["given_name[", "a..b", "SubjectRefPro.exercices[?", "unknown_function(a)("])
def test_a_wrong_path_is_refused_with_its_position(admin: Administrator, provider: Provider, claim: str) -> None:
    response = add_row(admin, provider, claim=claim)
    assert row_codes(response) == {("claim", "attribute_claim_invalid")}
    assert provider.exported_attributes.count() == 3


def test_the_position_is_counted_from_one(admin: Administrator, provider: Provider) -> None:
    assert "3" in row_texts(add_row(admin, provider, claim="a..b"))


@pytest.mark.case("AL12")
@pytest.mark.parametrize(
    "field",
    [
        "is_staff",
        "is_superuser",
        "is_active",
        "password",
        "last_login",
        "id",
        "pk",
        "groups",
        "user_permissions",
        "x",
        "",
    ],
)
def test_a_field_that_no_claim_may_fill_is_refused(admin: Administrator, provider: Provider, field: str) -> None:
    expected = "attribute_field_unknown" if field else "required"
    assert row_codes(add_row(admin, provider, user_field=field)) == {("user_field", expected)}
    assert provider.exported_attributes.count() == 3


def test_only_fields_that_a_claim_may_fill_are_offered(admin: Administrator, provider: Provider) -> None:
    (formset,) = admin.browser.get(change_page(provider)).context["inline_admin_formsets"]
    offered = {value for value, _label in formset.formset.forms[0].fields["user_field"].widget.choices}
    assert offered == {"", "username", "first_name", "last_name", "email", "date_joined"}


def test_every_input_of_a_row_says_what_it_is(admin: Administrator, provider: Provider) -> None:
    (formset,) = admin.browser.get(change_page(provider)).context["inline_admin_formsets"]
    for name in ("claim", "user_field", "when", "required", "DELETE"):
        assert 'aria-label="' in str(formset.formset.forms[0][name])


def test_two_rows_for_one_field_are_refused(admin: Administrator, provider: Provider) -> None:
    response = add_row(admin, provider, user_field="username")
    assert response.status_code == 200
    assert provider.exported_attributes.count() == 3


def test_a_field_that_has_gone_is_shown_and_can_be_replaced(admin: Administrator, provider: Provider) -> None:
    ExportedAttribute.objects.filter(user_field="last_name").update(user_field="gone")
    url = change_page(provider)
    fields = admin.fields_of(url)
    (name,) = (name for name, value in fields.items() if value == "gone")
    assert row_codes(admin.submit(url)) == {("user_field", "attribute_field_unknown")}
    assert admin.submit(url, **{name: "last_name"}).status_code == 302
    assert set(provider.exported_attributes.values_list("user_field", flat=True)) == {
        "first_name",
        "last_name",
        "username",
    }


def test_a_path_that_broke_is_shown_and_can_be_mended(admin: Administrator, provider: Provider) -> None:
    ExportedAttribute.objects.filter(user_field="last_name").update(claim="a[")
    fields = admin.fields_of(change_page(provider))
    (name,) = (name for name, value in fields.items() if value == "a[")
    assert admin.submit(change_page(provider), **{name: "family_name"}).status_code == 302


def says_so(admin: Administrator, provider: Provider) -> bool:
    return "ProSanteConnectBackend.create_user" in text_of(admin.browser.get(change_page(provider)))


def test_without_a_row_for_the_username_the_page_says_that_nobody_can_be_created(
    admin: Administrator, provider: Provider
) -> None:
    assert not says_so(admin, provider)
    provider.exported_attributes.filter(user_field="username").delete()
    assert says_so(admin, provider)


def test_it_does_not_say_so_where_nobody_is_to_be_created(admin: Administrator, provider: Provider) -> None:
    provider.exported_attributes.all().delete()
    Provider.objects.update(create_unknown_users=False)
    assert not says_so(admin, provider)


def test_it_does_not_say_so_where_the_site_creates_its_users(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    provider.exported_attributes.all().delete()
    path = f"{CreatingBackend.__module__}.{CreatingBackend.__name__}"
    settings.AUTHENTICATION_BACKENDS = [path, "django.contrib.auth.backends.ModelBackend"]
    assert not says_so(admin, provider)


@pytest.fixture
def people_known_by_email(settings: Any) -> None:
    settings.AUTH_USER_MODEL = "tests.EmailUser"
    settings.AUTHENTICATION_BACKENDS = BACKENDS


def test_default_rows_follow_the_user_model(provider: Provider, people_known_by_email: None) -> None:
    provider.exported_attributes.all().delete()
    add_default_attributes(provider)
    assert list(provider.exported_attributes.values_list("claim", "user_field")) == [("family_name", "last_name")]


def test_people_known_by_email_cannot_be_created_without_a_row_for_it(
    provider: Provider, people_known_by_email: None
) -> None:
    assert creation_is_impossible(provider)
    provider.exported_attributes.create(claim="email", user_field=EmailUser.USERNAME_FIELD)
    assert not creation_is_impossible(provider)
