"""The form that adds a provider."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import ADD, Administrator, administrator, change_page, codes, messages_of, text_of, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
# Keys are imported once the transaction of the page is over: it must end.
real_transactions = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulator_url(settings: Any, simulator: Simulator) -> str:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.issuer.removesuffix("/auth/realms/esante-wallet")
    return settings.PSC_CONNECT_SIMULATOR_URL


def declare(admin: Administrator, environment: str = "simulator", **answers: Any) -> Any:
    answers = {"client_id": "the-client", "client_secret": CLIENT_SECRET, **answers}
    return admin.submit(ADD, environment=environment, **answers)


def test_the_form_asks_five_things_and_proposes_eidas2(admin: Administrator) -> None:
    fields = admin.fields_of(ADD)
    asked = {name for name in fields if not name.startswith(("csrf", "_"))}
    assert asked - {"discovery_url", "metadata", "like"} == {
        "environment",
        "client_id",
        "client_secret",
        "acr_values",
        "enabled",
    }
    assert fields["acr_values"] == "eidas2"


def test_the_simulator_is_declared_whole(admin: Administrator, simulator: Simulator, simulator_url: str) -> None:
    response = declare(admin)
    provider = Provider.objects.get()
    assert response["Location"] == change_page(provider)
    assert provider.slug == "psc-simulator"
    assert provider.metadata == simulator.metadata
    assert provider.scope == "openid scope_all"
    assert provider.acr_values == "eidas2"
    assert provider.enabled
    assert provider.secret_for_its_issuer() == CLIENT_SECRET


@real_transactions
def test_the_keys_are_imported_at_once(admin: Administrator, simulator: Simulator, simulator_url: str) -> None:
    response = declare(admin)
    provider = Provider.objects.get()
    kids = {key["kid"] for key in simulator.jwks["keys"] if key.get("use") == "sig"}
    assert {key.kid for key in provider.key_set().keys} == kids
    assert provider.fetch_times.jwks_updated_at is not None
    assert {level for level, _text in messages_of(response)} == {"success"}


def test_the_default_attributes_are_exported(admin: Administrator, simulator_url: str) -> None:
    declare(admin)
    rows = Provider.objects.get().exported_attributes.values_list("claim", "user_field", "when", "required")
    assert set(rows) == {
        ("given_name", "first_name", "login", False),
        ("family_name", "last_name", "login", False),
        ("SubjectNameID", "username", "creation", False),
    }


@pytest.mark.parametrize(("environment", "slug"), [("production", "psc"), ("sandbox", "psc-sandbox")])
def test_metadata_of_ans_is_filled_in(admin: Administrator, no_way_out: None, environment: str, slug: str) -> None:
    declare(admin, environment)
    provider = Provider.objects.get()
    assert provider.metadata == load_metadata(environment)
    assert provider.slug == slug


@real_transactions
def test_keys_that_cannot_be_imported_are_a_warning_only(admin: Administrator, no_way_out: None) -> None:
    response = declare(admin, "production")
    assert Provider.objects.get().jwks == {}
    assert [level for level, _text in messages_of(response)] == ["success", "warning"]


def test_a_simulator_that_is_not_running_is_an_error_that_names_the_command(
    admin: Administrator, settings: Any
) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = "http://127.0.0.1:9"
    response = declare(admin)
    assert codes(response) == {("environment", "provider_unreachable")}
    assert "psc_simulator" in texts(response, "environment")
    assert "http://127.0.0.1:9" in texts(response, "environment")
    assert not Provider.objects.exists()


def test_the_simulator_is_refused_where_plain_http_is(admin: Administrator, settings: Any, simulator_url: str) -> None:
    settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = False
    response = declare(admin)
    assert ("environment", "provider_url_refused") in codes(response)


def test_identifiers_are_never_shared(admin: Administrator, simulator_url: str) -> None:
    for _time in range(3):
        declare(admin)
    assert list(Provider.objects.values_list("slug", flat=True)) == [
        "psc-simulator",
        "psc-simulator-2",
        "psc-simulator-3",
    ]


@pytest.mark.parametrize("empty", ["", "\r\n", " \t\n"])
def test_a_custom_provider_without_metadata_is_refused(admin: Administrator, empty: str) -> None:
    assert codes(declare(admin, "custom", metadata=empty)) == {("discovery_url", "metadata_required")}


def test_a_custom_provider_is_declared_by_its_discovery_url(admin: Administrator, simulator: Simulator) -> None:
    # A paste that brought a blank line only leaves the box empty.
    declare(admin, "custom", discovery_url=simulator.discovery_url, metadata="\r\n")
    provider = Provider.objects.get()
    assert (provider.slug, provider.metadata) == ("custom", simulator.metadata)


def test_a_custom_provider_is_declared_by_its_issuer(admin: Administrator, simulator: Simulator) -> None:
    declare(admin, "custom", discovery_url=simulator.issuer)
    assert Provider.objects.get().metadata == simulator.metadata


@pytest.mark.case("NW01")
@pytest.mark.parametrize("issuer", ["{origin}/auth/realms/a", "https://another.example", "http://127.0.0.1:9"])
@pytest.mark.parametrize("given", ["discovery_url", "issuer"])
def test_a_document_of_another_issuer_is_refused_and_no_secret_is_sent(
    admin: Administrator, simulator: Simulator, given: str, issuer: str
) -> None:
    """Its keys would sign for the people of the other realm, and the secret would go to another port."""
    with simulator.fault("metadata_members", members={"issuer": issuer.format(origin=simulator.origin)}):
        response = declare(admin, "custom", discovery_url=getattr(simulator, given))
    assert codes(response) == {("discovery_url", "metadata_issuer_mismatch")}
    assert not Provider.objects.exists()
    assert {request.endpoint for request in simulator.requests} == {"metadata"}


@pytest.mark.case("NW01")
def test_a_simulator_that_names_another_issuer_is_refused(
    admin: Administrator, simulator: Simulator, simulator_url: str
) -> None:
    with simulator.fault("metadata_members", members={"issuer": simulator.origin + "/auth/realms/a"}):
        response = declare(admin)
    assert codes(response) == {("environment", "metadata_issuer_mismatch")}
    # It runs.
    assert "psc_simulator" not in texts(response, "environment")
    assert not Provider.objects.exists()


def test_a_discovery_url_that_leads_nowhere_is_refused(admin: Administrator, simulator: Simulator) -> None:
    response = declare(admin, "custom", discovery_url=simulator.issuer + "/nothing")
    assert codes(response) == {("discovery_url", "provider_not_found")}
    assert f"{simulator.issuer}/nothing/.well-known/openid-configuration – " in texts(response, "discovery_url")


def test_a_custom_provider_is_declared_by_its_metadata(admin: Administrator, simulator: Simulator) -> None:
    document = {**simulator.metadata, "x-unknown": {"kept": True}}
    declare(admin, "custom", metadata=json.dumps(document))
    assert Provider.objects.get().metadata == document


def test_sandbox_metadata_of_2020_can_be_pasted(admin: Administrator, no_way_out: None) -> None:
    declare(admin, "sandbox", metadata=json.dumps(load_metadata("sandbox-2020")))
    assert Provider.objects.get().metadata == load_metadata("sandbox-2020")


@pytest.mark.case("CF03", "TN04")
@pytest.mark.parametrize(
    ("chosen", "pasted"),
    [("production", "sandbox"), ("sandbox", "production"), ("production", "sandbox-2020")],
)
def test_metadata_of_another_environment_is_refused(admin: Administrator, chosen: str, pasted: str) -> None:
    response = declare(admin, chosen, metadata=json.dumps(load_metadata(pasted)))
    assert codes(response) == {("environment", "environment_mismatch")}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("client_id", "", "required"),
        ("client_id", "with space", "invalid"),
        ("client_id", "zero\u200bwidth", "invalid"),
        ("client_secret", "", "required"),
        ("client_secret", "zero\u200bwidth", "secret_invisible_character"),
        ("client_secret", "env:PATH", "secret_reference_invalid"),
        ("client_secret", "file:../settings.py", "secret_reference_invalid"),
        ("acr_values", "eidas1  eidas2", "invalid"),
        ("environment", "staging", "invalid_choice"),
    ],
)
def test_a_wrong_answer_is_refused(admin: Administrator, name: str, value: str, code: str) -> None:
    response = declare(admin, **{"environment": "production", name: value})
    assert codes(response) == {(name, code)}
    assert not Provider.objects.exists()


def test_a_space_that_came_with_the_paste_is_taken_off_the_secret(admin: Administrator, simulator_url: str) -> None:
    declare(admin, client_secret=f" {CLIENT_SECRET}\t")
    assert Provider.objects.get().secret_for_its_issuer() == CLIENT_SECRET


def test_another_acr_can_be_written(admin: Administrator, simulator_url: str) -> None:
    declare(admin, acr_values="eidas1")
    assert Provider.objects.get().acr_values == "eidas1"


def test_a_provider_can_be_declared_before_it_is_enabled(admin: Administrator, simulator_url: str) -> None:
    admin.submit(ADD, drop=("enabled",), environment="simulator", client_id="the-client", client_secret=CLIENT_SECRET)
    assert not Provider.objects.get().enabled


def test_what_to_declare_to_ans_is_shown_next(admin: Administrator, settings: Any, simulator_url: str) -> None:
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    page = admin.browser.get(declare(admin)["Location"]).content.decode()
    assert 'value="https://www.example.org/psc/psc-simulator/callback/"' in page
    assert 'value="https://www.example.org/psc/psc-simulator/logged-out/"' in page


def test_an_unknown_origin_is_explained_with_the_setting(
    admin: Administrator, settings: Any, simulator_url: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = text_of(admin.browser.get(declare(admin)["Location"]))
    assert "PSC_CONNECT_BASE_URL" in page
    assert "/callback/" not in page


def test_urls_that_are_not_included_are_explained(admin: Administrator, settings: Any, simulator_url: str) -> None:
    url = declare(admin)["Location"]
    settings.ROOT_URLCONF = "tests.urls_admin_only"
    assert "psc_connect.urls" in text_of(admin.browser.get(url))


def test_an_empty_list_says_what_to_do_next(admin: Administrator) -> None:
    assert f'href="{ADD}"' in admin.browser.get("/admin/psc_connect/provider/").content.decode().split("<main")[1]


@real_transactions
def test_several_providers_are_listed_with_environment_and_keys(
    admin: Administrator, simulator_url: str, no_way_out: None
) -> None:
    declare(admin)
    declare(admin, "production")
    page = admin.browser.get("/admin/psc_connect/provider/")
    rows = {row.slug: row for row in page.context["cl"].result_list}
    assert set(rows) == {"psc", "psc-simulator"}
    states = {slug: page.context["cl"].model_admin.state_of_keys(row) for slug, row in rows.items()}
    assert states["psc"] != states["psc-simulator"]
    count = len(rows["psc-simulator"].key_set().keys)
    assert str(count) in states["psc-simulator"]


def test_somebody_who_may_only_look_cannot_declare(simulator_url: str) -> None:
    assert administrator("view_provider").browser.get(ADD).status_code == 403


def test_somebody_who_may_only_add_is_sent_home_afterwards(simulator_url: str) -> None:
    assert declare(administrator("add_provider"))["Location"] == "/admin/"


def test_the_history_says_that_it_was_added(admin: Administrator, simulator_url: str) -> None:
    declare(admin)
    entry = LogEntry.objects.get()
    assert entry.is_addition()
    assert CLIENT_SECRET not in entry.change_message + entry.object_repr
