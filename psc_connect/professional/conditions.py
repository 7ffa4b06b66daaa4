"""A condition on a professional: a subject, an operator and values, as a rule or a view of a site asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import concept, tables_of
from psc_connect.professional.professional import Activity, ActivityChoice, Practice, Professional

# By what name the tables know the codes of a subject; the other subjects are numbers and words.
CODED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "profession": "profession",
        "category": "category",
        # Any skill, a speciality or not.
        "speciality": "skill",
        "mode": "mode",
        "sector": "sector",
        "role": "role",
    }
)
OPERATORS: Final = ("in", "not_in", "starts_with")
# Of one condition; a rule on more is a list that stands somewhere else.
MAX_VALUES: Final = 500
_CODE = re.compile(r"[0-9A-Za-z._-]{1,32}")
# Numbers of structures, departments, levels (a URN at the longest), means.
_WORD = re.compile(r"[!-~]{1,255}")
# How the values of a subject without tables are written: a FINESS, SIREN, SIRET or technical identifier; a department.
SHAPES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "structure": re.compile(r"[0-9][0-9AB][0-9]{7}|[0-9]{14}|[RFC][0-9A-Z]+"),
        "department": re.compile(r"0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-8]|98[0-9]"),
        "means": re.compile("CARD|MOBILE"),
    }
)
# What registers write in capitals.
_IN_CAPITALS = ("structure", "department")


@dataclass(frozen=True, slots=True)
class Situation:
    """Who it is, in what capacity, and at what level (``acr``) they proved it."""

    professional: Professional
    activity_choice: ActivityChoice | None = None
    acr: str = ""
    _values: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def values_of(self, subject: str) -> frozenset[str]:
        """Return what there is of a subject, as it is compared: found once, however many rules ask for it."""
        values = self._values.get(subject)
        if values is None:
            found = (_compared(subject, each) for each in SUBJECTS[subject](self))
            values = self._values[subject] = frozenset(each for each in found if each)
        return values

    @property
    def practice(self) -> Practice:
        return self.activity_choice.practice if self.activity_choice else Practice()

    @property
    def activity(self) -> Activity:
        return (self.activity_choice.activity if self.activity_choice else None) or self.professional.employment


def siren_of(activity: Activity) -> str:
    """Return the number of the company: that which was sent, or the beginning of that of its establishment."""
    return normalised(activity.siren or activity.siret)[:9]


def _structures(situation: Situation) -> Iterable[str]:
    """Every number by which a structure is known: FINESS of the site and of its legal entity, SIRET, SIREN, own."""
    activity = situation.activity
    yield from (activity.finess, activity.finess_legal_entity, activity.structure_id, activity.former_structure_id)
    yield from (activity.siret, siren_of(activity))


SUBJECTS: Final[Mapping[str, Callable[[Situation], Iterable[str]]]] = MappingProxyType(
    {
        "profession": lambda situation: [situation.practice.profession.code],
        "category": lambda situation: [situation.practice.category.code],
        "speciality": lambda situation: [situation.practice.skill.code],
        "mode": lambda situation: [situation.activity.mode.code],
        "sector": lambda situation: [situation.activity.sector.code],
        "structure": _structures,
        "department": lambda situation: [situation.activity.department],
        "role": lambda situation: [situation.activity.role.code],
        "identifier_kind": lambda situation: [each.kind.value for each in situation.professional.vouched_identifiers],
        "acr": lambda situation: [situation.acr],
        "means": lambda situation: [situation.professional.means],
    }
)


class ConditionError(ValueError):
    """This is no condition; ``code`` says why.

    ``condition_malformed``, ``condition_subject_unknown``, ``condition_operator_unknown``,
    ``condition_values_missing``, ``condition_values_too_many``, ``condition_value_malformed``. ``member`` is where.
    ``hint`` is for a developer who wrote it.
    """

    def __init__(self, code: str, member: str = "", hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code, self.member = code, member


@dataclass(frozen=True, slots=True)
class Condition:
    """``subject`` of ``SUBJECTS``, ``operator`` of ``OPERATORS``, values in the form of ``normalised``."""

    subject: str
    operator: str
    values: tuple[str, ...]

    @classmethod
    def read(cls, given: Any) -> Condition:
        """Make one of ``{"subject": …, "operator": …, "values": […]}``. Raises ConditionError."""
        if not isinstance(given, dict) or set(given) != {"subject", "operator", "values"}:
            raise ConditionError("condition_malformed")
        return cls.of(given["subject"], given["operator"], given["values"])

    @classmethod
    def of(cls, subject: Any, operator: Any, values: Any) -> Condition:
        """Raises ConditionError."""
        if not isinstance(subject, str) or subject not in SUBJECTS:
            raise ConditionError("condition_subject_unknown", "subject")
        if operator not in OPERATORS:
            raise ConditionError("condition_operator_unknown", "operator")
        if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) for each in values):
            raise ConditionError("condition_malformed", "values")
        return _condition(subject, operator, tuple(values))

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "operator": self.operator, "values": list(self.values)}

    def holds(self, situation: Situation) -> bool:
        """Whether it is so. What was not sent is in no list, and so ``not_in`` every one."""
        found = situation.values_of(self.subject)
        if self.operator == "starts_with":
            return any(value.startswith(self.values) for value in found)
        return found.isdisjoint(self.values) == (self.operator == "not_in")

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        """The values that no table has, where the subject has tables: they may be newer than the tables here."""
        tables = tables_with(self.subject)
        if not tables or self.operator == "starts_with":
            return ()
        return tuple(value for value in self.values if concept(value, *tables) is None)

    @property
    def odd_values(self) -> tuple[str, ...]:
        """The values that no structure, department or means has: mistyped, or two that were taken for one."""
        shape = SHAPES.get(self.subject)
        if shape is None or self.operator == "starts_with":
            return ()
        return tuple(value for value in self.values if shape.fullmatch(value) is None)


# The rules of a site are the same at each login: each is checked once.
@lru_cache(maxsize=1024)
def _condition(subject: str, operator: str, values: tuple[str, ...]) -> Condition:
    kept = tuple(dict.fromkeys(value for each in values if (value := _compared(subject, each))))
    if not kept:
        raise ConditionError("condition_values_missing", "values")
    if len(kept) > MAX_VALUES:
        raise ConditionError("condition_values_too_many", "values")
    for number, value in enumerate(kept):
        if not _is_possible(subject, operator, value):
            raise ConditionError("condition_value_malformed", f"values[{number}]")
    return Condition(subject, operator, kept)


def _compared(subject: str, value: str) -> str:
    return normalised(value).upper() if subject in _IN_CAPITALS else normalised(value)


def _is_possible(subject: str, operator: str, value: str) -> bool:
    """Whether the value can be one of the subject at all; a code need not be in any table."""
    if subject in CODED:
        return _CODE.fullmatch(value) is not None
    if subject == "identifier_kind" and operator != "starts_with":
        return value in {each.value for each in Kind}
    return _WORD.fullmatch(value) is not None


def tables_with(subject: str) -> tuple[str, ...]:
    """Return the tables that have the values of a subject; none of one whose values are numbers or words."""
    return tables_of(CODED[subject]) if subject in CODED else ()


def normalised(value: str) -> str:
    """A code or a number as it is compared: a SIRET or a FINESS is often written with spaces."""
    return "".join(value.split())
