"""Functions that build a userinfo payload as Pro Santé Connect has sent it since late 2023.

Every leaf is a string, "" where nothing is known. The names and the order of the leaves are those of ANS's JSON schema
and of the published payloads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

SUBJECT_PREFIX = "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:"
_SECTORS = "1.2.250.1.71.4.2.4"
_ROLES = "1.2.250.1.213.1.1.5.5"
_ACTIVITY_LEAVES = (
    "codeModeExercice",
    "codeSecteurDactivite",
    "codeSectionPharmacien",
    "codeRole",
    "codeGenreActivite",
    "numeroSiretSite",
    "numeroSirenSite",
    "numeroFinessSite",
    "numeroFinessetablissementJuridique",
    "identifiantTechniqueDeLaStructure",
    "raisonSocialeSite",
    "enseigneCommercialeSite",
    "complementDestinataire",
    "complementPointGeographique",
    "numeroVoie",
    "indiceRepetitionVoie",
    "codeTypeDeVoie",
    "libelleVoie",
    "mentionDistribution",
    "bureauCedex",
    "codePostal",
    "codeCommune",
    "codePays",
    "telephone",
    "telephone2",
    "telecopie",
    "adresseEMail",
    "codeDepartement",
    "ancienIdentifiantDeLaStructure",
    "autoriteDenregistrement",
)

Leaves = dict[str, str]


def identifier(number: str, origin: str, quality: int = 1) -> dict[str, Any]:
    """Return an entry of `otherIds`: the origin is RPPS, EDIT or PSI; the main identifier has the quality 1."""
    return {"identifiant": number, "origine": origin, "qualite": quality}


def activity(mode: str, sector: str, **leaves: str) -> Leaves:
    """Return an activity. Raises TypeError for a leaf that Pro Santé Connect does not have."""
    unknown = leaves.keys() - set(_ACTIVITY_LEAVES)
    if unknown:
        raise TypeError(f"not a leaf of an activity: {', '.join(sorted(unknown))}")
    defaults = {"codeGenreActivite": "GENR01", "codePays": "99000"}
    return {
        **dict.fromkeys(_ACTIVITY_LEAVES, ""),
        **defaults,
        "codeModeExercice": mode,
        "codeSecteurDactivite": sector,
        **leaves,
    }


def repeated_activity(first: Leaves, count: int) -> list[Leaves]:
    """Return `count` activities: the first one as given, the others in structures with other names and numbers."""
    numbers = ("numeroSiretSite", "numeroSirenSite", "numeroFinessSite", "numeroFinessetablissementJuridique")
    others = [
        {
            **first,
            **dict.fromkeys((*numbers, "ancienIdentifiantDeLaStructure"), ""),
            "identifiantTechniqueDeLaStructure": f"R98{number:05}",
            "raisonSocialeSite": f"{first['raisonSocialeSite']} {number}".strip(),
        }
        for number in range(2, count + 1)
    ]
    return [first, *others][:count]


def exercice(profession: str, activities: Iterable[Leaves], *, category: str = "C", **leaves: str) -> dict[str, Any]:
    """Return a practice (exercice): a profession in a category; `userinfo` fills in the names."""
    return {
        "codeProfession": profession,
        "codeCategorieProfessionnelle": category,
        "codeCiviliteDexercice": "",
        "nomDexercice": "",
        "prenomDexercice": "",
        "codeTypeSavoirFaire": "",
        "codeSavoirFaire": "",
        **leaves,
        "activities": list(activities),
    }


def userinfo(
    national_identifier: str,
    given_name: str,
    family_name: str,
    *,
    others: Iterable[dict[str, Any]] = (),
    exercices: Iterable[dict[str, Any]] = (),
    means: str = "MOBILE",
    **leaves: str,
) -> dict[str, Any]:
    """Return a whole userinfo payload. Its top-level leaves about the structure are those of the first activity."""
    practices = [{**item, "nomDexercice": family_name, "prenomDexercice": given_name} for item in exercices]
    activities = [item for practice in practices for item in practice["activities"]]
    first = activities[0] if activities else dict.fromkeys(_ACTIVITY_LEAVES, "")
    sector = first["codeSecteurDactivite"]
    return {
        "Secteur_Activite": sector and f"{sector}^{_SECTORS}",
        "sub": SUBJECT_PREFIX + national_identifier,
        "codeGenreActivite": first["codeGenreActivite"],
        "SubjectOrganization": first["raisonSocialeSite"],
        "Mode_Acces_Raison": "",
        "preferred_username": national_identifier,
        "codeCivilite": "",
        "given_name": given_name,
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "authMode": means,
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "SubjectRefPro": {"exercices": practices},
        "SubjectOrganizationID": first["identifiantTechniqueDeLaStructure"],
        "SubjectRole": [f"{practice['codeProfession']}^{_ROLES}" for practice in practices[:1]],
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "otherIds": list(others),
        "SubjectNameID": national_identifier,
        "family_name": family_name,
        **leaves,
    }
