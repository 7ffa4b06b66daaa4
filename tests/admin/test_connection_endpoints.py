"""The connection test at each endpoint of the provider: what it answers, and whether it accepts the site's requests."""

from __future__ import annotations

import time
from typing import Any

import pytest

from psc_connect.diagnosis import diagnose
from psc_connect.login.site_urls import declared_addresses
from psc_connect.models import ClaimedState, Provider
from psc_connect.simulator import Simulator
from tests.admin.connection_page import finding_of, outcome, without_warnings
from tests.admin.pages import Administrator
from tests.support.browser_session import BrowserSession, error_code_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

# The check, and the member of the metadata; the document itself is at a URL of its own.
ENDPOINTS = {
    "metadata": ("metadata", ""),
    "jwks": ("keys", "jwks_uri"),
    "token": ("credentials", "token_endpoint"),
    "authorization": ("authorization", "authorization_endpoint"),
    "userinfo": ("userinfo", "userinfo_endpoint"),
    "end_session": ("end_session", "end_session_endpoint"),
}
HTML = (("Content-Type", "text/html"),)


@pytest.fixture
def provider(provider: Provider, simulator: Simulator, settings: Any) -> Provider:
    return without_warnings(provider, simulator, settings)


def url_of(provider: Provider, endpoint: str) -> str:
    member = ENDPOINTS[endpoint][1]
    url = provider.metadata[member] if member else f"{provider.issuer}/.well-known/openid-configuration"
    return str(url)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("answer", {"status": 404}, "provider_not_found"),
        ("server_error", {}, "provider_server_error"),
        ("outage", {}, "provider_server_error"),
    ],
)
def test_an_endpoint_that_is_missing_or_down_is_named(
    admin: Administrator,
    provider: Provider,
    simulator: Simulator,
    endpoint: str,
    fault: str,
    options: dict[str, Any],
    code: str,
) -> None:
    with simulator.fault(fault, endpoint=endpoint, **options):
        finding = finding_of(admin, provider, ENDPOINTS[endpoint][0])
    status = "warning" if endpoint == "end_session" else "failed"
    assert (finding.status.value, finding.code) == (status, code)
    own = url_of(provider, endpoint)
    # PSC's own path is asked first; the standard one only if it is missing.
    assert finding.text.startswith((own, own.replace("/openid", "/wallet-openid")))


@pytest.mark.parametrize("endpoint", ["metadata", "jwks", "token", "userinfo"])
def test_an_html_page_in_place_of_json_is_named(
    admin: Administrator, provider: Provider, simulator: Simulator, endpoint: str
) -> None:
    with simulator.fault("maintenance_page", endpoint=endpoint):
        finding = finding_of(admin, provider, ENDPOINTS[endpoint][0])
    assert (finding.status.value, finding.code) == ("failed", "provider_maintenance_page")
    assert finding.text.startswith(provider.issuer)


