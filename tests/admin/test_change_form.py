"""The change form of a provider, and what a login changes at the same time."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import pre_delete, pre_save

from psc_connect.models import Provider
from psc_connect.providers.keys import import_keys
from psc_connect.simulator import Simulator
from tests.admin.pages import (
    LIST,
    Administrator,
    administrator,
    change_page,
    codes,
    give_account,
    messages_of,
    row,
    stored,
    text_of,
)
from tests.conftest import CLIENT_SECRET
from tests.support.key_sets import EC_KEY
from tests.support.stored_keys import store_keys

pytestmark = pytest.mark.django_db


def test_a_page_saved_as_it_is_changes_nothing(admin: Administrator, provider: Provider) -> None:
    before = row(provider)
    assert admin.submit(change_page(provider)).status_code == 302
    assert row(provider) == before
    assert LogEntry.objects.get().change_message == "[]"


@pytest.mark.case("CC04")
def test_keys_that_a_login_fetched_meanwhile_stay(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    fields = admin.fields_of(change_page(provider))
    simulator.rotate_keys(withdraw_old=True)
    import_keys(provider)
    newer = row(provider)["jwks"]
    admin.browser.post(change_page(provider), {**fields, "button_text": "Entrer"})
    after = row(provider)
    assert (after["jwks"], after["button_text"]) == (newer, "Entrer")


@pytest.mark.case("CC04")
def test_keys_that_a_login_fetches_while_the_form_is_saved_stay(admin: Administrator, provider: Provider) -> None:
    def login_of_somebody_else(**_kwargs: Any) -> None:
        store_keys(stored(provider), {"keys": [EC_KEY]})

    pre_save.connect(login_of_somebody_else, sender=Provider)
    try:
        admin.submit(change_page(provider), button_text="Entrer")
    finally:
        pre_save.disconnect(login_of_somebody_else, sender=Provider)
    assert row(provider)["jwks"] == {"keys": [EC_KEY]}
    assert row(provider)["button_text"] == "Entrer"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slug", "psc-2026"),
        ("client_id", "another-client"),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("scope", "openid"),
        ("acr_values", "eidas1"),
        ("accepted_acr_values", "eidas1 eidas3"),
        ("prompt", "login"),
        ("max_age", 3600),
        ("require_iss", "never"),
        ("button_text", "Entrer"),
        ("button_logo", "logo.svg"),
        ("id_token_signed_response_alg", "ES256"),
        ("userinfo_signed_response_alg", "PS256"),
        ("comment", "Ask Ms Durand"),
        ("display", "popup"),
        ("ui_locales", "fr en"),
        ("button_tooltip", "For health professionals"),
        ("sort_order", 5),
        ("link_user_field", "last_name"),
        ("link_privileged_users", True),
    ],
)
def test_everything_can_be_edited(admin: Administrator, provider: Provider, name: str, value: object) -> None:
    admin.submit(change_page(provider), **{name: "on" if value is True else str(value)})
    assert row(provider)[name] == value


@pytest.mark.parametrize("name", ["create_unknown_users", "metadata_followed"])
def test_what_is_on_can_be_turned_off(admin: Administrator, provider: Provider, name: str) -> None:
    admin.submit(change_page(provider), drop=(name,))
    assert row(provider)[name] is False


def test_the_fields_with_a_number_are_chosen_from_those_that_can_have_one(
    admin: Administrator, provider: Provider
) -> None:
    def offered() -> set[str]:
        form = admin.browser.get(change_page(provider)).context["adminform"].form
        return {name for name, _label in form.fields["link_user_field"].widget.choices}

    texts = {"", "username", "first_name", "last_name"}
    assert offered() == texts
    for name in ("password", "is_staff", "nothing"):
        assert codes(admin.submit(change_page(provider), link_user_field=name)) == {
            ("link_user_field", "link_field_unknown")
        }
    # One that has gone since is shown as it is, and refused as it is.
    Provider.objects.update(link_user_field="rpps")
    assert offered() == {*texts, "rpps"}
    assert codes(admin.submit(change_page(provider))) == {("link_user_field", "link_field_unknown")}


@pytest.mark.case("AD02", "AD03", "NW03")
@pytest.mark.parametrize(("name", "value"), [("link_user_field", "last_name"), ("link_privileged_users", "on")])
def test_only_a_superuser_decides_as_whom_people_sign_in(provider: Provider, name: str, value: str) -> None:
    before = row(provider)
    for rights in (("view_provider", "change_provider"), ("view_provider", "change_provider", "change_user")):
        refused = administrator(*rights).submit(change_page(provider), **{name: value})
        assert codes(refused) == {(name, "users_not_allowed")}
        assert row(provider) == before
    assert administrator().submit(change_page(provider), **{name: value}).status_code == 302
    assert row(provider)[name] != before[name]


def test_extra_parameters_are_lines(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), extra_parameters='kc_idp_hint = OKTA_chu\n\n claims={"a": "b=c"}\n')
    assert row(provider)["extra_parameters"] == {"kc_idp_hint": "OKTA_chu", "claims": '{"a": "b=c"}'}
    shown = admin.fields_of(change_page(provider))["extra_parameters"]
    assert shown == 'kc_idp_hint = OKTA_chu\nclaims = {"a": "b=c"}'
    assert admin.submit(change_page(provider), extra_parameters="").status_code == 302
    assert row(provider)["extra_parameters"] == {}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("kc_idp_hint", "pairs_malformed"),
        ("= x", "pairs_malformed"),
        ("a =", "pairs_malformed"),
        ("a = 1\na = 2", "pairs_twice"),
        ("redirect_uri = https://evil.example", "extra_parameters_reserved"),
        ("a b = c", "extra_parameters_malformed"),
    ],
)
def test_lines_that_are_no_parameters_are_refused_and_shown_again(
    admin: Administrator, provider: Provider, typed: str, code: str
) -> None:
    response = admin.submit(change_page(provider), extra_parameters=typed)
    assert codes(response) == {("extra_parameters", code)}
    assert response.context["adminform"].form["extra_parameters"].value() == typed
    assert row(provider)["extra_parameters"] == {}


def test_the_button_has_words_in_several_languages(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), button_texts="en = Come in\nde = Eintreten", button_tooltips="EN = Help")
    assert row(provider)["translations"] == {
        "en": {"button_text": "Come in", "button_tooltip": "Help"},
        "de": {"button_text": "Eintreten"},
    }
    fields = admin.fields_of(change_page(provider))
    assert fields["button_texts"] == "en = Come in\nde = Eintreten"
    admin.submit(change_page(provider), button_texts="", button_tooltips="")
    assert row(provider)["translations"] == {}


@pytest.mark.parametrize("typed", ["english = x", "e = x", "en = " + "x" * 101])
def test_words_in_no_language_or_too_many_are_refused(admin: Administrator, provider: Provider, typed: str) -> None:
    assert ("button_texts", "translations_malformed") in codes(admin.submit(change_page(provider), button_texts=typed))


@pytest.mark.parametrize(
    ("name", "typed", "code"),
    [
        ("scope", "scope_all", "scope_without_openid"),
        ("scope", "OpenID", "scope_without_openid"),
        ("scope", "openid  scope_all", "invalid"),
        ("button_logo", "https://elsewhere.example/logo.svg", "static_path_malformed"),
        ("button_logo", "//elsewhere.example/logo.svg", "static_path_malformed"),
        ("button_logo", "\\\\elsewhere.example\\logo.svg", "static_path_malformed"),
        ("button_logo", "data:image/svg+xml,x", "static_path_malformed"),
    ],
)
def test_what_could_not_work_is_refused(
    admin: Administrator, provider: Provider, name: str, typed: str, code: str
) -> None:
    assert codes(admin.submit(change_page(provider), **{name: typed})) == {(name, code)}


@pytest.mark.case("CF04", "TR11")
def test_no_algorithm_without_a_public_key_can_be_chosen(admin: Administrator, provider: Provider) -> None:
    response = admin.browser.get(change_page(provider))
    form = response.context["adminform"].form
    for name in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        offered = {value for value, _label in form.fields[name].choices} - {""}
        assert offered == {f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)}
        assert codes(admin.submit(change_page(provider), **{name: "HS256"})) == {(name, "invalid_choice")}


@pytest.mark.usefixtures("english")
def test_somebody_who_may_only_look_sees_the_page_without_its_secrets_and_buttons(provider: Provider) -> None:
    page = administrator("view_provider").browser.get(change_page(provider))
    assert page.status_code == 200
    text = page.content.decode()
    assert "A secret is stored." in text_of(page)
    assert "StoredSecret" not in text
    assert "{\n  &quot;issuer&quot;:" in text
    assert "Edit" not in text_of(page)
    assert provider.issuer in text
    assert "/connection/" not in text
    assert "/dry-run/" not in text
    assert 'name="client_secret"' not in text
    assert CLIENT_SECRET not in text


def test_somebody_who_may_only_look_changes_nothing(provider: Provider) -> None:
    before = row(provider)
    admin = administrator("view_provider")
    assert admin.browser.post(change_page(provider), {"client_secret": "x"}).status_code == 403
    assert row(provider) == before


@pytest.mark.usefixtures("english")
def test_a_provider_with_accounts_cannot_be_deleted_and_the_page_says_what_to_do(
    admin: Administrator, provider: Provider
) -> None:
    give_account(provider)
    selected = {"action": "delete_selected", "_selected_action": [str(provider.pk)], "post": "yes"}
    for url, data in ((f"/admin/psc_connect/provider/{provider.pk}/delete/", {"post": "yes"}), (LIST, selected)):
        response = admin.browser.post(url, data)
        assert Provider.objects.count() == 1
        assert "1 account" in text_of(response)
        assert change_page(provider) in response.content.decode()
        assert "isable" in text_of(response)


@pytest.mark.usefixtures("english")
def test_another_identifier_is_told_with_the_addresses_to_declare(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), slug="psc-2026")
    ((_level, text),) = [(level, text) for level, text in messages_of(response) if level == "warning"]
    assert "http://testserver/psc/psc-2026/callback/" in text
    assert "http://testserver/psc/psc-2026/logged-out/" in text


def test_the_page_names_the_addresses_of_this_row(admin: Administrator, provider: Provider) -> None:
    assert "http://testserver/psc/psc/callback/" in admin.browser.get(change_page(provider)).content.decode()


def test_an_empty_client_id_is_refused_beside_other_changes(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), client_id="", button_text="Entrer")
    assert codes(response) == {("client_id", "required")}
    assert "Entrer" in response.content.decode()
    assert text_of(response)


def test_selected_providers_are_deleted_although_another_administrator_has_deleted_one(
    admin: Administrator, provider: Provider
) -> None:
    other = Provider.objects.create(slug="other", client_id="c")

    def delete_other(**_values: Any) -> None:
        Provider.objects.filter(pk=other.pk)._raw_delete("default")

    pre_delete.connect(delete_other, sender=Provider)
    try:
        fields = {"action": "delete_selected", "_selected_action": [provider.pk, other.pk], "post": "yes"}
        assert admin.browser.post(LIST, fields).status_code == 302
    finally:
        pre_delete.disconnect(delete_other, sender=Provider)
    assert not Provider.objects.exists()
