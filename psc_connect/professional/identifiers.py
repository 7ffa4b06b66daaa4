"""National identifiers of professionals.

Kinds and prefixes are those of the ANS table TRE_G08: ``8`` + RPPS, ``0`` + ADELI, ``3`` + FINESS/number and ``5`` +
SIRET/number for the staff of a structure. Also ``ANS`` + digits for test identities (EDIT) and a UUID (PSI).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

__all__ = ["IdentifierError", "Kind", "NationalIdentifier"]


class Kind(str, Enum):
    """The register of an identifier."""

    RPPS = "rpps"
    ADELI = "adeli"
    FINESS_STAFF = "finess_staff"
    SIRET_STAFF = "siret_staff"
    EDIT = "edit"
    PSI = "psi"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        """The name for people (``FINESS`` for a FINESS_STAFF), or "" if unknown."""
        return "" if self is Kind.UNKNOWN else self.value.removesuffix("_staff").upper()


class IdentifierError(ValueError):
    """The number is not valid for its kind. The message does not contain it.

    ``code`` is ``rpps_malformed``, ``rpps_key_wrong``, ``adeli_malformed``, ``staff_malformed``, ``edit_malformed`` or
    ``psi_malformed``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# [0-9], because \d also matches digits of other scripts.
_RPPS = re.compile(r"[0-9]{11}")
# The department (2A and 2B for Corsica) and seven digits.
_ADELI = re.compile(r"[0-9][0-9AB][0-9]{7}")
_FINESS_STAFF = re.compile(r"[0-9][0-9AB][0-9]{7}/[A-Za-z0-9]{1,40}")
_SIRET_STAFF = re.compile(r"[0-9]{14}/[A-Za-z0-9]{1,40}")
_EDIT = re.compile(r"ANS[0-9]{14}")
_PSI = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_CHARACTERS = 255
# Prefixes of the ANS table TRE_G08.
_PREFIXES = {Kind.RPPS: "8", Kind.ADELI: "0", Kind.FINESS_STAFF: "3", Kind.SIRET_STAFF: "5"}


@dataclass(frozen=True, slots=True, repr=False)
class NationalIdentifier:
    """An identifier: its register and its number in it, without prefix."""

    kind: Kind
    number: str

    @classmethod
    def rpps(cls, number: str) -> NationalIdentifier:
        """Make one from an RPPS number: 11 digits, the last one a Luhn check digit. Raises IdentifierError."""
        if not _RPPS.fullmatch(number):
            raise IdentifierError("rpps_malformed")
        if not luhn_holds(number):
            raise IdentifierError("rpps_key_wrong")
        return cls(Kind.RPPS, number)

    @classmethod
    def adeli(cls, number: str) -> NationalIdentifier:
        """Make one from an ADELI number of 9 characters. Raises IdentifierError."""
        return cls(Kind.ADELI, _checked(number, _ADELI, "adeli_malformed"))

    @classmethod
    def finess_staff(cls, number: str) -> NationalIdentifier:
        """Make one from ``FINESS/number``, for the staff of a structure. Raises IdentifierError."""
        return cls(Kind.FINESS_STAFF, _checked(number, _FINESS_STAFF, "staff_malformed"))

    @classmethod
    def siret_staff(cls, number: str) -> NationalIdentifier:
        """Make one from ``SIRET/number``, for the staff of a structure. Raises IdentifierError."""
        return cls(Kind.SIRET_STAFF, _checked(number, _SIRET_STAFF, "staff_malformed"))

    @classmethod
    def edit(cls, number: str) -> NationalIdentifier:
        """Make one from the number of an ANS test identity, ``ANS`` and 14 digits. Raises IdentifierError."""
        return cls(Kind.EDIT, _checked(number, _EDIT, "edit_malformed"))

    @classmethod
    def psi(cls, number: str) -> NationalIdentifier:
        """Make one from a PSI number, a UUID in upper or lower case. Raises IdentifierError."""
        return cls(Kind.PSI, _checked(number.lower(), _PSI, "psi_malformed"))

    @classmethod
    def read(cls, text: str, origin: str = "") -> NationalIdentifier:
        """Parse an identifier as sent by PSC. Never fails.

        ``origin`` is PSC's field (``RPPS``, ``EDIT``, ``PSI`` …). It decides if several kinds fit. If none fits, the
        kind is UNKNOWN and the number is the text: its printable characters, 255 at most.
        """
        for make, number in _candidates(text.strip(), register_of(origin)):
            try:
                return make(number)
            except IdentifierError:  # noqa: PERF203 - five forms at most
                continue
        printable = "".join(character for character in text.strip() if character.isprintable())
        return cls(Kind.UNKNOWN, printable[:MAX_CHARACTERS])

    @property
    def national(self) -> str:
        """The number with the prefix of its kind, as in PSC's ``SubjectNameID``."""
        return _PREFIXES.get(self.kind, "") + self.number

    def __bool__(self) -> bool:
        return bool(self.number)

    def __str__(self) -> str:
        """Kind and number, for pages. repr() has no number, because it may be logged."""
        return f"{self.kind} {self.number}".strip()

    def __repr__(self) -> str:
        return f"<NationalIdentifier: {self.kind.value}>"


def register_of(origin: str) -> str:
    """Return the register that an origin of ``otherIds`` names, in capitals, or "" if it is not ASCII.

    Some non-ASCII letters have ASCII capitals: they must not pass for a register.
    """
    return origin.strip().upper() if origin.isascii() else ""


def _checked(number: str, pattern: re.Pattern[str], code: str) -> str:
    if not pattern.fullmatch(number):
        raise IdentifierError(code)
    return number


def _candidates(text: str, origin: str) -> list[tuple[Callable[[str], NationalIdentifier], str]]:
    """Return the kinds to try, most likely first. A number without prefix is only tried if its origin allows it."""
    make = NationalIdentifier
    candidates: list[tuple[Callable[[str], NationalIdentifier], str]] = []
    if origin == "ADELI":
        candidates.append((make.adeli, text))
    prefixed = {"8": make.rpps, "0": make.adeli, "3": make.finess_staff, "5": make.siret_staff}
    if text[:1] in prefixed:
        candidates.append((prefixed[text[:1]], text[1:]))
    if origin in ("RPPS", ""):
        candidates.append((make.rpps, text))
    return [*candidates, (make.edit, text), (make.psi, text)]


def luhn_holds(digits: str) -> bool:
    """Return whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
