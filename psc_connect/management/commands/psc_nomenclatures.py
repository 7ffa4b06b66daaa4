"""Lists, searches and shows the code tables, and puts a newer official one in the place of a shipped one."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from typing_extensions import override

from psc_connect import conf
from psc_connect.management.output import CommandWithExamples
from psc_connect.management.plans import REFUSED, read_file
from psc_connect.professional.nomenclatures import (
    PROBLEMS,
    SUBJECTS,
    TABLES,
    TableError,
    parse_table,
    search,
    table,
    tables_of,
)
from psc_connect.professional.nomenclatures.replacement import TableChanges, write_replacement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

    from psc_connect.professional.nomenclatures import Concept

# Exit status of a search that finds nothing, and of a check that something would change.
OTHERWISE = 1
REFUSALS = {
    "table_older": gettext_lazy("The table is older than the one in force: --force takes it all the same."),
    "table_loses_codes": gettext_lazy("Codes that are known here would be gone: --force takes it all the same."),
    "nomenclature_dir_missing": gettext_lazy(
        "Set PSC_CONNECT_NOMENCLATURE_DIR to the absolute path of the folder that it is to go to."
    ),
}
EXAMPLE = """
  manage.py psc_nomenclatures search cardio
  manage.py psc_nomenclatures search "sage femme" --table profession --json
  manage.py psc_nomenclatures replace CodeSystem-TRE-R38-SpecialiteOrdinale.json --check

A table is named as ANS names it, TRE_R23 suffices, or by its subject: {subjects}.
Exit status: 0 done; 1 nothing found, or something would change (--check); 2 something is wrong, and nothing is written.
"""


class Command(CommandWithExamples):
    help = "Lists, searches and replaces the code tables, from which codes get their labels." + EXAMPLE.format(
        subjects=", ".join(SUBJECTS)
    )
    # A broken table is among what the checks complain of.
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every table: version, number of codes, shipped or replaced")
        searching = actions.add_parser("search", help="codes by label or code; neither case nor accents count")
        searching.add_argument("text")
        searching.add_argument("--table", help="in one table, or in those of one subject")
        searching.add_argument("--json", action="store_true", help="write JSON")
        actions.add_parser("show", help="every code of a table").add_argument("table")
        replacing = actions.add_parser("replace", help="take a newer table over, and tell what is new")
        replacing.add_argument("file", help="our own format, or ANS's FHIR R4 CodeSystem in JSON; - for standard input")
        replacing.add_argument("--check", action="store_true", help="tell what would change, and write nothing")
        replacing.add_argument("--force", action="store_true", help="even if it is older, or loses codes")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        actions = {"list": self._list, "search": self._search, "show": self._show, "replace": self._replace}
        actions[options["action"]](options)

    def _list(self, _options: dict[str, Any]) -> None:
        width = max(map(len, TABLES))
        for name, subject in TABLES.items():
            found = table(name)
            closed = sum(each.is_closed for each in found.concepts.values())
            counts = _("%(open)3d in force, %(closed)2d closed") % {
                "open": len(found.concepts) - closed,
                "closed": closed,
            }
            origin = _("replaced by the site") if found.replaced else _("shipped")
            self.stdout.write(f"{name.ljust(width)}  {found.version}  {counts}  {origin}  {_(subject)}")

    def _search(self, options: dict[str, Any]) -> None:
        names = _tables(options["table"]) if options["table"] else tuple(TABLES)
        found = [(name, each) for name in names for each in search(options["text"], name)]
        if options["json"]:
            listed = [{"table": name, **asdict(each)} for name, each in found]
            self.stdout.write(json.dumps(listed, ensure_ascii=False, indent=2))
        else:
            for name, each in found:
                self.stdout.write(f"{name}  {_line(each)}")
        if not found:
            raise CommandError(_("No code matches “%(text)s”.") % {"text": options["text"]}, returncode=OTHERWISE)

    def _show(self, options: dict[str, Any]) -> None:
        for name in _tables(options["table"]):
            found = table(name)
            self.stdout.write(f"{name}  {found.oid}  {found.version}  {_(TABLES[name])}")
            for each in found.concepts.values():
                self.stdout.write(f"  {_line(each)}")

    def _replace(self, options: dict[str, Any]) -> None:
        try:
            new = parse_table(read_file(options["file"]))
        except TableError as exc:
            raise _refused(exc.code, _(PROBLEMS[exc.code])) from None
        changes = TableChanges(table(new.name), new)
        if not changes:
            self.stdout.write(_("%(slug)s: nothing changes") % {"slug": new.name})
            return
        for line in _lines(changes):
            self.stdout.write(line)
        if changes.is_older and not options["force"]:
            raise _refused("table_older")
        if changes.removed and not options["force"]:
            raise _refused("table_loses_codes")
        if options["check"]:
            sys.exit(OTHERWISE)
        folder = conf.nomenclature_dir()
        if folder is None:
            raise _refused("nomenclature_dir_missing")
        try:
            path = write_replacement(new, folder)
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else str(exc)
            text = _("%(folder)s cannot be written: %(reason)s") % {"folder": folder, "reason": reason}
            raise _refused("nomenclature_dir_unwritable", text) from None
        self.stdout.write(_("Written to %(file)s, and in force at once.") % {"file": path})


def _refused(code: str, text: str = "") -> CommandError:
    return CommandError(f"{text or REFUSALS[code]} [{code}]", returncode=REFUSED)


def _tables(kind: str) -> tuple[str, ...]:
    """The tables of a subject, or the one whose name by ANS begins so."""
    begun = [name for name in TABLES if name.casefold().startswith(kind.casefold())]
    if kind in SUBJECTS or kind in TABLES:
        return tables_of(kind)
    if len(begun) == 1:
        return (begun[0],)
    names = "".join(f"\n  {name}" for name in begun or [*SUBJECTS, *TABLES])
    raise _refused("table_unknown", _("“%(name)s” names no table, or several. There are:") % {"name": kind} + names)


def _line(each: Concept) -> str:
    if each.closed is None:
        return f"{each.code}  {each.label}"
    closed = _("closed since %(day)s") if each.is_closed else _("closed from %(day)s on")
    return f"{each.code}  {each.label}  ({closed % {'day': each.closed}})"


def _lines(changes: TableChanges) -> Iterator[str]:
    old, new = changes.old, changes.new
    yield _("%(table)s: %(old)s with %(before)s codes → %(new)s with %(after)s codes") % {
        "table": new.name,
        "old": old.version,
        "before": len(old.concepts),
        "new": new.version,
        "after": len(new.concepts),
    }
    told = {
        _("new: %(code)s"): changes.added,
        _("gone: %(code)s"): changes.removed,
        _("closed: %(code)s"): changes.closed,
        _("in force again: %(code)s"): changes.reopened,
    }
    for text, concepts in told.items():
        for each in concepts:
            yield "  " + text % {"code": _line(each)}
    for before, after in changes.renamed:
        yield "  " + _("renamed: %(code)s → %(label)s") % {
            "code": f"{before.code}  {before.label}",
            "label": after.label,
        }
