"""A provider is changed: its metadata is checked, and its secret goes nowhere unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.signals import pre_save

from psc_connect.environments import load_metadata
from psc_connect.keys import import_keys
from psc_connect.models import Account, Provider
from psc_connect.simulator import Simulator
from tests.admin_pages import Administrator, administrator, change_page, codes, messages_of, text_of, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
# Keys are imported once the transaction of the page is over: it must end.
real_transactions = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(db: None) -> Administrator:
    return administrator()


@pytest.fixture
def production(db: None) -> Provider:
    """A provider of ANS's published metadata, without keys."""
    return Provider.objects.create(
        slug="psc", client_id="c", client_secret=CLIENT_SECRET, metadata=load_metadata("production")
    )


@pytest.fixture
def no_way_out(settings: Any) -> None:
    settings.PSC_CONNECT_HTTPS_PROXY = "http://127.0.0.1:9"


def row(provider: Provider) -> dict[str, Any]:
    return Provider.objects.filter(pk=provider.pk).values().get()


def give_account(provider: Provider) -> None:
    user = get_user_model().objects.create_user("somebody")
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="s", user=user)


def test_a_page_saved_as_it_is_changes_nothing(admin: Administrator, provider: Provider) -> None:
    before = row(provider)
    assert admin.submit(change_page(provider)).status_code == 302
    assert row(provider) == before
    assert LogEntry.objects.get().change_message == "[]"


def test_metadata_is_shown_as_indented_json(admin: Administrator, provider: Provider) -> None:
    shown = admin.fields_of(change_page(provider))["metadata"]
    assert json.loads(shown) == provider.metadata
    assert shown.count("\n") > 10


def test_unknown_members_of_a_document_are_kept(admin: Administrator, provider: Provider) -> None:
    document = {**provider.metadata, "x-new": ["é", {"deep": None}]}
    admin.submit(change_page(provider), metadata=json.dumps(document))
    assert row(provider)["metadata"] == document


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("issuer", None, "metadata_missing"),
        ("token_endpoint", "", "metadata_missing"),
        ("userinfo_endpoint", 7, "metadata_not_text"),
        ("token_endpoint", "http://auth.esw.esante.gouv.fr/token", "metadata_not_https"),
        ("authorization_endpoint", "https://evil.example/auth", "metadata_foreign_host"),
        ("jwks_uri", "https://auth.esw.esante.gouv.fr/certs#k", "metadata_url_fragment"),
        ("issuer", "not an address", "metadata_url_malformed"),
    ],
)
def test_a_wrong_member_is_named_with_what_to_do(
    admin: Administrator, production: Provider, member: str, value: object, code: str
) -> None:
    before = row(production)
    document = {**production.metadata, member: value}
    response = admin.submit(change_page(production), metadata=json.dumps(document), client_secret="again")
    assert ("metadata", code) in codes(response)
    assert f"{member}: " in texts(response, "metadata")
    assert row(production) == before


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("[]", "metadata_not_an_object"),
        ('{"keys": []}', "metadata_looks_like_jwks"),
        ("<!DOCTYPE html><p>Maintenance", "metadata_looks_like_html"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "metadata_looks_like_certificate"),
        ("https://auth.esw.esante.gouv.fr/.well-known/openid-configuration", "metadata_looks_like_url"),
        ("issuer = here", "metadata_not_json"),
        ('{"issuer": "a", "issuer": "b"}', "json_not_strict"),
        ('{"max": NaN}', "json_not_strict"),
        ('{"a":' * 100 + "1" + "}" * 100, "json_not_strict"),
        ('{"a":' * 100_000, "json_not_strict"),
        ("{'issuer': 1}", "json_invalid"),
    ],
)
def test_what_is_no_metadata_is_called_by_its_name(
    admin: Administrator, production: Provider, pasted: str, code: str
) -> None:
    before = row(production)
    assert codes(admin.submit(change_page(production), metadata=pasted)) == {("metadata", code)}
    assert row(production) == before


def test_a_json_error_names_line_and_column(admin: Administrator, production: Provider) -> None:
    response = admin.submit(change_page(production), metadata='{\n  "issuer": "a",\n  "token" "b"\n}')
    assert codes(response) == {("metadata", "json_invalid")}
    assert "3" in texts(response, "metadata")
    assert "11" in texts(response, "metadata")


def test_what_was_typed_is_shown_again_as_it_was_typed(admin: Administrator, production: Provider) -> None:
    typed = '{"issuer":\t"a",  "issuer": "b"}'
    assert (
        "issuer&quot;:\t&quot;a&quot;,  &quot;"
        in admin.submit(change_page(production), metadata=typed).content.decode()
    )


