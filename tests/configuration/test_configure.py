"""``psc_configure``: a provider from options, environment variables or a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.environments import load_metadata
from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers.serialization import PROVIDER_FIELDS
from tests.configuration.commands import configure, everything, export, write
from tests.conftest import CLIENT_SECRET
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.key_sets import EC_KEY
from tests.support.stored_keys import store_keys

if TYPE_CHECKING:
    from psc_connect.simulator import Simulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]
SECRET = "env:PSC_CONNECT_SECRET_PROD"
OPTIONS = ("--environment=production", "--client-id=my-client", f"--client-secret={SECRET}")
PRODUCTION = {"environment": "production", "client_id": "c", "client_secret": SECRET}


# Sources of a declaration.


def test_options_make_a_provider_as_the_form_does() -> None:
    called = configure(*OPTIONS)
    assert called.status == 0
    provider = Provider.objects.get()
    assert (provider.slug, provider.client_id, provider.enabled) == ("psc", "my-client", True)
    assert provider.metadata == load_metadata("production")
    assert provider.client_secret.reference() == SECRET
    assert sorted(provider.exported_attributes.values_list("user_field", flat=True)) == [
        "first_name",
        "last_name",
        "username",
    ]
    # There is no server here: the next login, or another import, fetches the keys.
    assert "The keys of psc could not be imported" in called.text


def test_environment_variables_make_a_provider_and_options_override_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**PRODUCTION, "scope": "openid", "enabled": "false", "max_age": "3600"}.items():
        monkeypatch.setenv(f"PSC_CONNECT_PROVIDER_{name.upper()}", value)
    configure("--scope", "openid scope_all")
    provider = Provider.objects.get()
    assert (provider.client_id, provider.scope, provider.enabled) == ("c", "openid scope_all", False)
    assert provider.max_age == 3600


def test_a_file_makes_providers(tmp_path: Path) -> None:
    configure("--file", write(tmp_path, {**PRODUCTION, "slug": "mine"}, {**PRODUCTION, "slug": "other"}))
    assert sorted(Provider.objects.values_list("slug", flat=True)) == ["mine", "other"]


def test_standard_input_makes_a_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(write(tmp_path, PRODUCTION)).open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        configure("--file", "-")
    assert Provider.objects.count() == 1


def test_a_provider_from_options_logs_in(simulator: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del settings.PSC_CONNECT_HTTPS_PROXY
    monkeypatch.setenv("PSC_CONNECT_SECRET_SIMULATED", CLIENT_SECRET)
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.metadata["issuer"].partition("/auth/")[0]
    settings.PSC_CONNECT_SECRET_ISSUERS = {"env:PSC_CONNECT_SECRET_SIMULATED": simulator.metadata["issuer"]}
    called = configure(
        "--environment=simulator",
        "--slug=psc",
        "--client-id=the-client",
        "--client-secret=env:PSC_CONNECT_SECRET_SIMULATED",
    )
    assert called.status == 0
    person = BrowserSession()
    assert person.sign_in(PAGE)["Location"] == PAGE


def test_every_field_of_a_provider_has_an_option() -> None:
    for name in ("slug", "client_secret", *PROVIDER_FIELDS):
        called = configure(f"--{name.replace('_', '-')}=[", "--environment=production")
        assert "unrecognized" not in called.text


def test_json_can_be_given_as_an_option() -> None:
    configure(*OPTIONS, '--extra-parameters={"a": "1"}', '--translations={"en": {"button_text": "Sign in"}}')
    provider = Provider.objects.get()
    assert provider.extra_parameters == {"a": "1"}
    assert provider.in_language("button_text") == "Sign in"
    assert "line 1, column 7" in configure(*OPTIONS, '--extra-parameters={"a": }').text


# The same input again, and changes.


def test_the_same_twice_changes_nothing() -> None:
    keys = f"--jwks={json.dumps({'keys': [EC_KEY]})}"
    configure(*OPTIONS, keys)
    before = everything()
    called = configure(*OPTIONS, keys)
    assert called.text.startswith("psc: no changes\n")
    assert everything() == before


def test_what_is_not_given_is_kept() -> None:
    configure(*OPTIONS, "--comment=mine")
    Provider.objects.update(scope="openid", button_text="Enter")
    configure("--slug=psc", "--client-id=another")
    provider = Provider.objects.get()
    assert (provider.client_id, provider.scope, provider.comment) == ("another", "openid", "mine")
    assert (provider.button_text, provider.client_secret.reference()) == ("Enter", SECRET)


def test_a_change_is_shown_and_audited() -> None:
    configure(*OPTIONS)
    called = configure("--slug=psc", "--scope=openid")
    assert called.text.splitlines()[:2] == ["psc: changes", "  scope: openid scope_all → openid"]
    change = DeclarationChange.objects.order_by("pk").last()
    assert change is not None
    assert (change.changes, change.source) == ([["scope", "openid scope_all", "openid"]], "command")


def test_given_rows_replace_all_rows(tmp_path: Path) -> None:
    Group.objects.create(name="Doctors")
    declared = {
        **PRODUCTION,
        "exported_attributes": [
            {"claim": "SubjectNameID", "user_field": "username", "when": "creation"},
            {"claim": "email", "user_field": "email"},
        ],
        "exported_groups": [{"claim": "SubjectRole", "equals": "10", "group": "Doctors"}],
        "selection_rules": [{"kind": "network", "value": "10.1.0.0/16"}],
    }
    configure("--file", write(tmp_path, declared))
    provider = Provider.objects.get()
    assert [row.user_field for row in provider.exported_attributes.order_by("user_field")] == ["email", "username"]
    assert provider.exported_groups.get().group.name == "Doctors"
    assert provider.selection_rules.get().value == "10.1.0.0/16"
    called = configure("--file", write(tmp_path, {**declared, "exported_groups": []}))
    assert '  exported_groups.["SubjectRole", "10", "Doctors"]: ' in called.text
    assert not provider.exported_groups.exists()
    assert provider.exported_attributes.count() == 2


def test_a_check_shows_changes_and_saves_nothing() -> None:
    before = everything()
    called = configure(*OPTIONS, "--check")
    assert (called.status, called.text.splitlines()[0]) == (1, "psc: new")
    assert everything() == before
    configure(*OPTIONS)
    before = everything()
    assert configure(*OPTIONS, "--check").status == 0
    called = configure(*OPTIONS, "--scope=openid", "--check")
    assert (called.status, everything()) == (1, before)
    assert "scope: openid scope_all → openid" in called.text


# Given keys and metadata are only initial values if the provider's own are followed.


def test_given_metadata_does_not_replace_that_of_the_same_issuer(production: Provider, tmp_path: Path) -> None:
    newer = {**production.metadata, "x-new": 1}
    Provider.objects.update(metadata=newer)
    assert configure("--file", write(tmp_path, {"slug": "psc", "metadata": load_metadata("production")})).status == 0
    assert Provider.objects.get().metadata == newer
    pinned = {"slug": "psc", "metadata": load_metadata("production"), "metadata_followed": False}
    configure("--file", write(tmp_path, pinned))
    assert Provider.objects.get().metadata == load_metadata("production")


def test_given_keys_do_not_replace_those_published_since(provider: Provider, tmp_path: Path) -> None:
    kept = export("psc")["providers"][0]
    store_keys(provider, {"keys": [EC_KEY]})
    configure("--file", write(tmp_path, kept))
    assert Provider.objects.get().jwks == {"keys": [EC_KEY]}


def test_pinned_keys_replace_the_stored_ones(provider: Provider, tmp_path: Path) -> None:
    from psc_connect.providers.serialization import key_names

    pinned = {"slug": "psc", "jwks": {"keys": [EC_KEY]}, "jwks_pinned": list(key_names({"keys": [EC_KEY]}))}
    configure("--file", write(tmp_path, pinned))
    assert [key.kid for key in Provider.objects.get().key_set().keys] == ["ec"]
