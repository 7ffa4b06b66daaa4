"""Command that moves the accounts of an issuer to another one: the same provider under another host or scheme."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from typing_extensions import override

from psc_connect.configuration.issuer_move import IssuerMove, MoveRefused, carry_out, find_provider, plan_move
from psc_connect.management.input import REFUSED
from psc_connect.management.output import CommandWithExamples
from psc_connect.models import DeclarationChange
from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

# More are counted only.
MAX_SHOWN = 20
EXAMPLE = """
  manage.py psc_move_issuer psc-old psc --check
  manage.py psc_move_issuer https://old.example/realms/x https://new.example/realms/x

Both providers are declared here. Each account keeps its user, and is found by the same sub at the new issuer.
Exit status: 0 done, or no accounts; 1 accounts would move (--check); 2 refused, and nothing is saved.
"""


class Command(CommandWithExamples):
    help = "Moves all accounts of a provider's issuer to the issuer of another declared provider." + EXAMPLE
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", help="identifier (slug) or issuer of the provider that has the accounts")
        parser.add_argument("new", help="identifier (slug) or issuer of the provider that gets them")
        parser.add_argument("--check", action="store_true", help="show what would move, and change nothing")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            move = self._move(options)
        except MoveRefused as exc:
            text = f"{_('Nothing has been saved.')} {exc.text}"
            raise CommandError(escape_control_characters(text), returncode=REFUSED) from None
        if options["check"] and move.count:
            sys.exit(1)

    def _move(self, options: dict[str, Any]) -> IssuerMove:
        move = plan_move(find_provider(options["old"]), find_provider(options["new"]))
        for line in _lines_of(move):
            self.stdout.write(escape_control_characters(line))
        if move.conflicts:
            raise MoveRefused("move_conflicts")
        if move.count and not options["check"]:
            move = carry_out(move, source=DeclarationChange.Source.COMMAND)
            self.stdout.write(_("Accounts moved: %(count)s") % {"count": move.count})
        return move


def _lines_of(move: IssuerMove) -> Iterator[str]:
    params = {"old": move.old.issuer, "new": move.new.issuer, "count": move.count}
    yield _("%(old)s → %(new)s: accounts that move: %(count)s") % params
    if move.changes_path:
        yield "  " + _("The path differs too: make sure that it is the same realm, with the same people.")
    for account, other in move.conflicts[:MAX_SHOWN]:
        text = _("account #%(account)s is that of a person who has account #%(other)s at the new issuer")
        yield "  " + text % {"account": account, "other": other}
    if len(move.conflicts) > MAX_SHOWN:
        yield "  " + _("and more: %(count)s in all") % {"count": len(move.conflicts)}
    if move.advice:
        yield "  " + move.advice
