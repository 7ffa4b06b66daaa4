"""ANS's code tables (nomenclatures des objets de santé) as data, and the labels of their codes.

A table is read when a label of it is first asked for. A site can put a newer one beside the shipped one: see
``replacement_folder``. Where the data come from: README.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

from psc_connect.professional.nomenclatures.parsing import PROBLEMS, Concept, Table, TableError, parse_table
from psc_connect.professional.nomenclatures.tables import SUBJECTS, TABLES, UnknownTableError, tables_of

__all__ = [
    "PROBLEMS",
    "SUBJECTS",
    "TABLES",
    "Concept",
    "Table",
    "TableError",
    "UnknownTableError",
    "choices",
    "concept",
    "folded",
    "parse_table",
    "read_replacement",
    "search",
    "shipped",
    "table",
    "tables_of",
]


def no_folder() -> Path | None:
    return None


# Whoever runs the package sets it: the folder in which a file ``<name>.json`` takes the place of the shipped table.
replacement_folder: Callable[[], Path | None] = no_folder


def table(name: str) -> Table:
    """Return a table of ``TABLES``. Raises UnknownTableError for another name.

    A replacement that cannot be used is as if it were not there: no page fails on it.
    """
    if name not in TABLES:
        raise UnknownTableError(name)
    folder = replacement_folder()
    try:
        return (read_replacement(name, folder) if folder else None) or shipped(name)
    except TableError:
        return shipped(name)


def read_replacement(name: str, folder: Path) -> Table | None:
    """Return what stands in a folder in the place of a shipped table, or None. Raises TableError.

    A file is read again once it has changed, in every process.
    """
    path = folder / f"{name}.json"
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    # ValueError: a path that no file can have.
    except (OSError, ValueError):
        raise TableError("table_unreadable") from None
    read = _replaced(path, name, (found.st_mtime_ns, found.st_ctime_ns, found.st_ino))
    if isinstance(read, str):
        raise TableError(read)
    return read


@lru_cache(maxsize=len(TABLES))
def shipped(name: str) -> Table:
    """Return a table of ``TABLES`` as this package has it, whatever stands in its place."""
    return parse_table((resources.files(__name__) / f"{name}.json").read_text("utf-8"))


@lru_cache(maxsize=len(TABLES))
def _replaced(path: Path, name: str, _stamp: tuple[int, ...]) -> Table | str:
    """The table, or the code of what is wrong with it: a broken file is not read again with each label."""
    try:
        read = parse_table(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return "table_unreadable"
    except TableError as exc:
        return exc.code
    return replace(read, replaced=True) if read.name == name else "table_misnamed"


def concept(code: str, *names: str) -> Concept | None:
    """Return what the first of the tables that has the code says of it, or None."""
    return next((found for name in names if (found := table(name).concepts.get(code))), None)


def choices(kind: str) -> tuple[Concept, ...]:
    """Return the codes of a subject, or of a table, each once, those in force first.

    Raises UnknownTableError for another kind.
    """
    found: dict[str, Concept] = {}
    for name in tables_of(kind):
        for code, each in table(name).concepts.items():
            found.setdefault(code, each)
    return tuple(sorted(found.values(), key=lambda each: each.is_closed))


def search(text: str, kind: str) -> tuple[Concept, ...]:
    """Return the codes of ``choices`` whose code or label has every word of a text; the very code comes first.

    Neither case nor accents count. Raises UnknownTableError for another kind.
    """
    words = re.findall(r"\w+", folded(text))
    found = [each for each in choices(kind) if all(word in folded(f"{each.code} {each.label}") for word in words)]
    return tuple(sorted(found, key=lambda each: folded(each.code) != folded(text).strip()))


def folded(text: str) -> str:
    """The letters alone: ``É`` is ``e``, ``œ`` is ``oe``."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    return "".join(character for character in apart if not unicodedata.combining(character))
