"""docs/api.md and its linked pages name the commands, JSON, check ids, log events and permissions of the package."""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command, load_command_class
from django.core.management.base import BaseCommand
from django.test import Client

import psc_connect
from psc_connect.diagnosis import Finding, Status
from psc_connect.management.commands import psc_check
from psc_connect.professional.conditions import Condition
from psc_connect.providers.serialization import FORMAT, PROVIDER_FIELDS, ROWS
from tests.support.api_page import API, DOCS, names_in, rows_of

PACKAGE = Path(psc_connect.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "simulator" not in path.parts)
COMMANDS = sorted(path.stem for path in (PACKAGE / "management" / "commands").glob("psc_*.py"))
ROWS_OF_COMMANDS = {names_in(row[0])[0]: row for row in rows_of("command")}


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each command, or each of its subcommands, with its parser."""
    for name in COMMANDS:
        parser = load_command_class("psc_connect", name).create_parser("manage.py", name)
        subcommands = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not subcommands:
            yield name, parser
        for action in subcommands:
            yield from ((f"{name} {subcommand}", chosen) for subcommand, chosen in action.choices.items())


def arguments_of(parser: argparse.ArgumentParser) -> set[str]:
    actions = {action.option_strings[-1] if action.option_strings else action.dest for action in parser._actions}
    django = {action.option_strings[-1] for action in BaseCommand().create_parser("", "")._actions}
    return actions - django


PARSERS = dict(parsers())


def test_commands_are_the_documented_ones() -> None:
    assert ROWS_OF_COMMANDS.keys() == PARSERS.keys()


@pytest.mark.parametrize("name", PARSERS)
def test_arguments_of_a_command_are_the_documented_ones(name: str) -> None:
    documented = set(names_in(ROWS_OF_COMMANDS[name][1]))
    if name == "psc_configure":
        documented |= {f"--{field.replace('_', '-')}" for field in PROVIDER_FIELDS}
    assert arguments_of(PARSERS[name]) == documented


def statuses_in(text: str) -> set[str]:
    return set(re.findall(r"\b[0-9]\b", text))


@pytest.mark.parametrize("name", COMMANDS)
def test_exit_statuses_in_the_help_of_a_command_are_documented(name: str) -> None:
    in_help = statuses_in(load_command_class("psc_connect", name).help.partition("Exit status:")[2])
    rows = [row for command, row in ROWS_OF_COMMANDS.items() if command.split()[0] == name]
    documented = [statuses_in(row[2]) for row in rows]
    assert all("0" in statuses for statuses in documented)
    assert not in_help or set().union(*documented) == in_help


def test_names_of_the_json_configuration_are_the_documented_ones() -> None:
    documented = {row[0]: set(names_in(row[1])) for row in rows_of("object")}
    expected = {f"one of `{name}`": set(members) for name, members in ROWS.items()}
    expected["one of `conditions`"] = set(Condition.of("acr", "in", ["eidas1"]).as_json())
    assert documented.pop("a provider") == {"slug", "client_secret", *PROVIDER_FIELDS, *ROWS}
    assert documented == expected
    assert f'`{{"psc_connect": {FORMAT}, "providers": […]}}`' in API


@pytest.mark.django_db
@pytest.mark.usefixtures("professional_pages")
def test_names_in_json_answers_are_the_documented_ones(client: Client) -> None:
    output = StringIO()
    call_command("psc_nomenclatures", "search", "cardio", "--json", stdout=output)
    check = psc_check._as_json([], {}, Status.PASSED)
    answers = [check, asdict(Finding("tls", Status.PASSED, "tls", "")), json.loads(output.getvalue())[0]]
    client.force_login(User.objects.create(username="anna"), backend="django.contrib.auth.backends.ModelBackend")
    answers.append(client.get("/doctors/", headers={"accept": "application/json"}).json())
    assert [set(names_in(row[1])) for row in rows_of("JSON")] == [set(answer) for answer in answers]


def test_check_ids_are_the_documented_ones() -> None:
    page = (DOCS / "checks.md").read_text("utf-8")
    documented = re.findall(r"^### `(psc_connect\.[EW][0-9]{3})`$", page, re.MULTILINE)
    sources = "".join(path.read_text("utf-8") for path in SOURCES)
    assert sorted(documented) == sorted(set(re.findall(r"\"(psc_connect\.[EW][0-9]{3})\"", sources)))


def logged_events() -> Iterator[str]:
    """Yield the first word of each message of the logger, or what the event is built from."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
                message = node.args[0]
                assert isinstance(message, ast.Constant)
                yield str(message.value).split()[0]


def test_log_events_are_the_documented_ones() -> None:
    page = (DOCS / "operate.md").read_text("utf-8")
    documented = {name.split()[0] for row in rows_of("event", page) for name in names_in(row[0]) if "." in name}
    # Made of the problem of an attribute: `attribute_claim_too_slow`.
    of_attributes = {"attribute.field_unknown", "attribute.claim_too_slow"}
    assert documented - of_attributes == set(logged_events()) - {"%s"}
    assert documented >= of_attributes


def test_permissions_are_the_documented_ones() -> None:
    rows = rows_of("permission", (DOCS / "admin.md").read_text("utf-8"))
    documented = {name for row in rows for name in names_in(row[0]) if not name.startswith("auth.")}
    options = [model._meta for model in apps.get_app_config("psc_connect").get_models()]
    own = {codename for option in options for codename, _name in option.permissions}
    own |= {f"{action}_{option.model_name}" for option in options for action in option.default_permissions}
    assert documented == own


@pytest.mark.parametrize("page", ["settings.md", "errors.md", "checks.md", "operate.md", "admin.md"])
def test_the_public_interface_links_to_the_other_pages(page: str) -> None:
    assert f"]({page}" in API
    assert (DOCS / page).is_file()
