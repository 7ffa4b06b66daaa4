"""Presets of exported attributes, for the fields that the site's user model has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext_lazy as _

from psc_connect.models import ExportedAttribute
from psc_connect.models.user_fields import assignable_fields

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class PresetRow:
    """One row of a preset. ``fields``: usual names of the user's field, the most usual first."""

    claim: str
    fields: tuple[str, ...]
    when: str = ExportedAttribute.When.LOGIN


MINIMAL: Final = (
    PresetRow("given_name", ("first_name",)),
    PresetRow("family_name", ("last_name",)),
    PresetRow("SubjectNameID", ("username",), ExportedAttribute.When.CREATION),
)
PRESETS: Final[Mapping[str, tuple[PresetRow, ...]]] = MappingProxyType(
    {
        "minimal": MINIMAL,
        "directory": (
            *MINIMAL,
            PresetRow("profession.label", ("profession", "profession_label", "metier")),
            PresetRow("speciality.label", ("speciality", "specialty", "specialite")),
            PresetRow("rpps", ("rpps", "rpps_number", "numero_rpps")),
        ),
        "structure": (
            *MINIMAL,
            PresetRow("structure.name", ("structure", "structure_name", "organization", "etablissement")),
            PresetRow("structure.finess", ("finess", "finess_number", "numero_finess")),
            PresetRow("structure.siret", ("siret", "siret_number", "numero_siret")),
            PresetRow("activity.department", ("department", "departement")),
        ),
    }
)
PRESET_NAMES: Final[Mapping[str, _StrPromise]] = MappingProxyType(
    {
        "minimal": _("Minimal: names and username"),
        "directory": _("Directory: names, profession, speciality, RPPS number"),
        "structure": _("Structure: names, name and numbers of the structure, department"),
    }
)


@dataclass(frozen=True, slots=True)
class MissingField:
    """A row whose field the user model lacks. ``expected``: the usual names; ``nearest``: a similar field, or ""."""

    claim: str
    expected: tuple[str, ...]
    nearest: str = ""


def add_preset(rows: Iterable[Mapping[str, Any]], name: str) -> tuple[list[dict[str, Any]], list[MissingField]]:
    """Return ``rows`` with those of a preset, and the rows of the preset for which the user model has no field.

    A row of the preset replaces one for the same field. A claim that already has a field keeps it.
    Raises KeyError for a name that is not in ``PRESETS``.
    """
    result = [dict(row) for row in rows]
    missing = []
    for preset_row in PRESETS[name]:
        present = next((row for row in result if row["claim"] == preset_row.claim), None)
        if present and present["user_field"]:
            continue
        user_field = _user_field(preset_row)
        new = {"claim": preset_row.claim, "user_field": user_field, "when": preset_row.when, "required": False}
        replaced = present or next((row for row in result if user_field and row["user_field"] == user_field), None)
        if replaced is not None:
            replaced.update(new)
        else:
            result.append(new)
        if not user_field:
            missing.append(MissingField(preset_row.claim, preset_row.fields, _nearest(preset_row, result)))
    return result, missing


def _user_field(preset_row: PresetRow) -> str:
    fields = {field.name for field in assignable_fields()}
    return next((name for name in preset_row.fields if name in fields), "")


def _nearest(preset_row: PresetRow, rows: Iterable[Mapping[str, Any]]) -> str:
    taken = {row["user_field"] for row in rows}
    free = [field.name for field in assignable_fields() if field.name not in taken]
    matches = (match for name in preset_row.fields for match in difflib.get_close_matches(name, free, n=1, cutoff=0.6))
    return next(matches, "")
