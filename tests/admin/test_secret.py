"""The client secret: stored encrypted, and on no page, export or error report."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import connection
from django.db.models.signals import post_save
from django.views.debug import ExceptionReporter

from psc_connect.admin.provider.secret_field import SecretInput
from psc_connect.models import DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import ADD, Administrator, administrator, change_page, codes, texts
from tests.support.database import failing_statements
from tests.support.key_sets import EC_KEY, PRIVATE_KEY, key_set

pytestmark = pytest.mark.django_db
NEW_SECRET = "another-secret-4d1e88"


def secret(provider: Provider) -> str:
    return Provider.objects.get(pk=provider.pk).secret_for_its_issuer()


def explanation(admin: Administrator, provider: Provider) -> str:
    form = admin.browser.get(change_page(provider)).context["adminform"].form
    return str(form.fields["client_secret"].help_text)


def test_an_empty_field_keeps_the_secret(admin: Administrator, provider: Provider) -> None:
    stored = provider.client_secret
    admin.submit(change_page(provider), button_text="Entrer")
    assert Provider.objects.get().client_secret == stored


def test_a_new_secret_replaces_the_old(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), client_secret=NEW_SECRET)
    assert secret(provider) == NEW_SECRET


def test_a_new_secret_is_encrypted_in_the_database(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), client_secret=NEW_SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM psc_connect_provider")
        assert NEW_SECRET not in str(cursor.fetchall())


def test_the_history_says_that_the_secret_was_replaced(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), client_secret=NEW_SECRET, button_text="Entrer")
    assert DeclarationChange.objects.get().changes == [
        ["button_text", "", "Entrer"],
        ["client_secret", None, "replaced"],
    ]


@pytest.mark.case("CF01")
def test_the_secret_is_on_no_page_and_in_no_export(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), client_secret=NEW_SECRET)
    dump = StringIO()
    call_command("dumpdata", "psc_connect", "admin", stdout=dump)
    row = Provider.objects.get()
    refused = admin.submit(change_page(provider), client_secret=NEW_SECRET, client_id="")
    shown = [
        dump.getvalue(),
        refused.content.decode(),
        repr(row),
        str(row),
        repr(row.client_secret),
        repr(row.__dict__),
        str(list(LogEntry.objects.values())),
    ]
    of_provider = f"/admin/psc_connect/provider/{provider.pk}/"
    pages = (change_page(provider), of_provider + "history/", of_provider + "export/", "/admin/", ADD)
    shown += [admin.browser.get(url).content.decode() for url in pages]
    shown += [admin.browser.get(f"/admin/psc_connect/provider/{provider.pk}/delete/").content.decode()]
    assert secret(provider) == NEW_SECRET
    assert row.client_secret.ciphertext
    for text in shown:
        assert NEW_SECRET not in text
        assert row.client_secret.ciphertext not in text


def test_browsers_are_told_not_to_fill_the_field(admin: Administrator, provider: Provider) -> None:
    page = admin.browser.get(change_page(provider)).content.decode()
    assert 'type="password" name="client_secret"' in page
    assert 'autocomplete="new-password"' in page


@pytest.fixture
def reports() -> Any:
    """What Django mails to the administrators of an error, as text and, with every local variable, as HTML."""
    written: list[str] = []

    def report(request: Any, **_kwargs: Any) -> None:
        kind, error, traceback = sys.exc_info()
        reporter = ExceptionReporter(request, kind, error, traceback, is_email=True)
        written.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    got_request_exception.connect(report)
    yield written
    got_request_exception.disconnect(report)


@pytest.fixture
def failing_save() -> Any:
    def fail(**_kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    post_save.connect(fail, sender=Provider)
    yield
    post_save.disconnect(fail, sender=Provider)


def submit_and_crash(admin: Administrator, url: str, **answers: str) -> None:
    fields = {**admin.fields_of(url), **answers}
    admin.browser.raise_request_exception = False
    assert admin.browser.post(url, fields).status_code == 500


@pytest.mark.case("CF02")
def test_an_error_while_saving_reports_no_secret(
    admin: Administrator, provider: Provider, reports: list[str], failing_save: None
) -> None:
    submit_and_crash(admin, change_page(provider), client_secret=NEW_SECRET)
    assert_reports(reports)


@pytest.mark.case("CF02", "JO14")
def test_an_error_while_keys_are_looked_at_reports_no_private_part(
    admin: Administrator, provider: Provider, reports: list[str]
) -> None:
    given = key_set(EC_KEY, PRIVATE_KEY)
    admin.browser.raise_request_exception = False
    # The stored keys cannot be read for the comparison, after the paste has been read.
    with failing_statements("psc_connect_signingkey"):
        assert admin.press(provider, "keys", action="paste", document=given).status_code == 500
    assert len(reports) == 2
    assert PRIVATE_KEY["d"] not in str(reports)


@pytest.mark.case("CF02")
def test_an_error_while_declaring_reports_no_secret(
    admin: Administrator, simulator: Simulator, settings: Any, reports: list[str], failing_save: None
) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.issuer.removesuffix("/auth/realms/esante-wallet")
    submit_and_crash(admin, ADD, environment="simulator", client_id="c", client_secret=NEW_SECRET)
    assert_reports(reports)


@pytest.mark.case("CF02")
def test_an_error_while_checking_the_form_reports_no_secret(
    admin: Administrator, provider: Provider, settings: Any, reports: list[str]
) -> None:
    fields = admin.fields_of(change_page(provider))
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = 5
    admin.browser.raise_request_exception = False
    admin.browser.post(change_page(provider), {**fields, "client_secret": NEW_SECRET, "client_id": "other"})
    assert_reports(reports)


@pytest.mark.case("CF02")
def test_what_a_form_has_cleaned_does_not_show_the_secret() -> None:
    assert NEW_SECRET not in repr({"client_secret": SecretInput().clean(NEW_SECRET)})


def assert_reports(reports: list[str]) -> None:
    assert len(reports) == 2
    for text in reports:
        assert "client_secret" in text
        assert NEW_SECRET not in text


@pytest.fixture
def references(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A secret in the environment and another in a file, that a row may refer to."""
    settings.PSC_CONNECT_SECRET_DIR = str(tmp_path)
    (tmp_path / "here").write_text("secret")
    monkeypatch.setenv("PSC_CONNECT_SECRET_HERE", "secret")


