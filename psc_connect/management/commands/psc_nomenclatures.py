"""Command that lists, searches and shows the code tables, and replaces a shipped one with a newer one."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.management.input import REFUSED, read_text
from psc_connect.management.output import CommandWithExamples, readable_json
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

# Exit status of a search without result, and of --check if something would change.
NOT_FOUND_OR_CHANGED = 1
EXAMPLE = """
  manage.py psc_nomenclatures search cardio
  manage.py psc_nomenclatures search "sage femme" --table profession --json
  manage.py psc_nomenclatures replace CodeSystem-TRE-R38-SpecialiteOrdinale.json --check

A table is named by its name at ANS or the start of it (TRE_R23), or by its subject: {subjects}.
Exit status: 0 done; 1 nothing found, or something would change (--check); 2 refused, and nothing is written.
"""


class Command(CommandWithExamples):
    help = "Lists, searches and replaces the code tables, which contain the labels of codes." + EXAMPLE.format(
        subjects=", ".join(SUBJECTS)
    )
    # It may replace a table that a check reports.
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        list_ = actions.add_parser("list", help="show each table: version, number of codes, shipped or replaced")
        list_.set_defaults(run=self._list)
        search_ = actions.add_parser("search", help="find codes by label or code, ignoring case and accents")
        search_.set_defaults(run=self._search)
        search_.add_argument("text")
        search_.add_argument("--table", help="search only in this table, or in those of this subject")
        search_.add_argument("--json", action="store_true", help="write JSON")
        show = actions.add_parser("show", help="show every code of a table")
        show.set_defaults(run=self._show)
        show.add_argument("table")
        replace = actions.add_parser("replace", help="replace a table with a newer one, and show what changes")
        replace.set_defaults(run=self._replace)
        replace.add_argument("file", help="our own format, or ANS's FHIR R4 CodeSystem in JSON; - for standard input")
        replace.add_argument("--check", action="store_true", help="show what would change, and write nothing")
        replace.add_argument("--force", action="store_true", help="replace even if the new one is older or loses codes")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        options["run"](options)

    def _list(self, _options: dict[str, Any]) -> None:
        width = max(map(len, TABLES))
        for name, subject in TABLES.items():
            current = table(name)
            closed = sum(concept.is_closed for concept in current.concepts.values())
            counts = _("%(open)3d in force, %(closed)2d closed") % {
                "open": len(current.concepts) - closed,
                "closed": closed,
            }
            source = _("replaced by the site") if current.replaced else _("shipped")
            self.stdout.write(f"{name.ljust(width)}  {current.version}  {counts}  {source}  {_(subject)}")

    def _search(self, options: dict[str, Any]) -> None:
        names = _tables(options["table"]) if options["table"] else tuple(TABLES)
        found = [(name, concept) for name in names for concept in search(options["text"], name)]
        if options["json"]:
            rows = [{"table": name, **asdict(concept)} for name, concept in found]
            self.stdout.write(readable_json(rows))
        else:
            for name, concept in found:
                self.stdout.write(f"{name}  {_line(concept)}")
        if not found:
            raise CommandError(
                _("No code matches “%(text)s”.") % {"text": options["text"]}, returncode=NOT_FOUND_OR_CHANGED
            )

    def _show(self, options: dict[str, Any]) -> None:
        for name in _tables(options["table"]):
            current = table(name)
            self.stdout.write(f"{name}  {current.oid}  {current.version}  {_(TABLES[name])}")
            for concept in current.concepts.values():
                self.stdout.write(f"  {_line(concept)}")

    def _replace(self, options: dict[str, Any]) -> None:
        try:
            new = parse_table(read_text(options["file"]))
        except TableError as exc:
            raise _refused(exc.code, _(PROBLEMS[exc.code])) from None
        changes = TableChanges(table(new.name), new)
        if not changes:
            self.stdout.write(_("%(slug)s: no changes") % {"slug": new.name})
            return
        for line in _lines_of(changes):
            self.stdout.write(line)
        if changes.is_older and not options["force"]:
            text = _("The table is older than the current one: use --force to replace it anyway.")
            raise _refused("table_older", text)
        if changes.removed and not options["force"]:
            text = _("Known codes would be lost: use --force to replace the table anyway.")
            raise _refused("table_loses_codes", text)
        if options["check"]:
            sys.exit(NOT_FOUND_OR_CHANGED)
        folder = conf.nomenclature_dir()
        if folder is None:
            text = _("Set PSC_CONNECT_NOMENCLATURE_DIR to the absolute path of the folder to store the table in.")
            raise _refused("nomenclature_dir_missing", text)
        try:
            path = write_replacement(new, folder)
        except (OSError, ValueError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else str(exc)
            text = _("%(folder)s cannot be written: %(reason)s") % {"folder": folder, "reason": reason}
            raise _refused("nomenclature_dir_unwritable", text) from None
        self.stdout.write(_("Written to %(file)s and used from now on.") % {"file": path})


def _refused(code: str, text: str) -> CommandError:
    return CommandError(f"{text} [{code}]", returncode=REFUSED)


def _tables(kind: str) -> tuple[str, ...]:
    """Return the tables of a subject, or the table whose name at ANS starts with ``kind``."""
    matching = [name for name in TABLES if name.casefold().startswith(kind.casefold())]
    if kind in SUBJECTS or kind in TABLES:
        return tables_of(kind)
    if len(matching) == 1:
        return (matching[0],)
    names = "".join(f"\n  {name}" for name in matching or [*SUBJECTS, *TABLES])
    text = _("“%(name)s” matches no table, or several. Possible tables:") % {"name": kind}
    raise _refused("table_unknown", text + names)


def _line(concept: Concept) -> str:
    if concept.closed is None:
        return f"{concept.code}  {concept.label}"
    closed = _("closed since %(day)s") if concept.is_closed else _("closed from %(day)s on")
    return f"{concept.code}  {concept.label}  ({closed % {'day': concept.closed}})"


def _lines_of(changes: TableChanges) -> Iterator[str]:
    old, new = changes.old, changes.new
    yield _("%(table)s: %(old)s with %(before)s codes → %(new)s with %(after)s codes") % {
        "table": new.name,
        "old": old.version,
        "before": len(old.concepts),
        "new": new.version,
        "after": len(new.concepts),
    }
    concepts_by_text = {
        _("new: %(code)s"): changes.added,
        _("removed: %(code)s"): changes.removed,
        _("closed: %(code)s"): changes.closed,
        _("in force again: %(code)s"): changes.reopened,
    }
    for text, concepts in concepts_by_text.items():
        for concept in concepts:
            yield "  " + text % {"code": _line(concept)}
    for before, after in changes.renamed:
        yield "  " + _("renamed: %(code)s → %(label)s") % {
            "code": f"{before.code}  {before.label}",
            "label": after.label,
        }
