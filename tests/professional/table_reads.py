"""The code tables, watched: who looks into one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psc_connect.professional import nomenclatures


@contextmanager
def counting_table_reads() -> Iterator[list[None]]:
    """One entry for each look into a table: each asks first whether another file takes its place."""
    seen: list[None] = []
    before = nomenclatures.replacement_folder

    def count() -> None:
        seen.append(None)

    nomenclatures.replacement_folder = count
    try:
        yield seen
    finally:
        nomenclatures.replacement_folder = before
