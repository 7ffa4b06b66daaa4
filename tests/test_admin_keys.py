"""Signing keys on the provider's page: pasted, uploaded, shown as a table."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from psc_connect.models import Provider
from tests.admin_pages import Administrator, change_page, codes, messages_of, stored, text_of, texts
from tests.key_sets import EC_KEY, OTHER_KEY, PRIVATE_KEY, UNUSABLE, key_set

pytestmark = pytest.mark.django_db


def test_a_pasted_key_set_replaces_the_keys(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    after = stored(provider)
    assert after.jwks == {"keys": [EC_KEY]}
    (key,) = after.key_set().keys
    assert list(after.jwks_first_seen) == [key.thumbprint]
    assert after.jwks_updated_at is not None
    assert after.jwks_updated_at != provider.jwks_updated_at
    assert {level for level, _text in messages_of(response)} == {"success"}


def test_an_uploaded_key_set_replaces_the_keys(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), jwks_file=SimpleUploadedFile("jwks.json", key_set(EC_KEY).encode()))
    assert stored(provider).jwks == {"keys": [EC_KEY]}


def test_nothing_given_leaves_the_keys(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), button_text="Entrer")
    assert stored(provider).jwks == provider.jwks


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x" * (512 * 1024 + 1), "jwks_file_too_large"),
        (b'{"keys": ["\xe9"]}', "jwks_not_json"),
        (b"", "empty"),
        (b"-----BEGIN CERTIFICATE-----", "jwks_looks_like_certificate"),
    ],
)
def test_a_file_that_is_no_key_set_is_refused(
    admin: Administrator, provider: Provider, content: bytes, code: str
) -> None:
    response = admin.submit(change_page(provider), jwks_file=SimpleUploadedFile("jwks.json", content))
    assert codes(response) == {("jwks_file", code)}
    assert stored(provider).jwks == provider.jwks


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("[]", "jwks_not_an_object"),
        ("{}", "jwks_keys_missing"),
        ('{"issuer": "https://a.example"}', "jwks_looks_like_metadata"),
        (json.dumps(EC_KEY), "jwks_looks_like_key"),
        ("<html>", "jwks_looks_like_html"),
        ("https://a.example/certs", "jwks_looks_like_url"),
        ('{"keys": []}', "jwks_no_usable_key"),
        ('{"keys": [}', "json_invalid"),
        ('{"keys": [], "keys": []}', "json_not_strict"),
        (json.dumps({"keys": [EC_KEY] * 101}), "jwks_too_many_keys"),
    ],
)
def test_what_is_no_key_set_is_called_by_its_name(
    admin: Administrator, provider: Provider, pasted: str, code: str
) -> None:
    assert codes(admin.submit(change_page(provider), jwks_document=pasted)) == {("jwks_document", code)}
    assert stored(provider).jwks == provider.jwks


def test_a_json_error_in_a_key_set_names_line_and_column(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), jwks_document='{"keys": [\n{"kty" "EC"}]}')
    assert "2" in texts(response, "jwks_document")
    assert "8" in texts(response, "jwks_document")


def test_pasting_and_uploading_together_is_refused(admin: Administrator, provider: Provider) -> None:
    upload = SimpleUploadedFile("jwks.json", key_set(EC_KEY).encode())
    response = admin.submit(change_page(provider), jwks_document=key_set(EC_KEY), jwks_file=upload)
    assert codes(response) == {("jwks_file", "jwks_given_twice")}
    assert stored(provider).jwks == provider.jwks


@pytest.mark.case("JO11", "JO12", "JO13", "JO14")
@pytest.mark.parametrize("reason", UNUSABLE)
def test_an_unusable_key_is_ignored_and_the_good_one_kept(
    admin: Administrator, provider: Provider, reason: str
) -> None:
    admin.submit(change_page(provider), jwks_document=key_set(UNUSABLE[reason], EC_KEY))
    keys = stored(provider).key_set()
    assert [key.kid for key in keys.keys] == ["ec"]
    assert [key.reason for key in keys.ignored] == [reason]
    table = admin.browser.get(change_page(provider)).content.decode()
    assert f'<td class="psc-code">{UNUSABLE[reason]["kid"]}</td>' in table


@pytest.mark.parametrize("reason", UNUSABLE)
def test_a_set_without_a_usable_key_is_refused_with_the_reasons(
    admin: Administrator, provider: Provider, reason: str
) -> None:
    response = admin.submit(change_page(provider), jwks_document=key_set(UNUSABLE[reason]))
    assert codes(response) == {("jwks_document", "jwks_no_usable_key"), ("jwks_document", reason)}


@pytest.mark.case("JO14")
def test_a_private_key_is_an_alarm_and_is_kept_nowhere(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), jwks_document=key_set(PRIVATE_KEY, EC_KEY))
    assert [level for level, text in messages_of(response) if "PRI" in text] == ["error"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM psc_connect_provider")
        assert PRIVATE_KEY["d"] not in str(cursor.fetchall())
    page = admin.browser.get(change_page(provider)).content.decode()
    assert PRIVATE_KEY["d"] not in page
    assert "psc-alarm" in page


def test_the_table_tells_what_is_known_of_a_key(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    (key,) = stored(provider).key_set().keys
    text = text_of(admin.browser.get(change_page(provider)))
    assert f"ec EC P-256 ES256 sig 256 {key.thumbprint} " in text


def test_a_key_that_stays_keeps_its_first_date(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    (thumbprint,) = stored(provider).jwks_first_seen
    Provider.objects.update(jwks_first_seen={thumbprint: "2020-01-02T03:04:05+00:00"})
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    assert stored(provider).jwks_first_seen == {thumbprint: "2020-01-02T03:04:05+00:00"}
    assert "2020" in text_of(admin.browser.get(change_page(provider)))


@pytest.mark.parametrize("broken", ["oops", 3, [], {"keys": "no"}, {"keys": [None]}, {"a": "b"}])
def test_broken_keys_in_the_row_are_shown_and_can_be_replaced(
    admin: Administrator, provider: Provider, broken: object
) -> None:
    Provider.objects.update(jwks=broken, jwks_first_seen=["oops"])
    assert admin.browser.get(change_page(provider)).status_code == 200
    assert admin.browser.get("/admin/psc_connect/provider/").status_code == 200
    Provider.objects.update(jwks_first_seen={})
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    assert stored(provider).jwks == {"keys": [EC_KEY]}


def test_pinned_keys_are_told_in_the_list(admin: Administrator, provider: Provider) -> None:
    before = text_of(admin.browser.get("/admin/psc_connect/provider/"))
    Provider.objects.update(jwks_pinned=True)
    assert text_of(admin.browser.get("/admin/psc_connect/provider/")) != before


@pytest.mark.case("TN01", "TN02")
def test_two_providers_with_the_same_kid_keep_a_key_each(admin: Administrator, provider: Provider) -> None:
    other = Provider.objects.create(slug="other", client_id="c", enabled=False)
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    admin.submit(change_page(other), drop=("enabled",), jwks_document=key_set({**OTHER_KEY, "kid": EC_KEY["kid"]}))
    thumbprints = {row.slug: [key.thumbprint for key in row.key_set().keys] for row in Provider.objects.all()}
    assert len(thumbprints[provider.slug]) == len(thumbprints["other"]) == 1
    assert thumbprints[provider.slug] != thumbprints["other"]
