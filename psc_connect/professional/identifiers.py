"""National identifiers of people: strict where one is made, tolerant where one is read.

Kinds and prefixes: ANS's table TRE_G08. ``8`` + RPPS, ``0`` + ADELI, ``3`` + FINESS / number and ``5`` + SIRET / number
of a structure's staff; ``ANS`` + digits of the tests (EDIT); a UUID (PSI).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """What an identifier is of."""

    RPPS = "rpps"
    ADELI = "adeli"
    FINESS_STAFF = "finess_staff"
    SIRET_STAFF = "siret_staff"
    EDIT = "edit"
    PSI = "psi"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        """The name as people write it, or "": that of the structure's number for its staff."""
        return "" if self is Kind.UNKNOWN else self.value.removesuffix("_staff").upper()


class IdentifierError(ValueError):
    """This can be no identifier of its kind; ``code`` says why, and nothing of it is in any message.

    ``rpps_malformed``, ``rpps_key_wrong``, ``adeli_malformed``, ``staff_malformed``, ``edit_malformed``,
    ``psi_malformed``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# [0-9], not \d: that would take the digits of every script.
_RPPS = re.compile(r"[0-9]{11}")
# Two characters of the department (2A and 2B are Corsica's), seven digits.
_ADELI = re.compile(r"[0-9][0-9AB][0-9]{7}")
_FINESS_STAFF = re.compile(r"[0-9][0-9AB][0-9]{7}/[A-Za-z0-9]{1,40}")
_SIRET_STAFF = re.compile(r"[0-9]{14}/[A-Za-z0-9]{1,40}")
_EDIT = re.compile(r"ANS[0-9]{14}")
_PSI = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_CHARACTERS = 255
# As ANS's table TRE_G08 has them.
_DIGITS = {Kind.RPPS: "8", Kind.ADELI: "0", Kind.FINESS_STAFF: "3", Kind.SIRET_STAFF: "5"}


@dataclass(frozen=True, slots=True, repr=False)
class NationalIdentifier:
    """One identifier. Two are equal if they name the same person in the same register, however each was written."""

    kind: Kind
    number: str

    @classmethod
    def rpps(cls, number: str) -> NationalIdentifier:
        """Make one of an RPPS number of 11 digits, the last of them its Luhn key. Raises IdentifierError."""
        if not _RPPS.fullmatch(number):
            raise IdentifierError("rpps_malformed")
        if not luhn_holds(number):
            raise IdentifierError("rpps_key_wrong")
        return cls(Kind.RPPS, number)

    @classmethod
    def adeli(cls, number: str) -> NationalIdentifier:
        """Make one of an ADELI number of 9 characters. Raises IdentifierError."""
        return cls(Kind.ADELI, _checked(number, _ADELI, "adeli_malformed"))

    @classmethod
    def finess_staff(cls, number: str) -> NationalIdentifier:
        """Make one of ``FINESS/number``: somebody of a structure's staff. Raises IdentifierError."""
        return cls(Kind.FINESS_STAFF, _checked(number, _FINESS_STAFF, "staff_malformed"))

    @classmethod
    def siret_staff(cls, number: str) -> NationalIdentifier:
        """Make one of ``SIRET/number``: somebody of a structure's staff. Raises IdentifierError."""
        return cls(Kind.SIRET_STAFF, _checked(number, _SIRET_STAFF, "staff_malformed"))

    @classmethod
    def edit(cls, number: str) -> NationalIdentifier:
        """Make one of an identity of ANS's tests, ``ANS`` and 14 digits. Raises IdentifierError."""
        return cls(Kind.EDIT, _checked(number, _EDIT, "edit_malformed"))

    @classmethod
    def psi(cls, number: str) -> NationalIdentifier:
        """Make one of a PSI number, a UUID, in capitals or not. Raises IdentifierError."""
        return cls(Kind.PSI, _checked(number.lower(), _PSI, "psi_malformed"))

    @classmethod
    def read(cls, text: str, origin: str = "") -> NationalIdentifier:
        """Return what a text is, or an unknown one, whose number is the text: its printable characters, 255 at most.

        Never fails. ``origin`` is what the userinfo says of it (``RPPS``, ``EDIT``, ``PSI`` …): it decides where the
        form does not.
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
        """The form in which the national register gives it: with the digit of its kind before it."""
        return _DIGITS.get(self.kind, "") + self.number

    def __bool__(self) -> bool:
        return bool(self.number)

    def __str__(self) -> str:
        """Kind and number, for pages: repr(), which ends in logs, has no number."""
        return f"{self.kind} {self.number}".strip()

    def __repr__(self) -> str:
        return f"<NationalIdentifier: {self.kind.value}>"


def register_of(origin: str) -> str:
    """Return what register an origin of ``otherIds`` names, in capitals; "" for what is no name of one.

    In ASCII alone: other letters have these for capitals too.
    """
    return origin.strip().upper() if origin.isascii() else ""


def _checked(number: str, pattern: re.Pattern[str], code: str) -> str:
    if not pattern.fullmatch(number):
        raise IdentifierError(code)
    return number


def _candidates(text: str, origin: str) -> list[tuple[Callable[[str], NationalIdentifier], str]]:
    """What a text could be, the likeliest first: without the digit of its kind only where its origin allows it."""
    make = NationalIdentifier
    found: list[tuple[Callable[[str], NationalIdentifier], str]] = []
    if origin == "ADELI":
        found.append((make.adeli, text))
    prefixed = {"8": make.rpps, "0": make.adeli, "3": make.finess_staff, "5": make.siret_staff}
    if text[:1] in prefixed:
        found.append((prefixed[text[:1]], text[1:]))
    if origin in ("RPPS", ""):
        found.append((make.rpps, text))
    return [*found, (make.edit, text), (make.psi, text)]


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn key of those before it (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
