"""The connection test on the provider's page: what passes, what fails, what can be accepted."""

from __future__ import annotations

import json
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from psc_connect.diagnosis import diagnose
from psc_connect.login.site_urls import declared_addresses
from psc_connect.models import ClaimedState, DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.connection_page import finding_of, outcome, without_warnings
from tests.admin.pages import Administrator, row, text_of
from tests.conftest import CLIENT_SECRET, client_of
from tests.support.browser_session import BrowserSession
from tests.support.refusals import stored_data
from tests.support.secrets import save_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(provider: Provider, simulator: Simulator, settings: Any) -> Provider:
    return without_warnings(provider, simulator, settings)


GOOD = {
    "addresses": ("passed", "addresses"),
    "declaration": ("passed", "declaration"),
    "outgoing_connection": ("passed", "outgoing_connection"),
    "names": ("passed", "names"),
    "tls": ("warning", "tls_absent"),
    "clock": ("passed", "clock"),
    "metadata": ("passed", "metadata"),
    "keys": ("passed", "keys"),
    "authorization": ("passed", "authorization"),
    "credentials": ("passed", "credentials"),
    "userinfo": ("passed", "userinfo"),
    "end_session": ("passed", "end_session"),
}


def test_the_page_asks_before_it_calls(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    simulator.clear_requests()
    assert admin.open(provider, "connection").status_code == 200
    assert not simulator.requests


def test_a_provider_in_order_passes(admin: Administrator, provider: Provider) -> None:
    assert outcome(admin, provider) == GOOD


def test_nothing_is_changed_by_a_test(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    before, kept = row(provider), stored_data(BrowserSession())
    simulator.rotate_keys()
    with simulator.fault("metadata_members", members={"x-new": 1}):
        outcome(admin, provider)
    assert row(provider) == before
    assert stored_data(BrowserSession()) == kept
    assert not any(model.objects.exists() for model in (DeclarationChange, ClaimedState, LogEntry))


def test_it_asks_each_endpoint_once(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    simulator.clear_requests()
    outcome(admin, provider)
    assert [request.endpoint for request in simulator.requests] == [
        "metadata",
        "jwks",
        "token",
        "authorization",
        "userinfo",
        "end_session",
    ]


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_credentials_that_the_provider_believes_pass_by_either_method(
    admin: Administrator, provider: Provider, simulator: Simulator, method: str
) -> None:
    simulator.register(client_of(host="http://127.0.0.1", token_endpoint_auth_method=method))
    Provider.objects.update(token_endpoint_auth_method=method)
    assert outcome(admin, provider)["credentials"] == ("passed", "credentials")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "another"}, "invalid_client"),
        ({"client_secret": "wrong"}, "unauthorized_client"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "unauthorized_client"),
    ],
    ids=str,
)
def test_credentials_that_the_provider_does_not_believe_fail_with_its_own_error(
    admin: Administrator, provider: Provider, change: dict[str, str], error: str
) -> None:
    """Unknown client: invalid_client; wrong secret: unauthorized_client, as Keycloak says."""
    for name, value in change.items():
        setattr(provider, name, value)
    provider.save()
    finding = finding_of(admin, provider, "credentials")
    assert (finding.status.value, finding.code) == ("failed", f"token_{error}")
    assert f"({error})" in finding.text


def test_a_secret_that_cannot_be_used_fails_without_a_call(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    provider.client_secret = ""
    provider.save()
    found = outcome(admin, provider)
    assert found["credentials"] == ("failed", "secret_missing")
    assert found["declaration"] == ("failed", "psc_connect.E018")
    assert simulator.count("token") == 0


@pytest.mark.parametrize(
    ("fault", "options", "expected"),
    [
        ("token_error", {"error": "invalid_request"}, ("warning", "token_refused")),
        ("answer", {"endpoint": "token", "body": b"[]"}, ("warning", "token_not_an_object")),
        ("maintenance_page", {"endpoint": "token"}, ("failed", "provider_maintenance_page")),
        ("outage", {"endpoint": "token"}, ("failed", "provider_server_error")),
    ],
)
def test_a_token_endpoint_that_answers_otherwise_is_told(
    admin: Administrator,
    provider: Provider,
    simulator: Simulator,
    fault: str,
    options: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    with simulator.fault(fault, **options):
        assert outcome(admin, provider)["credentials"] == expected


def test_whatever_gives_tokens_for_a_made_up_code_is_no_provider(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    body = b'{"access_token": "a", "id_token": "a.b.c", "token_type": "Bearer"}'
    with simulator.fault("answer", endpoint="token", body=body):
        assert outcome(admin, provider)["credentials"] == ("failed", "token_for_wrong_code")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, ("passed", "clock")),
        (25, ("passed", "clock")),
        (45, ("warning", "clock_offset")),
        (-90, ("failed", "clock_offset")),
    ],
)
@pytest.mark.case("DO06")
def test_the_clocks_are_compared(
    admin: Administrator, provider: Provider, simulator: Simulator, seconds: int, expected: tuple[str, str]
) -> None:
    from email.utils import format_datetime

    date = format_datetime(timezone.now() + timedelta(seconds=seconds), usegmt=True)
    with simulator.fault("answer_headers", endpoint="metadata", headers=(("Date", date),)):
        assert outcome(admin, provider)["clock"] == expected


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "Mon, 01 Jan 1970 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 9999 99:99:99 +9999",
    ],
)
def test_a_clock_that_cannot_be_judged_has_not_passed(
    admin: Administrator, provider: Provider, simulator: Simulator, date: str
) -> None:
    with simulator.fault("answer_headers", endpoint="metadata", headers=(("Date", date),)):
        found = outcome(admin, provider)
    assert found["clock"] == ("not_judged", "clock_unknown")


