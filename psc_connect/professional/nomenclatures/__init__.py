"""The code tables of ANS (nomenclatures des objets de santé): shipped as data, with lookup and search.

A table is loaded when it is first used. A site can replace a table with a newer one (``replacement_folder``). To ship
another table, see README.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

from psc_connect.professional.nomenclatures.parsing import PROBLEMS as PROBLEMS
from psc_connect.professional.nomenclatures.parsing import Concept
from psc_connect.professional.nomenclatures.parsing import Table as Table
from psc_connect.professional.nomenclatures.parsing import TableError as TableError
from psc_connect.professional.nomenclatures.parsing import parse_table as parse_table
from psc_connect.professional.nomenclatures.tables import SUBJECTS as SUBJECTS
from psc_connect.professional.nomenclatures.tables import TABLES as TABLES
from psc_connect.professional.nomenclatures.tables import UnknownTableError
from psc_connect.professional.nomenclatures.tables import tables_of as tables_of

# The public ones (docs/api.md). The package also imports those with "as" from here.
__all__ = ["Concept", "UnknownTableError", "choices", "search"]


def no_folder() -> Path | None:
    return None


# Set by the app configuration: returns the folder where a file ``<name>.json`` replaces the shipped table, or None.
replacement_folder: Callable[[], Path | None] = no_folder


def table(name: str) -> Table:
    """Return a table of ``TABLES``. Raises UnknownTableError for another name.

    An unusable replacement is ignored, so that no page fails; a system check reports it.
    """
    if name not in TABLES:
        raise UnknownTableError(name)
    folder = replacement_folder()
    try:
        return (read_replacement(name, folder) if folder else None) or shipped(name)
    except TableError:
        return shipped(name)


def read_replacement(name: str, folder: Path) -> Table | None:
    """Return the replacement of a shipped table in ``folder``, or None. Raises TableError.

    Each process loads the file again when it has changed.
    """
    if name not in TABLES:
        raise TableError("table_unknown")
    path = folder / f"{name}.json"
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    # ValueError: the path contains a NUL.
    except (OSError, ValueError):
        raise TableError("table_unreadable") from None
    loaded = _load_replacement(path, name, (status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
    if isinstance(loaded, str):
        raise TableError(loaded)
    return loaded


@lru_cache(maxsize=len(TABLES))
def shipped(name: str) -> Table:
    """Return the shipped table, ignoring a replacement."""
    return parse_table((resources.files(__name__) / f"{name}.json").read_text("utf-8"))


@lru_cache(maxsize=len(TABLES))
def _load_replacement(path: Path, name: str, _stamp: tuple[int, ...]) -> Table | str:
    """Return the table, or an error code. Errors are returned so that they are cached too."""
    try:
        parsed = parse_table(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return "table_unreadable"
    except TableError as exc:
        return exc.code
    return replace(parsed, replaced=True) if parsed.name == name else "table_misnamed"


def concept(code: str, *names: str) -> Concept | None:
    """Return the entry of the first table that has the code, or None."""
    return next((entry for name in names if (entry := table(name).concepts.get(code))), None)


def choices(kind: str) -> tuple[Concept, ...]:
    """Return the codes of a subject or a table, without duplicates, closed ones last.

    Raises UnknownTableError for another kind.
    """
    entries: dict[str, Concept] = {}
    for name in tables_of(kind):
        for code, entry in table(name).concepts.items():
            entries.setdefault(code, entry)
    return tuple(sorted(entries.values(), key=lambda entry: entry.is_closed))


def search(text: str, kind: str) -> tuple[Concept, ...]:
    """Return the codes whose code or label contains every word of ``text``; an exact code comes first.

    Case and accents are ignored. Raises UnknownTableError for another kind.
    """
    words = re.findall(r"\w+", folded(text))
    matches = [entry for entry in choices(kind) if all(word in folded(f"{entry.code} {entry.label}") for word in words)]
    return tuple(sorted(matches, key=lambda entry: folded(entry.code) != folded(text).strip()))


def folded(text: str) -> str:
    """Return ``text`` without case and accents: ``É`` becomes ``e``, ``œ`` becomes ``oe``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
