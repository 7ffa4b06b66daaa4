"""Computed values beside the claims, described for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.claims.paths import computed_proposals
from psc_connect.professional.computed import COMPUTED
from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from psc_connect.admin.outcomes import Shown
    from psc_connect.claims.claims import Claims

# Each name of professional.computed.COMPUTED, without `.code` or `.label` at its end.
DESCRIPTIONS = {
    "rpps": _("RPPS number"),
    "national_identifier.kind": _("Kind of the national identifier"),
    "national_identifier.number": _("Number of the national identifier, without the digit of its kind"),
    "profession": _("Profession"),
    "category": _("Professional category"),
    "speciality": _("Speciality"),
    "skill": _("Skill of any kind"),
    "title": _("Title of practice"),
    "practice.given_name": _("First name of practice"),
    "practice.family_name": _("Last name of practice"),
    "civility": _("Civility"),
    "structure.name": _("Name of the structure"),
    "structure.finess": _("FINESS number of the site"),
    "structure.finess_legal_entity": _("FINESS number of the legal entity"),
    "structure.siret": _("SIRET number"),
    "structure.siren": _("SIREN number"),
    "structure.id": _("Technical identifier of the structure"),
    "activity.mode": _("Mode of practice"),
    "activity.sector": _("Sector of activity"),
    "activity.role": _("Role in the structure"),
    "activity.kind": _("Kind of activity"),
    "activity.department": _("Department"),
    "activity.place": _("Place: postal code and town"),
    "activity.postal_code": _("Postal code"),
    "activity.street": _("Street and number"),
    "activity.phone": _("Telephone"),
    "activity.email": _("E-mail address of the activity"),
}


def in_words(name: str) -> str:
    """Describe a name of ``COMPUTED``."""
    above, _dot, last = name.rpartition(".")
    if name in DESCRIPTIONS:
        return str(DESCRIPTIONS[name])
    text = gettext("%(name)s (code)") if last == "code" else gettext("%(name)s (label)")
    return text % {"name": DESCRIPTIONS[above]}


@dataclass(frozen=True, slots=True)
class ShownComputed:
    """A path, its description, its value in the sample; ``example`` is shown where it has no value."""

    path: str
    words: str
    value: str
    example: str


def shown_computed(claims: Claims, shown: Shown) -> list[ShownComputed]:
    return [
        ShownComputed(
            value.path, in_words(value.path), to_single_line(shown(value.value)), COMPUTED[value.path].example
        )
        for value in computed_proposals(claims)
    ]
