"""SecretField and StoredSecret."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.db import connection

from psc_connect.encryption import PENDING_LOGIN, InvalidToken, cipher_for
from psc_connect.fields import SecretUnavailable, StoredSecret, validate_secret
from psc_connect.models import Provider
from psc_connect.oidc.metadata import secret_recipient

SECRET = "a-secret-9f31c2"


NOWHERE = secret_recipient({})


def reason(stored: StoredSecret) -> str:
    with pytest.raises(SecretUnavailable) as refusal:
        stored.reveal(NOWHERE)
    assert str(refusal.value) == refusal.value.code
    # Error reports show the causes of an error too.
    assert refusal.value.__cause__ is None
    return refusal.value.code


def saved(secret: str) -> Provider:
    provider = Provider.objects.create(slug="x", client_id="c", client_secret=secret)
    return Provider.objects.get(pk=provider.pk)


@pytest.mark.django_db
def test_a_secret_is_read_unchanged() -> None:
    assert saved("é" + SECRET + "%:/+").client_secret.reveal(NOWHERE) == "é" + SECRET + "%:/+"


@pytest.mark.case("CF01")
@pytest.mark.django_db
def test_the_database_does_not_contain_it_in_clear() -> None:
    saved(SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM psc_connect_provider")
        ((column,),) = cursor.fetchall()
    assert column
    assert SECRET not in column


@pytest.mark.django_db
def test_two_encryptions_of_a_secret_differ() -> None:
    assert StoredSecret.encrypt(SECRET).ciphertext != StoredSecret.encrypt(SECRET).ciphertext


@pytest.mark.case("CF01")
@pytest.mark.django_db
@pytest.mark.parametrize("format_name", ["json", "xml", "python"])
def test_no_serializer_writes_it(format_name: str) -> None:
    provider = saved(SECRET)
    text = str(serializers.serialize(format_name, [provider]))
    assert SECRET not in text
    assert provider.client_secret.ciphertext not in text


@pytest.mark.django_db
def test_a_row_that_was_dumped_can_be_loaded_and_has_no_secret() -> None:
    text = serializers.serialize("json", [saved(SECRET)])
    Provider.objects.all().delete()
    for loaded in serializers.deserialize("json", text):
        loaded.save()
    assert reason(Provider.objects.get().client_secret) == "secret_missing"


def test_no_text_of_it_shows_the_secret() -> None:
    provider = Provider(client_secret=SECRET)
    shown = (
        repr(provider.client_secret),
        str(provider.client_secret),
        repr(provider.__dict__),
        f"{provider!r}",
    )
    for text in shown:
        assert SECRET not in text
        assert provider.client_secret.ciphertext not in text


def test_it_is_never_an_attribute_in_clear() -> None:
    provider = Provider()
    provider.client_secret = SECRET
    assert SECRET.encode() not in pickle.dumps(provider)
    assert copy.deepcopy(provider).client_secret.reveal(NOWHERE) == SECRET


@pytest.mark.django_db
def test_saving_a_row_that_was_read_leaves_the_secret_as_it_is() -> None:
    provider = saved(SECRET)
    ciphertext = provider.client_secret.ciphertext
    provider.save()
    assert Provider.objects.get().client_secret.ciphertext == ciphertext


@pytest.mark.django_db
def test_a_deferred_secret_is_read_when_it_is_asked_for(django_assert_num_queries: Any) -> None:
    saved(SECRET)
    provider = Provider.objects.defer("client_secret").get()
    with django_assert_num_queries(1):
        assert provider.client_secret.reveal(NOWHERE) == SECRET


@pytest.mark.django_db
def test_a_row_is_read_and_saved_with_another_key_and_only_its_use_fails(settings: Any) -> None:
    saved(SECRET)
    settings.SECRET_KEY = "another key, as after a backup was restored elsewhere"
    provider = Provider.objects.get()
    provider.button_text = "Entrer"
    provider.save()
    assert reason(Provider.objects.get().client_secret) == "secret_undecryptable"
    settings.SECRET_KEY_FALLBACKS = ["only-for-the-tests-" + "x" * 40]
    assert Provider.objects.get().client_secret.reveal(NOWHERE) == SECRET


def test_a_new_encryption_key_reads_what_the_old_one_wrote(settings: Any) -> None:
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["old" * 12]
    stored = StoredSecret.encrypt(SECRET)
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["new" * 12, "old" * 12]
    assert stored.reveal(NOWHERE) == SECRET
    newer = StoredSecret.encrypt(SECRET)
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["new" * 12]
    assert newer.reveal(NOWHERE) == SECRET
    assert reason(stored) == "secret_undecryptable"


def test_a_secret_encrypted_with_the_secret_key_is_still_read(settings: Any) -> None:
    stored = StoredSecret.encrypt(SECRET)
    assert not stored.is_encrypted_with_secret_key()
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["own" * 12]
    assert stored.reveal(NOWHERE) == SECRET
    assert stored.is_encrypted_with_secret_key()
    newer = StoredSecret.encrypt(SECRET)
    assert not newer.is_encrypted_with_secret_key()
    settings.SECRET_KEY = "another key, as after somebody has changed it"
    assert (reason(stored), newer.reveal(NOWHERE)) == ("secret_undecryptable", SECRET)


def test_cookies_need_the_keys_of_the_setting(settings: Any) -> None:
    cookie = cipher_for(PENDING_LOGIN).encrypt(b"x")
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["own" * 12]
    with pytest.raises(InvalidToken):
        cipher_for(PENDING_LOGIN).decrypt(cookie)


def test_a_value_encrypted_for_another_purpose_is_not_a_secret() -> None:
    cookie = cipher_for(PENDING_LOGIN).encrypt(SECRET.encode()).decode()
    assert reason(StoredSecret(cookie)) == "secret_undecryptable"


@pytest.mark.parametrize("garbage", ["x", "é", "gAAAAA==", SECRET])
def test_garbage_in_the_column_is_undecryptable(garbage: str) -> None:
    assert reason(StoredSecret(garbage)) == "secret_undecryptable"


def test_an_empty_secret_is_missing_and_false() -> None:
    assert not StoredSecret()
    assert reason(StoredSecret()) == "secret_missing"
    assert StoredSecret() == StoredSecret.encrypt("")
    assert hash(StoredSecret()) == hash(StoredSecret.encrypt(""))
    assert StoredSecret.encrypt(SECRET)
    assert StoredSecret.encrypt(SECRET) != SECRET


# References.


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    inside = tmp_path / "secrets"
    inside.mkdir()
    settings.PSC_CONNECT_SECRET_DIR = str(inside)
    (inside / "psc.txt").write_text(f"{SECRET}\n")
    (inside / "empty").write_text("\n")
    (inside / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "outside").write_text(SECRET)
    (inside / "link").symlink_to(tmp_path / "outside")
    (inside / "folder").mkdir()
    return inside


def test_a_secret_is_read_from_the_environment_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = StoredSecret.encrypt("env:PSC_CONNECT_SECRET_BAS")
    assert reason(stored) == "secret_environment_missing"
    for secret in (SECRET, "rotated"):
        monkeypatch.setenv("PSC_CONNECT_SECRET_BAS", secret)
        assert stored.reveal(NOWHERE) == secret


@pytest.mark.parametrize(
    "reference", ["env:PATH", "env:HOME", "env:", "env:PSC_CONNECT_SECRET_", "env:PSC_CONNECT_SECRET_É"]
)
def test_no_other_variable_is_read(reference: str) -> None:
    assert "PATH" in os.environ
    assert reason(StoredSecret.encrypt(reference)) == "secret_reference_invalid"


def test_a_secret_is_read_from_a_file_without_its_line_end(folder: Path) -> None:
    assert StoredSecret.encrypt("file:psc.txt").reveal(NOWHERE) == SECRET


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing", "secret_file_missing"),
        ("empty", "secret_file_missing"),
        ("binary", "secret_file_missing"),
        ("folder", "secret_file_missing"),
        ("link", "secret_reference_invalid"),
        ("../outside", "secret_reference_invalid"),
        ("..", "secret_reference_invalid"),
        ("", "secret_reference_invalid"),
        ("psc.txt\0", "secret_reference_invalid"),
    ],
)
def test_no_other_file_is_read(folder: Path, name: str, code: str) -> None:
    assert reason(StoredSecret.encrypt(f"file:{name}")) == code


def test_no_file_is_read_by_its_absolute_path(folder: Path) -> None:
    assert reason(StoredSecret.encrypt(f"file:{folder / 'psc.txt'}")) == "secret_reference_invalid"


def test_no_file_is_read_without_the_setting(folder: Path, settings: Any) -> None:
    settings.PSC_CONNECT_SECRET_DIR = ""
    assert reason(StoredSecret.encrypt("file:psc.txt")) == "secret_reference_invalid"


def test_a_reference_is_recognised(folder: Path) -> None:
    assert StoredSecret.encrypt("file:nothing").reference() == "file:nothing"
    assert StoredSecret.encrypt("env:PATH").reference() == "env:PATH"
    assert StoredSecret.encrypt(SECRET).reference() == ""


def test_a_good_secret_passes_the_validator(folder: Path) -> None:
    for secret in (SECRET, "with a space inside", "env:PSC_CONNECT_SECRET_1", "file:psc.txt"):
        validate_secret(secret)
