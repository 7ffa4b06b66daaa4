"""A code of ANS's tables, as it came, with its label on demand."""

from __future__ import annotations

from dataclasses import dataclass

from psc_connect.professional.nomenclatures import Concept, concept


@dataclass(frozen=True, slots=True)
class Code:
    """``code`` as sent, and the OID that came with it (``10^1.2.250…``), or ""; false where nothing was sent.

    An unknown code is kept and has no label; a closed one is told as such.
    """

    code: str = ""
    system: str = ""
    tables: tuple[str, ...] = ()

    @property
    def concept(self) -> Concept | None:
        return concept(self.code, *self.tables) if self.code else None

    @property
    def label(self) -> str:
        """The French label of the table, or "" where no table has the code."""
        return self.concept.label if self.concept else ""

    @property
    def is_closed(self) -> bool:
        return bool(self.concept and self.concept.closed)

    @property
    def sent(self) -> str:
        """The very text of the userinfo."""
        return f"{self.code}^{self.system}" if self.system else self.code

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        return self.label or self.code


def code_of(text: str, tables: tuple[str, ...] = ()) -> Code:
    """Return the code of ``code^OID``, or of a code alone, with the tables in which its label stands."""
    code, _sign, system = text.partition("^")
    return Code(code, system, tables) if code or system else Code()
