"""What is read of a professional, as plain texts under stable names: ``rpps``, ``profession.label`` …

The mapping of a site sees them beside the claims. They speak of one capacity: a practice, and the activity in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from psc_connect.professional.coded_values import Code
from psc_connect.professional.conditions import Situation, normalised, siren_of
from psc_connect.professional.professional import Activity, ActivityChoice, Professional


@dataclass(frozen=True, slots=True)
class Computed:
    """One value: how it is read ("" where nothing was sent), and an example."""

    read: Callable[[Situation], str]
    example: str


def _coded(name: str, read: Callable[[Situation], Code], *, code: str, label: str) -> dict[str, Computed]:
    """A code and its label; only the label opens a table."""
    return {
        f"{name}.code": Computed(lambda acting: read(acting).code, code),
        f"{name}.label": Computed(lambda acting: read(acting).label, label),
    }


def _street(activity: Activity) -> str:
    parts = (activity.street_number, activity.street_number_suffix, activity.street_kind, activity.street_name)
    return " ".join(each for each in parts if each)


# In the order in which an administrator finds them proposed.
COMPUTED: Final[Mapping[str, Computed]] = MappingProxyType(
    {
        "rpps": Computed(lambda acting: acting.professional.rpps, "99700000013"),
        "national_identifier.kind": Computed(
            lambda acting: (
                acting.professional.national_identifier.kind.value if acting.professional.national_identifier else ""
            ),
            "rpps",
        ),
        "national_identifier.number": Computed(
            lambda acting: acting.professional.national_identifier.number, "99700000013"
        ),
        **_coded("profession", lambda acting: acting.practice.profession, code="10", label="Médecin"),
        **_coded("category", lambda acting: acting.practice.category, code="C", label="Civil"),
        **_coded(
            "speciality",
            lambda acting: acting.practice.speciality,
            code="SM26",
            label="Qualifié en Médecine générale (SM)",
        ),
        **_coded(
            "skill", lambda acting: acting.practice.skill, code="SM26", label="Qualifié en Médecine générale (SM)"
        ),
        **_coded("title", lambda acting: acting.practice.title, code="DR", label="Docteur"),
        "practice.given_name": Computed(lambda acting: acting.practice.given_name, "CAMILLE"),
        "practice.family_name": Computed(lambda acting: acting.practice.family_name, "DURAND"),
        **_coded("civility", lambda acting: acting.professional.civility, code="MME", label="Madame"),
        "structure.name": Computed(lambda acting: acting.activity.structure_name, "CABINET DU DR DURAND"),
        "structure.finess": Computed(lambda acting: normalised(acting.activity.finess), "750000018"),
        "structure.finess_legal_entity": Computed(
            lambda acting: normalised(acting.activity.finess_legal_entity), "750000026"
        ),
        "structure.siret": Computed(lambda acting: normalised(acting.activity.siret), "00000000000018"),
        "structure.siren": Computed(lambda acting: siren_of(acting.activity), "000000000"),
        "structure.id": Computed(lambda acting: acting.activity.structure_id, "R102671"),
        **_coded(
            "activity.mode",
            lambda acting: acting.activity.mode,
            code="L",
            label="Libéral, indépendant, artisan, commerçant",
        ),
        **_coded("activity.sector", lambda acting: acting.activity.sector, code="SA07", label="Cabinet individuel"),
        **_coded("activity.role", lambda acting: acting.activity.role, code="FON-01", label="Titulaire de cabinet"),
        **_coded(
            "activity.kind",
            lambda acting: acting.activity.kind,
            code="GENR01",
            label="Activité de soin et de pharmacie",
        ),
        "activity.department": Computed(lambda acting: acting.activity.department, "75"),
        "activity.place": Computed(lambda acting: acting.activity.place, "75009 PARIS"),
        "activity.postal_code": Computed(lambda acting: acting.activity.postal_code, "75009"),
        "activity.street": Computed(lambda acting: _street(acting.activity), "1 R NOIR"),
        "activity.phone": Computed(lambda acting: acting.activity.phone, "0100000000"),
        "activity.email": Computed(lambda acting: acting.activity.email, "cabinet@example.org"),
    }
)
_PARTS: Final = {name: tuple(name.split(".")) for name in COMPUTED}
# The first parts: what a claim of the same name hides.
ROOTS: Final = frozenset(parts[0] for parts in _PARTS.values())


def computed_values(
    professional: Professional, activity_choice: ActivityChoice | None, names: Collection[tuple[str, ...]] | None = None
) -> dict[str, Any]:
    """Return ``{"rpps": …, "profession": {"code": …, "label": …}, …}`` in a capacity, every value a text.

    ``names``, such as ``("profession", "label")`` or ``("profession",)``: only what lies at them, or below.
    """
    acting = Situation(professional, activity_choice)
    found: dict[str, Any] = {}
    for name, parts in _PARTS.items():
        if names is not None and not any(each[: len(parts)] == parts[: len(each)] for each in names):
            continue
        *above, last = parts
        place = found
        for each in above:
            place = place.setdefault(each, {})
        place[last] = COMPUTED[name].read(acting)
    return found