@pytest.mark.parametrize(
    ("stored", "word"),
    [
        ("", "enter it"),
        ("plain", "stored"),
        ("env:PSC_CONNECT_SECRET_HERE", "reference"),
        ("file:here", "reference"),
    ],
)
@pytest.mark.usefixtures("references")
def test_the_page_says_what_kind_of_secret_is_kept(
    admin: Administrator, provider: Provider, settings: Any, stored: str, word: str
) -> None:
    settings.LANGUAGE_CODE = "en"
    provider.client_secret = stored
    provider.save()
    assert word in explanation(admin, provider)


def test_each_reason_why_a_secret_cannot_be_used_is_told(
    admin: Administrator, provider: Provider, settings: Any, tmp_path: Any
) -> None:
    settings.PSC_CONNECT_SECRET_DIR = str(tmp_path)
    told = {explanation(admin, provider)}
    for reference in ("env:PSC_CONNECT_SECRET_NOWHERE", "file:nowhere", "env:PATH", ""):
        provider.client_secret = reference
        provider.save()
        told.add(explanation(admin, provider))
    provider.client_secret = "plain"
    provider.save()
    settings.SECRET_KEY = "another key altogether, as after a restored backup"
    # The session went with the key.
    told.add(explanation(administrator("change_provider"), provider))
    assert len(told) == 6


@pytest.mark.parametrize("reference", ["env:PSC_CONNECT_SECRET_BAS", "file:bas.txt"])
def test_a_reference_can_be_entered_instead(
    admin: Administrator, provider: Provider, settings: Any, tmp_path: Any, reference: str
) -> None:
    settings.PSC_CONNECT_SECRET_DIR = str(tmp_path)
    settings.PSC_CONNECT_SECRET_ISSUERS = {reference: provider.issuer}
    assert admin.submit(change_page(provider), client_secret=reference).status_code == 302
    assert Provider.objects.get().client_secret.reference() == reference


@pytest.mark.case("CF01")
def test_a_reference_cannot_be_aimed_at_an_issuer_that_it_is_not_for(
    admin: Administrator, provider: Provider, monkeypatch: Any
) -> None:
    """Whoever types a name need not know the secret: it would be sent to whatever server the row names."""
    monkeypatch.setenv("PSC_CONNECT_SECRET_BAS", NEW_SECRET)
    response = admin.submit(change_page(provider), client_secret="env:PSC_CONNECT_SECRET_BAS")
    errors = response.context["adminform"].form.errors.as_data()
    assert [error.code for error in errors["client_secret"]] == ["secret_reference_not_for_issuer"]
    assert not Provider.objects.get().client_secret.reference()


@pytest.mark.parametrize(
    "reference", ["env:PATH", "env:psc_connect_secret_x", "file:a/b", "file:..", "file:/etc/passwd"]
)
def test_a_reference_to_something_else_is_refused(
    admin: Administrator, provider: Provider, settings: Any, tmp_path: Any, reference: str
) -> None:
    settings.PSC_CONNECT_SECRET_DIR = str(tmp_path)
    response = admin.submit(change_page(provider), client_secret=reference)
    assert codes(response) == {("client_secret", "secret_reference_invalid")}


def test_a_file_reference_needs_the_setting(admin: Administrator, provider: Provider) -> None:
    response = admin.submit(change_page(provider), client_secret="file:bas.txt")
    assert "PSC_CONNECT_SECRET_DIR" in texts(response, "client_secret")


def test_with_another_encryption_key_the_page_is_shown_and_mends_it(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["k" * 32]
    url = change_page(provider)
    assert admin.browser.get(url).status_code == 200
    assert admin.browser.get("/admin/psc_connect/provider/").status_code == 200
    assert admin.submit(url, button_text="Entrer").status_code == 302
    admin.submit(url, client_secret=NEW_SECRET)
    assert secret(provider) == NEW_SECRET