# What keeps it from being called at all.


@pytest.mark.usefixtures("english")
def test_a_provider_that_cannot_be_reached_fails_at_each_step(
    admin: Administrator, production: Provider, no_way_out: None
) -> None:
    found = outcome(admin, production)
    assert found["names"][0] == "passed"  # the proxy's own name
    for check in ("metadata", "keys", "credentials"):
        assert found[check] == ("failed", "provider_proxy_failed")
    # Lines that say the same say of what.
    lines = [line["finding"] for line in admin.press(production, "connection").context["lines"]]
    failed = {line.label for line in lines if (line.status.value, line.code) == ("failed", "provider_proxy_failed")}
    assert failed == {"metadata", "signing keys", "client id and secret", "userinfo endpoint"}
    # Browsers go to the authorization endpoint, and have another way out.
    assert found["authorization"] == ("not_judged", "provider_proxy_failed")


def test_a_provider_that_hangs_is_given_up_in_time(provider: Provider, simulator: Simulator) -> None:
    began = time.monotonic()
    with simulator.fault("hang", endpoint="metadata", seconds=20):
        diagnosis = diagnose(provider, declared_addresses(None, provider), seconds=3)
    assert time.monotonic() - began < 10
    found = {finding.check: finding.code for finding in diagnosis.findings}
    assert found["metadata"] == "provider_timeout"


def test_a_name_that_nobody_knows_fails(admin: Administrator, production: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["wallet.esw.esante.invalid"]
    document = json.dumps(production.metadata).replace("esw.esante.gouv.fr", "esw.esante.invalid")
    Provider.objects.update(metadata=json.loads(document), environment="custom")
    save_secret(CLIENT_SECRET)
    found = outcome(admin, production)
    assert found["names"] == ("failed", "provider_name_unresolved")
    assert found["metadata"] == found["keys"] == found["credentials"] == found["names"]


def test_a_name_server_that_tires_of_being_asked_makes_no_provider_slow(
    production: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, metadata, keys: the name is unknown. Then it is asked for the credentials, and there is no answer."""
    questions = iter([True] * 3)

    def unknown(*_args: Any, **_options: Any) -> Any:
        if not next(questions, False):
            time.sleep(1)
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    diagnosis = diagnose(production, declared_addresses(None, production), seconds=0.5)
    found = {finding.check: finding.code for finding in diagnosis.findings}
    assert {found[check] for check in ("names", "metadata", "keys", "credentials")} == {"provider_name_unresolved"}


def test_metadata_that_cannot_be_used_ends_it_early(admin: Administrator, provider: Provider, simulator: Any) -> None:
    Provider.objects.update(metadata={"issuer": "x"})
    simulator.clear_requests()
    found = outcome(admin, provider)
    assert found["metadata"][0] == "failed"
    assert "credentials" not in found
    assert not simulator.requests


def test_the_way_out_in_force_is_told_without_the_proxys_password(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.PSC_CONNECT_HTTPS_PROXY = "http://user:hunter2@127.0.0.1:3128"
    page = text_of(admin.press(provider, "connection"))
    assert "127.0.0.1:3128" in page
    assert "hunter2" not in page


def test_a_bundle_that_cannot_be_read_fails(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_CA_BUNDLE = "/nowhere.pem"
    assert outcome(admin, provider)["outgoing_connection"] == ("failed", "provider_ca_bundle_unreadable")


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "https://localhost"])
def test_addresses_on_this_machine_are_a_warning_in_production(
    admin: Administrator, production: Provider, settings: Any, no_way_out: None, base: str
) -> None:
    settings.PSC_CONNECT_BASE_URL = base
    Provider.objects.update(environment="custom")
    assert outcome(admin, production)["addresses"] == ("warning", "addresses_loopback")
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    assert outcome(admin, production)["addresses"] == ("passed", "addresses")


def test_addresses_that_are_not_known_are_a_warning(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_BASE_URL = ""
    settings.ALLOWED_HOSTS = ["*"]
    assert outcome(admin, provider)["addresses"] == ("warning", "base_url_missing")


@pytest.mark.parametrize(
    ("base", "status"), [("http://www.example.org", "failed"), ("https://www.example.org", "passed")]
)
def test_the_redirect_uri_is_told_as_the_site_will_send_it(
    admin: Administrator, provider: Provider, settings: Any, base: str, status: str
) -> None:
    settings.PSC_CONNECT_BASE_URL = base
    response = admin.press(provider, "connection")
    (line,) = [each["finding"] for each in response.context["lines"] if each["finding"].check == "addresses"]
    assert f"{base}/psc/psc/callback/" in line.text
    assert line.status.value == status
