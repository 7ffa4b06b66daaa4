"""The userinfo payloads of invented people, one for each case that the published payloads do not cover.

Their RPPS numbers are of the test range (`8997…`), with a valid check digit. Their structures do not exist. Their codes
are those of ANS's tables.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.userinfo_builder import Leaves, activity, exercice, identifier, userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSPITAL = activity(
    "S",
    "SA01",
    numeroFinessSite="0B0999901",
    numeroFinessetablissementJuridique="1B0999901",
    identifiantTechniqueDeLaStructure="F0B0999901",
    raisonSocialeSite="CENTRE HOSPITALIER DE LA SIMULATION",
    numeroVoie="12",
    codeTypeDeVoie="AV",
    libelleVoie="DES ESSAIS",
    bureauCedex="29000 QUIMPER",
    codePostal="29000",
    ancienIdentifiantDeLaStructure="10B0999901",
)
PHARMACY = activity(
    "L",
    "SA33",
    codeSectionPharmacien="A",
    identifiantTechniqueDeLaStructure="F0B0999902",
    raisonSocialeSite="PHARMACIE DU BAC A SABLE",
    enseigneCommercialeSite="PHARMACIE DU BAC A SABLE",
    numeroVoie="3",
    codeTypeDeVoie="PL",
    libelleVoie="DU MARCHE",
    bureauCedex="35000 RENNES",
    codePostal="35000",
    ancienIdentifiantDeLaStructure="10B0999902",
    autoriteDenregistrement="CNOP/CNOP/CNOP",
)
MILITARY_HOSPITAL = activity(
    "S",
    "SA02",
    numeroFinessSite="0B0999903",
    numeroFinessetablissementJuridique="1B0999903",
    identifiantTechniqueDeLaStructure="F0B0999903",
    raisonSocialeSite="HOPITAL D'INSTRUCTION DE LA SIMULATION",
    bureauCedex="83000 TOULON",
    codePostal="83000",
    ancienIdentifiantDeLaStructure="10B0999903",
)
# Structures that have no FINESS number have a SIRET number only.
HOME_FOR_THE_ELDERLY = activity(
    "S",
    "SA17",
    numeroSiretSite="00000000099904",
    numeroSirenSite="000000000",
    identifiantTechniqueDeLaStructure="R999907",
    raisonSocialeSite="RESIDENCE DES ESSAIS",
    bureauCedex="29200 BREST",
    codePostal="29200",
)


def self_employed(number: str, name: str, town: str, *, sector: str = "SA08", **leaves: str) -> Leaves:
    """Return a self-employed activity; `town` is the postal code and the name of the town."""
    return activity(
        "L",
        sector,
        identifiantTechniqueDeLaStructure=number,
        raisonSocialeSite=name,
        bureauCedex=town,
        codePostal=town[:5],
        **leaves,
    )


def rpps(number: str) -> list[dict[str, Any]]:
    return [identifier(number, "RPPS")]


PHYSIOTHERAPISTS = self_employed(
    "R999903",
    "CABINET DES TROIS PONTS",
    "44000 NANTES",
    numeroVoie="7",
    codeTypeDeVoie="R",
    libelleVoie="DES TROIS PONTS",
)
MIDWIVES = self_employed("R999908", "CABINET DE LA CHALOUPE", "56100 LORIENT")
# Includes overseas and Corsica, two roles in one hospital, a volunteer, and structures without address or name.
FOURTEEN_ACTIVITIES = [
    self_employed("R999921", "CABINET DES ESSAIS", "29000 QUIMPER", sector="SA07", codeRole="FON-01"),
    self_employed("R999922", "CABINET DU PHARE", "29200 BREST", codeRole="FON-22", codeGenreActivite="GENR03"),
    self_employed("R999923", "CABINET DE LA JETEE", "29900 CONCARNEAU", codeRole="FON-22", codeGenreActivite="GENR03"),
    self_employed("R999924", "CABINET DES ALIZES", "97400 SAINT-DENIS", codeRole="FON-22", codeGenreActivite="GENR03"),
    self_employed("R999925", "CABINET DU MAQUIS", "20000 AJACCIO", codeCommune="2A004", codeGenreActivite="GENR03"),
    self_employed("R999926", "SELARL DES TROIS PONTS", "44000 NANTES", sector="SA09", codeRole="FON-02"),
    self_employed("R999927", "REGULATION DE LA SIMULATION", "29000 QUIMPER", sector="SA50", codeRole="FON-32"),
    HOSPITAL,
    {**HOSPITAL, "codeRole": "FON-33", "codeGenreActivite": "GENR04"},
    HOME_FOR_THE_ELDERLY,
    activity("S", "SA05", raisonSocialeSite="CENTRE DE SANTE DE LA SIMULATION", codePostal="29000"),
    activity("S", "SA14", raisonSocialeSite="FACULTE DE LA SIMULATION", codeRole="FON-46", codeGenreActivite="GENR04"),
    activity("B", "SA28", raisonSocialeSite="SECOURS DE LA SIMULATION", codePostal="29200"),
    activity("L", "SA43", codeRole="FON-AU"),
]


def midwife(national_identifier: str, *others: dict[str, Any]) -> dict[str, Any]:
    """Return a midwife whose `sub` changes with her national identifier; her RPPS stays in `otherIds`."""
    practices = [exercice("50", [MIDWIVES])]
    return userinfo(national_identifier, "Aurore", "PONTGIVARD", others=others, exercices=practices, codeCivilite="MME")


def itinerant_nurse(*activities: Leaves) -> dict[str, Any]:
    """Return a nurse who loses an activity."""
    number = "899700901095"
    practices = [exercice("60", activities)]
    return userinfo(number, "Fabien", "ROCHEVERTE", others=rpps(number), exercices=practices, codeCivilite="M")


NURSE_AT_HOME = self_employed("R999909", "CABINET INFIRMIER DU PHARE", "29200 BREST")
MIDWIFE_RPPS = "899700901087"
MIDWIFE_PSI = "b4c1f0de-5d0a-4a5e-8a57-0d3f6f1b92c4"

INVENTED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "pharmacist": userinfo(
            "899700901012",
            "Camille",
            "DESROSIERS",
            others=rpps("899700901012"),
            exercices=[exercice("21", [PHARMACY], codeCiviliteDexercice="DR")],
            means="CARD",
            codeCivilite="MME",
        ),
        "nurse": userinfo(
            "899700901020",
            "Inès",
            "VALOMBRE",
            others=rpps("899700901020"),
            exercices=[exercice("60", [HOSPITAL])],
            codeCivilite="MME",
        ),
        "student-doctor": userinfo(
            "899700901046",
            "Maëlle",
            "KERJEAN",
            others=rpps("899700901046"),
            exercices=[exercice("10", [HOSPITAL], category="E")],
            means="CARD",
            codeCivilite="MME",
        ),
        "military-doctor": userinfo(
            "899700901053",
            "Gaspard",
            "LANTERNIER",
            others=rpps("899700901053"),
            exercices=[
                exercice(
                    "10",
                    [MILITARY_HOSPITAL],
                    category="M",
                    codeCiviliteDexercice="MC",
                    codeTypeSavoirFaire="S",
                    codeSavoirFaire="SM59",
                )
            ],
            means="CARD",
            codeCivilite="M",
        ),
        "doctor-no-skill": userinfo(
            "899700901061",
            "Anatole",
            "BRUMEVAL",
            others=rpps("899700901061"),
            exercices=[
                exercice(
                    "10",
                    [self_employed("R999910", "CABINET DU DOCTEUR BRUMEVAL", "35000 RENNES", sector="SA07")],
                    codeCiviliteDexercice="DR",
                )
            ],
            codeCivilite="M",
        ),
        "two-professions": userinfo(
            "899700901079",
            "Nolwenn",
            "CASTELBRUN",
            others=rpps("899700901079"),
            exercices=[exercice("70", [PHYSIOTHERAPISTS]), exercice("71", [PHYSIOTHERAPISTS])],
            codeCivilite="MME",
        ),
        "doctor-fourteen-activities": userinfo(
            "899700901103",
            "Solène",
            "TREGUIDEL",
            others=rpps("899700901103"),
            exercices=[
                exercice(
                    "10",
                    FOURTEEN_ACTIVITIES,
                    codeCiviliteDexercice="DR",
                    codeTypeSavoirFaire="S",
                    codeSavoirFaire="SM54",
                )
            ],
            means="CARD",
            codeCivilite="MME",
        ),
        "physiotherapist-psi": userinfo(
            "899700901038",
            "Bastien",
            "FONTCLAIRE",
            others=[*rpps("899700901038"), identifier("5b0c6f2e-7a43-4f0e-9d6a-2f1f3c9e8b17", "PSI", 2)],
            exercices=[exercice("70", [PHYSIOTHERAPISTS])],
            codeCivilite="M",
        ),
        "structure-secretary": userinfo(
            "500000001815646/CPAT00045",
            "Odile",
            "MARCHEPIED",
            means="CARD",
            codeCivilite="MME",
            Secteur_Activite="SA52^1.2.250.1.71.4.2.4",
            SubjectOrganization="MAISON DE SANTE DE LA SIMULATION",
        ),
        "sub-changed-before": midwife(MIDWIFE_RPPS, *rpps(MIDWIFE_RPPS)),
        "sub-changed-after": midwife(MIDWIFE_PSI, *rpps(MIDWIFE_RPPS), identifier(MIDWIFE_PSI, "PSI", 2)),
        "activity-lost-before": itinerant_nurse(NURSE_AT_HOME, HOSPITAL, HOME_FOR_THE_ELDERLY),
        "activity-lost-after": itinerant_nurse(NURSE_AT_HOME, HOME_FOR_THE_ELDERLY),
    }
)
