"""The tables of docs/api.md and of the pages that it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")


def names_in(cell: str) -> list[str]:
    """Return the names in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def tables(page: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each table of a page: the heading of its first column, and the cells of its rows."""
    for table in re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE):
        heading, _line, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
        yield heading[0], rows


def rows_of(heading: str, page: str = API) -> list[list[str]]:
    """Return the rows of all tables whose first column has this heading."""
    rows = [row for first, table in tables(page) if first == heading for row in table]
    assert rows, heading
    return rows


def names_by_row(heading: str, page: str = API) -> dict[str, set[str]]:
    """Return the first name of each row, with the names in its second cell."""
    return {names_in(row[0])[0]: set(names_in(row[1])) for row in rows_of(heading, page)}
