"""A code of ANS's tables, as it came, with its label on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from psc_connect.professional.nomenclatures import Concept, concept, tables_of

# Longer than any code with its OID.
MAX_CACHED = 64


@dataclass(frozen=True, slots=True)
class Code:
    """``code`` as sent, and the OID that came with it (``10^1.2.250…``), or ""; false where nothing was sent.

    An unknown code is kept and has no label; a closed one keeps its label and is told as such.
    """

    code: str = ""
    system: str = ""
    tables: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str, *tables: str) -> Code:
        """Return the code that a text holds, ``10`` or ``10^OID``. Never fails."""
        return _read(text, tables) if len(text) <= MAX_CACHED else _made(text, tables)

    @property
    def concept(self) -> Concept | None:
        return concept(self.code, *self.tables) if self.code else None

    @property
    def label(self) -> str:
        """The French label of the table, or "" where no table has the code."""
        found = self.concept
        return found.label if found else ""

    @property
    def is_closed(self) -> bool:
        found = self.concept
        return found is not None and found.is_closed

    @property
    def sent(self) -> str:
        """The code as the userinfo has it, with its OID if it came with one."""
        return f"{self.code}^{self.system}" if self.system else self.code

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        return self.label or self.code


def _made(text: str, tables: tuple[str, ...]) -> Code:
    code, _sign, system = text.partition("^")
    return Code(code, system, tables) if code or system else Code()


# Everybody's codes are the same few hundred.
_read = lru_cache(maxsize=1024)(_made)


def label(code: Code | str, kind: str = "") -> str:
    """Return the French label of a code, or the code itself where no table has it.

    ``kind`` is a subject (``profession``) or a table by ANS's name; a ``Code`` needs none. Raises UnknownTableError, a
    KeyError, for another.
    """
    given = code if isinstance(code, Code) else Code.read(code)
    return str(replace(given, tables=tables_of(kind)) if kind else given)
