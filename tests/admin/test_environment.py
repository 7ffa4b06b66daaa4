"""A change of environment, issuer or secret recipient: keys dropped, the secret required again, accounts block it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator, change_page, codes, give_account, messages_of, row, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
# Keys are imported once the transaction of the page is over: it must end.
real_transactions = pytest.mark.django_db(transaction=True)


@real_transactions
def test_another_environment_brings_its_metadata_and_drops_the_keys(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    assert provider.jwks
    response = admin.submit(change_page(provider), environment="sandbox", client_secret="of the sandbox")
    after = row(provider)
    assert after["metadata"] == load_metadata("sandbox")
    # A sandbox may not vouch for production, nor a simulator for either.
    assert (after["jwks"], Provider.objects.get().fetch_times.jwks_updated_at) == ({}, None)
    assert not provider.signing_keys.exists()
    assert "warning" in {level for level, _text in messages_of(response)}


@real_transactions
def test_another_environment_imports_its_keys(
    admin: Administrator, production: Provider, simulator: Simulator, settings: Any
) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.issuer.removesuffix("/auth/realms/esante-wallet")
    admin.submit(change_page(production), environment="simulator", client_secret="s")
    after = Provider.objects.get()
    assert after.metadata == simulator.metadata
    assert after.key_set().keys


def test_metadata_pasted_with_another_environment_is_taken(
    admin: Administrator, provider: Provider, no_way_out: None
) -> None:
    document = {**load_metadata("production"), "x-newer": True}
    admin.submit(change_page(provider), environment="production", metadata=json.dumps(document), client_secret="s")
    assert row(provider)["metadata"] == document


@pytest.mark.case("CF03", "TN04")
@pytest.mark.parametrize("environment", ["custom", "simulator"])
@pytest.mark.parametrize("name", ["production", "sandbox"])
def test_an_issuer_of_ans_has_no_other_environment_than_its_own(
    admin: Administrator, name: str, environment: str, english: None
) -> None:
    """Checks and pages would no longer tell that the people of the sandbox are invented."""
    provider = Provider.objects.create(
        slug="psc", environment=name, client_id="c", client_secret=CLIENT_SECRET, metadata=load_metadata(name)
    )
    document = json.dumps(provider.metadata | {"x-mine": 1})
    response = admin.submit(change_page(provider), environment=environment, metadata=document)
    assert codes(response) == {("environment", "environment_mismatch")}
    assert "choose it" in texts(response, "environment")
    assert row(provider)["environment"] == name


def test_custom_keeps_the_metadata(admin: Administrator, provider: Provider) -> None:
    before = row(provider)["metadata"]
    admin.submit(change_page(provider), environment="custom")
    assert row(provider)["environment"] == "custom"
    assert row(provider)["metadata"] == before


def test_a_simulator_that_is_not_running_is_no_loss(admin: Administrator, production: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = "http://127.0.0.1:9"
    response = admin.submit(change_page(production), environment="simulator", client_secret="s")
    assert codes(response) == {("environment", "provider_unreachable")}
    assert row(production)["metadata"] == production.metadata


@pytest.mark.parametrize(
    ("environment", "changes"),
    [
        ("custom", {"issuer": "https://other.esw.esante.gouv.fr"}),
        ("production", {"token_endpoint": "https://allowed.example/token"}),
    ],
)
def test_another_recipient_of_the_secret_demands_it_again(
    admin: Administrator, production: Provider, settings: Any, environment: str, changes: dict[str, str]
) -> None:
    hosts = ("allowed.example", "auth.esw.esante.gouv.fr", "wallet.esw.esante.gouv.fr")
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = hosts
    before = row(production)
    document = json.dumps({**production.metadata, **changes})
    response = admin.submit(change_page(production), environment=environment, metadata=document)
    assert codes(response) == {("client_secret", "secret_required_again")}
    assert row(production) == before
    response = admin.submit(change_page(production), environment=environment, metadata=document, client_secret="again")
    assert response.status_code == 302
    assert Provider.objects.get().metadata == {**production.metadata, **changes}


def test_another_path_of_the_same_host_keeps_the_secret(admin: Administrator, production: Provider) -> None:
    document = {**production.metadata, "token_endpoint": "https://auth.esw.esante.gouv.fr/v2/token"}
    response = admin.submit(change_page(production), metadata=json.dumps(document))
    assert response.status_code == 302


def test_the_issuer_of_a_provider_with_accounts_never_changes(admin: Administrator, production: Provider) -> None:
    give_account(production)
    before = row(production)
    endpoints = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
    host = "https://login.hospital.example"
    document = json.dumps({"issuer": host, **{name: f"{host}/{name}" for name in endpoints}})
    response = admin.submit(change_page(production), environment="custom", metadata=document, client_secret="s")
    assert codes(response) == {("environment", "issuer_has_accounts")}
    response = admin.submit(change_page(production), environment="sandbox", client_secret="s")
    assert codes(response) == {("environment", "issuer_has_accounts")}
    assert row(production) == before


def test_a_provider_with_accounts_may_change_the_rest(admin: Administrator, production: Provider) -> None:
    give_account(production)
    document = {**production.metadata, "end_session_endpoint": ""}
    admin.submit(change_page(production), metadata=json.dumps(document))
    assert row(production)["metadata"] == document


def test_a_provider_whose_metadata_broke_gets_that_of_its_accounts_back(
    admin: Administrator, production: Provider
) -> None:
    give_account(production)
    Provider.objects.update(metadata=[])
    document = json.dumps(load_metadata("production"))
    response = admin.submit(change_page(production), metadata=document, client_secret=CLIENT_SECRET)
    assert response.status_code == 302
    assert row(production)["metadata"] == load_metadata("production")
