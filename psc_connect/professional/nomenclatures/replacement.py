"""Replacement of a shipped code table by a newer one: the changes, and writing the file."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from psc_connect.professional.nomenclatures.parsing import Concept, Table


@dataclass(frozen=True, slots=True)
class TableChanges:
    """The differences between two versions of a table, in the order of the tables."""

    old: Table
    new: Table

    @property
    def added(self) -> tuple[Concept, ...]:
        return tuple(concept for code, concept in self.new.concepts.items() if code not in self.old.concepts)

    @property
    def removed(self) -> tuple[Concept, ...]:
        return tuple(concept for code, concept in self.old.concepts.items() if code not in self.new.concepts)

    @property
    def renamed(self) -> tuple[tuple[Concept, Concept], ...]:
        return tuple((old, new) for old, new in self._both() if old.label != new.label)

    @property
    def closed(self) -> tuple[Concept, ...]:
        """Codes whose end is new or changed."""
        return tuple(new for old, new in self._both() if new.closed and old.closed != new.closed)

    @property
    def reopened(self) -> tuple[Concept, ...]:
        return tuple(new for old, new in self._both() if old.closed and not new.closed)

    @property
    def is_older(self) -> bool:
        return self.new.version < self.old.version

    def __bool__(self) -> bool:
        return replace(self.old, replaced=self.new.replaced) != self.new

    def _both(self) -> list[tuple[Concept, Concept]]:
        return [
            (concept, self.new.concepts[code])
            for code, concept in self.old.concepts.items()
            if code in self.new.concepts
        ]


def write_replacement(table: Table, folder: Path) -> Path:
    """Write a table in the shipped format, atomically, and return its path. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table.name}.json"
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{table.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(table_as_json(table), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        # The site may run as another user than the command; the data are public.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def table_as_json(table: Table) -> dict[str, Any]:
    """Return the table in the shipped format."""
    return {
        "code_system": table.name,
        "oid": table.oid,
        "version": table.version,
        "concepts": [asdict(concept) for concept in table.concepts.values()],
    }
