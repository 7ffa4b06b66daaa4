"""Pasted input that is too large or of the wrong kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from tests.admin.pages import ADD, Administrator, administrator, change_page, codes, row, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
FIVE_MEGABYTES = "x" * (5 * 1024 * 1024)
# A document of another product: the discovery document of somebody else's provider, in full.
ANOTHER_PRODUCT = {
    "issuer": "https://accounts.example.com",
    "authorization_endpoint": "https://accounts.example.com/o/oauth2/v2/auth",
    "token_endpoint": "https://accounts.example.com/token",
    "userinfo_endpoint": "https://accounts.example.com/v1/userinfo",
    "jwks_uri": "https://accounts.example.com/oauth2/v3/certs",
}


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("change", "metadata"),
        ("change", "comment"),
        ("mapping", "pasted"),
        ("keys", "document"),
        ("connection", "x"),
        ("import", "text"),
        ("add", "metadata"),
    ],
)
def test_five_megabytes_are_answered_with_a_page_that_says_so(
    admin: Administrator, provider: Provider, page: str, name: str
) -> None:
    before = row(provider)
    base = "/admin/psc_connect/provider/"
    url = f"{base}{page}/" if page in {"import", "add"} else f"{base}{provider.pk}/{page}/"
    response = admin.browser.post(url, {name: FIVE_MEGABYTES, "action": "paste"})
    assert response.status_code == 413
    assert "DATA_UPLOAD_MAX_MEMORY_SIZE" in response.content.decode()
    assert row(provider) == before


def test_more_fields_than_the_site_takes_are_answered_so_too(admin: Administrator, provider: Provider) -> None:
    response = admin.browser.post(change_page(provider), {f"field{number}": "x" for number in range(1100)})
    assert response.status_code == 413


def test_a_stranger_learns_nothing_from_it(provider: Provider, client: Any) -> None:
    response = client.post(change_page(provider), {"metadata": FIVE_MEGABYTES})
    assert response.status_code in {302, 400}
    assert b"DATA_UPLOAD" not in response.content


def test_the_forms_are_still_protected_from_other_sites(admin: Administrator, provider: Provider) -> None:
    from django.test import Client as Browser

    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = admin.browser.cookies
    for page in ("change", "mapping", "keys", "connection"):
        url = f"/admin/psc_connect/provider/{provider.pk}/{page}/"
        assert careful.post(url, {"scope": "openid", "action": "fetch"}).status_code == 403
    token = careful.get(change_page(provider)).context["csrf_token"]
    fields = admin.fields_of(change_page(provider))
    response = careful.post(change_page(provider), {**fields, "scope": "openid", "csrfmiddlewaretoken": str(token)})
    assert response.status_code == 302


@pytest.mark.case("CF03", "TN04")
@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_metadata_of_another_product_is_refused_by_its_issuer(admin: Administrator, environment: str) -> None:
    answers = {"client_id": "c", "client_secret": CLIENT_SECRET, "environment": environment}
    response = admin.submit(ADD, metadata=json.dumps(ANOTHER_PRODUCT), **answers)
    assert codes(response) == {("metadata", "metadata_of_somebody_else")}
    assert "https://accounts.example.com" in texts(response, "metadata")
    assert not Provider.objects.exists()


def test_metadata_of_another_product_in_the_place_of_the_present_is_refused(
    admin: Administrator, production: Provider
) -> None:
    response = admin.submit(change_page(production), metadata=json.dumps(ANOTHER_PRODUCT), client_secret="again")
    assert ("metadata", "metadata_of_somebody_else") in codes(response)
    assert row(production)["metadata"] == load_metadata("production")


@pytest.mark.parametrize(
    "document",
    [
        {"openapi": "3.1.0", "info": {"title": "An API"}, "paths": {}},
        {"entityID": "https://idp.example.org/saml", "SSODescriptor": {}},
        {"resource": "https://api.example.org", "authorization_servers": ["https://as.example.org"]},
    ],
    ids=lambda document: next(iter(document)),
)
def test_json_that_is_no_metadata_names_every_member_that_is_missing(
    admin: Administrator, production: Provider, document: dict[str, Any]
) -> None:
    response = admin.submit(change_page(production), metadata=json.dumps(document))
    said = texts(response, "metadata")
    for member in ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"):
        assert f"{member}\N{NO-BREAK SPACE}: " in said


def test_an_environment_variable_that_is_not_set_is_told(
    admin: Administrator, production: Provider, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    assert admin.submit(change_page(production), client_secret="env:PSC_CONNECT_SECRET_NOWHERE").status_code == 302
    page = admin.browser.get(change_page(production)).content.decode()
    assert "that environment variable is not set" in page


@pytest.mark.case("KR02")
def test_a_secret_replaced_by_an_administrator_holds_from_the_next_login_on(
    admin: Administrator, provider: Provider, simulator: Any
) -> None:
    """Both secrets are valid at the provider meanwhile; no worker is restarted, and no login fails."""
    from tests.conftest import client_of
    from tests.support.browser_session import PAGE, BrowserSession

    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE
    simulator.register(client_of(client_secret="the next secret"))
    admin.submit(change_page(provider), client_secret="the next secret")
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("KR02")
def test_a_secret_in_a_file_is_read_at_each_login(
    provider: Provider, simulator: Any, settings: Any, tmp_path: Any
) -> None:
    from tests.conftest import client_of
    from tests.support.browser_session import PAGE, BrowserSession

    settings.PSC_CONNECT_SECRET_DIR = str(tmp_path)
    settings.PSC_CONNECT_SECRET_ISSUERS = {"file:psc": provider.issuer}
    provider.client_secret = "file:psc"
    provider.save()
    for secret in ("first", "second"):
        (tmp_path / "psc").write_text(secret)
        simulator.register(client_of(client_secret=secret))
        assert BrowserSession().sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("SS02")
@pytest.mark.parametrize(
    "query", ["iss=http://169.254.169.254/", "target_link_uri=https://evil.example", "login_hint=x"]
)
def test_nobody_makes_the_site_call_an_address_of_theirs(
    provider: Provider, simulator: Any, person: Any, query: str, settings: Any
) -> None:
    settings.PSC_CONNECT_HTTPS_PROXY = "http://127.0.0.1:9"
    simulator.clear_requests()
    for path in ("/psc/login/", "/psc/psc/login/"):
        response = person.browser.get(f"{path}?{query}")
        assert response["Location"].startswith(provider.metadata["authorization_endpoint"])
        assert "evil" not in response["Location"]
        assert "169.254" not in response["Location"]
    assert not simulator.requests


@pytest.mark.case("SS01", "SS03")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://10.0.0.1/.well-known/openid-configuration", "provider_address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "provider_address_refused"),
        ("https://[::1]/x", "provider_address_refused"),
        ("https://2130706433/x", "invalid"),
        ("https://localhost.localdomain.invalid/x", "provider_name_unresolved"),
        ("http://169.254.169.254/x", "provider_url_refused"),
    ],
)
def test_a_discovery_url_does_not_lead_into_the_network(
    admin: Administrator, settings: Any, url: str, code: str
) -> None:
    settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = False
    answers = {"client_id": "c", "client_secret": "s", "environment": "custom", "discovery_url": url}
    assert ("discovery_url", code) in codes(admin.submit(ADD, **answers))
    assert not Provider.objects.exists()


def test_an_administrator_copies_a_provider_for_production(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    Provider.objects.update(scope="openid", button_text="Entrer", extra_parameters={"a": "1"}, accepted_acr_values="x")
    provider.exported_attributes.create(claim="email", user_field="email")
    provider.selection_rules.create(kind="host", value="a.example")
    admin.submit(ADD, environment="production", client_id="c2", client_secret="s2", like=str(provider.pk))
    copy = Provider.objects.get(slug="psc-2")
    assert (copy.scope, copy.button_text, copy.extra_parameters) == ("openid", "Entrer", {"a": "1"})
    assert (copy.client_id, copy.environment, copy.metadata) == ("c2", "production", load_metadata("production"))
    assert copy.jwks == {}
    assert copy.exported_attributes.count() == 4
    assert provider.exported_attributes.count() == 4
    assert copy.selection_rules.get().value == "a.example"
    assert administrator("add_provider").browser.get(ADD).status_code == 200


@pytest.mark.case("AD03")
def test_rows_that_give_groups_are_not_copied_by_who_may_not_give_them(provider: Provider, no_way_out: None) -> None:
    provider.exported_groups.create(claim="given_name", equals="x", group=Group.objects.create(name="Doctors"))
    answers = {"environment": "production", "client_id": "c2", "client_secret": "s2", "like": str(provider.pk)}
    administrator("add_provider").submit(ADD, **answers)
    assert not Provider.objects.get(slug="psc-2").exported_groups.exists()
    administrator("add_provider", "replace_provider_secrets", "change_user").submit(ADD, **answers)
    assert Provider.objects.get(slug="psc-3").exported_groups.get().group.name == "Doctors"
