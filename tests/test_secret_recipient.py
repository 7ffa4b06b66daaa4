"""The recipient of a client secret: the issuer and the token endpoint that its ciphertext is bound to."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from psc_connect.encryption import CLIENT_SECRET, cipher_for
from psc_connect.fields import SecretUnavailable, StoredSecret
from psc_connect.models import Provider
from tests.test_fields import SECRET, reason, saved

RECIPIENT = {"issuer": "https://a.example/realms/a", "token_endpoint": "https://a.example/realms/a/token"}
CHANGED = {
    "issuer": {"issuer": "https://a.example/realms/b"},
    "host": {"token_endpoint": "https://b.example/realms/a/token"},
    "port": {"token_endpoint": "https://a.example:8443/realms/a/token"},
    "scheme": {"token_endpoint": "http://a.example/realms/a/token"},
    "none": {"issuer": "", "token_endpoint": ""},
}


@pytest.mark.django_db
@pytest.mark.case("NW04", "CF01")
@pytest.mark.parametrize("change", CHANGED)
def test_a_secret_is_read_for_the_recipient_that_it_was_saved_for_alone(change: str) -> None:
    Provider.objects.create(slug="a", client_id="c", metadata=RECIPIENT, client_secret=SECRET)
    provider = Provider.objects.get()
    assert provider.secret_for_its_issuer() == SECRET
    provider.metadata = {**RECIPIENT, **CHANGED[change]}
    with pytest.raises(SecretUnavailable, match="secret_other_recipient"):
        provider.secret_for_its_issuer()
    provider.metadata = {**RECIPIENT, "token_endpoint": "https://A.example/elsewhere"}
    assert provider.secret_for_its_issuer() == SECRET


@pytest.mark.django_db
@pytest.mark.case("NW04")
def test_a_secret_can_be_assigned_before_and_after_the_metadata() -> None:
    for number, names in enumerate((("client_secret", "metadata"), ("metadata", "client_secret"))):
        provider = Provider(slug=f"p{number}", client_id="c")
        for name in names:
            setattr(provider, name, {"client_secret": SECRET, "metadata": RECIPIENT}[name])
        assert provider.secret_for_its_issuer() == SECRET
        provider.save()
        assert provider.secret_for_its_issuer() == SECRET
        assert Provider.objects.get(pk=provider.pk).secret_for_its_issuer() == SECRET


@pytest.mark.django_db
@pytest.mark.case("NW04")
def test_every_way_of_saving_a_row_encrypts_for_its_recipient() -> None:
    Provider.objects.bulk_create([Provider(slug="a", client_id="c", metadata=RECIPIENT, client_secret=SECRET)])
    provider = Provider.objects.get()
    assert provider.secret_for_its_issuer() == SECRET
    for save in (
        lambda: provider.save(update_fields=["client_secret"]),
        lambda: Provider.objects.bulk_create(
            [provider], update_conflicts=True, unique_fields=["slug"], update_fields=["client_secret"]
        ),
    ):
        provider.client_secret = "another"
        save()
        read = Provider.objects.get()
        assert read.secret_for_its_issuer() == "another"
        read.metadata = {}
        with pytest.raises(SecretUnavailable, match="secret_other_recipient"):
            read.secret_for_its_issuer()


@pytest.mark.django_db
@pytest.mark.case("NW04")
def test_an_update_without_a_row_has_no_recipient_and_is_refused() -> None:
    provider = saved(SECRET)
    with pytest.raises(ValueError, match="save"), transaction.atomic():
        Provider.objects.update(client_secret="another")
    provider.client_secret = "another"
    with pytest.raises(ValueError, match="save"), transaction.atomic():
        Provider.objects.bulk_update([provider], ["client_secret"])
    Provider.objects.update(client_secret=Provider.objects.get().client_secret)
    assert Provider.objects.get().secret_for_its_issuer() == SECRET
    Provider.objects.update(client_secret="")
    assert reason(Provider.objects.get().client_secret) == "secret_missing"


@pytest.mark.django_db
@pytest.mark.case("NW04")
def test_a_ciphertext_that_was_never_saved_is_useless_in_a_row() -> None:
    saved(SECRET)
    with connection.cursor() as cursor:
        unbound = StoredSecret.encrypt("another").ciphertext
        cursor.execute("UPDATE psc_connect_provider SET client_secret = %s", [unbound])
    with pytest.raises(SecretUnavailable, match="secret_other_recipient"):
        Provider.objects.get().secret_for_its_issuer()


@pytest.mark.parametrize("clear", ["a-secret", "12", "null", "[]", "{}", '{"recipient": 5, "secret": "x"}'])
def test_a_ciphertext_of_another_form_is_undecryptable(clear: str) -> None:
    ciphertext = cipher_for(CLIENT_SECRET).encrypt(clear.encode()).decode()
    assert reason(StoredSecret(ciphertext)) == "secret_undecryptable"
    assert StoredSecret(ciphertext).reference() == ""
