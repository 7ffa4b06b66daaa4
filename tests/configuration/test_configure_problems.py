"""Problems of a declaration: all reported at once, with their places, and nothing is saved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.configuration.apply import apply_plans
from psc_connect.configuration.planning import make_plans
from psc_connect.configuration.problems import ConfigurationError
from psc_connect.environments import load_metadata
from psc_connect.fields import StoredSecret
from psc_connect.models import DeclarationChange, Provider
from tests.configuration.commands import STEERING, configure, everything, steering, write
from tests.conftest import CLIENT_SECRET
from tests.support.key_sets import EC_KEY
from tests.support.secrets import save_secret

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]
SECRET = "env:PSC_CONNECT_SECRET_PROD"
OPTIONS = ("--environment=production", "--client-id=my-client", f"--client-secret={SECRET}")
PRODUCTION = {"environment": "production", "client_id": "c", "client_secret": SECRET}


def problems(called: Any) -> list[str]:
    """Return the place of each problem, after checking that nothing was saved."""
    assert called.status == 2
    first, *lines = called.text.strip().splitlines()
    assert first == "Nothing has been saved."
    return [line[2:].partition(": ")[0] for line in lines]


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


def test_a_secret_entered_by_an_administrator_is_kept(production: Provider) -> None:
    configure("--slug=psc", "--scope=openid")
    assert Provider.objects.get().secret_for_its_issuer() == CLIENT_SECRET


def test_a_new_secret_is_shown_and_audited_by_its_reference(production: Provider) -> None:
    called = configure("--slug=psc", f"--client-secret={SECRET}")
    assert f"  client_secret: {SECRET}" in called.text
    assert DeclarationChange.objects.get().changes == [["client_secret", None, SECRET]]


@pytest.mark.case("TN04")
def test_another_issuer_needs_the_secret_again(production: Provider) -> None:
    elsewhere = {**load_metadata("sandbox"), "issuer": "https://elsewhere.example/x"}
    called = configure("--slug=psc", "--environment=custom", f"--metadata={json.dumps(elsewhere)}")
    assert "metadata" in problems(called) or "client_secret" in problems(called)
    assert Provider.objects.get().metadata == load_metadata("production")


# Wrong declarations.


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "not\x07printable"}, "client_id"),
        ({"environment": "moon"}, "environment"),
        ({"scope": "no  openid"}, "scope"),
        ({"scope": "scope_all"}, "scope"),
        ({"scope": "openid2"}, "scope"),
        ({"button_logo": "https://elsewhere.example/logo.svg"}, "button_logo"),
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
        ({"selection_rules": [{"kind": "network", "value": "10.0.0.1/8"}]}, "selection_rules[0].value"),
        ({"slug": "not a slug"}, "slug"),
        ({"slug": 7}, "slug"),
        ({"environment": []}, "environment"),
        ({"comment": None}, "comment"),
        ({"acr_values": {}}, "acr_values"),
        ({"prompt": None}, "prompt"),
        ({"jwks_pinned": None}, "jwks_pinned"),
        ({"translations": None}, "translations"),
        ({"max_age": []}, "max_age"),
        ({"max_age": True}, "max_age"),
        ({"sort_order": None}, "sort_order"),
        ({"enabled": None}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"client_id": "c\n"}, "client_id"),
        ({"scope": "openid\n"}, "scope"),
        ({"exported_attributes": [{"claim": None, "user_field": "email"}]}, "exported_attributes[0].claim"),
        (
            {"exported_attributes": [{"claim": "a", "user_field": "email", "required": "x"}]},
            "exported_attributes[0].required",
        ),
        ({"exported_groups": [{"claim": "a"}]}, "exported_groups[0].group"),
        ({"exported_groups": [{"claim": "a", "group": None}]}, "exported_groups[0].group"),
        ({"exported_groups": [{"claim": "a", "equals": 7, "group": "Doctors"}]}, "exported_groups[0].equals"),
        ({"exported_groups": [{"claim": "a", "group": "Doctors"}] * 2}, "exported_groups"),
        ({"selection_rules": [{"kind": "host", "value": None}]}, "selection_rules[0].value"),
        ({"selection_rules": [{"kind": "host", "value": "a.example", "header": None}]}, "selection_rules[0].header"),
        ({"selection_rules": [{"kind": "host", "value": "a.example"}] * 2}, "selection_rules"),
    ],
)
def test_one_thing_wrong_is_named_by_its_place_and_nothing_is_saved(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    Group.objects.create(name="Doctors")
    called = configure("--file", write(tmp_path, {**PRODUCTION, **change}))
    assert where in problems(called)
    assert not Provider.objects.exists()
    assert not DeclarationChange.objects.exists()


def test_an_invalid_choice_is_reported_with_the_valid_ones() -> None:
    called = configure("--environment=nope", "--client-id=c")
    assert "Expected here: one of production, sandbox, simulator, custom." in called.text
    assert "'nope'" not in called.text


@pytest.mark.parametrize(
    "option", ["--extra-parameters=a=1", "--translations=en", "--metadata=issuer", "--jwks=keys", "--jwks-pinned=x"]
)
def test_an_option_that_is_not_json_is_reported(option: str) -> None:
    called = configure(*OPTIONS, option)
    assert (called.status, "JSON is expected here" in called.text) == (2, True)


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
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
def test_an_unknown_name_is_reported_with_the_nearest(tmp_path: Path, name: str, nearest: str) -> None:
    called = configure("--file", write(tmp_path, {**PRODUCTION, name: "x"}))
    assert problems(called) == [name]
    assert called.text.rstrip().endswith(f"Do you mean {nearest}?" if nearest else "name does not exist here.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"psc_connect": 1,\n "providers": [}', "line 2, column 16"),
        ('{"psc_connect": 1, "psc_connect": 1}', "ambiguous"),
        ("<html>", "This is an HTML page"),
        ("-----BEGIN CERTIFICATE-----", "certificate or a key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "PRIVATE key"),
        ("https://site.example/providers.json", "This is a URL"),
        ("[]", "begins with"),
        ('{"psc_connect": 2, "providers": []}', "begins with"),
        ('{"psc_connect": 1, "providers": {}}', "A list of declarations"),
        ('{"psc_connect": 1, "providers": [1]}', "A list of declarations"),
        ("", "begins with"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_file_that_is_not_a_configuration_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "providers.json"
    file.write_text(text, encoding="latin-1")
    called = configure("--file", str(file))
    assert called.status == 2
    assert expected in called.text


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    called = configure("--file", str(tmp_path / "nowhere.json"))
    assert (called.status, "No such file" in called.text) == (2, True)


def test_an_environment_variable_that_is_not_set_is_reported() -> None:
    for arguments in (OPTIONS, ("--slug=psc", "--scope=openid"), ("--slug=psc", "--check")):
        assert "that environment variable is not set in this process" in configure(*arguments).text


def test_options_and_a_file_together_are_refused(tmp_path: Path) -> None:
    assert configure("--file", write(tmp_path, PRODUCTION), "--scope=openid").status == 2
    assert configure().status == 2


def test_the_help_explains_every_input(capsys: pytest.CaptureFixture[str]) -> None:
    configure("--help")
    shown = capsys.readouterr().out
    for text in ("--check", "PSC_CONNECT_PROVIDER_CLIENT_ID", "env:PSC_CONNECT_SECRET_", "--extra-parameters"):
        assert text in shown
    assert not re.search(r"--client-secret \S+ +\S*in clear", shown)


@pytest.mark.case("LG03")
@pytest.mark.parametrize(
    "declared",
    [
        {"slug": "new", **PRODUCTION, "comment": STEERING, "button_text": STEERING},
        {"slug": "psc", "comment": STEERING, STEERING: 1},
        {"slug": "psc", "selection_rules": [{"kind": "header", "header": "X-A", "value": STEERING}]},
    ],
    ids=["changes", "problems", "rows"],
)
def test_control_characters_of_a_configuration_are_escaped(
    provider: Provider, tmp_path: Path, declared: dict[str, Any]
) -> None:
    called = configure("--file", write(tmp_path, declared), "--check")
    assert "all is well" in called.text
    assert steering(called.text) == set()
    assert not any(line.startswith("all is well") for line in called.text.splitlines())


@pytest.mark.parametrize("option", ["--slug", "--comment", "--client-id", "--scope"])
def test_an_argument_that_is_not_utf_8_is_reported(option: str) -> None:
    """Python passes it on with a lone surrogate for each invalid byte."""
    called = configure(*OPTIONS, f"{option}=caf\udce9")
    assert called.status == 2
    assert option.strip("-").replace("-", "_") in called.text
    assert "\udce9" not in called.text


@pytest.mark.case("AD01")
@pytest.mark.parametrize("meanwhile", ["secret", "issuer"])
def test_a_secret_or_issuer_saved_since_the_plan_is_reported(provider: Provider, meanwhile: str) -> None:
    """A secret for one issuer is never sent to another."""
    (plan,) = make_plans([{"slug": "psc", "scope": "openid"}], {"psc": StoredSecret.encrypt("of this issuer")})
    if meanwhile == "secret":
        save_secret("of somebody else")
    else:
        Provider.objects.update(metadata={**provider.metadata, "issuer": "https://elsewhere.example"})
    before = everything()
    with pytest.raises(ConfigurationError):
        apply_plans([plan], source="command")
    assert everything() == before


def test_too_many_declarations_or_rows_are_refused(tmp_path: Path) -> None:
    called = configure("--file", write(tmp_path, *[{}] * 101))
    assert problems(called) == ["providers"]
    rows = {"exported_groups": [{"claim": f"claim{number}", "group": "none"} for number in range(2001)]}
    assert problems(configure("--file", write(tmp_path, {**PRODUCTION, **rows}))) == ["exported_groups"]
