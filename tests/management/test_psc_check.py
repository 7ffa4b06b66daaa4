"""``psc_check``: the connection test for a terminal and for monitoring."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command

from psc_connect.models import ClaimedState, DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator, row
from tests.configuration.commands import STEERING, call, steering
from tests.conftest import CLIENT_SECRET
from tests.support.key_sets import EC_KEY, key_set
from tests.support.stored_keys import store_keys
from tests.support.tls_provider import Serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings: Any) -> Any:
    """A site without errors in its settings."""
    settings.LANGUAGE_CODE = "en"
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = False
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["k" * 32]
    return settings


@pytest.fixture
def declared(site: Any, provider: Provider) -> Provider:
    """A provider on this machine, as only development has it."""
    site.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = True
    provider.environment = "custom"
    provider.client_secret = CLIENT_SECRET
    provider.save()
    return provider


def check(*arguments: str) -> Any:
    return call("psc_check", *arguments)


def codes(document: dict[str, Any], slug: str = "psc") -> dict[str, tuple[str, str]]:
    return {line["check"]: (line["status"], line["code"]) for line in document["providers"][slug]}


def test_it_shows_each_line_with_its_code_and_what_to_do(declared: Provider, simulator: Simulator) -> None:
    with simulator.fault("token_error", error="invalid_client"):
        called = check()
    assert called.status == 2
    assert "Provider “psc”" in called.text
    assert "client id and secret: The provider does not know the client id" in called.text
    assert "[token_invalid_client]" in called.text
    assert "→ Also check “token endpoint authentication”" in called.text
    assert CLIENT_SECRET not in called.text


@pytest.mark.parametrize(
    ("days", "secret", "status"),
    [(90, "s", "passed"), (5, "s", "warning"), (90, "env:PSC_CONNECT_SECRET_NOWHERE", "failed")],
)
def test_the_exit_status_is_for_monitoring(site: Any, serving: Serving, days: int, secret: str, status: str) -> None:
    # A provider on a private address, as a hospital may have.
    site.PSC_CONNECT_PRIVATE_HOSTS = ["127.0.0.1"]
    provider = serving(days=days)
    provider.client_secret = secret
    provider.save()
    called = check("--json")
    assert json.loads(called.text)["status"] == status
    assert called.status == {"passed": 0, "warning": 1, "failed": 2}[status]
    assert check().status == called.status


def test_what_cannot_be_judged_is_no_alarm_and_has_not_passed(site: Any, serving: Serving) -> None:
    site.PSC_CONNECT_PRIVATE_HOSTS = ["127.0.0.1"]
    serving(days=90, dated=False)
    called = check("--json")
    document = json.loads(called.text)
    assert (called.status, document["status"]) == (0, "not_judged")
    assert codes(document)["clock"] == ("not_judged", "clock_unknown")
    assert "not judged  clock: " in check().text


@pytest.mark.parametrize(("secret", "code"), [(CLIENT_SECRET, "credentials"), ("wrong", "token_unauthorized_client")])
def test_the_provider_is_asked_whether_it_accepts_the_secret(declared: Provider, secret: str, code: str) -> None:
    declared.client_secret = secret
    declared.save()
    assert codes(json.loads(check("--json").text))["credentials"][1] == code


@pytest.mark.case("CF03")
def test_results_of_the_database_checks_are_included(declared: Provider) -> None:
    Provider.objects.update(environment="simulator")
    declared.exported_attributes.all().delete()
    document = json.loads(check("--json").text)
    found = {line["code"] for line in document["providers"]["psc"]}
    assert {"psc_connect.E017", "psc_connect.W008"} <= found


def test_results_of_the_settings_checks_are_included_once(declared: Provider, site: Any) -> None:
    site.SESSION_COOKIE_SAMESITE = "Strict"
    called = check("--json")
    assert called.status == 2
    assert "psc_connect.E004" in {line["code"] for line in json.loads(called.text)["site"]}
    assert "[psc_connect.E004]" in check().text


def test_silenced_checks_are_not_included(declared: Provider, site: Any) -> None:
    Provider.objects.update(environment="sandbox")
    site.SESSION_COOKIE_SAMESITE = "Strict"
    site.SILENCED_SYSTEM_CHECKS = ["psc_connect.W005", "psc_connect.E004"]
    found = check("--json").text
    assert "psc_connect.W005" not in found
    assert "psc_connect.E004" not in found


@pytest.mark.django_db(transaction=True)
def test_a_missing_database_is_a_failure(site: Any) -> None:
    call_command("migrate", "psc_connect", "zero", verbosity=0)
    try:
        assert check().status == 2
    finally:
        call_command("migrate", "psc_connect", verbosity=0)


def test_one_provider_can_be_chosen_disabled_or_not(declared: Provider) -> None:
    Provider.objects.create(slug="other", client_id="c", enabled=False)
    assert [*json.loads(check("--json").text)["providers"]] == ["psc"]
    assert [*json.loads(check("other", "--json").text)["providers"]] == ["other"]


@pytest.mark.parametrize("arguments", [("nowhere",), ()])
def test_a_wrong_call_has_its_own_exit_status(site: Any, arguments: tuple[str, ...]) -> None:
    assert check(*arguments).status == 3


def test_nothing_is_changed_by_it(declared: Provider, simulator: Simulator) -> None:
    before = row(declared)
    simulator.rotate_keys()
    with simulator.fault("metadata_members", members={"x-new": 1}):
        check()
    assert row(declared) == before
    assert not any(model.objects.exists() for model in (DeclarationChange, ClaimedState, LogEntry))


def test_it_uses_the_language_of_the_site(declared: Provider, site: Any) -> None:
    site.LANGUAGE_CODE = "fr"
    assert "Fournisseur" in check().text


def test_a_provider_that_is_down_fails(site: Any, production: Provider, no_way_out: None) -> None:
    called = check("--json")
    assert called.status == 2
    assert codes(json.loads(called.text))["credentials"][0] == "failed"


def test_pasted_keys_pass_if_the_provider_publishes_none(declared: Provider) -> None:
    Provider.objects.update(metadata={**declared.metadata, "jwks_uri": ""}, metadata_followed=False)
    assert codes(json.loads(check("--json").text))["keys"] == ("passed", "keys_pasted")
    store_keys(declared, {})
    assert codes(json.loads(check("--json").text))["keys"] == ("failed", "jwks_uri_missing")


@pytest.mark.case("LG03")
@pytest.mark.parametrize("arguments", [(), ("--json",)], ids=["text", "JSON"])
def test_control_characters_of_a_key_are_escaped(
    declared: Provider, simulator: Simulator, arguments: tuple[str, ...]
) -> None:
    with simulator.fault("answer", endpoint="jwks", body=key_set({**EC_KEY, "kid": STEERING}).encode()):
        called = check(*arguments)
    assert "all is well" in called.text
    assert steering(called.text) == set()
    if arguments:
        assert json.loads(called.text)


@pytest.mark.case("LG03")
def test_control_characters_of_a_key_are_escaped_on_the_page(
    declared: Provider, simulator: Simulator, admin: Administrator
) -> None:
    with simulator.fault("answer", endpoint="jwks", body=key_set({**EC_KEY, "kid": STEERING}).encode()):
        page = admin.press(declared, "connection").content.decode()
    assert "all is well" in page
    assert "\u202e" not in page
