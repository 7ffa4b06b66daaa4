"""A condition on a professional: a subject, an operator and values, as a rule or a view of a site asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from psc_connect.professional import person
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import concept
from psc_connect.professional.person import Activity, Capacity, Practice, Professional

# Which tables have the codes of a subject; the other subjects are numbers and words.
CODED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "profession": person.PROFESSIONS,
        "category": person.CATEGORIES,
        "speciality": person.SKILLS,
        "mode": person.MODES,
        "sector": person.SECTORS,
        "role": person.ROLES,
    }
)
OPERATORS: Final = ("in", "not_in", "starts_with")
_STAFF = (Kind.FINESS_STAFF, Kind.SIRET_STAFF)


@dataclass(frozen=True, slots=True)
class Situation:
    """Who it is, in what capacity, and at what level (``acr``) they proved it."""

    professional: Professional
    capacity: Capacity | None = None
    acr: str = ""

    @property
    def practice(self) -> Practice:
        return self.capacity.practice if self.capacity else Practice()

    @property
    def activity(self) -> Activity:
        return (self.capacity.activity if self.capacity else None) or Activity()


def _structures(situation: Situation) -> Iterable[str]:
    """Every number by which a structure is known: FINESS of the site and of its legal entity, SIRET, SIREN, own."""
    activity, professional = situation.activity, situation.professional
    yield from (activity.finess, activity.finess_legal_entity, activity.structure_id, activity.former_structure_id)
    yield from (activity.siret, activity.siren or normalised(activity.siret)[:9])
    if situation.capacity is None:
        yield professional.organization_id
        yield from (each.number.partition("/")[0] for each in professional.national_identifiers if each.kind in _STAFF)


def _sectors(situation: Situation) -> Iterable[str]:
    yield situation.activity.sector.code if situation.capacity else situation.professional.sector.code


SUBJECTS: Final[Mapping[str, Callable[[Situation], Iterable[str]]]] = MappingProxyType(
    {
        "profession": lambda situation: [situation.practice.profession.code],
        "category": lambda situation: [situation.practice.category.code],
        "speciality": lambda situation: [situation.practice.skill.code],
        "mode": lambda situation: [situation.activity.mode.code],
        "sector": _sectors,
        "structure": _structures,
        "department": lambda situation: [situation.activity.department],
        "role": lambda situation: [situation.activity.role.code],
        "identifier_kind": lambda situation: [each.kind.value for each in situation.professional.national_identifiers],
        "acr": lambda situation: [situation.acr],
        "means": lambda situation: [situation.professional.means],
    }
)


class ConditionError(ValueError):
    """This is no condition; ``code`` says why.

    ``condition_malformed``, ``condition_subject_unknown``, ``condition_operator_unknown``,
    ``condition_values_missing``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
            raise ConditionError("condition_subject_unknown")
        if operator not in OPERATORS:
            raise ConditionError("condition_operator_unknown")
        if not isinstance(values, (list, tuple)) or not all(isinstance(each, str) for each in values):
            raise ConditionError("condition_malformed")
        kept = tuple(dict.fromkeys(value for each in values if (value := normalised(each))))
        if not kept:
            raise ConditionError("condition_values_missing")
        return cls(subject, operator, kept)

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "operator": self.operator, "values": list(self.values)}

    def holds(self, situation: Situation) -> bool:
        """Whether it is so. What was not sent is in no list, and so ``not_in`` every one."""
        found = {value for each in SUBJECTS[self.subject](situation) if (value := normalised(each))}
        if self.operator == "starts_with":
            return any(value.startswith(self.values) for value in found)
        return found.isdisjoint(self.values) == (self.operator == "not_in")

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        """The values that no table has, where the subject has tables: they may be newer than the tables here."""
        tables = CODED.get(self.subject)
        if tables is None or self.operator == "starts_with":
            return ()
        return tuple(value for value in self.values if concept(value, *tables) is None)


def normalised(value: str) -> str:
    """A code or a number as it is compared: a SIRET or a FINESS is often written with spaces."""
    return "".join(value.split())
