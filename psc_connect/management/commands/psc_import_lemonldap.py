"""Command that imports providers from a LemonLDAP::NG configuration, and lists the options it cannot convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.administrator_messages import labelled
from psc_connect.configuration.planning import make_plans
from psc_connect.contrib.lemonldap.conversion import convert
from psc_connect.management.configuration_command import ConfigurationCommand
from psc_connect.management.input import REFUSED, read_json

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from psc_connect.configuration.plan import Plan
    from psc_connect.contrib.lemonldap.conversion import ConvertedProvider


class Command(ConfigurationCommand):
    help = (
        "Imports the OpenID Connect providers of a LemonLDAP::NG configuration (lmConf-N.json, 2.16 and later).\n"
        "Their client secrets are stored encrypted. Options without an equivalent are listed."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the configuration in JSON; - for standard input")
        parser.add_argument("--only", help="import only the provider of this name")
        parser.add_argument("--slug", help="the identifier of the imported provider, if it is only one")
        super().add_arguments(parser)

    @override
    @sensitive_variables()
    def make_plans(self, options: dict[str, Any]) -> tuple[list[Plan], list[str]]:
        converted = convert(read_json(options["file"]), only=options["only"])
        if options["slug"]:
            if len(converted) != 1:
                raise CommandError(_("Choose one provider with --only to give it an identifier."), returncode=REFUSED)
            converted[0].declaration["slug"] = options["slug"]
        secrets = {
            str(provider.declaration["slug"]): provider.secret for provider in converted if provider.secret is not None
        }
        declarations = [provider.declaration for provider in converted]
        plans = make_plans(declarations, secrets, may_replace_issuer=options["replace_issuer"])
        return plans, [line for provider in converted for line in _notes_of(provider)]


def _notes_of(provider: ConvertedProvider) -> list[str]:
    if not provider.notes:
        return []
    title = _("%(slug)s: changed or not imported:") % {"slug": provider.declaration["slug"]}
    return ["", title, *("  " + labelled(note.name, note.text) for note in provider.notes)]
