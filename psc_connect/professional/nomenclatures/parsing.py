"""A file → a ``Table``: in the form of the shipped ones, or as the FHIR R4 CodeSystem that ANS publishes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from types import MappingProxyType
from typing import Final

from psc_connect.professional.nomenclatures.tables import TABLES, _

# What a file can be refused for, in words that whoever chose it can act on.
PROBLEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "table_unreadable": _("The file cannot be read, or is not text in UTF-8."),
        "table_not_json": _(
            "This is not JSON: take the table in JSON (FHIR CodeSystem), not in XML or as a spreadsheet."
        ),
        "table_unknown": _("This is not a table of codes that Pro Santé Connect sends."),
        "table_malformed": _(
            "This code table is incomplete: its OID, its date, or the code or label of an entry is missing."
        ),
        "table_code_twice": _("The table contains the same code twice."),
        "table_misnamed": _("The file does not contain the table that it is named after."),
    }
)

# Categories of Unicode: controls, directions and what cannot be seen, private letters, halves, ends of lines.
_STEERING: Final = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))


class TableError(Exception):
    """A file is no code table that can be used; ``code`` is one of ``PROBLEMS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Concept:
    """One code. ``closed``: the day since which it is no longer given out (ISO 8601), or None; old records have it."""

    code: str
    label: str
    closed: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether that day has come: ANS announces some beforehand."""
        return self.closed is not None and self.closed <= datetime.now(timezone.utc).date().isoformat()


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``version`` is the day of its source (ISO 8601); ``replaced``: it stands in for the shipped one."""

    name: str
    oid: str
    version: str
    concepts: Mapping[str, Concept] = field(hash=False)
    replaced: bool = False


def parse_table(text: str) -> Table:
    """Read a table as it is shipped, or a FHIR R4 CodeSystem as ANS publishes it. Raises TableError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise TableError("table_not_json") from None
    if not isinstance(document, dict):
        raise TableError("table_malformed")
    if document.get("resourceType") == "CodeSystem":
        return _of_fhir(document)
    return _table(
        document.get("code_system"), document.get("oid"), document.get("version"), _listed(document, "concepts")
    )


def _table(name: object, oid: object, version: object, listed: list[dict[str, object]]) -> Table:
    if not isinstance(name, str) or name not in TABLES:
        raise TableError("table_unknown")
    if not _is_text(oid) or not _is_day(version) or not listed:
        raise TableError("table_malformed")
    concepts: dict[str, Concept] = {}
    for each in listed:
        read = _concept(each)
        if read.code in concepts:
            raise TableError("table_code_twice")
        concepts[read.code] = read
    return Table(name, str(oid), str(version), MappingProxyType(concepts))


def _concept(given: dict[str, object]) -> Concept:
    code, label, closed = given.get("code"), given.get("label"), given.get("closed")
    if not _is_text(code) or not _is_text(label) or not (closed is None or _is_day(closed)):
        raise TableError("table_malformed")
    return Concept(str(code), str(label), None if closed is None else str(closed))


def _of_fhir(document: dict[str, object]) -> Table:
    """ANS's own: the table's name is its id, with hyphens; its OID stands among its identifiers."""
    names = {each.replace("_", "-"): each for each in TABLES}
    oids = [str(each.get("value")) for each in _listed(document, "identifier")]
    return _table(
        names.get(str(document.get("id"))),
        next((oid.removeprefix("urn:oid:") for oid in oids if oid.startswith("urn:oid:")), None),
        _day_of(document.get("date")),
        [
            {"code": each.get("code"), "label": each.get("display"), "closed": _end_of(each)}
            for each in _with_children(_listed(document, "concept"))
        ],
    )


def _with_children(concepts: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """FHIR nests the codes of a hierarchy: each comes before those under it."""
    pending = concepts[::-1]
    while pending:
        each = pending.pop()
        yield each
        if "concept" in each:
            pending += _listed(each, "concept")[::-1]


def _end_of(concept: dict[str, object]) -> object:
    """ANS's ``dateFin``; FHIR's own ``deprecationDate`` and ``retirementDate`` say the same in its newer files."""
    if "property" not in concept:
        return None
    ends = {each.get("code"): each.get("valueDateTime") for each in _listed(concept, "property")}
    named = (ends.get(name) for name in ("dateFin", "deprecationDate", "retirementDate"))
    return next((_day_of(end) for end in named if end), None)


def _listed(document: dict[str, object], name: str) -> list[dict[str, object]]:
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise TableError("table_malformed")
    return value


def _day_of(moment: object) -> object:
    """The day of a FHIR dateTime; what is none is left for ``_is_day`` to refuse."""
    return moment[:10] if isinstance(moment, str) else moment


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    """A text that a page, a terminal and a database can show: nothing in it steers them, and no half of a character."""
    if not isinstance(value, str) or not value or value != value.strip():
        return False
    return not any(unicodedata.category(character) in _STEERING for character in value)
