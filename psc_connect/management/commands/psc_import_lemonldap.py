"""Imports the OpenID providers of a LemonLDAP::NG configuration; what cannot follow is listed with the reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.configuration.lemonldap import convert
from psc_connect.configuration.planner import plan_all
from psc_connect.error_messages import labelled
from psc_connect.management.output import telling
from psc_connect.management.plans import REFUSED, add_common_arguments, apply, load_file, refusing

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = (
        "Imports the OpenID Connect providers of a LemonLDAP::NG configuration (lmConf-N.json, 2.16 and later). "
        "Their client secrets are kept encrypted; what has no equivalent is listed."
    )
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the configuration in JSON; - reads standard input")
        parser.add_argument("--only", help="the name of one provider in that configuration")
        parser.add_argument("--slug", help="the identifier to give it here, where it is one provider")
        add_common_arguments(parser)

    @override
    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        with refusing():
            converted = convert(load_file(options["file"]), only=options["only"])
        if options["slug"]:
            if len(converted) != 1:
                raise CommandError(_("Choose one provider with --only to give it an identifier."), returncode=REFUSED)
            converted[0].declaration["slug"] = options["slug"]
        secrets = {str(each.declaration["slug"]): each.secret for each in converted if each.secret is not None}
        declarations = [each.declaration for each in converted]
        with refusing():
            plans = plan_all(declarations, secrets, may_replace_issuer=options["replace_issuer"])
        tell = telling(self.stdout.write)
        changes = apply(plans, tell, check=options["check"])
        for each in converted:
            if each.notes:
                tell("")
                tell(_("%(slug)s: what has not been taken over as it was:") % {"slug": each.declaration["slug"]})
            for note in each.notes:
                tell("  " + labelled(note.name, note.text))
        if changes and options["check"]:
            sys.exit(1)
