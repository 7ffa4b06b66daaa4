"""Parsing of code tables: in the format of the shipped ones, or a FHIR R4 CodeSystem as published by ANS."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from types import MappingProxyType
from typing import Final

from psc_connect.professional.nomenclatures.tables import TABLES, _

# Code of a TableError → message for administrators.
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

# Unicode categories of controls, invisible and private characters, surrogates and line separators.
_FORBIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))


class TableError(Exception):
    """The file is not a usable code table. ``code`` is a key of ``PROBLEMS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Concept:
    """A code and its label. ``closed`` is the day of its end (ISO 8601), or None. Old records keep closed codes."""

    code: str
    label: str
    closed: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the day of the end has come (UTC); ANS announces some in advance."""
        return self.closed is not None and self.closed <= datetime.now(timezone.utc).date().isoformat()


@dataclass(frozen=True, slots=True)
class Table:
    """A code table. ``version`` is the day of its source (ISO 8601). ``replaced``: it replaces the shipped one."""

    name: str
    oid: str
    version: str
    concepts: Mapping[str, Concept] = field(hash=False)
    replaced: bool = False


def parse_table(text: str) -> Table:
    """Parse a table in the shipped format, or a FHIR R4 CodeSystem as published by ANS. Raises TableError."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise TableError("table_not_json") from None
    if not isinstance(parsed, dict):
        raise TableError("table_malformed")
    if parsed.get("resourceType") == "CodeSystem":
        return _from_fhir(parsed)
    return _table(
        parsed.get("code_system"), parsed.get("oid"), parsed.get("version"), entries=_objects(parsed, "concepts")
    )


def _table(name: object, oid: object, version: object, *, entries: list[dict[str, object]]) -> Table:
    if not isinstance(name, str) or name not in TABLES:
        raise TableError("table_unknown")
    if not _is_text(oid) or not _is_day(version) or not entries:
        raise TableError("table_malformed")
    concepts: dict[str, Concept] = {}
    for entry in entries:
        concept = _concept(entry)
        if concept.code in concepts:
            raise TableError("table_code_twice")
        concepts[concept.code] = concept
    return Table(name, str(oid), str(version), MappingProxyType(concepts))


def _concept(entry: dict[str, object]) -> Concept:
    code, label, closed = entry.get("code"), entry.get("label"), entry.get("closed")
    if not _is_text(code) or not _is_text(label) or not (closed is None or _is_day(closed)):
        raise TableError("table_malformed")
    return Concept(str(code), str(label), None if closed is None else str(closed))


def _from_fhir(code_system: dict[str, object]) -> Table:
    """Convert a CodeSystem of ANS. Its id is the table's name with hyphens; one of its identifiers is the OID."""
    names = {name.replace("_", "-"): name for name in TABLES}
    identifiers = [str(identifier.get("value")) for identifier in _objects(code_system, "identifier")]
    return _table(
        names.get(str(code_system.get("id"))),
        next((text.removeprefix("urn:oid:") for text in identifiers if text.startswith("urn:oid:")), None),
        _day_of(code_system.get("date")),
        entries=[
            {"code": concept.get("code"), "label": concept.get("display"), "closed": _end_of(concept)}
            for concept in _with_children(_objects(code_system, "concept"))
        ],
    )


def _with_children(concepts: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Yield each concept, then its children: FHIR nests the codes of a hierarchy."""
    pending = concepts[::-1]
    while pending:
        concept = pending.pop()
        yield concept
        if "concept" in concept:
            pending += _objects(concept, "concept")[::-1]


def _end_of(concept: dict[str, object]) -> object:
    """Return the day of the end: ANS's ``dateFin``, or FHIR's ``deprecationDate`` or ``retirementDate``."""
    if "property" not in concept:
        return None
    dates = {entry.get("code"): entry.get("valueDateTime") for entry in _objects(concept, "property")}
    ends = (dates.get(name) for name in ("dateFin", "deprecationDate", "retirementDate"))
    return next((_day_of(end) for end in ends if end), None)


def _objects(parent: dict[str, object], name: str) -> list[dict[str, object]]:
    """Return a member that is a list of objects. Raises TableError for another value."""
    value = parent.get(name)
    if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
        raise TableError("table_malformed")
    return value


def _day_of(moment: object) -> object:
    """Return the day of a FHIR dateTime. Other values are returned unchanged, for ``_is_day`` to refuse."""
    return moment[:10] if isinstance(moment, str) else moment


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    """Return whether ``value`` is a non-empty text that is safe on a page, in a terminal and in a database."""
    if not isinstance(value, str) or not value or value != value.strip():
        return False
    return not any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in value)
