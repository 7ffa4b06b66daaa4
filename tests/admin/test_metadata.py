"""The metadata field of a provider: pasted, validated, recognised, repaired."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.providers.validation import PUBLISHED
from tests.admin.pages import Administrator, change_page, codes, row, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
BLANK = ["", "\r\n", " \t\n\n"]


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
    assert f"{member}\N{NO-BREAK SPACE}: " in texts(response, "metadata")
    assert row(production) == before


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("[]", "metadata_not_an_object"),
        ('{"keys": []}', "metadata_looks_like_jwks"),
        ("<!DOCTYPE html><p>Maintenance", "metadata_looks_like_html"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "metadata_looks_like_certificate"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB", "metadata_looks_like_private_key"),
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
    provider = Provider.objects.create(slug="x", environment=PUBLISHED[name], client_id="c")
    document = load_metadata(name)
    assert admin.submit(change_page(provider), metadata=json.dumps(document)).status_code == 302
    assert row(provider)["metadata"] == document


@pytest.mark.parametrize("empty", BLANK)
def test_emptied_metadata_is_that_of_the_environment_again(
    admin: Administrator, production: Provider, no_way_out: None, empty: str
) -> None:
    Provider.objects.update(metadata={**production.metadata, "x-old": 1})
    admin.submit(change_page(production), metadata=empty)
    assert row(production)["metadata"] == load_metadata("production")


@pytest.mark.parametrize("empty", BLANK)
def test_emptied_metadata_of_a_custom_provider_is_an_error(
    admin: Administrator, production: Provider, empty: str
) -> None:
    Provider.objects.update(environment="custom")
    assert ("metadata", "metadata_missing") in codes(admin.submit(change_page(production), metadata=empty))


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


def test_metadata_that_was_fetched_meanwhile_stays(admin: Administrator, provider: Provider) -> None:
    fields = admin.fields_of(change_page(provider))
    newer = {**provider.metadata, "x-newer": 1}
    Provider.objects.filter(pk=provider.pk).update(metadata=newer)
    admin.browser.post(change_page(provider), {**fields, "button_text": "Entrer"})
    assert row(provider)["metadata"] == newer
