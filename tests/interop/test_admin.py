"""Administration of a provider that is a real Keycloak: connection test, dry run, commands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.models import Account, Provider, ProviderFetchTimes
from psc_connect.providers.metadata import fetch_document
from tests.admin.pages import administrator, stored
from tests.configuration.commands import call, export
from tests.interop.bare_client import secret_of
from tests.interop.browser import Browser
from tests.interop.keycloak import Keycloak, people
from tests.interop.recording_proxy import RecordingProxy
from tests.interop.site import declare
from tests.interop.visitor import Visitor, is_page_of

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]
DOCTOR = "doctor-card-two-activities-2023"


@pytest.fixture(autouse=True)
def _base_url(settings: Any, live_server: Any) -> None:
    settings.PSC_CONNECT_BASE_URL = live_server.url


def checked(provider: Provider) -> dict[str, tuple[str, str]]:
    lines = json.loads(call("psc_check", provider.slug, "--json").text)["providers"][provider.slug]
    return {line["check"]: (line["status"], line["code"]) for line in lines}


def test_everything_passes_but_the_missing_tls(keycloak: Keycloak) -> None:
    results = checked(declare(keycloak))
    assert {check: status for check, (status, _code) in results.items() if status != "passed"} == {
        "tls": "warning",
        "clock": "not_judged",
    }


@pytest.mark.parametrize(
    ("client", "changes", "code"),
    [
        ("post", {}, "credentials"),
        ("basic", {"token_endpoint_auth_method": "client_secret_basic"}, "credentials"),
        ("post", {"client_secret": "another secret"}, "token_unauthorized_client"),
        (
            "basic",
            {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "another secret"},
            "token_unauthorized_client",
        ),
        ("basic", {}, "token_unauthorized_client"),
        ("post", {"client_id": "psc-unknown"}, "token_invalid_client"),
    ],
    ids=["good", "good, basic", "wrong secret", "wrong secret, basic", "wrong method", "unknown client"],
)
def test_the_client_credentials_are_checked_at_keycloak(
    keycloak: Keycloak, client: str, changes: dict[str, str], code: str
) -> None:
    status = "passed" if code == "credentials" else "failed"
    assert checked(declare(keycloak, client, **changes))["credentials"] == (status, code)


def test_new_keys_are_reported_and_not_imported(keycloak: Keycloak) -> None:
    provider = declare(keycloak)
    with keycloak.rotated_key():
        assert checked(provider)["keys"] == ("warning", "keys_changed")
        assert stored(provider).jwks == provider.jwks
    assert checked(provider)["keys"] == ("passed", "keys")


def test_a_dry_run_shows_the_login_and_saves_nothing(keycloak: Keycloak, live_server: Any, browser: Browser) -> None:
    provider = declare(keycloak)
    admin = administrator()
    browser.cookies.set("sessionid", admin.browser.cookies["sessionid"].value, domain="127.0.0.1")
    form = browser.open(f"{live_server.url}/admin/psc_connect/provider/{provider.pk}/begin-dry-run/")
    page = browser.sign_in(form, DOCTOR)
    assert page.url == f"{live_server.url}/admin/psc_connect/provider/{provider.pk}/dry-run/"
    assert page.text.count("psc-passed") >= 20
    assert "psc-failed" not in page.text
    assert people()[DOCTOR]["SubjectNameID"] not in page.text
    assert people()[DOCTOR]["given_name"] in page.text
    assert not Account.objects.exists()
    assert get_user_model().objects.count() == 1


@pytest.mark.case("OU01")
def test_changed_metadata_is_applied_once_a_day(keycloak: Keycloak, proxy: RecordingProxy, visitor: Visitor) -> None:
    metadata = keycloak.metadata()
    provider = declare(keycloak, metadata={**metadata, "end_session_endpoint": f"{keycloak.issuer}/old"})
    ProviderFetchTimes.objects.update(metadata_checked_at="2026-01-01T00:00:00+00:00")
    assert is_page_of(visitor.sign_in(DOCTOR), DOCTOR)
    assert stored(provider).metadata == metadata


def test_an_exported_provider_is_imported_again_and_signs_in(
    keycloak: Keycloak, visitor: Visitor, tmp_path: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = declare(keycloak)
    secret = provider.secret_for_its_issuer()
    configuration = export("post")
    Provider.objects.all().delete()
    configuration["providers"][0]["client_secret"] = "env:PSC_CONNECT_SECRET_KEYCLOAK"
    monkeypatch.setenv("PSC_CONNECT_SECRET_KEYCLOAK", secret)
    settings.PSC_CONNECT_SECRET_ISSUERS = {"env:PSC_CONNECT_SECRET_KEYCLOAK": keycloak.issuer}
    file = tmp_path / "provider.json"
    file.write_text(json.dumps(configuration))
    assert call("psc_configure", "--file", str(file)).status == 0
    assert is_page_of(visitor.sign_in(DOCTOR), DOCTOR)


def test_the_issuer_declares_a_provider_on_the_command_line(
    keycloak: Keycloak, visitor: Visitor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keycloak has no document at the path of Pro Santé Connect."""
    secret = "env:PSC_CONNECT_SECRET_KEYCLOAK"
    monkeypatch.setenv("PSC_CONNECT_SECRET_KEYCLOAK", secret_of("post"))
    settings.PSC_CONNECT_SECRET_ISSUERS = {secret: keycloak.issuer}
    options = ("--slug=post", "--environment=custom", "--client-id=psc-post", "--ask-activity=never")
    called = call("psc_configure", *options, f"--client-secret={secret}", f"--discovery-url={keycloak.issuer}")
    assert called.status == 0
    assert Provider.objects.get().metadata == keycloak.metadata()
    assert is_page_of(visitor.sign_in(DOCTOR), DOCTOR)


@pytest.mark.case("NW01")
def test_another_realm_of_the_host_is_another_issuer(keycloak: Keycloak) -> None:
    declare(keycloak)
    other = fetch_document(f"{keycloak.issuer.rpartition('/')[0]}/master")
    assert other["issuer"] != keycloak.issuer
    # Pasted, with the issuer of the first realm and the keys of the other one.
    document = json.dumps({**keycloak.metadata(), "jwks_uri": other["jwks_uri"]})
    called = call("psc_configure", "--slug=b", "--environment=custom", "--client-id=c", f"--metadata={document}")
    assert called.status == 2
    assert "--confirm-differences" in called.text
    assert not Provider.objects.filter(slug="b").exists()
