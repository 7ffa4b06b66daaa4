"""Export and import of a configuration in the admin, with a preview."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile

from psc_connect.admin.signed_payloads import sign_payload
from psc_connect.environments import load_metadata
from psc_connect.models import DeclarationChange, Provider
from tests.admin.import_page import IMPORT, PRODUCTION, SECRET, accept, document, problems_of, show
from tests.admin.pages import LIST, Administrator, administrator, change_page, messages_of, stored, text_of
from tests.configuration.commands import everything
from tests.conftest import CLIENT_SECRET
from tests.contrib.lemonldap.configurations import AS_DOCUMENTED, configuration
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.secrets import save_secret

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]


# Out.


@pytest.mark.case("AD01")
def test_the_export_is_a_file_without_a_secret(admin: Administrator, provider: Provider) -> None:
    response = admin.open(provider, "export")
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="psc.json"'
    assert "no-store" in response["Cache-Control"]
    written = json.loads(response.content)
    assert written["providers"][0]["client_id"] == provider.client_id
    assert CLIENT_SECRET not in response.content.decode()


def test_whoever_may_look_may_export_and_nobody_else(provider: Provider) -> None:
    assert administrator("view_provider").open(provider, "export").status_code == 200
    assert administrator("view_account").open(provider, "export").status_code == 403


# In.


def test_what_would_become_is_shown_and_nothing_is_saved(admin: Administrator, provider: Provider) -> None:
    before = everything()
    shown = show(admin, document({"slug": "psc", "scope": "openid"}, {**PRODUCTION, "slug": "new"}))
    text = text_of(shown)
    assert "psc – changes" in text
    assert "scopes openid scope_all openid" in text
    assert "new – new" in text
    assert everything() == before


def test_what_is_accepted_is_saved_and_stands_in_the_history(admin: Administrator, provider: Provider) -> None:
    response = accept(admin, show(admin, document({"slug": "psc", "scope": "openid"})))
    assert response["Location"] == LIST
    assert stored(provider).scope == "openid"
    change = DeclarationChange.objects.get()
    assert (change.changes, change.made_by_name) == ([["scope", "openid scope_all", "openid"]], "administrator-")


def test_an_exported_file_comes_back_unchanged(admin: Administrator, provider: Provider) -> None:
    exported = admin.open(provider, "export").content
    before = everything()
    shown = admin.browser.post(IMPORT, {"file": SimpleUploadedFile("psc.json", exported)})
    assert "psc – nothing changes" in text_of(shown)
    accept(admin, shown)
    assert everything() == before


def test_a_new_provider_without_keys_is_told(admin: Administrator) -> None:
    response = accept(admin, show(admin, document(PRODUCTION)))
    assert [level for level, _text in messages_of(response)] == ["warning", "success"]
    assert Provider.objects.get().metadata == load_metadata("production")


def test_a_configuration_of_lemonldap_is_imported_and_logs_in(
    admin: Administrator, simulator: Any, settings: Any
) -> None:
    from tests.conftest import client_of

    simulator.register(client_of("psc-connect"))
    keys = {"psc-connect": json.dumps(simulator.jwks)}
    whole = configuration(
        simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataJWKS=keys, globalStorageOptions={"Password": "db-password-9"}
    )
    shown = show(admin, json.dumps(whole))
    page = shown.content.decode()
    assert CLIENT_SECRET not in page
    assert "db-password-9" not in page
    assert "oidcOPMetaDataOptionsIcon" in text_of(shown)
    accept(admin, shown)
    del settings.PSC_CONNECT_HTTPS_PROXY
    assert BrowserSession(slug="psc-connect").sign_in(PAGE)["Location"] == PAGE


def test_a_large_configuration_of_lemonldap_is_not_carried_through_the_page(
    admin: Administrator, simulator: Any
) -> None:
    whole = configuration(simulator.metadata, AS_DOCUMENTED, samlIDPMetaDataXML={"idp": "x" * 3_500_000})
    shown = admin.browser.post(IMPORT, {"file": SimpleUploadedFile("lmConf-1.json", json.dumps(whole).encode())})
    assert len(shown.context["payload"]) < 50_000
    assert accept(admin, shown).status_code == 302


def test_what_was_pasted_stays_where_it_cannot_be_carried_out(admin: Administrator) -> None:
    text = document({"slugg": "psc", "environment": "custom", "client_id": ""})
    response = show(admin, text)
    assert response.context["form"]["text"].value() == text
    # Nobody typed the usual identifier of the environment.
    assert {problem.where for problem in response.context["problems"]} == {"slugg", "client_id"}


def test_a_preview_can_be_left(admin: Administrator) -> None:
    assert f'class="closelink" href="{LIST}"' in show(admin, document(PRODUCTION)).content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"psc_connect": 1,\n "providers": [}', "line 2, column 16"),
        ("", "Choose a file or paste its content. "),
        ('{"psc_connect": 1, "psc_connect": 1}', "ambiguous"),
    ],
)
def test_a_text_that_does_not_parse_is_told_and_shown_again(admin: Administrator, text: str, said: str) -> None:
    response = show(admin, text)
    assert said in text_of(response)
    assert response.context["form"]["text"].value() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "This is an HTML page"),
        ("[]", "begins with"),
        ("-----BEGIN CERTIFICATE-----", "certificate or a key in PEM"),
        (document({**PRODUCTION, "client_secret": "a-secret-in-clear"}), "client_secret"),
        (document({**PRODUCTION, "scopes": "x"}), "Do you mean scope?"),
        (document({**PRODUCTION, "exported_attributes": [{"claim": "a[", "user_field": "x"}]}), "[0].claim"),
    ],
)
def test_a_document_with_problems_offers_nothing(admin: Administrator, text: str, said: str) -> None:
    response = show(admin, text)
    assert said in problems_of(response)
    assert "a-secret-in-clear" not in problems_of(response)
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps({"psc_connect": 1, "x": "y" * 1024 * 1024}).encode(), "import_too_large"),
        (b"\xff\xfe", "import_not_text"),
        (b"x" * (4 * 1024 * 1024 + 1), "import_too_large"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_none_is_refused(admin: Administrator, content: bytes, code: str) -> None:
    response = admin.browser.post(IMPORT, {"file": SimpleUploadedFile("x.json", content)})
    assert [error.code for error in response.context["form"].errors.as_data()["file"]] == [code]


def test_a_file_and_a_text_together_are_one_error(admin: Administrator) -> None:
    file = SimpleUploadedFile("x.json", b"not JSON at all {")
    response = admin.browser.post(IMPORT, {"file": file, "text": "{"})
    assert [
        (name, error.code) for name, errors in response.context["form"].errors.as_data().items() for error in errors
    ] == [("file", "given_twice")]


def test_a_blank_line_in_the_box_is_no_text(admin: Administrator, provider: Provider) -> None:
    exported = admin.open(provider, "export").content
    file = SimpleUploadedFile("psc.json", exported)
    assert "psc – nothing changes" in text_of(admin.browser.post(IMPORT, {"file": file, "text": "\r\n"}))
    assert [error.code for error in show(admin, " \r\n").context["form"].errors.as_data()["file"]] == ["required"]


def test_a_new_provider_has_its_secret_stored_and_none_replaced(admin: Administrator, simulator: Any) -> None:
    keys = {"psc-connect": json.dumps(simulator.jwks)}
    document_of_it = json.dumps(configuration(simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataJWKS=keys))
    assert "client secret – stored" in text_of(show(admin, document_of_it))
    accept(admin, show(admin, document_of_it))
    save_secret("another", Provider.objects.get().slug)
    assert "client secret – replaced" in text_of(show(admin, document_of_it))


def test_a_provider_without_a_secret_is_told_to_wait_for_it(admin: Administrator) -> None:
    shown = show(admin, document({"environment": "production", "client_id": "c"}))
    assert "It stays disabled until it has a client secret." in text_of(shown)
    accept(admin, shown)
    assert not Provider.objects.get().enabled


@pytest.mark.case("CF03")
def test_an_import_makes_no_sandbox_of_production(admin: Administrator, production: Provider) -> None:
    shown = show(admin, document({"slug": "psc", "environment": "sandbox", "client_secret": SECRET}))
    assert "use another identifier (slug)" in problems_of(shown)


# What is accepted is what was shown.


@pytest.mark.parametrize("meanwhile", [{"client_id": ""}, {"scope": "openid other"}, {"scope": "openid"}], ids=str)
def test_what_is_no_longer_what_was_shown_is_not_saved(
    admin: Administrator, provider: Provider, meanwhile: dict[str, str]
) -> None:
    shown = show(admin, document({"slug": "psc", "scope": "openid"}))
    Provider.objects.update(**meanwhile)
    before = everything()
    response = accept(admin, shown)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert everything() == before


def test_what_somebody_saved_in_other_fields_stays(admin: Administrator, provider: Provider) -> None:
    shown = show(admin, document({"slug": "psc", "scope": "openid"}))
    Provider.objects.update(button_text="Enter")
    accept(admin, shown)
    assert (stored(provider).scope, stored(provider).button_text) == ("openid", "Enter")


def test_a_row_is_shown_to_its_end(admin: Administrator, provider: Provider) -> None:
    """The group stands last: no expression, however long, may push it out of sight."""
    Group.objects.create(name="Administrators")
    long_row = {"claim": "a" * 255, "equals": "b" * 255, "group": "Administrators"}
    shown = show(admin, document({"slug": "psc", "exported_groups": [long_row]}))
    assert shown.context["plans"][0]["diff"][0].new.endswith("Administrators")
    accept(admin, shown)
    assert "Administrators" in text_of(admin.open(provider, "history"))


@pytest.mark.case("AD03")
def test_access_rules_that_give_groups_take_it_too_and_are_shown_as_sentences(provider: Provider) -> None:
    Group.objects.create(name="Doctors")
    doctors = [{"subject": "profession", "operator": "in", "values": ["10"]}]
    rows = [{"conditions": doctors, "outcome": "allow"}, {"outcome": "group", "group": "Doctors"}]
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    text = document({"slug": "psc", "access_rules": rows})
    assert "access_rules" in problems_of(show(administrator(*rights), text))
    allowed, editor = administrator(*rights, "change_user"), administrator(*rights, "view_account")
    shown = show(allowed, text)
    assert "Médecin (10) → " in text_of(shown)
    accept(allowed, shown)
    assert list(provider.access_rules.values_list("position", "outcome")) == [(0, "allow"), (1, "group")]
    # A row above it decides who comes to it, one below who is let in.
    assert "access_rules" in problems_of(show(editor, document({"slug": "psc", "access_rules": rows[1:]})))
    more = document({"slug": "psc", "access_rules": [*rows, {"outcome": "refuse"}]})
    assert "access_rules" in problems_of(show(editor, more))
    accept(allowed, show(allowed, more))
    assert provider.access_rules.count() == 3


@pytest.mark.parametrize("payload", ["", "x", "gAAAAA", None])
def test_an_invalid_payload_changes_nothing(admin: Administrator, provider: Provider, payload: str | None) -> None:
    sealed = sign_payload("keys", json.loads(document({"slug": "psc", "scope": "openid"})))
    before = everything()
    response = admin.browser.post(IMPORT, {"payload": sealed if payload is None else payload})
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert everything() == before


def test_what_a_colleague_was_shown_is_carried_out_by_nobody_else(admin: Administrator, provider: Provider) -> None:
    other = administrator("add_provider", "change_provider")
    before = everything()
    accept(admin, show(other, document({"slug": "psc", "comment": "planted"})))
    assert everything() == before


def test_the_list_and_the_page_lead_there(admin: Administrator, provider: Provider) -> None:
    assert IMPORT in admin.browser.get(LIST).content.decode()
    assert f"{LIST}{provider.pk}/export/" in admin.browser.get(change_page(provider)).content.decode()
