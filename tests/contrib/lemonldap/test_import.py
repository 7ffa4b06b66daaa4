"""``psc_import_lemonldap``: options with an equivalent are imported, every other one is listed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.contrib.lemonldap.conversion import is_lemonldap
from psc_connect.contrib.lemonldap.options import CONVERTERS, NOT_CONVERTED
from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from tests.configuration.commands import STEERING, everything, steering
from tests.conftest import CLIENT_ID, CLIENT_SECRET
from tests.contrib.lemonldap.configurations import (
    AS_DOCUMENTED,
    EVERY_OPTION,
    NAME,
    configuration,
    keys_of,
    notes_of,
    run,
)
from tests.support.browser_session import PAGE, BrowserSession, query_of
from tests.support.key_sets import EC_KEY, PRIVATE_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from psc_connect.simulator import Simulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def test_a_configuration_as_its_documentation_says_is_imported_and_logs_in(
    tmp_path: Path, simulator: Simulator
) -> None:
    document = configuration(simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataJWKS={NAME: json.dumps(simulator.jwks)})
    called = run(tmp_path, document)
    assert called.status == 0
    provider = Provider.objects.get()
    assert (provider.slug, provider.scope, provider.acr_values) == (NAME, "openid scope_all", "eidas2")
    assert provider.button_text == "Pro Santé Connect"
    simulator.register(client(NAME))
    simulator.clear_requests()
    person = BrowserSession(slug=NAME)
    asked = query_of(person.begin(PAGE))
    assert (asked["acr_values"], asked["client_id"]) == ("eidas2", CLIENT_ID)
    assert person.sign_in(PAGE)["Location"] == PAGE
    # The keys came with the configuration: no login downloads them.
    assert [simulator.count(endpoint) for endpoint in ("metadata", "jwks", "token", "userinfo")] == [0, 0, 1, 1]
    user = get_user_model().objects.get()
    assert user.username == "ANS20231122132732"
    assert user.last_name


def client(slug: str) -> Any:
    from tests.conftest import client_of

    return client_of(slug)


def test_its_secret_is_stored_encrypted_and_not_shown(tmp_path: Path, simulator: Simulator) -> None:
    called = run(tmp_path, configuration(simulator.metadata, AS_DOCUMENTED))
    assert CLIENT_SECRET not in called.text
    assert "client_secret: stored" in called.text
    provider = Provider.objects.get()
    assert provider.secret_for_its_issuer() == CLIENT_SECRET
    assert CLIENT_SECRET not in str(everything())


@pytest.mark.usefixtures("no_way_out")
def test_closed_sandbox_hosts_are_replaced_by_the_current_ones(tmp_path: Path) -> None:
    document = configuration(load_metadata("sandbox-2020"), AS_DOCUMENTED, oidcOPMetaDataJWKS=keys_of(EC_KEY))
    called = run(tmp_path, document)
    assert called.status == 0
    provider = Provider.objects.get()
    assert (provider.environment, provider.metadata) == ("sandbox", load_metadata("sandbox"))
    assert provider.jwks == {}
    assert {"oidcOPMetaDataJSON", "oidcOPMetaDataJWKS"} <= notes_of(called).keys()


@pytest.mark.parametrize("environment", ["production", "sandbox"])
@pytest.mark.usefixtures("no_way_out")
def test_metadata_of_ans_is_recognised(tmp_path: Path, environment: str) -> None:
    assert run(tmp_path, configuration(load_metadata(environment), AS_DOCUMENTED)).status == 0
    assert Provider.objects.get().environment == environment


def test_the_misnamed_end_session_endpoint_is_renamed(tmp_path: Path, simulator: Simulator) -> None:
    metadata = dict(simulator.metadata)
    metadata["endsession_endpoint"] = metadata.pop("end_session_endpoint")
    called = run(tmp_path, configuration(metadata, AS_DOCUMENTED))
    assert Provider.objects.get().metadata == simulator.metadata
    assert "renamed" in notes_of(called)["oidcOPMetaDataJSON"]


def test_every_option_is_imported_or_listed(tmp_path: Path, simulator: Simulator) -> None:
    assert {*CONVERTERS, *NOT_CONVERTED} == {*EVERY_OPTION}
    called = run(tmp_path, configuration(simulator.metadata, EVERY_OPTION))
    assert called.status == 0
    provider = Provider.objects.get()
    taken = {
        "client_id": CLIENT_ID,
        "scope": "openid scope_all",
        "acr_values": "eidas2",
        "button_text": "Pro Santé Connect",
        "button_tooltip": "Avec la carte",
        "comment": "Declared in 2021",
        "display": "touch",
        "max_age": 900,
        "prompt": "login",
        "sort_order": 7,
        "ui_locales": "fr en",
        "token_endpoint_auth_method": "client_secret_post",
        "extra_parameters": {"kc_idp_hint": "x", "claims": "{}"},
    }
    assert {name: getattr(provider, name) for name in taken} == taken
    noted = {name.removeprefix("oidcOPMetaDataOptions") for name in notes_of(called)}
    assert noted == {
        "AcrValues",
        "AuthEndpointExtraParams.state",
        "AuthnEndpointAuthMethod",
        "AuthnEndpointAuthSigAlg",
        "CheckJWTSignature",
        "ConfigurationURI",
        "IDTokenMaxAge",
        "Icon",
        "JWKSTimeout",
        "NoJwtHeader",
        "RequireIss",
        "RequirePkce",
        "ProviderSelectionRule",
        "ResponseMode",
        "SigningKey",
        "TokenEndpointAuthSigAlg",
        "UseNonce",
        "UsePAR",
        "UserinfoSource",
    }


@pytest.mark.parametrize(
    ("asked", "accepted"),
    [("eidas2", ""), ("eidas1", ""), ("eidas3", "eidas3"), ("eidas2, eidas3", "eidas2 eidas3"), ("loa2", "loa2")],
)
def test_acr_values_are_required_unless_that_refuses_everybody(
    tmp_path: Path, simulator: Simulator, asked: str, accepted: str
) -> None:
    called = run(tmp_path, configuration(simulator.metadata, {**AS_DOCUMENTED, "AcrValues": asked}))
    assert Provider.objects.get().accepted_acr_values == accepted
    assert ("oidcOPMetaDataOptionsAcrValues" in notes_of(called)) == (not accepted)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("Prompt", "none"),
        ("Display", "wall"),
        ("TokenEndpointAuthMethod", "private_key_jwt"),
        ("MaxAge", "soon"),
        ("SortNumber", [1]),
        ("Invented", "x"),
        ("RequireIss", "1"),
    ],
)
def test_a_value_that_has_no_equivalent_is_listed(
    tmp_path: Path, simulator: Simulator, option: str, value: Any
) -> None:
    called = run(tmp_path, configuration(simulator.metadata, {**AS_DOCUMENTED, option: value}))
    assert called.status == 0
    assert f"oidcOPMetaDataOptions{option}" in notes_of(called)


def test_sort_number_0_is_imported(tmp_path: Path, simulator: Simulator) -> None:
    run(tmp_path, configuration(simulator.metadata, {**AS_DOCUMENTED, "SortNumber": 0}))
    assert Provider.objects.get().sort_order == 0


def test_exported_variables_become_exported_attributes(tmp_path: Path, simulator: Simulator) -> None:
    document = configuration(
        simulator.metadata,
        AS_DOCUMENTED,
        exportedVars={"mail": "email", "UA": "HTTP_USER_AGENT"},
        oidcOPMetaDataExportedVars={NAME: {"sn": "family_name", "cn": "a-name.with dots", "uid": "preferred_username"}},
    )
    called = run(tmp_path, document)
    rows = {row.user_field: (row.claim, row.when) for row in Provider.objects.get().exported_attributes.all()}
    assert rows == {
        "email": ("email", "login"),
        "last_name": ("family_name", "login"),
        "username": ("preferred_username", "creation"),
    }
    assert {"oidcOPMetaDataExportedVars.UA", "oidcOPMetaDataExportedVars.cn"} <= notes_of(called).keys()


@pytest.mark.case("AD03")
def test_no_exported_variable_makes_an_administrator(tmp_path: Path, simulator: Simulator) -> None:
    named = {"is_superuser": "a", "is_staff": "b", "password": "c", "groups": "d", "id": "sub"}
    document = configuration(simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataExportedVars={NAME: named})
    called = run(tmp_path, document)
    assert [row.user_field for row in Provider.objects.get().exported_attributes.all()] == ["username"]
    assert {f"oidcOPMetaDataExportedVars.{name}" for name in named} <= notes_of(called).keys()


def test_without_a_row_for_the_username_one_is_added_and_reported(tmp_path: Path, simulator: Simulator) -> None:
    document = configuration(simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataExportedVars={})
    called = run(tmp_path, document)
    assert Provider.objects.get().exported_attributes.get().claim == "SubjectNameID"
    assert "national identifier" in notes_of(called)["oidcOPMetaDataExportedVars"]


def test_a_check_shows_changes_and_saves_nothing(tmp_path: Path, simulator: Simulator) -> None:
    before = everything()
    called = run(tmp_path, configuration(simulator.metadata, AS_DOCUMENTED), "--check")
    assert (called.status, everything()) == (1, before)
    assert called.text.startswith(f"{NAME}: new\n")


def test_the_same_twice_changes_nothing(tmp_path: Path, simulator: Simulator) -> None:
    document = configuration(simulator.metadata, AS_DOCUMENTED, oidcOPMetaDataJWKS=keys_of(EC_KEY))
    run(tmp_path, document)
    before = everything()
    called = run(tmp_path, document)
    assert called.text.startswith(f"{NAME}: no changes\n")
    assert everything() == before


def test_one_of_several_can_be_chosen(tmp_path: Path, simulator: Simulator) -> None:
    document = configuration(simulator.metadata, AS_DOCUMENTED)
    for part in ("oidcOPMetaDataJSON", "oidcOPMetaDataOptions"):
        document[part]["Other One"] = document[part][NAME]
    assert run(tmp_path, document, "--only", "Other One").status == 0
    assert Provider.objects.get().slug == "other-one"
    run(tmp_path, document)
    assert Provider.objects.count() == 2
    called = run(tmp_path, document, "--only", "nowhere")
    assert (called.status, "nowhere" in called.text) == (2, True)


@pytest.mark.case("CF03", "TN04")
@pytest.mark.usefixtures("no_way_out")
def test_an_existing_slug_does_not_replace_production_by_the_sandbox(tmp_path: Path, production: Provider) -> None:
    document = configuration(load_metadata("sandbox"), AS_DOCUMENTED)
    for part in ("oidcOPMetaDataJSON", "oidcOPMetaDataOptions", "oidcOPMetaDataExportedVars"):
        document[part]["PSC"] = document[part].pop(NAME)
    called = run(tmp_path, document)
    assert (called.status, "--replace-issuer" in called.text) == (2, True)
    assert Provider.objects.get().metadata == load_metadata("production")
    assert run(tmp_path, document, "--slug", "psc-test").status == 0
    assert Provider.objects.get(slug="psc-test").environment == "sandbox"


def test_an_identifier_is_given_to_one_provider(tmp_path: Path, simulator: Simulator) -> None:
    document = configuration(simulator.metadata, AS_DOCUMENTED)
    for part in ("oidcOPMetaDataJSON", "oidcOPMetaDataOptions"):
        document[part]["Other One"] = document[part][NAME]
    assert run(tmp_path, document, "--slug", "mine").status == 2
    assert not Provider.objects.exists()
    assert run(tmp_path, document, "--slug", "mine", "--only", NAME).status == 0
    assert Provider.objects.get().slug == "mine"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"oidcOPMetaDataJSON": {NAME: '{"issuer": \n }'}}, "line 2, column 2"),
        ({"oidcOPMetaDataJSON": {NAME: "<html>"}}, "metadata"),
        ({"oidcOPMetaDataJSON": {}}, "metadata"),
        ({"oidcOPMetaDataOptions": {NAME: {}}}, "client_id"),
        ({"oidcOPMetaDataOptions": {NAME: []}}, "client_id"),
        ({"oidcOPMetaDataJWKS": {NAME: json.dumps({"keys": [PRIVATE_KEY]})}}, "jwks"),
        ({"oidcOPMetaDataJWKS": {NAME: "-----BEGIN CERTIFICATE-----"}}, "jwks"),
    ],
)
def test_what_cannot_be_imported_is_reported_and_nothing_is_saved(
    tmp_path: Path, simulator: Simulator, parts: dict[str, Any], expected: str
) -> None:
    called = run(tmp_path, configuration(simulator.metadata, AS_DOCUMENTED, **parts))
    assert called.status == 2
    assert expected in called.text
    assert CLIENT_SECRET not in called.text
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "document", ["<html>", "[]", "{}", '{"cfgNum": 1, "exportedVars": {}}', '{"psc_connect": 1, "providers": []}', "{"]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, document: str) -> None:
    assert run(tmp_path, document).status == 2
    assert not Provider.objects.exists()


def test_its_configuration_is_told_apart_from_ours() -> None:
    assert is_lemonldap(configuration({}, {}))
    assert not is_lemonldap({"psc_connect": 1, "providers": []})
    assert not is_lemonldap([])


@pytest.mark.case("LG03")
def test_control_characters_of_notes_are_escaped(simulator: Simulator, tmp_path: Path) -> None:
    called = run(tmp_path, configuration(simulator.metadata, {**AS_DOCUMENTED, STEERING: "x", "Display": STEERING}))
    assert called.text.count("all is well") == 2
    assert steering(called.text) == set()
