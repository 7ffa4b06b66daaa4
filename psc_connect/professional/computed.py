"""Computed values of a professional: texts under stable names such as ``rpps`` or ``profession.label``.

A site's mapping can use them like claims. They describe one activity choice: a practice and one of its activities.
To add one, add a line to ``COMPUTED``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from psc_connect.professional.conditions import Situation, normalised, siren_of
from psc_connect.professional.professional import ActivityChoice, Professional


@dataclass(frozen=True, slots=True)
class Computed:
    """One computed value: a function that returns it, "" if nothing was sent, and an example."""

    read: Callable[[Situation], str]
    example: str


def _sent(path: str, example: str) -> Computed:
    """Return a value that is an attribute of the situation, such as ``activity.place``."""
    return Computed(attrgetter(path), example)


def _coded(name: str, path: str, *, code: str, label: str) -> dict[str, Computed]:
    """Return the two values of a code: ``.code`` and ``.label``. Only the label needs its table."""
    return {f"{name}.code": _sent(f"{path}.code", code), f"{name}.label": _sent(f"{path}.label", label)}


def _main_kind(situation: Situation) -> str:
    identifier = situation.professional.national_identifier
    return identifier.kind.value if identifier else ""


def _street(situation: Situation) -> str:
    activity = situation.activity
    parts = (activity.street_number, activity.street_number_suffix, activity.street_kind, activity.street_name)
    return " ".join(filter(None, parts))


_SKILL: Final = "Qualifié en Médecine générale (SM)"
# In the order in which the mapping page lists them.
COMPUTED: Final[Mapping[str, Computed]] = MappingProxyType(
    {
        "rpps": _sent("professional.rpps", "99700000013"),
        "national_identifier.kind": Computed(_main_kind, "rpps"),
        "national_identifier.number": _sent("professional.national_identifier.number", "99700000013"),
        **_coded("profession", "practice.profession", code="10", label="Médecin"),
        **_coded("category", "practice.category", code="C", label="Civil"),
        **_coded("speciality", "practice.speciality", code="SM26", label=_SKILL),
        **_coded("skill", "practice.skill", code="SM26", label=_SKILL),
        **_coded("title", "practice.title", code="DR", label="Docteur"),
        "practice.given_name": _sent("practice.given_name", "CAMILLE"),
        "practice.family_name": _sent("practice.family_name", "DURAND"),
        **_coded("civility", "professional.civility", code="MME", label="Madame"),
        "structure.name": _sent("activity.structure_name", "CABINET DU DR DURAND"),
        "structure.finess": Computed(lambda situation: normalised(situation.activity.finess), "750000018"),
        "structure.finess_legal_entity": Computed(
            lambda situation: normalised(situation.activity.finess_legal_entity), "750000026"
        ),
        "structure.siret": Computed(lambda situation: normalised(situation.activity.siret), "00000000000018"),
        "structure.siren": Computed(lambda situation: siren_of(situation.activity), "000000000"),
        "structure.id": _sent("activity.structure_id", "R102671"),
        **_coded("activity.mode", "activity.mode", code="L", label="Libéral, indépendant, artisan, commerçant"),
        **_coded("activity.sector", "activity.sector", code="SA07", label="Cabinet individuel"),
        **_coded("activity.role", "activity.role", code="FON-01", label="Titulaire de cabinet"),
        **_coded("activity.kind", "activity.kind", code="GENR01", label="Activité de soin et de pharmacie"),
        "activity.department": _sent("activity.department", "75"),
        "activity.place": _sent("activity.place", "75009 PARIS"),
        "activity.postal_code": _sent("activity.postal_code", "75009"),
        "activity.street": Computed(_street, "1 R NOIR"),
        "activity.phone": _sent("activity.phone", "0100000000"),
        "activity.email": _sent("activity.email", "cabinet@example.org"),
    }
)
_PARTS: Final = {name: tuple(name.split(".")) for name in COMPUTED}
# First parts of the names; a claim with the same name hides the computed value.
ROOTS: Final = frozenset(parts[0] for parts in _PARTS.values())


def computed_values(
    professional: Professional, activity_choice: ActivityChoice | None, names: Collection[tuple[str, ...]]
) -> dict[str, Any]:
    """Return ``{"rpps": …, "profession": {"code": …, "label": …}, …}`` for an activity choice. All values are texts.

    The result has these names and those below them: ``("profession", "label")``, ``("profession",)``.
    """
    situation = Situation(professional, activity_choice)
    values: dict[str, Any] = {}
    for name, parts in _PARTS.items():
        if not any(requested[: len(parts)] == parts[: len(requested)] for requested in names):
            continue
        *parents, last = parts
        parent = values
        for part in parents:
            parent = parent.setdefault(part, {})
        parent[last] = COMPUTED[name].read(situation)
    return values
