"""Conditions on a professional, for access rules and views: a subject, an operator and values."""

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

__all__ = ["ConditionError"]

# Subject → name of its tables. The values of other subjects are not codes.
CODED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "profession": "profession",
        "category": "category",
        # The condition covers all skills, not only specialities.
        "speciality": "skill",
        "mode": "mode",
        "sector": "sector",
        "role": "role",
    }
)
OPERATORS: Final = ("in", "not_in", "starts_with")
# Per condition. A longer list should be kept elsewhere.
MAX_VALUES: Final = 500
_CODE = re.compile(r"[0-9A-Za-z._-]{1,32}")
# Structure numbers, departments, ACR values (a URN is the longest), means of authentication.
_WORD = re.compile(r"[!-~]{1,255}")
# Format of the values of subjects without tables. A structure is a FINESS, SIREN, SIRET or technical identifier.
SHAPES: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "structure": re.compile(r"[0-9][0-9AB][0-9]{7}|[0-9]{14}|[RFC][0-9A-Z]+"),
        "department": re.compile(r"0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-8]|98[0-9]"),
        "means": re.compile("CARD|MOBILE"),
    }
)
# Subjects whose values registers write in capitals.
_IN_CAPITALS = ("structure", "department")


@dataclass(frozen=True, slots=True)
class Situation:
    """A professional, the activity they chose, and the level of their authentication (``acr``)."""

    professional: Professional
    activity_choice: ActivityChoice | None = None
    acr: str = ""
    _values: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def values_of(self, subject: str) -> frozenset[str]:
        """Return the values of a subject, normalised. Cached, because many rules use the same subject."""
        values = self._values.get(subject)
        if values is None:
            normalised_values = (_normalised_for(subject, value) for value in SUBJECTS[subject](self))
            values = self._values[subject] = frozenset(filter(None, normalised_values))
        return values

    @property
    def practice(self) -> Practice:
        return self.activity_choice.practice if self.activity_choice else Practice()

    @property
    def activity(self) -> Activity:
        return (self.activity_choice.activity if self.activity_choice else None) or self.professional.employment


def siren_of(activity: Activity) -> str:
    """Return the SIREN: the one sent, or the first 9 digits of the SIRET."""
    return normalised(activity.siren or activity.siret)[:9]


def _structures(situation: Situation) -> Iterable[str]:
    """Yield every number of a structure: FINESS of site and legal entity, technical identifiers, SIRET, SIREN."""
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
        "identifier_kind": lambda situation: [
            identifier.kind.value for identifier in situation.professional.vouched_identifiers
        ],
        "acr": lambda situation: [situation.acr],
        "means": lambda situation: [situation.professional.means],
    }
)


class ConditionError(ValueError):
    """A condition is not valid.

    ``code`` is ``condition_malformed``, ``condition_subject_unknown``, ``condition_operator_unknown``,
    ``condition_values_missing``, ``condition_values_too_many`` or ``condition_value_malformed``. ``member`` is the
    place: ``subject``, ``operator``, ``values`` or ``values[0]``. ``hint`` is for the developer of the condition.
    """

    def __init__(self, code: str, member: str = "", hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code, self.member = code, member


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: a ``subject`` of ``SUBJECTS``, an ``operator`` of ``OPERATORS``, and normalised values."""

    subject: str
    operator: str
    values: tuple[str, ...]

    @classmethod
    def read(cls, data: Any) -> Condition:
        """Parse ``{"subject": …, "operator": …, "values": […]}``. Raises ConditionError."""
        if not isinstance(data, dict) or set(data) != {"subject", "operator", "values"}:
            raise ConditionError("condition_malformed")
        return cls.of(data["subject"], data["operator"], data["values"])

    @classmethod
    def of(cls, subject: Any, operator: Any, values: Any) -> Condition:
        """Make a condition from its parts. Raises ConditionError."""
        if not isinstance(subject, str) or subject not in SUBJECTS:
            raise ConditionError("condition_subject_unknown", "subject")
        if operator not in OPERATORS:
            raise ConditionError("condition_operator_unknown", "operator")
        if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
            raise ConditionError("condition_malformed", "values")
        return _condition(subject, operator, tuple(values))

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "operator": self.operator, "values": list(self.values)}

    def holds(self, situation: Situation) -> bool:
        """Return whether the situation meets the condition. ``not_in`` also holds if no value was sent."""
        actual = situation.values_of(self.subject)
        if self.operator == "starts_with":
            return any(value.startswith(self.values) for value in actual)
        return actual.isdisjoint(self.values) == (self.operator == "not_in")

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        """The values that are in none of the subject's tables. They may be newer than the tables."""
        tables = tables_with(self.subject)
        if not tables or self.operator == "starts_with":
            return ()
        return tuple(value for value in self.values if concept(value, *tables) is None)

    @property
    def odd_values(self) -> tuple[str, ...]:
        """The values that do not have the format of the subject: probably mistyped, or two values in one."""
        shape = SHAPES.get(self.subject)
        if shape is None or self.operator == "starts_with":
            return ()
        return tuple(value for value in self.values if shape.fullmatch(value) is None)


# A site's rules are the same at each login, so each is validated once.
@lru_cache(maxsize=1024)
def _condition(subject: str, operator: str, values: tuple[str, ...]) -> Condition:
    normalised_values = (_normalised_for(subject, value) for value in values)
    unique = tuple(dict.fromkeys(filter(None, normalised_values)))
    if not unique:
        raise ConditionError("condition_values_missing", "values")
    if len(unique) > MAX_VALUES:
        raise ConditionError("condition_values_too_many", "values")
    for number, value in enumerate(unique):
        if not _is_possible(subject, operator, value):
            raise ConditionError("condition_value_malformed", f"values[{number}]")
    return Condition(subject, operator, unique)


def _normalised_for(subject: str, value: str) -> str:
    return normalised(value).upper() if subject in _IN_CAPITALS else normalised(value)


def _is_possible(subject: str, operator: str, value: str) -> bool:
    """Return whether the subject can have this value. A code need not be in a table."""
    if subject in CODED:
        return _CODE.fullmatch(value) is not None
    if subject == "identifier_kind" and operator != "starts_with":
        return value in {kind.value for kind in Kind}
    return _WORD.fullmatch(value) is not None


def tables_with(subject: str) -> tuple[str, ...]:
    """Return the tables of a subject, none if its values are not codes."""
    return tables_of(CODED[subject]) if subject in CODED else ()


def normalised(value: str) -> str:
    """Return `value` without spaces: SIRET and FINESS are often written with them."""
    return "".join(value.split())
