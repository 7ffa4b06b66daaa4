"""Codes of the ANS tables, with their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from psc_connect.professional.nomenclatures import Concept, concept, tables_of

__all__ = ["Code", "label"]

# Characters; longer than any code with its OID.
MAX_CACHED = 64


@dataclass(frozen=True, slots=True)
class Code:
    """A code as sent by PSC; false if none was sent.

    ``system`` is the OID sent with it (``10^1.2.250…``), or "". ``tables`` are the tables that may have the code. An
    unknown code has no label; a closed one still has its label.
    """

    code: str = ""
    system: str = ""
    tables: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, *tables: str) -> Code:
        """Parse ``10`` or ``10^OID``. Never fails."""
        return _parse_cached(text, tables) if len(text) <= MAX_CACHED else _parse(text, tables)

    @property
    def concept(self) -> Concept | None:
        """The entry of the first table that has the code, or None."""
        return concept(self.code, *self.tables) if self.code else None

    @property
    def label(self) -> str:
        """The French label, or "" if no table has the code."""
        concept = self.concept
        return concept.label if concept else ""

    @property
    def is_closed(self) -> bool:
        concept = self.concept
        return concept is not None and concept.is_closed

    @property
    def sent(self) -> str:
        """The code as sent, with its OID if there was one."""
        return f"{self.code}^{self.system}" if self.system else self.code

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        return self.label or self.code


def _parse(text: str, tables: tuple[str, ...]) -> Code:
    code, _sign, system = text.partition("^")
    return Code(code, system, tables) if code or system else Code()


# All professionals share a few hundred codes.
_parse_cached = lru_cache(maxsize=1024)(_parse)


def label(code: Code | str, kind: str = "") -> str:
    """Return the French label of a code, or the code itself if no table has it.

    ``kind`` is a subject (``profession``) or the ANS name of a table; a ``Code`` needs none. Raises UnknownTableError,
    a KeyError, for another ``kind``.
    """
    parsed = code if isinstance(code, Code) else Code.read(code)
    return str(replace(parsed, tables=tables_of(kind)) if kind else parsed)