def test_a_userinfo_endpoint_that_accepts_an_invented_token_is_no_provider(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("answer", endpoint="userinfo", body=b'{"sub": "x"}'):
        assert outcome(admin, provider)["userinfo"] == ("failed", "userinfo_for_wrong_token")


def test_a_provider_without_a_sign_out_is_not_asked_for_one(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata={**provider.metadata, "end_session_endpoint": ""}, metadata_followed=False)
    assert "end_session" not in outcome(admin, provider)


# The authorization endpoint.


def test_it_gets_the_request_of_a_login_without_a_person(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    provider.extra_parameters = {"kc_idp_hint": "chu"}
    provider.save()
    simulator.clear_requests()
    outcome(admin, provider)
    (request,) = [request for request in simulator.requests if request.endpoint == "authorization"]
    assert request.parameters["prompt"] == "none"
    assert request.parameters["redirect_uri"] == "http://127.0.0.1/psc/psc/callback/"
    assert request.parameters["scope"] == "openid scope_all"
    assert request.parameters["kc_idp_hint"] == "chu"
    assert request.parameters["code_challenge_method"] == "S256"
    assert "cookie" not in request.headers


def test_its_state_finishes_no_login(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    simulator.clear_requests()
    outcome(admin, provider)
    (request,) = [request for request in simulator.requests if request.endpoint == "authorization"]
    assert not ClaimedState.objects.exists()
    calls = len(simulator.requests)
    for session in (admin, BrowserSession()):
        response = session.browser.get("/psc/psc/callback/", {"code": "abc", "state": request.parameters["state"]})
        assert error_code_of(response) == "authorization_state_unknown"
    assert len(simulator.requests) == calls


def test_an_undeclared_redirect_uri_is_reported(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    finding = finding_of(admin, provider, "authorization")
    assert (finding.status.value, finding.code) == ("failed", "authorization_redirect_uri_refused")
    assert "https://www.example.org/psc/psc/callback/" in finding.text
    assert "Declare it" in finding.advice


def test_an_unknown_client_is_reported(admin: Administrator, provider: Provider) -> None:
    provider.client_id = "another"
    provider.save()
    assert outcome(admin, provider)["credentials"] == ("failed", "token_invalid_client")
    finding = finding_of(admin, provider, "authorization")
    assert (finding.status.value, finding.code) == ("failed", "authorization_client_refused")
    assert "ask the provider to enable the client" in finding.advice


def test_a_realm_that_is_off_is_a_failure(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    """Keycloak answers 403 at the token endpoint. Metadata, keys and userinfo answer as always."""
    body = b'{"error": "access_denied", "error_description": "Realm not enabled"}'
    with simulator.fault("answer", endpoint="token", status=403, body=body):
        finding = finding_of(admin, provider, "credentials")
    assert (finding.status.value, finding.code) == ("failed", "token_forbidden")
    assert "realm may be switched off" in finding.text
    assert finding.text.endswith("(access_denied)")


def test_an_error_page_is_not_explained_by_credentials_that_were_not_tested(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    provider.client_secret = ""
    provider.save()
    page = b"<h1>We are sorry ...</h1><p>Realm not enabled</p>"
    with simulator.fault("answer", endpoint="authorization", status=400, body=page, headers=HTML):
        finding = finding_of(admin, provider, "authorization")
    assert (finding.status.value, finding.code) == ("failed", "authorization_request_refused")
    assert finding.advice.endswith("whether it knows the redirect URI http://127.0.0.1/psc/psc/callback/.")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("invalid_scope", "scope"),
        ("unauthorized_client", "does not allow this client"),
        ("unsupported_response_type", "authorization code flow"),
        ("invalid_request", "authorization request invalid"),
        ("access_denied", "refused"),
        ("temporarily_unavailable", "maintenance"),
    ],
)
def test_an_error_of_the_provider_is_reported_in_its_words(
    admin: Administrator, provider: Provider, simulator: Simulator, error: str, told: str
) -> None:
    with simulator.fault("callback_error", error=error, description="Standard flow is disabled for the client."):
        finding = finding_of(admin, provider, "authorization")
    assert (finding.status.value, finding.code) == ("failed", f"authorization_{error}")
    assert told in finding.text
    assert finding.text.endswith(f"({error}: Standard flow is disabled for the client.)")


@pytest.mark.parametrize("error", ["interaction_required", "consent_required", "account_selection_required"])
def test_a_missing_person_is_the_only_obstacle(
    admin: Administrator, provider: Provider, simulator: Simulator, error: str
) -> None:
    with simulator.fault("callback_error", error=error):
        assert outcome(admin, provider)["authorization"] == ("passed", "authorization")


@pytest.mark.case("LG03", "AD04")
@pytest.mark.parametrize(
    "description",
    ["x" * 201, "line\nline", "\u202egnp.exe", 'a "quoted" word', "é", "\x1b[31mred"],
    ids=["long", "line break", "bidirectional", "quotes", "accent", "escape sequence"],
)
def test_a_description_with_other_characters_than_the_standards_is_not_shown(
    admin: Administrator, provider: Provider, simulator: Simulator, description: str
) -> None:
    with simulator.fault("callback_error", error="invalid_scope", description=description):
        finding = finding_of(admin, provider, "authorization")
    assert finding.text.endswith("(invalid_scope)")


@pytest.mark.case("LG03", "AD04")
@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("unknown_tenant", " (unknown_tenant)"),
        ("<b>bold</b>", " (<b>bold</b>)"),
        ("line\nline", ""),
        ("\u202egnp.exe", ""),
        ("x" * 201, ""),
    ],
    ids=["known characters", "markup", "line break", "bidirectional", "long"],
)
def test_an_error_of_the_token_endpoint_is_shown_if_it_has_the_characters_of_the_standard(
    admin: Administrator, provider: Provider, simulator: Simulator, error: str, told: str
) -> None:
    with simulator.fault("token_error", error=error):
        response = admin.press(provider, "connection")
    (finding,) = [each["finding"] for each in response.context["lines"] if each["finding"].check == "credentials"]
    assert finding.text.endswith(f"The provider refused the token request.{told}")
    assert "<b>bold" not in response.content.decode()


@pytest.mark.case("AD04")
def test_a_description_is_text_on_the_page(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    with simulator.fault("callback_error", error="invalid_scope", description="<script>alert(1)</script>"):
        page = admin.press(provider, "connection").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_error_that_is_in_no_standard_is_a_failure(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("callback_error", error="own_error"):
        assert outcome(admin, provider)["authorization"] == ("failed", "authorization_unrecognised")


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("wrong_iss_in_callback", {}, "authorization_issuer_mismatch"),
        ("no_iss_in_callback", {}, "authorization_issuer_missing"),
        ("wrong_state", {"state": "e" * 43}, "authorization_state_unknown"),
        ("no_state", {}, "authorization_state_missing"),
        ("repeated_parameter", {}, "authorization_duplicate_parameter"),
    ],
)
def test_a_response_that_no_login_accepts_is_a_failure(
    admin: Administrator, provider: Provider, simulator: Simulator, fault: str, options: dict[str, Any], code: str
) -> None:
    provider.require_iss = "announced"
    provider.save()
    with simulator.fault(fault, **options):
        assert outcome(admin, provider)["authorization"] == ("failed", code)


def test_a_code_without_a_person_is_no_provider(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    with simulator.fault("callback_parameters", add=[("code", "abc")], drop=["error", "error_description"]):
        assert outcome(admin, provider)["authorization"] == ("failed", "code_without_person")


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("maintenance_page", {}),
        ("answer", {"status": 403, "headers": HTML}),
        ("redirected", {"location": "https://idp.example.org/login"}),
        ("redirected", {"location": "/login"}),
        ("redirected", {"location": "//[not-a-host/"}),
        ("redirected", {"location": "http://127.0.0.1.evil.example/psc/psc/callback/?error=login_required"}),
    ],
    ids=str,
)
def test_an_answer_that_says_nothing_about_the_request_is_not_judged(
    admin: Administrator, provider: Provider, simulator: Simulator, fault: str, options: dict[str, Any]
) -> None:
    simulator.clear_requests()
    with simulator.fault(fault, endpoint="authorization", **options):
        assert outcome(admin, provider)["authorization"] == ("not_judged", "authorization_not_judged")
    # No redirect was followed.
    assert [request.endpoint for request in simulator.requests].count("authorization") == 1
    assert all(request.endpoint for request in simulator.requests)


def test_it_is_not_asked_without_a_redirect_uri(
    admin: Administrator, provider: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_BASE_URL = ""
    settings.ALLOWED_HOSTS = ["*"]
    assert outcome(admin, provider)["authorization"] == ("not_judged", "authorization_not_judged")
    assert simulator.count("authorization") == 0


def test_an_endpoint_that_only_browsers_reach_is_not_judged(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["auth.esante.invalid"]
    url = "https://auth.esante.invalid/auth"
    Provider.objects.update(metadata={**provider.metadata, "authorization_endpoint": url}, metadata_followed=False)
    finding = finding_of(admin, provider, "authorization")
    assert (finding.status.value, finding.code) == ("not_judged", "provider_name_unresolved")
    assert finding.text.startswith(url)
    assert "in a browser" in finding.advice


@pytest.mark.case("SS01")
def test_an_endpoint_on_a_private_address_is_not_called(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["10.0.0.1"]
    metadata = {**provider.metadata, "authorization_endpoint": "https://10.0.0.1/auth"}
    Provider.objects.update(metadata=metadata, metadata_followed=False)
    assert outcome(admin, provider)["authorization"] == ("not_judged", "provider_address_refused")


@pytest.mark.case("TR01")
def test_an_endpoint_that_hangs_is_given_up_in_time(provider: Provider, simulator: Simulator) -> None:
    began = time.monotonic()
    with simulator.fault("hang", endpoint="authorization", seconds=20):
        diagnosis = diagnose(provider, declared_addresses(None, provider), seconds=2)
    assert time.monotonic() - began < 6
    found = {finding.check: (finding.status.value, finding.code) for finding in diagnosis.findings}
    assert found["authorization"] == ("not_judged", "provider_timeout")
    assert found["userinfo"] == ("failed", "provider_timeout")


@pytest.mark.case("TR03")
def test_a_large_page_is_not_read(provider: Provider, simulator: Simulator) -> None:
    began = time.monotonic()
    with simulator.fault("huge_body", endpoint="authorization", megabytes=500):
        diagnosis = diagnose(provider, declared_addresses(None, provider))
    found = {finding.check: finding.code for finding in diagnosis.findings}
    assert found["authorization"] == "authorization_not_judged"
    assert time.monotonic() - began < 5
