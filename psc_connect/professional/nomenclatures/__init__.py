"""ANS's code tables (nomenclatures des objets de santé) as data, and the labels of their codes.

A table is read when a label of it is first asked for. A site can put a newer one beside the shipped one: see
``replacement_folder``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

# ANS's names of the tables that are shipped, with what each tells.
TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TRE_G08-TypeIdentifiantPersonne": "kinds of national identifiers",
        "TRE_G15-ProfessionSante": "health professions",
        "TRE_R01-EnsembleSavoirFaire-CISIS": "all skills (savoir-faire)",
        "TRE_R02-SecteurActivite": "sectors of activity",
        "TRE_R04-TypeSavoirFaire": "kinds of skills",
        "TRE_R09-CategorieProfessionnelle": "professional categories",
        "TRE_R11-CiviliteExercice": "titles of practice",
        "TRE_R21-Fonction": "roles in a structure",
        "TRE_R22-GenreActivite": "kinds of activity",
        "TRE_R23-ModeExercice": "modes of practice",
        "TRE_R38-SpecialiteOrdinale": "specialities",
        "TRE_R81-Civilite": "civilities",
        "TRE_R94-ProfessionSocial": "social professions",
        "TRE_R95-UsagerTitre": "users of a title",
    }
)


class TableError(Exception):
    """A file is no code table that can be used; ``code`` says why.

    ``table_not_json``, ``table_unknown``, ``table_malformed``, ``table_code_twice``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Concept:
    """One code. ``closed``: the day since which it is no longer given out (ISO 8601), or None; old records have it."""

    code: str
    label: str
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ``version`` is the day of its source (ISO 8601)."""

    name: str
    oid: str
    version: str
    concepts: Mapping[str, Concept]


def no_folder() -> Path | None:
    return None


# Whoever runs the package sets it: the folder in which a file ``<name>.json`` takes the place of the shipped table.
replacement_folder: Callable[[], Path | None] = no_folder


def table(name: str) -> Table:
    """Return a table of ``TABLES``. Raises KeyError for another name.

    A replacement that cannot be read is as if it were not there: no page fails on it.
    """
    if name not in TABLES:
        raise KeyError(name)
    folder = replacement_folder()
    if folder is not None:
        path = folder / f"{name}.json"
        try:
            return _replaced(path, path.stat().st_mtime_ns)
        except (OSError, TableError):
            pass
    return _shipped(name)


@lru_cache(maxsize=len(TABLES))
def _shipped(name: str) -> Table:
    return parse_table((resources.files(__name__) / f"{name}.json").read_text("utf-8"))


@lru_cache(maxsize=len(TABLES))
def _replaced(path: Path, _modified: int) -> Table:
    return parse_table(path.read_text("utf-8"))


def concept(code: str, *names: str) -> Concept | None:
    """Return what the first of the tables that has the code says of it, or None."""
    return next((found for name in names if (found := table(name).concepts.get(code))), None)


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
    return _table(document.get("code_system"), document.get("oid"), document.get("version"), document.get("concepts"))


def _table(name: object, oid: object, version: object, listed: object) -> Table:
    if name not in TABLES:
        raise TableError("table_unknown")
    if not isinstance(oid, str) or not isinstance(version, str) or not isinstance(listed, list) or not listed:
        raise TableError("table_malformed")
    concepts: dict[str, Concept] = {}
    for each in listed:
        read = _concept(each)
        if read.code in concepts:
            raise TableError("table_code_twice")
        concepts[read.code] = read
    return Table(str(name), oid, version, MappingProxyType(concepts))


def _concept(given: object) -> Concept:
    if not isinstance(given, dict):
        raise TableError("table_malformed")
    code, label, closed = given.get("code"), given.get("label"), given.get("closed")
    if not isinstance(code, str) or not code or not isinstance(label, str) or not label:
        raise TableError("table_malformed")
    return Concept(code, label, closed if isinstance(closed, str) and closed else None)


def _of_fhir(document: dict[str, object]) -> Table:
    """ANS's own: the end of a code stands in its property ``dateFin``, the table's OID in its identifier."""
    listed = document.get("concept")
    concepts = [
        {"code": each.get("code"), "label": each.get("display"), "closed": _end_of(each)}
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    ]
    identifiers = document.get("identifier")
    values = (
        [each.get("value") for each in identifiers if isinstance(each, dict)] if isinstance(identifiers, list) else []
    )
    oid = next((str(value).removeprefix("urn:oid:") for value in values if value), None)
    name = str(document.get("id", ""))
    known = {each.replace("_", "-"): each for each in TABLES}
    return _table(known.get(name, name), oid, str(document.get("date", ""))[:10], concepts)


def _end_of(concept_: dict[str, object]) -> str | None:
    properties = concept_.get("property")
    for each in properties if isinstance(properties, list) else []:
        if isinstance(each, dict) and each.get("code") == "dateFin":
            return str(each.get("valueDateTime", ""))[:10] or None
    return None
