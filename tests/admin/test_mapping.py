"""The mapping page: rows are typed, previewed with a sample, and saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.backends import creation_is_impossible
from psc_connect.models import DeclarationChange, ExportedAttribute, ExportedGroup, Provider
from psc_connect.providers.validation import add_default_attributes
from tests.admin.mapping_page import BACKENDS, SAMPLE, add_group, add_row, page_of, row_codes, row_previews, submit
from tests.admin.pages import Administrator, administrator, change_page, messages_of, text_of
from tests.email_user import CreatingBackend, EmailUser

pytestmark = pytest.mark.django_db
# Rows are saved.


def test_a_row_is_added(admin: Administrator, provider: Provider) -> None:
    claim = "SubjectRefPro.exercices[0].codeProfession"
    response = add_row(admin, provider, claim=claim, when="empty", required="on")
    assert response["Location"] == page_of(provider)
    row = provider.exported_attributes.get(user_field="email")
    assert (row.claim, row.when, row.required) == (claim, "empty", True)
    assert provider.exported_attributes.count() == 4


def test_a_row_is_deleted(admin: Administrator, provider: Provider) -> None:
    submit(admin, provider, **{"attributes-0-DELETE": "on"})
    assert provider.exported_attributes.count() == 2


def test_saving_an_unchanged_page_changes_nothing(admin: Administrator, provider: Provider) -> None:
    before = list(provider.exported_attributes.values_list("claim", "user_field", "when", "required"))
    submit(admin, provider)
    assert list(provider.exported_attributes.values_list("claim", "user_field", "when", "required")) == before
    assert not DeclarationChange.objects.exists()


def test_the_history_shows_the_old_and_the_new_value(admin: Administrator, provider: Provider) -> None:
    submit(admin, provider, **{"attributes-0-claim": "SubjectOrganization"})
    (change,) = DeclarationChange.objects.get().changes
    name, old, new = change
    assert name == "exported_attributes.first_name"
    assert (old["claim"], new["claim"]) == ("given_name", "SubjectOrganization")


@pytest.mark.parametrize("claim", ["given_name[", "a..b", "SubjectRefPro.exercices[?", "unknown_function(a)("])
@pytest.mark.parametrize("button", ["_save", "_preview"])
def test_a_wrong_path_is_refused_with_its_position_and_shown_again(
    admin: Administrator, provider: Provider, claim: str, button: str
) -> None:
    response = add_row(admin, provider, button, claim=claim)
    assert row_codes(response) == {("claim", "attribute_claim_invalid")}
    assert response.context["attributes"].forms[3]["claim"].value() == claim
    assert provider.exported_attributes.count() == 3


def test_the_position_is_counted_from_one(admin: Administrator, provider: Provider) -> None:
    errors = [form.errors for form in add_row(admin, provider, claim="a..b").context["attributes"]]
    assert "3" in str(errors)


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
    form = admin.browser.get(page_of(provider)).context["attributes"].forms[0]
    offered = {value for value, _label in form.fields["user_field"].widget.choices}
    assert offered == {"", "username", "first_name", "last_name", "email", "date_joined"}


def test_every_input_of_a_row_has_a_name(admin: Administrator, provider: Provider) -> None:
    response = admin.browser.get(page_of(provider))
    names = {"attributes": ("claim", "user_field", "when", "required"), "groups": ("claim", "equals", "group")}
    for kind, fields in names.items():
        for name in (*fields, "DELETE"):
            assert 'aria-label="' in str(response.context[kind].forms[0][name])


def test_two_rows_for_one_field_are_refused(admin: Administrator, provider: Provider) -> None:
    assert row_codes(add_row(admin, provider, user_field="username")) == {("", "attribute_field_twice")}
    assert provider.exported_attributes.count() == 3


def test_a_missing_field_is_shown_and_can_be_replaced(admin: Administrator, provider: Provider) -> None:
    ExportedAttribute.objects.filter(user_field="last_name").update(user_field="gone")
    fields = admin.fields_of(page_of(provider), "mapping_form")
    (name,) = (name for name, value in fields.items() if value == "gone")
    shown = admin.browser.get(page_of(provider))
    assert any("modèle" in result.result or "user model" in result.result for result in row_previews(shown))
    assert row_codes(submit(admin, provider)) == {("user_field", "attribute_field_unknown")}
    submit(admin, provider, **{name: "last_name"})
    fields_now = provider.exported_attributes.values_list("user_field", flat=True)
    assert set(fields_now) == {"first_name", "last_name", "username"}


def test_an_invalid_stored_path_is_shown_and_can_be_corrected(admin: Administrator, provider: Provider) -> None:
    ExportedAttribute.objects.filter(user_field="last_name").update(claim="a[")
    fields = admin.fields_of(page_of(provider), "mapping_form")
    (name,) = (name for name, value in fields.items() if value == "a[")
    assert submit(admin, provider, **{name: "family_name"}).status_code == 302


def test_too_many_rows_are_refused(admin: Administrator, provider: Provider) -> None:
    rows = {f"attributes-{number}-claim": "a" for number in range(101)}
    response = submit(admin, provider, **{"attributes-TOTAL_FORMS": "101"}, **rows)
    assert ("", "too_many_forms") in row_codes(response)


# Groups.


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="Podiatrists")


def test_a_group_row_is_added_previewed_and_deleted(
    admin: Administrator, provider: Provider, group: Group, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    values = {"claim": "SubjectRefPro.exercices[].codeProfession", "equals": "80", "group": str(group.pk)}
    shown = add_group(admin, provider, "_preview", **values)
    (result,) = row_previews(shown, "group_rows")
    assert result.result == "This person is in the group."
    assert not ExportedGroup.objects.exists()
    add_group(admin, provider, **values)
    row = provider.exported_groups.get()
    assert (row.claim, row.equals, row.group) == (values["claim"], "80", group)
    submit(admin, provider, **{"groups-0-DELETE": "on"})
    assert not ExportedGroup.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"claim": "a[", "equals": ""}, "claim", "attribute_claim_invalid"),
        ({"claim": "a", "equals": "", "group": ""}, "group", "required"),
        ({"claim": "a", "equals": "", "group": "999"}, "group", "invalid_choice"),
    ],
)
def test_a_wrong_group_row_is_refused(
    admin: Administrator, provider: Provider, group: Group, values: dict[str, str], field: str, code: str
) -> None:
    response = add_group(admin, provider, **{"group": str(group.pk), **values})
    assert (field, code) in row_codes(response, "groups")
    assert not ExportedGroup.objects.exists()


# Two administrators at the same time.


def test_the_second_of_two_administrators_is_warned_and_loses_nothing(admin: Administrator, provider: Provider) -> None:
    second = administrator("view_provider", "change_provider", "change_user")
    shown_to_second = {**second.fields_of(page_of(provider), "mapping_form"), "sample": SAMPLE}
    submit(admin, provider, **{"attributes-0-claim": "SubjectOrganization"})
    mine = {**shown_to_second, "attributes-1-claim": "preferred_username", "_save": "on"}
    page = second.browser.post(page_of(provider), mine)
    assert "administrator-" in page.context["problem"]
    marked = {row["text"]: row["is_changed"] for row in page.context["present"]}
    assert [is_changed for text, is_changed in marked.items() if "SubjectOrganization" in text] == [True]
    assert [is_changed for text, is_changed in marked.items() if "champ de l’utilisateur\xa0: username" in text] == [
        False
    ]
    assert page.context["attributes"].forms[1]["claim"].value() == "preferred_username"
    assert provider.exported_attributes.get(user_field="last_name").claim == "family_name"
    again = {**mine, "version": page.context["version"]}
    assert second.browser.post(page_of(provider), again).status_code == 302
    assert provider.exported_attributes.get(user_field="last_name").claim == "preferred_username"
    # The history has what the first administrator had saved.
    assert "SubjectOrganization" in str([change.changes for change in DeclarationChange.objects.all()])


def test_a_preview_keeps_what_the_page_has_shown_first(admin: Administrator, provider: Provider) -> None:
    shown = add_row(admin, provider, "_preview", claim="SubjectOrganization")
    provider.exported_attributes.filter(user_field="first_name").update(claim="x")
    from tests.admin.pages import FormReader

    reader = FormReader("mapping_form")
    reader.feed(shown.content.decode())
    page = admin.browser.post(page_of(provider), {**reader.fields, "_save": "on"})
    assert page.context["problem"]


# The warning on the form of the provider.


def says_so(admin: Administrator, url: str) -> bool:
    return "ProSanteConnectBackend.create_user" in text_of(admin.browser.get(url))


def test_without_a_row_for_the_username_the_pages_warn_that_no_user_can_be_created(
    admin: Administrator, provider: Provider
) -> None:
    pages = (change_page(provider), page_of(provider))
    assert not any(says_so(admin, url) for url in pages)
    provider.exported_attributes.filter(user_field="username").delete()
    assert all(says_so(admin, url) for url in pages)


def test_there_is_no_warning_where_users_are_not_created(admin: Administrator, provider: Provider) -> None:
    provider.exported_attributes.all().delete()
    Provider.objects.update(create_unknown_users=False)
    assert not says_so(admin, change_page(provider))


def test_there_is_no_warning_where_the_site_creates_its_users(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    provider.exported_attributes.all().delete()
    path = f"{CreatingBackend.__module__}.{CreatingBackend.__name__}"
    settings.AUTHENTICATION_BACKENDS = [path, "django.contrib.auth.backends.ModelBackend"]
    assert not says_so(admin, change_page(provider))


def test_the_form_of_the_provider_summarizes_the_mapping(
    admin: Administrator, provider: Provider, group: Group
) -> None:
    ExportedGroup.objects.create(provider=provider, claim="given_name", equals="X", group=group)
    text = text_of(admin.browser.get(change_page(provider)))
    assert "SubjectNameID → username" in text
    assert "given_name = X → Podiatrists" in text


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


def test_a_message_confirms_the_saving(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, **{"attributes-0-DELETE": "on"})
    assert [level for level, _text in messages_of(response)] == ["success"]
    assert get_user_model().objects.count() == 1
