"""The userinfo as Pro Santé Connect sends it since late 2023: each leaf a text, "" where nothing is known.

Names and order of the leaves: ANS's JSON schema and the published payloads (facts, section 5.1).
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
    """One of `otherIds`: the origin is RPPS, EDIT or PSI, the quality 1 for the main one."""
    return {"identifiant": number, "origine": origin, "qualite": quality}


def activity(mode: str, sector: str, **leaves: str) -> Leaves:
    """One place or role of practice. Raises TypeError for a leaf that Pro Santé Connect does not have."""
    unknown = leaves.keys() - set(_ACTIVITY_LEAVES)
    if unknown:
        raise TypeError(f"no leaf of an activity: {', '.join(sorted(unknown))}")
    usual = {"codeGenreActivite": "GENR01", "codePays": "99000"}
    return {
        **dict.fromkeys(_ACTIVITY_LEAVES, ""),
        **usual,
        "codeModeExercice": mode,
        "codeSecteurDactivite": sector,
        **leaves,
    }


def numbered(first: Leaves, count: int) -> list[Leaves]:
    """`count` activities in as many structures: the first as given, the others under names and numbers of their own."""
    own = ("numeroSiretSite", "numeroSirenSite", "numeroFinessSite", "numeroFinessetablissementJuridique")
    others = [
        {
            **first,
            **dict.fromkeys((*own, "ancienIdentifiantDeLaStructure"), ""),
            "identifiantTechniqueDeLaStructure": f"R98{number:05}",
            "raisonSocialeSite": f"{first['raisonSocialeSite']} {number}".strip(),
        }
        for number in range(2, count + 1)
    ]
    return [first, *others][:count]


def exercice(profession: str, activities: Iterable[Leaves], *, category: str = "C", **leaves: str) -> dict[str, Any]:
    """One profession practised in one category; `userinfo` fills in the names."""
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
    """The whole answer; as in the real one, what describes the structure at the top is that of the first activity."""
    practices = [{**each, "nomDexercice": family_name, "prenomDexercice": given_name} for each in exercices]
    places = [place for each in practices for place in each["activities"]]
    first = places[0] if places else dict.fromkeys(_ACTIVITY_LEAVES, "")
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
        "SubjectRole": [f"{each['codeProfession']}^{_ROLES}" for each in practices[:1]],
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "otherIds": list(others),
        "SubjectNameID": national_identifier,
        "family_name": family_name,
        **leaves,
    }
