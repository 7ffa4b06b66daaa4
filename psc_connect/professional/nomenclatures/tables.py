"""The names of the shipped code tables, and the tables of each subject (profession, mode …)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _(text: str) -> str:
    """Mark a text for translation. It is translated where it is shown: this package imports no Django."""
    return text


# ANS name of each shipped table → its content.
TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "TRE_G08-TypeIdentifiantPersonne": _("kinds of national identifiers"),
        "TRE_G15-ProfessionSante": _("health professions"),
        "TRE_R01-EnsembleSavoirFaire-CISIS": _("all skills (savoir-faire)"),
        "TRE_R02-SecteurActivite": _("sectors of activity"),
        "TRE_R04-TypeSavoirFaire": _("kinds of skills"),
        "TRE_R09-CategorieProfessionnelle": _("professional categories"),
        "TRE_R11-CiviliteExercice": _("titles of practice"),
        "TRE_R21-Fonction": _("roles in a structure"),
        "TRE_R22-GenreActivite": _("kinds of activity"),
        "TRE_R23-ModeExercice": _("modes of practice"),
        "TRE_R38-SpecialiteOrdinale": _("specialities"),
        "TRE_R81-Civilite": _("civilities"),
        "TRE_R94-ProfessionSocial": _("social professions"),
        "TRE_R95-UsagerTitre": _("users of a title"),
    }
)

# Subject of a code → its tables. The label comes from the first table that has the code.
SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "profession": ("TRE_G15-ProfessionSante", "TRE_R94-ProfessionSocial", "TRE_R95-UsagerTitre"),
        "category": ("TRE_R09-CategorieProfessionnelle",),
        "speciality": ("TRE_R38-SpecialiteOrdinale",),
        "skill": ("TRE_R38-SpecialiteOrdinale", "TRE_R01-EnsembleSavoirFaire-CISIS"),
        "skill_kind": ("TRE_R04-TypeSavoirFaire",),
        "mode": ("TRE_R23-ModeExercice",),
        "sector": ("TRE_R02-SecteurActivite",),
        "role": ("TRE_R21-Fonction",),
        "activity_kind": ("TRE_R22-GenreActivite",),
        "civility": ("TRE_R81-Civilite",),
        # ANS's sample has a civility here.
        "title": ("TRE_R11-CiviliteExercice", "TRE_R81-Civilite"),
        "identifier_kind": ("TRE_G08-TypeIdentifiantPersonne",),
    }
)


class UnknownTableError(KeyError):
    """No table and no subject has this name. The message lists the known ones."""

    def __str__(self) -> str:
        # The default message of KeyError is only the name in quotes.
        return f"{self.args[0]!r} is not a subject or a table. There are: {', '.join((*SUBJECTS, *TABLES))}"


def tables_of(kind: str) -> tuple[str, ...]:
    """Return the tables of a subject, or the table of this ANS name. Raises UnknownTableError for another name."""
    if kind in TABLES:
        return (kind,)
    if kind not in SUBJECTS:
        raise UnknownTableError(kind)
    return SUBJECTS[kind]
