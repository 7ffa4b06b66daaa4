"""Command that creates or updates providers. Running it again with the same input changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import override as language
from typing_extensions import override

from psc_connect.administrator_messages import form_errors_of, labelled, load_json
from psc_connect.configuration.file_format import declarations_of
from psc_connect.configuration.planning import make_plans
from psc_connect.management.configuration_command import ConfigurationCommand
from psc_connect.management.input import REFUSED, read_json
from psc_connect.oidc.errors import MetadataError, ProviderUnavailable
from psc_connect.providers.metadata import fetch_document
from psc_connect.providers.serialization import PROVIDER_FIELDS, field_of, label_of

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from psc_connect.configuration.plan import Plan

VARIABLE_PREFIX = "PSC_CONNECT_PROVIDER_"
OPTIONS = ("slug", "client_secret", *PROVIDER_FIELDS)
DISCOVERY_URL = "discovery_url"
EXAMPLE = """
  manage.py psc_configure --environment production --client-id my-client --client-secret env:PSC_CONNECT_SECRET_PROD
  manage.py psc_configure --environment custom --client-id my-client --client-secret env:PSC_CONNECT_SECRET_SSO
      --discovery-url https://sso.example.org/realms/hospital
  manage.py psc_configure --file providers.json --check

Each option can be an environment variable: PSC_CONNECT_PROVIDER_CLIENT_ID for --client-id. Options override them.
A secret is given by reference only: env:PSC_CONNECT_SECRET_… or file:NAME (of PSC_CONNECT_SECRET_DIR).
Exit status: 0 done, or no changes; 1 something would change (--check); 2 refused, and nothing is saved.
"""


class Command(ConfigurationCommand):
    help = "Creates or updates providers from options, environment variables or a JSON file." + EXAMPLE

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", help="a JSON file in the format of psc_export; - for standard input")
        parser.add_argument("--discovery-url", help="the discovery URL or the issuer: its metadata is fetched")
        super().add_arguments(parser)
        for name in OPTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}", help=_help_of(name))

    @override
    def make_plans(self, options: dict[str, Any]) -> tuple[list[Plan], list[str]]:
        return make_plans(self._declarations(options), may_replace_issuer=options["replace_issuer"]), []

    def _declarations(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        names = (*OPTIONS, DISCOVERY_URL)
        given = {name: options[name] for name in names if options[name] is not None}
        if options["file"]:
            if given:
                raise CommandError(_("Give a file or options, not both."), returncode=REFUSED)
            return declarations_of(read_json(options["file"]))
        variables = {
            name: os.environ[VARIABLE_PREFIX + name.upper()]
            for name in names
            if VARIABLE_PREFIX + name.upper() in os.environ
        }
        texts = {**variables, **given}
        url = texts.pop(DISCOVERY_URL, "")
        declared = {name: _value(name, text) for name, text in texts.items()}
        if url:
            declared["metadata"] = _fetched(url, has_metadata="metadata" in declared)
        if not declared:
            raise CommandError(_("Give a file, options or environment variables: see --help."), returncode=REFUSED)
        return [declared]


def _help_of(name: str) -> str:
    # The rest of the help is in English.
    with language("en"):
        label = label_of(name).replace("%", "%%")
    field = field_of(name)
    if isinstance(field, models.JSONField):
        return f"{label}, in JSON"
    return f"{label}: true or false" if isinstance(field, models.BooleanField) else label


def _wrong_option(name: str, text: str) -> CommandError:
    return CommandError(labelled(f"--{name.replace('_', '-')}", text), returncode=REFUSED)


def _fetched(url: str, *, has_metadata: bool) -> dict[str, Any]:
    if has_metadata:
        raise _wrong_option(DISCOVERY_URL, _("Give the metadata or the discovery URL, not both."))
    try:
        return fetch_document(url)
    except (ProviderUnavailable, MetadataError) as exc:
        raise _wrong_option(DISCOVERY_URL, " ".join(ValidationError(form_errors_of(exc)).messages)) from None


def _value(name: str, text: str) -> Any:
    """Convert the text of an option to the JSON value of a field."""
    field = field_of(name)
    if isinstance(field, models.BooleanField):
        return {"true": True, "false": False}.get(text.lower(), text)
    if isinstance(field, models.JSONField):
        try:
            value = load_json(text)
        except ValidationError as exc:
            raise _wrong_option(name, " ".join(exc.messages)) from None
        if isinstance(value, str):
            raise _wrong_option(name, _('JSON is expected here, such as {"name": "value"}.'))
        return value
    if isinstance(field, models.IntegerField):
        return int(text) if text.isdecimal() else text or None
    return text
