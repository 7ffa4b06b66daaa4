"""Counting of reads of the code tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psc_connect.professional import nomenclatures


@contextmanager
def counting_table_reads() -> Iterator[list[None]]:
    """Collect one entry per read of a table: each read first asks for the replacement folder."""
    reads: list[None] = []
    before = nomenclatures.replacement_folder

    def count() -> None:
        reads.append(None)

    nomenclatures.replacement_folder = count
    try:
        yield reads
    finally:
        nomenclatures.replacement_folder = before