@pytest.mark.parametrize("name", ["production", "sandbox", "sandbox-2020"])
def test_the_documents_that_ans_published_pass(admin: Administrator, db: None, name: str) -> None:
    custom = Provider.objects.create(slug="x", environment="custom", client_id="c")
    document = load_metadata(name)
    assert admin.submit(change_page(custom), metadata=json.dumps(document)).status_code == 302
    assert row(custom)["metadata"] == document


@real_transactions
def test_another_environment_brings_its_metadata_and_drops_the_keys(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    assert provider.jwks
    response = admin.submit(change_page(provider), environment="sandbox", client_secret="of the sandbox")
    after = row(provider)
    assert after["metadata"] == load_metadata("sandbox")
    # A sandbox may not vouch for production, nor a simulator for either.
    assert (after["jwks"], after["jwks_first_seen"], after["jwks_updated_at"]) == ({}, {}, None)
    assert "warning" in {level for level, _text in messages_of(response)}


@real_transactions
def test_another_environment_imports_its_keys(
    admin: Administrator, production: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.issuer.removesuffix("/auth/realms/esante-wallet")
    admin.submit(change_page(production), environment="simulator", client_secret="s")
    after = Provider.objects.get()
    assert after.metadata == simulator.metadata
    assert after.key_set().keys


def test_metadata_pasted_with_another_environment_is_taken(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    document = {**load_metadata("production"), "x-newer": True}
    admin.submit(change_page(provider), environment="production", metadata=json.dumps(document), client_secret="s")
    assert row(provider)["metadata"] == document


def test_custom_keeps_the_metadata(admin: Administrator, provider: Provider) -> None:
    before = row(provider)["metadata"]
    admin.submit(change_page(provider), environment="custom")
    assert row(provider)["environment"] == "custom"
    assert row(provider)["metadata"] == before


def test_emptied_metadata_is_that_of_the_environment_again(
    admin: Administrator, production: Provider, no_way_out: None
) -> None:
    Provider.objects.update(metadata={**production.metadata, "x-old": 1})
    admin.submit(change_page(production), metadata="")
    assert row(production)["metadata"] == load_metadata("production")


def test_emptied_metadata_of_a_custom_provider_is_an_error(admin: Administrator, production: Provider) -> None:
    Provider.objects.update(environment="custom")
    assert ("metadata", "metadata_missing") in codes(admin.submit(change_page(production), metadata=""))


def test_a_simulator_that_is_not_running_is_no_loss(admin: Administrator, production: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = "http://127.0.0.1:9"
    response = admin.submit(change_page(production), environment="simulator", client_secret="s")
    assert codes(response) == {("environment", "provider_unreachable")}
    assert row(production)["metadata"] == production.metadata


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.esw.esante.gouv.fr"},
        {"token_endpoint": "https://allowed.example/token"},
    ],
)
def test_another_recipient_of_the_secret_demands_it_again(
    admin: Administrator, production: Provider, settings: Any, changes: dict[str, str]
) -> None:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["allowed.example", "auth.esw.esante.gouv.fr"]
    before = row(production)
    document = json.dumps({**production.metadata, **changes})
    response = admin.submit(change_page(production), environment="custom", metadata=document)
    assert codes(response) == {("client_secret", "secret_required_again")}
    assert row(production) == before
    response = admin.submit(change_page(production), environment="custom", metadata=document, client_secret="again")
    assert response.status_code == 302
    assert Provider.objects.get().metadata == {**production.metadata, **changes}


def test_another_path_of_the_same_host_does_not(admin: Administrator, production: Provider) -> None:
    document = {**production.metadata, "token_endpoint": "https://auth.esw.esante.gouv.fr/v2/token"}
    response = admin.submit(change_page(production), metadata=json.dumps(document))
    assert response.status_code == 302


def test_the_issuer_of_a_provider_with_accounts_never_changes(admin: Administrator, production: Provider) -> None:
    give_account(production)
    before = row(production)
    document = json.dumps({**load_metadata("sandbox")})
    response = admin.submit(change_page(production), environment="custom", metadata=document, client_secret="s")
    assert codes(response) == {("environment", "issuer_has_accounts")}
    response = admin.submit(change_page(production), environment="sandbox", client_secret="s")
    assert codes(response) == {("environment", "issuer_has_accounts")}
    assert row(production) == before


def test_a_provider_with_accounts_may_change_the_rest(admin: Administrator, production: Provider) -> None:
    give_account(production)
    document = {**production.metadata, "end_session_endpoint": ""}
    admin.submit(change_page(production), metadata=json.dumps(document))
    assert row(production)["metadata"] == document


def test_a_provider_whose_metadata_broke_gets_that_of_its_accounts_back(
    admin: Administrator, production: Provider
) -> None:
    give_account(production)
    Provider.objects.update(metadata=[])
    document = json.dumps(load_metadata("production"))
    response = admin.submit(change_page(production), metadata=document, client_secret=CLIENT_SECRET)
    assert response.status_code == 302
    assert row(production)["metadata"] == load_metadata("production")


@pytest.mark.parametrize("broken", [[], "oops", 3, None, {"issuer": 5}, {"issuer": "x", "token_endpoint": "http://["}])
def test_broken_metadata_in_the_row_is_shown_and_can_be_repaired(
    admin: Administrator, production: Provider, broken: object
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE psc_connect_provider SET metadata = %s", [json.dumps(broken)])
    url = change_page(production)
    assert admin.browser.get(url).status_code == 200
    document = json.dumps(load_metadata("production"))
    assert admin.submit(url, metadata=document, client_secret=CLIENT_SECRET).status_code == 302
    assert row(production)["metadata"] == load_metadata("production")


def test_broken_metadata_left_as_it_is_is_an_error_while_enabled(admin: Administrator, production: Provider) -> None:
    Provider.objects.update(metadata={"issuer": "https://a.example"})
    assert ("metadata", "metadata_missing") in codes(admin.submit(change_page(production)))


def test_a_provider_that_the_settings_no_longer_allow_can_be_turned_off(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = False
    url = change_page(provider)
    assert ("metadata", "metadata_loopback_http_refused") in codes(admin.submit(url))
    assert admin.submit(url, drop=("enabled",)).status_code == 302
    assert not row(provider)["enabled"]


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
        Provider.objects.update(jwks={"keys": []})

    pre_save.connect(login_of_somebody_else, sender=Provider)
    try:
        admin.submit(change_page(provider), button_text="Entrer")
    finally:
        pre_save.disconnect(login_of_somebody_else, sender=Provider)
    assert row(provider)["jwks"] == {"keys": []}
    assert row(provider)["button_text"] == "Entrer"


def test_metadata_that_was_fetched_meanwhile_stays(admin: Administrator, provider: Provider) -> None:
    fields = admin.fields_of(change_page(provider))
    newer = {**provider.metadata, "x-newer": 1}
    Provider.objects.filter(pk=provider.pk).update(metadata=newer)
    admin.browser.post(change_page(provider), {**fields, "button_text": "Entrer"})
    assert row(provider)["metadata"] == newer


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
        ("jwks_pinned", True),
    ],
)
def test_everything_can_be_edited(admin: Administrator, provider: Provider, name: str, value: object) -> None:
    admin.submit(change_page(provider), **{name: "on" if value is True else str(value)})
    assert row(provider)[name] == value


def test_creation_of_unknown_users_can_be_turned_off(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), drop=("create_unknown_users",))
    assert row(provider)["create_unknown_users"] is False


@pytest.mark.case("CF04", "TR11")
def test_no_algorithm_without_a_public_key_can_be_chosen(admin: Administrator, provider: Provider) -> None:
    response = admin.browser.get(change_page(provider))
    form = response.context["adminform"].form
    for name in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        offered = {value for value, _label in form.fields[name].choices} - {""}
        assert offered == {f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)}
        assert codes(admin.submit(change_page(provider), **{name: "HS256"})) == {(name, "invalid_choice")}


