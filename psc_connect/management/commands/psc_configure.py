"""Creates or updates providers from options, environment variables or a JSON file: the same twice changes nothing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import override as language
from typing_extensions import override

from psc_connect.configuration.plan import read_document
from psc_connect.configuration.planner import plan_all
from psc_connect.error_messages import labelled, load_document
from psc_connect.management.output import CommandWithExamples, telling
from psc_connect.management.plans import REFUSED, add_common_arguments, apply, load_file, refusing
from psc_connect.models import Provider
from psc_connect.providers.serialization import PROVIDER_FIELDS, label_of

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

VARIABLE = "PSC_CONNECT_PROVIDER_"
OPTIONS = ("slug", "client_secret", *PROVIDER_FIELDS)
EXAMPLE = """
  manage.py psc_configure --environment production --client-id my-client --client-secret env:PSC_CONNECT_SECRET_PROD
  manage.py psc_configure --file providers.json --check

Each option can be given as an environment variable: --client-id as PSC_CONNECT_PROVIDER_CLIENT_ID. An option wins.
A secret is given by name only: env:PSC_CONNECT_SECRET_… or file:NAME (of PSC_CONNECT_SECRET_DIR).
Exit status: 0 done, or nothing to do; 1 something would change (--check); 2 something is wrong, and nothing is saved.
"""


class Command(CommandWithExamples):
    help = "Creates or updates providers from options, environment variables or a JSON file." + EXAMPLE
    # What it configures may be what a check complains of.
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", help="a JSON file as psc_export writes it; - reads standard input")
        add_common_arguments(parser)
        for name in OPTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}", help=_help_of(name))

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        with refusing():
            plans = plan_all(self._declarations(options), may_replace_issuer=options["replace_issuer"])
        changes = apply(plans, telling(self.stdout.write), check=options["check"])
        if changes and options["check"]:
            sys.exit(1)

    def _declarations(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        given = {name: options[name] for name in OPTIONS if options[name] is not None}
        if options["file"]:
            if given:
                raise CommandError(_("Give a file or options, not both."), returncode=REFUSED)
            return read_document(load_file(options["file"]))
        variables = {
            name: os.environ[VARIABLE + name.upper()] for name in OPTIONS if VARIABLE + name.upper() in os.environ
        }
        declared = {name: _value(name, text) for name, text in {**variables, **given}.items()}
        if not declared:
            raise CommandError(_("Give a file, options or environment variables: see --help."), returncode=REFUSED)
        return [declared]


def _help_of(name: str) -> str:
    # In the language of the rest of the help, which is argparse's.
    with language("en"):
        label = label_of(name).replace("%", "%%")
    kind = Provider._meta.get_field(name)
    if isinstance(kind, models.JSONField):
        return f"{label}, in JSON"
    return f"{label}: true or false" if isinstance(kind, models.BooleanField) else label


def _wrong_option(name: str, text: str) -> CommandError:
    return CommandError(labelled(f"--{name.replace('_', '-')}", text), returncode=REFUSED)


def _value(name: str, text: str) -> Any:
    """What a text of the command line means for a field: a truth value, JSON, or itself."""
    kind = Provider._meta.get_field(name)
    if isinstance(kind, models.BooleanField):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(kind, models.JSONField):
        try:
            document = load_document(text)
        except ValidationError as exc:
            raise _wrong_option(name, " ".join(exc.messages)) from None
        if isinstance(document, str):
            raise _wrong_option(name, _('JSON is expected here, such as {"name": "value"}.'))
        return document
    if isinstance(kind, models.IntegerField):
        return int(text) if text.isdecimal() else text or None
    return text
