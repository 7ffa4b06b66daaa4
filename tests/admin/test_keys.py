"""The signing keys page: keys pasted, uploaded or fetched, previewed, then accepted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers.keys import import_keys
from psc_connect.simulator import Simulator
from tests.admin.keys_page import accept, only_key, paste, replace
from tests.admin.pages import Administrator, messages_of, stored, text_of
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.key_sets import EC_KEY, OTHER_KEY, PRIVATE_KEY, UNUSABLE, key_set
from tests.support.stored_keys import store_keys

pytestmark = pytest.mark.django_db


def publishing(simulator: Simulator, *keys: Any) -> Any:
    """Let the provider publish these keys and no other."""
    return simulator.fault("answer", endpoint="jwks", body=key_set(*keys).encode())


def codes(response: Any) -> set[tuple[str, str]]:
    assert response.status_code == 200
    errors = response.context["form"].errors.as_data()
    return {(name, error.code) for name, found in errors.items() for error in found}


# What is pasted or uploaded.


def test_a_pasted_key_set_is_shown_first_and_replaces_the_keys_once_accepted(
    admin: Administrator, provider: Provider
) -> None:
    shown = paste(admin, provider, key_set(EC_KEY))
    assert stored(provider).jwks == provider.jwks
    changes = shown.context["changes"]
    assert [key.kid for key in changes.new] == ["ec"]
    assert [key.kid for key in changes.gone] == [key.kid for key in provider.key_set().keys]
    response = accept(admin, provider, shown)
    after = stored(provider)
    assert after.jwks == {"keys": [EC_KEY]}
    assert after.signing_keys.get().first_seen is not None
    assert after.fetch_times.jwks_updated_at != provider.fetch_times.jwks_updated_at
    # What the provider does not publish goes at the next fetch.
    assert [level for level, _text in messages_of(response)] == ["success", "warning"]


def test_an_uploaded_key_set_replaces_the_keys(admin: Administrator, provider: Provider) -> None:
    file = SimpleUploadedFile("jwks.json", key_set(EC_KEY).encode())
    accept(admin, provider, paste(admin, provider, file=file))
    assert stored(provider).jwks == {"keys": [EC_KEY]}


def test_an_uploaded_key_set_is_taken_although_the_box_has_a_blank_line(
    admin: Administrator, provider: Provider
) -> None:
    file = SimpleUploadedFile("jwks.json", key_set(EC_KEY).encode())
    accept(admin, provider, paste(admin, provider, "\r\n", file=file))
    assert stored(provider).jwks == {"keys": [EC_KEY]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x" * (512 * 1024 + 1), "jwks_file_too_large"),
        (b'{"keys": ["\xe9"]}', "jwks_not_json"),
        (b"", "empty"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" * 3, "jwks_looks_like_certificate"),
        (b"\x30\x82\x04\x11\xff\xfe", "jwks_not_json"),
    ],
)
def test_a_file_that_is_no_key_set_is_refused(
    admin: Administrator, provider: Provider, content: bytes, code: str
) -> None:
    response = paste(admin, provider, file=SimpleUploadedFile("jwks.json", content))
    assert codes(response) == {("file", code)}
    assert stored(provider).jwks == provider.jwks


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("", "required"),
        (" \n\t\n", "required"),
        ("[]", "jwks_not_an_object"),
        ("{}", "jwks_keys_missing"),
        ('{"issuer": "https://a.example"}', "jwks_looks_like_metadata"),
        (json.dumps(EC_KEY), "jwks_looks_like_key"),
        ("<html>", "jwks_looks_like_html"),
        ("-----BEGIN CERTIFICATE-----\n…\n-----BEGIN CERTIFICATE-----", "jwks_looks_like_certificate"),
        ("-----BEGIN EC PRIVATE KEY-----\n…", "jwks_looks_like_private_key"),
        ("-----BEGIN CERTIFICATE-----\n…\n-----BEGIN PRIVATE KEY-----", "jwks_looks_like_private_key"),
        ("https://a.example/certs", "jwks_looks_like_url"),
        ('{"keys": []}', "jwks_no_usable_key"),
        ('{"keys": [}', "json_invalid"),
        ('{"keys": [], "keys": []}', "json_not_strict"),
        (json.dumps({"keys": [EC_KEY] * 101}), "jwks_too_many_keys"),
    ],
)
def test_what_is_no_key_set_is_called_by_its_name_and_shown_again(
    admin: Administrator, provider: Provider, pasted: str, code: str
) -> None:
    response = paste(admin, provider, pasted)
    assert codes(response) == {("document", code)}
    assert response.context["form"]["document"].value() == pasted
    assert stored(provider).jwks == provider.jwks


def test_a_json_error_in_a_key_set_names_line_and_column(admin: Administrator, provider: Provider) -> None:
    errors = str(paste(admin, provider, '{"keys": [\n{"kty" "EC"}]}').context["form"].errors["document"])
    assert "2" in errors
    assert "8" in errors


def test_pasting_and_uploading_together_is_refused(admin: Administrator, provider: Provider) -> None:
    for pasted, uploaded in ((key_set(EC_KEY), key_set(EC_KEY)), ("<html>", "{"), (key_set(EC_KEY), "[]")):
        upload = SimpleUploadedFile("jwks.json", uploaded.encode())
        assert codes(paste(admin, provider, pasted, file=upload)) == {("file", "jwks_given_twice")}


@pytest.mark.case("JO11", "JO12", "JO13", "JO14")
@pytest.mark.parametrize("reason", UNUSABLE)
def test_an_unusable_key_is_ignored_and_the_good_one_kept(
    admin: Administrator, provider: Provider, reason: str
) -> None:
    shown = paste(admin, provider, key_set(UNUSABLE[reason], EC_KEY))
    assert [row.key.reason for row in shown.context["new_ignored"]] == [reason]
    accept(admin, provider, shown)
    keys = stored(provider).key_set()
    assert [key.kid for key in keys.keys] == ["ec"]
    assert [key.reason for key in keys.ignored] == [reason]
    page = admin.open(provider, "keys").content.decode()
    assert f'<td class="psc-code">{UNUSABLE[reason]["kid"]}</td>' in page


@pytest.mark.parametrize("reason", UNUSABLE)
def test_a_set_without_a_usable_key_is_refused_with_the_reasons(
    admin: Administrator, provider: Provider, reason: str
) -> None:
    response = paste(admin, provider, key_set(UNUSABLE[reason]))
    assert codes(response) == {("document", "jwks_no_usable_key"), ("document", reason)}


@pytest.mark.case("JO14")
def test_a_private_key_is_an_alarm_and_is_kept_nowhere(admin: Administrator, provider: Provider) -> None:
    shown = paste(admin, provider, key_set(PRIVATE_KEY, EC_KEY))
    assert [level for level, text in messages_of(shown) if "PRI" in text] == ["error"]
    assert PRIVATE_KEY["d"] not in shown.content.decode()
    response = accept(admin, provider, shown)
    assert [level for level, text in messages_of(response) if "PRI" in text] == ["error"]
    with connection.cursor() as cursor:
        for table in ("psc_connect_provider", "psc_connect_declarationchange", "django_session"):
            cursor.execute(f"SELECT * FROM {table}")
            assert PRIVATE_KEY["d"] not in str(cursor.fetchall())
    page = admin.open(provider, "keys").content.decode()
    assert PRIVATE_KEY["d"] not in page
    assert "psc-alarm" in page


def test_what_no_fetch_takes_away_needs_no_warning(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with publishing(simulator, EC_KEY):
        accepted = accept(admin, provider, admin.press(provider, "keys", action="fetch"))
    assert [level for level, _text in messages_of(accepted)] == ["success"]
    Provider.objects.update(metadata={**provider.metadata, "jwks_uri": ""})
    response = replace(admin, provider, key_set(OTHER_KEY))
    assert [level for level, _text in messages_of(response)] == ["success"]


# What is fetched.


def test_a_fetch_shows_what_is_new_gone_and_changed_and_changes_nothing(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    old = simulator.keys.current.public
    other = {**OTHER_KEY, "kid": old["kid"], "use": "sig", "alg": "ES256"}
    with publishing(simulator, other, EC_KEY):
        shown = admin.press(provider, "keys", action="fetch")
    changes = shown.context["changes"]
    assert [key.kid for key in changes.new] == ["ec"]
    assert [key.kid for key in changes.changed] == [old["kid"]]
    assert [key.kid for key in changes.gone] == [old["kid"]]
    assert not changes.same
    assert stored(provider).jwks == provider.jwks
    assert not DeclarationChange.objects.exists()


def test_a_fetch_that_brings_nothing_new_says_so_and_offers_nothing(admin: Administrator, provider: Provider) -> None:
    shown = admin.press(provider, "keys", action="fetch")
    assert not shown.context["changes"].has_any
    assert 'value="accept"' not in shown.content.decode()


def test_what_is_accepted_is_what_was_shown(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    with publishing(simulator, EC_KEY):
        shown = admin.press(provider, "keys", action="fetch")
    simulator.clear_requests()
    with publishing(simulator, OTHER_KEY):
        accept(admin, provider, shown)
    assert stored(provider).jwks == {"keys": [EC_KEY]}
    assert not simulator.requests


@pytest.mark.case("JO15", "KR03", "OU02")
@pytest.mark.parametrize("fault", ["jwks_empty", "jwks_without_keys", "jwks_html"])
def test_a_fetch_that_fails_keeps_the_old_keys(
    admin: Administrator, provider: Provider, simulator: Simulator, fault: str
) -> None:
    name, options = ("maintenance_page", {"endpoint": "jwks"}) if fault == "jwks_html" else (fault, {})
    with simulator.fault(name, **options):
        response = admin.press(provider, "keys", action="fetch")
    assert stored(provider).jwks == provider.jwks
    assert [level for level, _text in messages_of(response)] == ["error"]


@pytest.mark.parametrize("metadata", [[], {"issuer": "x"}])
def test_a_fetch_by_broken_metadata_is_an_error(admin: Administrator, provider: Provider, metadata: Any) -> None:
    Provider.objects.update(metadata=metadata)
    response = admin.press(provider, "keys", action="fetch")
    assert [level for level, _text in messages_of(response)] == ["error"]


def test_a_fetch_without_jwks_uri_proposes_to_paste(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata={**provider.metadata, "jwks_uri": ""})
    ((level, text),) = messages_of(admin.press(provider, "keys", action="fetch"))
    assert (level, "jwks_uri" in text) == ("error", True)


# Acceptance.


@pytest.mark.case("CC04")
def test_keys_that_a_login_fetched_meanwhile_are_not_put_back(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = paste(admin, provider, key_set(EC_KEY))
    simulator.rotate_keys()
    import_keys(provider)
    response = accept(admin, provider, shown)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).jwks == provider.jwks


def test_a_payload_is_for_its_provider_and_for_an_hour(
    admin: Administrator, provider: Provider, time_machine: Any
) -> None:
    other = Provider.objects.create(slug="other", client_id="c", enabled=False)
    store_keys(other, provider.jwks)
    shown = paste(admin, provider, key_set(EC_KEY))
    for payload in (shown.context["payload"], "x", ""):
        admin.press(other, "keys", action="accept", payload=payload)
        assert stored(other).jwks == provider.jwks
    time_machine.move_to(timezone.now() + timedelta(minutes=61))
    browser = admin.browser
    session = browser.session
    session["psc_connect_authenticated_at"] += 61 * 60
    session.save()
    response = accept(admin, provider, shown)
    assert {level for level, _text in messages_of(response)} == {"error"}
    assert stored(provider).jwks == provider.jwks


def test_who_imported_what_and_when_is_told(admin: Administrator, provider: Provider) -> None:
    replace(admin, provider, key_set(EC_KEY))
    page = text_of(admin.open(provider, "keys"))
    assert "administrator-" in page
    change = DeclarationChange.objects.get()
    old = provider.key_set().keys[0]
    assert sorted(change.changes) == sorted(
        [[f"jwks.{old.thumbprint}", old.kid, None], [f"jwks.{only_key(provider).thumbprint}", None, "ec"]]
    )
    assert (change.made_by_name, change.source) == ("administrator-", "admin")


def test_keys_that_a_login_fetched_are_told_too(provider: Provider, simulator: Simulator, admin: Administrator) -> None:
    new = simulator.rotate_keys()
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE
    change = DeclarationChange.objects.get()
    assert (change.source, change.made_by, [new_kid for _name, _old, new_kid in change.changes]) == (
        "login",
        None,
        [new.kid],
    )
    assert new.kid in text_of(admin.open(provider, "keys"))


def test_a_fetch_that_brings_the_same_keys_writes_no_history(provider: Provider) -> None:
    import_keys(provider)
    assert not DeclarationChange.objects.exists()
