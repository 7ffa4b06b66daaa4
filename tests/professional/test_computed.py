"""Computed values: stable names and plain texts, for one activity choice."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.professional.computed import COMPUTED, ROOTS, computed_values
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator.people import PEOPLE
from tests.professional.table_reads import counting_table_reads

# An invented person with every value.
PRACTICE = {
    "codeProfession": "10",
    "codeCategorieProfessionnelle": "C",
    "codeCiviliteDexercice": "DR",
    "nomDexercice": "DURAND",
    "prenomDexercice": "CAMILLE",
    "codeTypeSavoirFaire": "S",
    "codeSavoirFaire": "SM26",
}
ACTIVITY = {
    "codeModeExercice": "L",
    "codeSecteurDactivite": "SA07^1.2.250.1.71.4.2.4",
    "codeRole": "FON-01",
    "codeGenreActivite": "GENR01",
    "numeroSiretSite": "000 000 000 00018",
    "numeroFinessSite": "75 000 001 8",
    "numeroFinessetablissementJuridique": "750000026",
    "identifiantTechniqueDeLaStructure": "R102671",
    "raisonSocialeSite": "CABINET DU DR DURAND",
    "numeroVoie": "1",
    "codeTypeDeVoie": "R",
    "libelleVoie": "NOIR",
    "bureauCedex": "75009 PARIS",
    "codePostal": "75009",
    "telephone": "0100000000",
    "adresseEMail": "cabinet@example.org",
}
DOCTOR = {
    "SubjectNameID": "899700000013",
    "SubjectRefPro": {"codeCivilite": "MME", "exercices": [{**PRACTICE, "activities": [ACTIVITY]}]},
}


ALL_NAMES = {(root,) for root in ROOTS}


def values_of(claims: dict[str, Any], number: int = 0, names: Any = ALL_NAMES) -> dict[str, Any]:
    professional = read_userinfo(claims)
    activity_choices = professional.activity_choices
    return computed_values(professional, activity_choices[number] if activity_choices else None, names)


def flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
    return found


def test_every_value_has_a_real_example() -> None:
    assert flat(values_of(DOCTOR)) == {name: each.example for name, each in COMPUTED.items()}


@pytest.mark.parametrize("claims", [*map(load_sample, SAMPLES), *(each.claims() for each in PEOPLE)])
def test_every_person_has_a_text_for_every_name_and_activity_choice(claims: dict[str, Any]) -> None:
    for number in range(len(read_userinfo(claims).activity_choices) or 1):
        values = flat(values_of(claims, number))
        assert list(values) == list(COMPUTED)
        assert {type(value) for value in values.values()} == {str}


def test_without_data_all_values_are_empty_texts() -> None:
    assert set(flat(values_of({})).values()) == {""}


def test_another_activity_choice_has_other_values() -> None:
    claims = load_sample("doctor-card-two-activities-2023")
    surgery, hospital = (flat(values_of(claims, number)) for number in (0, 1))
    assert (surgery["structure.name"], surgery["activity.mode.code"]) == ("CABINET M DOC0042788", "L")
    assert (hospital["structure.name"], hospital["activity.mode.label"]) == ("HOPITAL GENERIQUE  FIN VARI", "Salarié")
    assert hospital["structure.finess_legal_entity"] == "1B0064166"
    assert surgery["rpps"] == hospital["rpps"] == "99700427885"


def test_a_skill_that_is_not_a_speciality_has_no_speciality() -> None:
    practice = {**PRACTICE, "codeTypeSavoirFaire": "C"}
    values = flat(values_of({"SubjectRefPro": {"exercices": [practice]}}))
    assert (values["skill.code"], values["speciality.code"], values["speciality.label"]) == ("SM26", "", "")


def test_an_unknown_code_keeps_its_code_and_has_no_label() -> None:
    values = flat(values_of({"SubjectRefPro": {"exercices": [{**PRACTICE, "codeProfession": "999"}]}}))
    assert (values["profession.code"], values["profession.label"]) == ("999", "")


@pytest.mark.parametrize(
    ("identifier", "name"), [("3750000018/CPAT00045", "structure.finess"), ("500000000000018/12", "structure.siret")]
)
def test_staff_without_activity_have_their_structure(identifier: str, name: str) -> None:
    claims = {"SubjectNameID": identifier, "SubjectOrganization": "HOPITAL", "SubjectOrganizationID": "F750000018"}
    values = flat(values_of({**claims, "Secteur_Activite": "SA01^1.2.250.1.71.4.2.4"}))
    assert values[name] == COMPUTED[name].example
    assert (values["structure.name"], values["structure.id"]) == ("HOPITAL", "F750000018")
    assert values["activity.sector.label"] == "Etablissement public de santé"
    assert values["rpps"] == ""


def test_an_activity_has_all_values_of_its_structure() -> None:
    bare = {"SubjectRefPro": {"exercices": [{**PRACTICE, "activities": [{"codeModeExercice": "S"}]}]}}
    values = flat(values_of({**DOCTOR, **bare, "SubjectOrganization": "ELSEWHERE", "Secteur_Activite": "SA01"}))
    assert (values["structure.name"], values["activity.sector.code"]) == ("", "")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({("rpps",)}, {"rpps"}),
        ({("profession",)}, {"profession.code", "profession.label"}),
        ({("profession", "code")}, {"profession.code"}),
        ({("activity", "mode", "label")}, {"activity.mode.label"}),
        ({("activity", "mode")}, {"activity.mode.code", "activity.mode.label"}),
        ({("rpps", "further", "down"), ("elsewhere",)}, {"rpps"}),
        ({("profession", "nothing")}, set()),
        (set(), set()),
    ],
)
def test_only_the_requested_names_are_computed(names: set[tuple[str, ...]], expected: set[str]) -> None:
    assert set(flat(values_of(DOCTOR, names=names))) == expected


def test_no_shipped_claim_hides_a_computed_value() -> None:
    assert not ROOTS & {name for sample in SAMPLES for name in load_sample(sample)}


def test_only_a_label_opens_a_table() -> None:
    codes = {tuple(name.split(".")) for name in COMPUTED if not name.endswith(".label")}
    with counting_table_reads() as reads:
        assert flat(values_of(DOCTOR, names=codes))["profession.code"] == "10"
        assert reads == []
        values_of(DOCTOR, names={("profession", "label")})
        assert reads
