"""The people of the simulator: published or invented, as Pro Santé Connect would send them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from psc_connect.professional.coded_values import Code
from psc_connect.professional.identifiers import Kind, luhn_holds
from psc_connect.professional.professional import Professional
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator import Person, Simulator
from psc_connect.simulator.pages.texts import GROUPS
from psc_connect.simulator.people import PEOPLE, person_with_activities
from tests.simulator.test_userinfo import INVENTED, PUBLISHED

# What ANS's JSON schema requires, and the top-level claims added in late 2023.
TOP = {
    *("sub", "SubjectNameID", "preferred_username", "given_name", "family_name", "otherIds", "SubjectRole"),
    *("SubjectOrganization", "SubjectOrganizationID", "Secteur_Activite", "Mode_Acces_Raison", "UITVersion"),
    *("Acces_Regulation_Medicale", "Palier_Authentification", "PSI_Locale", "SubjectRefPro"),
    *("authMode", "codeCivilite", "codeGenreActivite"),
}
EXERCICE = {
    *("codeProfession", "codeCategorieProfessionnelle", "codeCiviliteDexercice", "nomDexercice", "prenomDexercice"),
    *("codeTypeSavoirFaire", "codeSavoirFaire", "activities"),
}
ACTIVITY = {
    *("codeModeExercice", "codeSecteurDactivite", "codeSectionPharmacien", "codeRole", "codeGenreActivite"),
    *("numeroSiretSite", "numeroSirenSite", "numeroFinessSite", "numeroFinessetablissementJuridique"),
    *("identifiantTechniqueDeLaStructure", "ancienIdentifiantDeLaStructure", "autoriteDenregistrement"),
    *("raisonSocialeSite", "enseigneCommercialeSite", "complementDestinataire", "complementPointGeographique"),
    *("numeroVoie", "indiceRepetitionVoie", "codeTypeDeVoie", "libelleVoie", "mentionDistribution"),
    *("bureauCedex", "codePostal", "codeCommune", "codePays", "codeDepartement"),
    *("telephone", "telephone2", "telecopie", "adresseEMail"),
}
SECTIONS = {"A", "B", "C", "D", "E", "G", "H", "M"}  # TRE_R06
# Numbers of the sandbox that occur in published payloads and tests.
REAL = {"99700427885", "99700245667", "99700366240", "99700218896", "99700427869"}
every_person = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.slug)
every_invented_person = pytest.mark.parametrize("person", INVENTED, ids=lambda person: person.slug)


def named(slug: str) -> Person:
    (person,) = (person for person in PEOPLE if person.slug == slug)
    return person


def read(slug: str) -> Professional:
    return read_userinfo(named(slug).userinfo)


def leaves(value: Any) -> Iterator[Any]:
    inside = value.values() if isinstance(value, dict) else value
    for each in inside:
        if isinstance(each, (dict, list)):
            yield from leaves(each)
        else:
            yield each


def codes(professional: Professional) -> Iterator[Code]:
    parts: list[Any] = [professional]
    for practice in professional.practices:
        parts += [practice, *practice.activities]
    for part in parts:
        values = (getattr(part, each.name) for each in fields(part))
        yield from (value for value in values if isinstance(value, Code) and value)
    yield from professional.roles


def test_there_are_eighteen_people_with_different_slugs_and_labels(simulator: Simulator) -> None:
    assert len({person.slug for person in PEOPLE}) == 18
    assert len({person.label_fr for person in PEOPLE}) == 18
    assert len({person.label_en for person in PEOPLE}) == 18
    assert list(simulator.people.values()) == list(PEOPLE)


def test_the_published_people_come_first() -> None:
    assert [person.slug for person in PEOPLE[:5]] == list(PUBLISHED)


@every_person
def test_every_person_has_a_group(person: Person) -> None:
    assert person.group
    assert person.group in GROUPS["fr"]
    assert person.group in GROUPS["en"]


@every_invented_person
def test_an_invented_userinfo_has_every_leaf_and_each_is_a_string(person: Person) -> None:
    claims = person.claims()
    assert claims.keys() == TOP
    for exercice in claims["SubjectRefPro"]["exercices"]:
        assert exercice.keys() == EXERCICE
        for place in exercice["activities"]:
            assert place.keys() == ACTIVITY
    qualities = [other.pop("qualite") for other in claims["otherIds"]]
    assert qualities == list(range(1, len(qualities) + 1))
    assert {type(leaf) for leaf in leaves(claims)} == {str}


@every_invented_person
def test_an_invented_userinfo_is_read_completely_without_warnings(person: Person) -> None:
    professional = read_userinfo(person.claims())

    assert professional.warnings == ()
    assert not professional.extra


@every_person
def test_every_code_is_in_the_shipped_tables_and_not_closed(person: Person) -> None:
    known = [code for code in codes(read_userinfo(person.claims())) if code.tables]

    assert [code.sent for code in known if not code.label or code.is_closed] == []
    assert known or person.slug == "no-professional-data"


@every_person
def test_the_top_level_is_that_of_the_first_activity(person: Person) -> None:
    professional = read_userinfo(person.claims())
    if not professional.practices:
        return
    first = professional.practices[0].activities[0]
    assert professional.organization == first.company_name
    assert professional.organization_id in {first.structure_id, ""}
    assert professional.sector.code == first.sector.code
    assert professional.roles[0].code == professional.practices[0].profession.code


@every_person
def test_every_rpps_is_a_test_number_with_a_valid_check_digit(person: Person) -> None:
    found = [other["identifiant"] for other in person.userinfo.get("otherIds", ()) if other["origine"] == "RPPS"]
    if person.national_identifier.startswith("8"):
        assert person.national_identifier in found
    for number in found:
        assert (len(number), number[:4]) == (12, "8997")
        assert luhn_holds(number[1:])


def test_invented_people_have_unique_numbers() -> None:
    people = [person for person in INVENTED if not person.slug.endswith("-after")]
    people += [person_with_activities(1)]
    numbers = [number for person in people for number in identifiers(person)]
    published = {number for slug in PUBLISHED for number in identifiers(named(slug))}

    assert [number for number, times in Counter(numbers).items() if times > 1] == []
    assert not published.intersection(numbers)
    assert not {f"8{number}" for number in REAL}.intersection(numbers)
    assert len({person.name for person in people}) == len(people)


def identifiers(person: Person) -> set[str]:
    return {person.national_identifier, *(other["identifiant"] for other in person.userinfo.get("otherIds", ()))}


@every_person
def test_the_subject_embeds_the_national_identifier(person: Person) -> None:
    assert person.subject == f"f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:{person.national_identifier}"
    assert person.userinfo["preferred_username"] == person.national_identifier


@every_person
def test_cards_have_a_higher_acr(person: Person) -> None:
    assert (person.auth_mode, person.acr) in {("CARD", "eidas3"), ("MOBILE", "eidas1")}
    assert person.userinfo.get("authMode", person.auth_mode) == person.auth_mode


# People for specific cases


def test_two_exercices_of_one_person_are_two_professions() -> None:
    assert [practice.profession.label for practice in read("two-professions").practices] == [
        "Masseur-Kinésithérapeute",
        "Ostéopathe",
    ]
    assert len(read("doctor-two-exercices").practices) == 2


def test_one_person_has_fourteen_distinguishable_activities() -> None:
    professional = read("doctor-fourteen-activities")
    (practice,) = professional.practices

    assert len(practice.activities) == 14
    assert len({activity_choice.key for activity_choice in professional.activity_choices}) == 14
    assert {"29", "44", "974", "2A", ""} <= {place.department for place in practice.activities}
    assert {place.mode.code for place in practice.activities} == {"L", "S", "B"}


def test_one_doctor_has_no_skill() -> None:
    (practice,) = read("doctor-no-skill").practices

    assert practice.profession.label == "Médecin"
    assert not practice.skill_kind
    assert not practice.skill


@pytest.mark.parametrize(("slug", "category"), [("student-doctor", "Etudiant"), ("military-doctor", "Militaire")])
def test_one_doctor_is_a_student_and_one_is_in_the_military(slug: str, category: str) -> None:
    assert read(slug).practices[0].category.label == category


def test_the_pharmacist_has_a_section() -> None:
    (place,) = read("pharmacist").practices[0].activities

    assert place.pharmacist_section.code == "A"
    sections = {code.code for person in PEOPLE for code in sections_of(person)}
    assert sections <= SECTIONS


def sections_of(person: Person) -> Iterator[Code]:
    for practice in read_userinfo(person.claims()).practices:
        yield from (place.pharmacist_section for place in practice.activities if place.pharmacist_section)


def test_the_secretary_of_a_structure_has_no_professional_data() -> None:
    secretary = read("structure-secretary")

    assert secretary.national_identifier.kind is Kind.SIRET_STAFF
    assert secretary.organization == "MAISON DE SANTE DE LA SIMULATION"
    assert (secretary.practices, secretary.roles, secretary.rpps) == ((), (), "")


def test_one_person_has_a_test_identity() -> None:
    (other,) = read("doctor-five-activities").identifiers

    assert (other.origin, other.identifier.kind) == ("EDIT", Kind.EDIT)


def test_one_person_has_a_psi_identifier_beside_the_rpps() -> None:
    assert kinds("physiotherapist-psi") == [Kind.RPPS, Kind.PSI]


def test_the_person_whose_subject_changed_keeps_the_rpps() -> None:
    before, after = named("sub-changed-before"), named("sub-changed-after")

    assert before.subject != after.subject
    assert read(before.slug).rpps == read(after.slug).rpps == before.national_identifier[1:]
    assert kinds(before.slug) == [Kind.RPPS]
    assert kinds(after.slug) == [Kind.RPPS, Kind.PSI]
    assert read(after.slug).national_identifier.kind is Kind.PSI
    assert read(before.slug).practices == read(after.slug).practices


def kinds(slug: str) -> list[Kind]:
    return [other.identifier.kind for other in read(slug).identifiers]


def test_the_person_who_lost_an_activity_is_otherwise_the_same() -> None:
    before, after = named("activity-lost-before").claims(), named("activity-lost-after").claims()
    left, lost = (claims["SubjectRefPro"]["exercices"][0].pop("activities") for claims in (after, before))

    assert before == after
    assert [place["raisonSocialeSite"] for place in lost if place not in left] == [
        "CENTRE HOSPITALIER DE LA SIMULATION"
    ]
    assert [place for place in left if place not in lost] == []
