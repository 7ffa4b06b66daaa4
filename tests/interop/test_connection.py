"""The connection test with a real Keycloak whose realm, client or settings do not let people sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from psc_connect.models import Environment, Provider
from psc_connect.providers.keys import import_keys
from psc_connect.providers.validation import add_default_attributes
from tests.configuration.commands import call
from tests.interop.keycloak import Keycloak

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]
SECRET = "a secret of a test"


def client(name: str, **members: Any) -> dict[str, Any]:
    redirect_uris = [f"http://127.0.0.1/psc/{name}/callback/"]
    return {"clientId": name, "secret": SECRET, "redirectUris": redirect_uris, **members}


CLIENTS = [
    client("good"),
    client("disabled", enabled=False),
    client("without-flow", standardFlowEnabled=False, serviceAccountsEnabled=True),
    client("bearer", bearerOnly=True),
]


@pytest.fixture(scope="module")
def realm(keycloak: Keycloak) -> Iterator[Keycloak]:
    with keycloak.temporary_realm("connection-test", CLIENTS) as realm:
        yield realm


@pytest.fixture(autouse=True)
def _english_site(settings: Any) -> Iterator[None]:
    settings.PSC_CONNECT_BASE_URL = "http://127.0.0.1"
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


def declare(realm: Keycloak, client_id: str, **changes: Any) -> Provider:
    values = {
        "slug": client_id,
        "environment": Environment.CUSTOM,
        "client_id": client_id,
        "client_secret": SECRET,
        "metadata": realm.metadata(),
        "scope": "openid",
    }
    provider = Provider.objects.create(**{**values, **changes})
    add_default_attributes(provider)
    import_keys(provider)
    return provider


def checked(provider: Provider) -> dict[str, dict[str, str]]:
    lines = json.loads(call("psc_check", provider.slug, "--json").text)["providers"][provider.slug]
    return {line["check"]: line for line in lines}


def results(provider: Provider) -> dict[str, tuple[str, str]]:
    lines = checked(provider)
    return {check: (lines[check]["status"], lines[check]["code"]) for check in ("authorization", "credentials")}


def test_a_good_client_passes(realm: Keycloak) -> None:
    lines = checked(declare(realm, "good"))
    not_passed = {check: line["status"] for check, line in lines.items() if line["status"] != "passed"}
    # Plain http, and a Keycloak without a proxy, which sends no date.
    assert not_passed == {"tls": "warning", "clock": "not_judged"}


@pytest.mark.parametrize(
    ("client_id", "changes", "authorization", "credentials"),
    [
        ("good", {"slug": "undeclared"}, "authorization_redirect_uri_refused", "credentials"),
        ("good", {"scope": "openid unheard_of"}, "authorization_invalid_scope", "credentials"),
        ("good", {"client_secret": "another"}, "authorization", "token_unauthorized_client"),
        ("disabled", {}, "authorization_client_refused", "token_invalid_client"),
        ("without-flow", {}, "authorization_unauthorized_client", "credentials"),
        ("unknown", {}, "authorization_client_refused", "token_invalid_client"),
        ("bearer", {}, "authorization_not_judged", "token_invalid_client"),
    ],
)
def test_what_keeps_people_from_signing_in_is_named(
    realm: Keycloak, client_id: str, changes: dict[str, str], authorization: str, credentials: str
) -> None:
    statuses = {"authorization": "passed", "credentials": "passed", "authorization_not_judged": "not_judged"}
    assert results(declare(realm, client_id, **changes)) == {
        "authorization": (statuses.get(authorization, "failed"), authorization),
        "credentials": (statuses.get(credentials, "failed"), credentials),
    }


def test_the_words_of_keycloak_are_shown(realm: Keycloak) -> None:
    text = checked(declare(realm, "good", scope="openid unheard_of"))["authorization"]["text"]
    assert text.endswith("(invalid_scope: Invalid scopes: openid unheard_of)")


def test_a_realm_that_is_off_is_a_failure(realm: Keycloak) -> None:
    provider = declare(realm, "good")
    realm.change(enabled=False)
    try:
        lines = checked(provider)
    finally:
        realm.change(enabled=True)
    failed = {check: line["code"] for check, line in lines.items() if line["status"] == "failed"}
    assert failed == {"authorization": "authorization_request_refused", "credentials": "token_forbidden"}
    assert "(access_denied)" in lines["credentials"]["text"]


def test_each_endpoint_of_a_realm_that_is_gone_is_named(keycloak: Keycloak) -> None:
    with keycloak.temporary_realm("connection-test-gone", CLIENTS) as realm:
        provider = declare(realm, "good")
    lines = checked(provider)
    failed = {check for check, line in lines.items() if line["code"] == "provider_not_found"}
    assert failed == {"metadata", "keys", "authorization", "credentials", "userinfo", "end_session"}
    assert all(realm.issuer in lines[check]["text"] for check in failed)
