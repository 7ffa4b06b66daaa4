"""``psc_export``: what one site writes, another reads unchanged, without secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.providers.serialization import PROVIDER_FIELDS, ROWS
from tests.configuration.commands import STEERING, call, configure, everything, export, steering
from tests.conftest import CLIENT_SECRET, make_provider
from tests.support.key_sets import EC_KEY
from tests.support.secrets import save_secret
from tests.support.stored_keys import store_keys

if TYPE_CHECKING:
    from pathlib import Path

    from psc_connect.simulator import Simulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out")]
# Every option with another value than its default.
EVERYTHING: dict[str, Any] = {
    "enabled": False,
    "comment": "Declared by Zoé; see « the file ».\nSecond line",
    "client_id": "another-client",
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": "openid",
    "acr_values": "eidas1",
    "accepted_acr_values": "eidas1 eidas3",
    "prompt": "login",
    "max_age": 3600,
    "require_iss": "never",
    "display": "touch",
    "ui_locales": "fr-FR en",
    "extra_parameters": {"kc_idp_hint": "x"},
    "id_token_signed_response_alg": "ES256",
    "userinfo_signed_response_alg": "ES256",
    "create_unknown_users": False,
    "link_user_field": "username",
    "link_privileged_users": True,
    "ask_activity": "always",
    "others_may_sign_in": False,
    "refusal_message": "Seuls les médecins de l’hôpital entrent ici.",
    "contact": "dsi@hopital.example",
    "button_text": "Entrer",
    "button_tooltip": "Avec une carte",
    "translations": {"en": {"button_text": "Enter"}},
    "button_logo": "hospital/logo.svg",
    "sort_order": 3,
    "metadata_followed": False,
}


@pytest.mark.case("LG03")
def test_control_characters_of_an_export_are_escaped_and_read_back(provider: Provider, tmp_path: Path) -> None:
    Provider.objects.update(comment=STEERING, button_text="\U000e0001")
    called = call("psc_export")
    assert steering(called.text) == set()
    file = tmp_path / "providers.json"
    file.write_text(called.text)
    assert json.loads(called.text)["providers"][0]["comment"] == STEERING
    assert configure("--file", str(file), "--check").status == 0


@pytest.fixture
def declared(db: None, simulator: Simulator) -> Provider:
    """A provider with no option at its default."""
    provider = make_provider(simulator, slug="mine", environment="custom", **EVERYTHING, jwks={"keys": [EC_KEY]})
    (key,) = provider.key_set().keys
    store_keys(provider, provider.jwks, pinned=[key.thumbprint], retired=["A" * 43])
    provider.exported_attributes.create(claim="SubjectRefPro.exercices[0].codeProfession", user_field="email")
    group = Group.objects.create(name="Médecins")
    provider.exported_groups.create(claim="SubjectRole", equals="10", group=group)
    provider.selection_rules.create(kind="header", header="X-Site", value="north")
    give_rules(provider, group)
    return provider


def give_rules(provider: Provider, group: Group) -> None:
    """Add a rule of each outcome, and one whose group was deleted."""
    doctors = {"subject": "profession", "operator": "in", "values": ["10", "21"]}
    elsewhere = {"subject": "department", "operator": "not_in", "values": ["75"]}
    rows: list[dict[str, Any]] = [
        {"conditions": [elsewhere], "outcome": "refuse", "message": "À Paris seulement."},
        {"conditions": [doctors, elsewhere], "outcome": "group", "group": group},
        {"conditions": [], "outcome": "group"},
        {"conditions": [doctors], "outcome": "allow"},
    ]
    for number, row in enumerate(rows):
        provider.access_rules.create(position=number, **row)


def read_back(folder: Path, document: dict[str, Any], *arguments: str) -> Any:
    file = folder / "exported.json"
    file.write_text(json.dumps(document))
    return configure("--file", str(file), *arguments)


def test_an_export_that_is_read_is_exported_again_unchanged(declared: Provider, tmp_path: Path) -> None:
    document = export()
    Provider.objects.all().delete()
    # Only the secret has to be given again.
    assert read_back(tmp_path, document).status == 0
    assert export() == document
    (written,) = document["providers"]
    changed = {name for name in EVERYTHING if written[name] == EVERYTHING[name]}
    assert changed == {*EVERYTHING}


def test_an_export_read_on_the_same_site_changes_nothing(declared: Provider, tmp_path: Path) -> None:
    before = everything()
    called = read_back(tmp_path, export())
    assert called.status == 0
    assert everything() == before
    assert read_back(tmp_path, export(), "--check").status == 0


def test_every_option_is_exported(declared: Provider) -> None:
    (written,) = export()["providers"]
    assert [*written] == ["slug", *PROVIDER_FIELDS, *ROWS]
    default = Provider()
    untold = {name for name in PROVIDER_FIELDS if written[name] == getattr(default, name)}
    assert not untold, "options at their default, which this test cannot compare"


def test_every_column_is_exported_or_is_not_set_by_administrators() -> None:
    columns = {field.name for field in Provider._meta.concrete_fields}
    assert columns - {*PROVIDER_FIELDS} == {
        "id",
        "slug",
        "client_secret",
        "version",
    }


@pytest.mark.case("AD01")
def test_no_secret_is_exported_only_a_reference(declared: Provider) -> None:
    assert CLIENT_SECRET not in call("psc_export").text
    assert "client_secret" not in export()["providers"][0]
    save_secret("env:PSC_CONNECT_SECRET_PROD", "mine")
    assert export()["providers"][0]["client_secret"] == "env:PSC_CONNECT_SECRET_PROD"


def test_the_providers_can_be_chosen(declared: Provider, production: Provider) -> None:
    assert [each["slug"] for each in export("psc")["providers"]] == ["psc"]
    assert sorted(each["slug"] for each in export()["providers"]) == ["mine", "psc"]
    called = call("psc_export", "psc", "nowhere")
    assert called.status == 1
    assert "nowhere" in called.text


def test_without_a_provider_it_writes_an_empty_list(db: None) -> None:
    assert export() == {"psc_connect": 1, "providers": []}


def test_accents_are_not_escaped(declared: Provider) -> None:
    assert "Médecins" in call("psc_export").text


def test_a_declaration_goes_from_test_to_production(tmp_path: Path, simulator: Simulator) -> None:
    """The file of the sandbox, its environment and its client replaced, as docs/configuration.md says."""
    configure(
        "--environment=sandbox",
        "--client-id=test-client",
        "--client-secret=env:PSC_CONNECT_SECRET_TEST",
        "--acr-values=eidas1",
        "--max-age=3600",
    )
    (written,) = export()["providers"]
    for name in ("slug", "metadata", "jwks"):
        del written[name]
    written |= {"environment": "production", "client_id": "c", "client_secret": "env:PSC_CONNECT_SECRET_PROD"}
    assert read_back(tmp_path, {"psc_connect": 1, "providers": [written]}).status == 0
    provider = Provider.objects.get(slug="psc")
    assert (provider.environment, provider.max_age, provider.acr_values) == ("production", 3600, "eidas1")
    assert provider.metadata == load_metadata("production")
