"""Ready sets of exported attributes: proposed to an administrator, onto the fields that the site's user model has."""

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
class ReadyRow:
    """``fields``: what user models call the field, the likeliest first."""

    claim: str
    fields: tuple[str, ...]
    when: str = ExportedAttribute.When.LOGIN


MINIMAL: Final = (
    ReadyRow("given_name", ("first_name",)),
    ReadyRow("family_name", ("last_name",)),
    ReadyRow("SubjectNameID", ("username",), ExportedAttribute.When.CREATION),
)
PRESETS: Final[Mapping[str, tuple[ReadyRow, ...]]] = MappingProxyType(
    {
        "minimal": MINIMAL,
        "directory": (
            *MINIMAL,
            ReadyRow("profession.label", ("profession", "profession_label", "metier")),
            ReadyRow("speciality.label", ("speciality", "specialty", "specialite")),
            ReadyRow("rpps", ("rpps", "rpps_number", "numero_rpps")),
        ),
        "structure": (
            *MINIMAL,
            ReadyRow("structure.name", ("structure", "structure_name", "organization", "etablissement")),
            ReadyRow("structure.finess", ("finess", "finess_number", "numero_finess")),
            ReadyRow("structure.siret", ("siret", "siret_number", "numero_siret")),
            ReadyRow("activity.department", ("department", "departement")),
        ),
    }
)
SET_NAMES: Final[Mapping[str, _StrPromise]] = MappingProxyType(
    {
        "minimal": _("Minimal: names and username"),
        "directory": _("Directory: names, profession, speciality, RPPS number"),
        "structure": _("Structure: names, name and numbers of the structure, department"),
    }
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A row for which the user model has no field of the names ``wanted``; ``nearest`` is one whose name comes near."""

    claim: str
    wanted: tuple[str, ...]
    nearest: str = ""


def filled(rows: Iterable[Mapping[str, Any]], name: str) -> tuple[list[dict[str, Any]], list[Missing]]:
    """Put the rows of a set among others, in the place of those that fill the same field; say which lack a field.

    A claim that fills a field already stays as it is. Raises KeyError for a name that is not in ``PRESETS``.
    """
    result = [dict(row) for row in rows]
    missing = []
    for ready in PRESETS[name]:
        present = next((row for row in result if row["claim"] == ready.claim), None)
        if present and present["user_field"]:
            continue
        target = _target(ready)
        wanted = {"claim": ready.claim, "user_field": target, "when": ready.when, "required": False}
        replaced = present or next((row for row in result if target and row["user_field"] == target), None)
        if replaced is not None:
            replaced.update(wanted)
        else:
            result.append(wanted)
        if not target:
            missing.append(Missing(ready.claim, ready.fields, _nearest(ready, result)))
    return result, missing


def _target(ready: ReadyRow) -> str:
    fields = {field.name for field in assignable_fields()}
    return next((name for name in ready.fields if name in fields), "")


def _nearest(ready: ReadyRow, rows: Iterable[Mapping[str, Any]]) -> str:
    taken = {row["user_field"] for row in rows}
    free = [field.name for field in assignable_fields() if field.name not in taken]
    near = (match for name in ready.fields for match in difflib.get_close_matches(name, free, n=1, cutoff=0.6))
    return next(near, "")
