"""Signing keys and metadata on the provider's page: pasted, uploaded, fetched by a button, shown as a table."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin_pages import Administrator, administrator, change_page, codes, messages_of, text_of, texts
from tests.key_sets import EC_KEY, OTHER_KEY, PRIVATE_KEY, UNUSABLE, key_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> Administrator:
    return administrator()


def stored(provider: Provider) -> Provider:
    return Provider.objects.get(pk=provider.pk)


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


# The button that imports the keys.


def test_the_button_imports_the_keys(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    new = simulator.rotate_keys()
    response = admin.press(provider, "import-keys")
    assert response["Location"] == change_page(provider)
    assert new.kid in {key.kid for key in stored(provider).key_set().keys}
    assert [level for level, _text in messages_of(response)] == ["success"]


@pytest.mark.case("JO15", "KR03")
@pytest.mark.parametrize("fault", ["jwks_empty", "jwks_without_keys"])
def test_an_import_that_fails_keeps_the_old_keys(
    admin: Administrator, provider: Provider, simulator: Simulator, fault: str
) -> None:
    with simulator.fault(fault):
        response = admin.press(provider, "import-keys")
    assert stored(provider).jwks == provider.jwks
    assert [level for level, _text in messages_of(response)] == ["warning"]
    assert not LogEntry.objects.exists()


def test_a_private_key_that_the_provider_publishes_is_an_alarm(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("jwks_more_keys", keys=[PRIVATE_KEY]):
        response = admin.press(provider, "import-keys")
    assert [level for level, _text in messages_of(response)] == ["success", "error"]


def test_an_import_by_broken_metadata_is_a_warning(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata=[])
    assert [level for level, _text in messages_of(admin.press(provider, "import-keys"))] == ["warning"]


def test_an_import_without_jwks_uri_proposes_to_paste(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata={**provider.metadata, "jwks_uri": ""})
    ((level, text),) = messages_of(admin.press(provider, "import-keys"))
    assert (level, "jwks_uri" in text) == ("warning", True)


# The button that fetches the metadata.


def test_the_button_fetches_the_metadata(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    fields = admin.fields_of(change_page(provider), "psc-fetch-metadata")
    assert set(fields) == {"csrfmiddlewaretoken"}
    with simulator.fault("metadata_members", members={"x-new": 1}):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert response["Location"] == change_page(provider)
    assert stored(provider).metadata == {**provider.metadata, "x-new": 1}
    assert [level for level, _text in messages_of(response)] == ["success"]


def test_the_discovery_url_of_the_issuer_is_proposed(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    page = admin.browser.get(change_page(provider)).content.decode()
    assert f'name="discovery_url" value="{simulator.discovery_url}" form="psc-fetch-metadata"' in page


def test_the_same_metadata_is_not_saved_again(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["info"]
    assert not LogEntry.objects.exists()


@pytest.mark.case("TR10", "SS01")
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"issuer": "https://evil.example"},
        {"issuer": ""},
    ],
)
def test_fetched_metadata_that_is_wrong_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator, members: dict[str, str]
) -> None:
    with simulator.fault("metadata_members", members=members):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == provider.metadata
    assert not LogEntry.objects.exists()


def test_metadata_found_elsewhere_than_its_issuer_says_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("metadata_members", members={"x-new": 1}):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url + "?x=1")
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == provider.metadata


def test_metadata_of_another_issuer_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    other = {**provider.metadata, "issuer": provider.issuer + "-other"}
    Provider.objects.update(metadata=other)
    response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == other


@pytest.mark.parametrize("url", ["", "ftp://a.example", "http://a.example/", "file:///etc/passwd", "nonsense"])
def test_an_address_that_is_none_is_an_error(admin: Administrator, provider: Provider, url: str) -> None:
    response = admin.press(provider, "fetch-metadata", discovery_url=url)
    assert [level for level, _text in messages_of(response)] == ["error"]


# Both buttons.

BUTTONS = ("fetch-metadata", "import-keys")


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_is_pressed_not_visited(
    admin: Administrator, provider: Provider, simulator: Simulator, button: str
) -> None:
    simulator.clear_requests()
    assert admin.browser.get(f"/admin/psc_connect/provider/{provider.pk}/{button}/").status_code == 405
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_asks_for_the_permission_to_change(provider: Provider, simulator: Simulator, button: str) -> None:
    response = administrator("view_provider").press(provider, button, discovery_url=simulator.discovery_url)
    assert response.status_code == 403
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_is_not_for_strangers(provider: Provider, simulator: Simulator, button: str) -> None:
    response = Administrator(Browser()).press(provider, button)
    assert response.status_code == 302
    assert "/login/?next=" in response["Location"]
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_cannot_be_pressed_from_another_site(
    admin: Administrator, provider: Provider, simulator: Simulator, button: str
) -> None:
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = admin.browser.cookies
    assert Administrator(careful).press(provider, button).status_code == 403
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_of_no_provider_is_not_found(admin: Administrator, provider: Provider, button: str) -> None:
    assert admin.browser.post(f"/admin/psc_connect/provider/999/{button}/").status_code == 404


@pytest.mark.parametrize("button", BUTTONS)
def test_no_transaction_is_open_while_a_button_waits(admin: Administrator, button: str) -> None:
    from django.urls import resolve

    view = resolve(f"/admin/psc_connect/provider/1/{button}/").func
    assert "default" in view._non_atomic_requests


def test_the_history_tells_what_a_button_did(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    admin.press(provider, "import-keys")
    (entry,) = LogEntry.objects.all()
    assert json.loads(entry.change_message) == [{"changed": {"fields": ["signing keys (JWKS)"]}}]


@pytest.mark.case("TN01", "TN02")
def test_two_providers_with_the_same_kid_keep_a_key_each(admin: Administrator, provider: Provider) -> None:
    other = Provider.objects.create(slug="other", client_id="c", enabled=False)
    admin.submit(change_page(provider), jwks_document=key_set(EC_KEY))
    admin.submit(change_page(other), drop=("enabled",), jwks_document=key_set({**OTHER_KEY, "kid": EC_KEY["kid"]}))
    thumbprints = {row.slug: [key.thumbprint for key in row.key_set().keys] for row in Provider.objects.all()}
    assert len(thumbprints[provider.slug]) == len(thumbprints["other"]) == 1
    assert thumbprints[provider.slug] != thumbprints["other"]
