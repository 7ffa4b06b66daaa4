"""A provider from options, environment variables or a file: the same twice changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.document import PROVIDER_FIELDS
from psc_connect.environments import load_metadata
from psc_connect.models import DeclarationChange, Provider
from tests.configuration.commands import configure, everything, export, write
from tests.conftest import CLIENT_SECRET
from tests.journey import PAGE, Person
from tests.key_sets import EC_KEY

if TYPE_CHECKING:
    from psc_connect.simulator import Simulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]
SECRET = "env:PSC_CONNECT_SECRET_PROD"
OPTIONS = ("--environment=production", "--client-id=my-client", f"--client-secret={SECRET}")
PRODUCTION = {"environment": "production", "client_id": "c", "client_secret": SECRET}


@pytest.fixture
def english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


def problems(called: Any) -> list[str]:
    """Return where each problem is; nothing has been saved, and the exit status says so."""
    assert called.status == 1
    first, *lines = called.text.strip().splitlines()
    assert first == "Nothing has been saved."
    return [line[2:].partition(": ")[0] for line in lines]


# Where a declaration comes from.


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
    # Nobody answers here: the next login, or another import, brings the keys.
    assert "psc: the keys could not be imported" in called.text


def test_environment_variables_do_too_and_an_option_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**PRODUCTION, "scope": "openid", "enabled": "false", "max_age": "3600"}.items():
        monkeypatch.setenv(f"PSC_CONNECT_PROVIDER_{name.upper()}", value)
    configure("--scope", "openid scope_all")
    provider = Provider.objects.get()
    assert (provider.client_id, provider.scope, provider.enabled) == ("c", "openid scope_all", False)
    assert provider.max_age == 3600


def test_a_file_does_too(tmp_path: Path) -> None:
    configure("--file", write(tmp_path, {**PRODUCTION, "slug": "mine"}, {**PRODUCTION, "slug": "other"}))
    assert sorted(Provider.objects.values_list("slug", flat=True)) == ["mine", "other"]


def test_standard_input_does_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(write(tmp_path, PRODUCTION)).open(encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        configure("--file", "-")
    assert Provider.objects.count() == 1


def test_a_provider_so_made_logs_in(simulator: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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
    person = Person()
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


# The same twice; what changes.


def test_the_same_twice_changes_nothing() -> None:
    keys = f"--jwks={json.dumps({'keys': [EC_KEY]})}"
    configure(*OPTIONS, keys)
    before = everything()
    called = configure(*OPTIONS, keys)
    assert called.text.startswith("psc: nothing changes\n")
    assert everything() == before


def test_what_is_not_given_stays() -> None:
    configure(*OPTIONS, "--comment=mine")
    Provider.objects.update(scope="openid", button_text="Enter")
    configure("--slug=psc", "--client-id=another")
    provider = Provider.objects.get()
    assert (provider.client_id, provider.scope, provider.comment) == ("another", "openid", "mine")
    assert (provider.button_text, provider.client_secret.reference()) == ("Enter", SECRET)


def test_a_change_is_told_and_stands_in_the_history() -> None:
    configure(*OPTIONS)
    called = configure("--slug=psc", "--scope=openid")
    assert called.text.splitlines()[:2] == ["psc: changes", "  scope: openid scope_all → openid"]
    change = DeclarationChange.objects.order_by("pk").last()
    assert change is not None
    assert (change.changes, change.origin) == ([["scope", "openid scope_all", "openid"]], "command")


def test_rows_that_are_given_are_all_the_rows(tmp_path: Path) -> None:
    Group.objects.create(name="Doctors")
    declared = {
        **PRODUCTION,
        "exported_attributes": [
            {"claim": "SubjectNameID", "user_field": "username", "when": "creation"},
            {"claim": "email", "user_field": "email"},
        ],
        "exported_groups": [{"claim": "SubjectRole", "equals": "10", "group": "Doctors"}],
        "resolution_rules": [{"kind": "network", "value": "10.1.0.0/16"}],
    }
    configure("--file", write(tmp_path, declared))
    provider = Provider.objects.get()
    assert [row.user_field for row in provider.exported_attributes.order_by("user_field")] == ["email", "username"]
    assert provider.exported_groups.get().group.name == "Doctors"
    assert provider.resolution_rules.get().value == "10.1.0.0/16"
    called = configure("--file", write(tmp_path, {**declared, "exported_groups": []}))
    assert "  exported_groups.SubjectRole 10 Doctors: " in called.text
    assert not provider.exported_groups.exists()
    assert provider.exported_attributes.count() == 2


def test_a_check_tells_and_changes_nothing() -> None:
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


# Secrets.


@pytest.mark.parametrize(
    "secret", ["a-secret-in-clear", "ENV:X", "fernet:gAAAAA", "env:HOME", "file:../x", "env", 7, ["env:X"]]
)
def test_a_secret_in_clear_is_refused_and_not_repeated(tmp_path: Path, secret: Any) -> None:
    called = configure("--file", write(tmp_path, {**PRODUCTION, "client_secret": secret}))
    assert problems(called) == ["client_secret"]
    assert "a-secret-in-clear" not in called.text
    assert not Provider.objects.exists()


def test_a_secret_in_clear_is_refused_as_an_option_too() -> None:
    called = configure("--environment=production", "--client-id=c", "--client-secret=a-secret-in-clear")
    assert problems(called) == ["client_secret"]
    assert "a-secret-in-clear" not in called.text


def test_a_secret_that_an_administrator_typed_stays(production: Provider) -> None:
    configure("--slug=psc", "--scope=openid")
    assert Provider.objects.get().secret_for_its_issuer() == CLIENT_SECRET


def test_a_new_secret_is_told_by_its_name_and_recorded_as_replaced(production: Provider) -> None:
    called = configure("--slug=psc", f"--client-secret={SECRET}")
    assert f"  client_secret: {SECRET}" in called.text
    assert DeclarationChange.objects.get().changes == [["client_secret", None, SECRET]]


@pytest.mark.case("TN04")
def test_another_issuer_takes_the_secret_again(production: Provider) -> None:
    elsewhere = {**load_metadata("sandbox"), "issuer": "https://elsewhere.example/x"}
    called = configure("--slug=psc", "--environment=custom", f"--metadata={json.dumps(elsewhere)}")
    assert "metadata" in problems(called) or "client_secret" in problems(called)
    assert Provider.objects.get().metadata == load_metadata("production")


# What is wrong with a declaration.


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "not\x00printable"}, "client_id"),
        ({"environment": "moon"}, "environment"),
        ({"scope": "no  openid"}, "scope"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"max_age": "soon"}, "max_age"),
        ({"max_age": -1}, "max_age"),
        ({"extra_parameters": {"state": "mine"}}, "extra_parameters"),
        ({"extra_parameters": [1]}, "extra_parameters"),
        ({"metadata": {"issuer": "x"}}, "metadata"),
        ({"metadata": "<html>"}, "metadata"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": "-----BEGIN CERTIFICATE-----"}, "jwks"),
        ({"jwks": {"keys": [{**EC_KEY, "d": "AAAA"}]}}, "jwks"),
        ({"jwks_pinned": "x"}, "jwks_pinned"),
        ({"exported_attributes": {}}, "exported_attributes"),
        ({"exported_attributes": [1]}, "exported_attributes"),
        ({"exported_attributes": [{"claim": "a[", "user_field": "email"}]}, "exported_attributes[0].claim"),
        ({"exported_attributes": [{"claim": "a", "user_field": "gone"}]}, "exported_attributes[0].user_field"),
        ({"exported_attributes": [{"claim": "a", "user_field": "is_staff"}]}, "exported_attributes[0].user_field"),
        ({"exported_attributes": [{"claim": "a", "user_field": "email"}] * 2}, "exported_attributes"),
        ({"exported_groups": [{"claim": "a", "group": "nowhere"}]}, "exported_groups[0].group"),
        ({"resolution_rules": [{"kind": "network", "value": "10.0.0.1/8"}]}, "resolution_rules[0].value"),
        ({"slug": "not a slug"}, "slug"),
    ],
)
def test_one_thing_wrong_is_named_by_its_place_and_nothing_is_saved(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    called = configure("--file", write(tmp_path, {**PRODUCTION, **change}))
    assert where in problems(called)
    assert not Provider.objects.exists()
    assert not DeclarationChange.objects.exists()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    wrong = {**PRODUCTION, "max_age": -1, "display": "wall", "exported_attributes": [{"claim": "", "user_field": ""}]}
    assert len(problems(configure("--file", write(tmp_path, wrong)))) == 4


def test_one_wrong_declaration_keeps_the_others_from_being_saved(tmp_path: Path) -> None:
    called = configure("--file", write(tmp_path, PRODUCTION, {**PRODUCTION, "slug": "b", "scope": ""}))
    assert problems(called) == ["providers[1].scope"]
    assert not Provider.objects.exists()


def test_two_declarations_of_one_provider_are_refused(tmp_path: Path) -> None:
    assert set(problems(configure("--file", write(tmp_path, PRODUCTION, PRODUCTION)))) == {"slug"}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("client", "client_id"), ("scopes", "scope"), ("button_logos", "button_logo"), ("zzzz", "")],
)
def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, name: str, nearest: str) -> None:
    called = configure("--file", write(tmp_path, {**PRODUCTION, name: "x"}))
    assert problems(called) == [name]
    assert called.text.rstrip().endswith(f"Do you mean {nearest}?" if nearest else "no such name here.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"psc_connect": 1,\n "providers": [}', "line 2, column 16"),
        ('{"psc_connect": 1, "psc_connect": 1}', "ambiguous"),
        ("<html>", "begins with"),
        ("[]", "begins with"),
        ('{"psc_connect": 2, "providers": []}', "begins with"),
        ('{"psc_connect": 1, "providers": {}}', "A list of declarations"),
        ('{"psc_connect": 1, "providers": [1]}', "A list of declarations"),
        ("", "begins with"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "providers.json"
    file.write_text(text, encoding="latin-1")
    called = configure("--file", str(file))
    assert called.status == 1
    assert said in called.text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    called = configure("--file", str(tmp_path / "nowhere.json"))
    assert (called.status, "No such file" in called.text) == (1, True)


def test_an_environment_variable_that_is_not_set_is_told() -> None:
    for arguments in (OPTIONS, ("--slug=psc", "--scope=openid"), ("--slug=psc", "--check")):
        assert "that environment variable is not set in this process" in configure(*arguments).text


def test_options_and_a_file_together_are_refused(tmp_path: Path) -> None:
    assert configure("--file", write(tmp_path, PRODUCTION), "--scope=openid").status == 1
    assert configure().status == 1


def test_the_help_names_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure("--help")
    shown = capsys.readouterr().out
    for text in ("--check", "PSC_CONNECT_PROVIDER_CLIENT_ID", "env:PSC_CONNECT_SECRET_", "--extra-parameters"):
        assert text in shown
    assert not re.search(r"--client-secret \S+ +\S*in clear", shown)


# Keys and metadata: a start, where the provider's own are followed.


def test_metadata_of_the_same_issuer_is_only_a_start(production: Provider, tmp_path: Path) -> None:
    newer = {**production.metadata, "x-new": 1}
    Provider.objects.update(metadata=newer)
    assert configure("--file", write(tmp_path, {"slug": "psc", "metadata": load_metadata("production")})).status == 0
    assert Provider.objects.get().metadata == newer
    pinned = {"slug": "psc", "metadata": load_metadata("production"), "metadata_followed": False}
    configure("--file", write(tmp_path, pinned))
    assert Provider.objects.get().metadata == load_metadata("production")


def test_keys_that_the_provider_has_published_since_stay(provider: Provider, tmp_path: Path) -> None:
    kept = export("psc")["providers"][0]
    Provider.objects.update(jwks={"keys": [EC_KEY]})
    configure("--file", write(tmp_path, kept))
    assert Provider.objects.get().jwks == {"keys": [EC_KEY]}


def test_keys_that_are_pinned_replace_those_of_the_row(provider: Provider, tmp_path: Path) -> None:
    from psc_connect.document import key_names

    pinned = {"slug": "psc", "jwks": {"keys": [EC_KEY]}, "jwks_pinned": list(key_names({"keys": [EC_KEY]}))}
    configure("--file", write(tmp_path, pinned))
    assert [key.kid for key in Provider.objects.get().key_set().keys] == ["ec"]