def test_somebody_who_may_only_look_sees_the_page_without_its_secrets_and_buttons(provider: Provider) -> None:
    page = administrator("view_provider").browser.get(change_page(provider))
    assert page.status_code == 200
    text = page.content.decode()
    assert provider.issuer in text
    assert "fetch-metadata" not in text
    assert "import-keys" not in text
    assert 'name="client_secret"' not in text
    assert CLIENT_SECRET not in text


def test_somebody_who_may_only_look_changes_nothing(provider: Provider) -> None:
    before = row(provider)
    admin = administrator("view_provider")
    assert admin.browser.post(change_page(provider), {"client_secret": "x"}).status_code == 403
    assert row(provider) == before


def test_a_provider_with_accounts_cannot_be_deleted(admin: Administrator, provider: Provider) -> None:
    give_account(provider)
    response = admin.browser.post(f"/admin/psc_connect/provider/{provider.pk}/delete/", {"post": "yes"})
    assert Provider.objects.count() == 1
    assert "Protected" in str(response.context["protected"]) or response.context["protected"]


def test_the_page_names_the_addresses_of_this_row(admin: Administrator, provider: Provider) -> None:
    assert "http://testserver/psc/psc/callback/" in admin.browser.get(change_page(provider)).content.decode()


def test_an_empty_client_id_is_refused_beside_other_changes(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), client_id="", button_text="Entrer")
    assert codes(response) == {("client_id", "required")}
    assert "Entrer" in response.content.decode()
    assert text_of(response)
