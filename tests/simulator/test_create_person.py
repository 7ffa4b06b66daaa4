"""The form that creates a person: the service receives its values, or they are refused and kept."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from psc_connect.professional.identifiers import Kind
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator import Simulator
from psc_connect.simulator.pages.person_form_texts import PROBLEMS
from psc_connect.simulator.person_form import INITIAL
from tests.simulator.person_form import VALUES, claims_of, open_form, problems_on, refused_problems
from tests.simulator.service import Service, answer_of, browser


def test_the_list_of_people_and_the_form_link_to_each_other(service: Service) -> None:
    page = service.authorize()
    assert 'formmethod="get" formaction="/auth/create-person"' in page.text

    form = open_form(service)
    back = re.search(r'href="(/auth/choose\?interaction=[\w-]+)"', form.text)
    again = service.session.get(service.simulator.origin + str(back and back[1]), timeout=10)
    assert (form.status_code, again.status_code) == (200, 200)
    assert answer_of(service.press(again, person="nurse"))["state"] == "the-state"


@pytest.mark.parametrize("path", ["/auth/create-person", "/auth/choose"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_interaction_is_refused(service: Service, path: str, method: str) -> None:
    values: dict[str, Any] = {"params" if method == "get" else "data": {"interaction": "guessed", **VALUES}}
    answer = service.session.request(method, service.simulator.origin + path, timeout=10, **values)

    assert answer.status_code == 400
    assert "unknown_interaction" in answer.text


def test_the_initial_form_creates_a_person(service: Service) -> None:
    claims = claims_of(service, service.press(open_form(service), **INITIAL))
    professional = read_userinfo(claims)

    assert professional.national_identifier.kind is Kind.EDIT
    assert professional.national_identifier_sent == "ANS20270115080000"  # the moment of the fixture's clock
    assert professional.practices[0].profession.label == "Médecin"
    assert len(professional.practices[0].activities) == 1
    assert professional.warnings == ()


def test_the_service_receives_the_values_of_the_form(service: Service) -> None:
    sent = service.press(open_form(service), **VALUES)
    tokens = service.exchange(answer_of(sent)["code"]).json()
    claims = service.userinfo(tokens["access_token"]).json()
    (practice,) = read_userinfo(claims).practices
    place = practice.activities[0]

    assert service.verified(tokens["id_token"])["acr"] == "eidas2"
    assert service.verified(tokens["id_token"])["authMode"] == claims["authMode"] == "CARD"
    assert (claims["given_name"], claims["family_name"]) == ("Zoé", "D’ESSAI")
    assert claims["SubjectNameID"] == "899700901202"
    assert claims["otherIds"] == [{"identifiant": "899700901202", "origine": "RPPS", "qualite": 1}]
    assert (practice.profession.code, practice.category.code, practice.speciality.code) == ("60", "F", "SI01")
    assert (place.mode.code, place.sector.code, place.role.code) == ("S", "SA01", "FON-43")
    assert (place.finess, place.siret, place.siren) == ("0B0999901", "00000000099904", "000000000")
    assert (place.structure_name, place.place, place.department) == (
        "HOPITAL <B> & FILS",
        "97400 SAINT-DENIS",
        "974",
    )


def test_each_further_activity_is_in_a_different_structure(service: Service) -> None:
    claims = claims_of(service, service.press(open_form(service), **VALUES))
    first, *others = claims["SubjectRefPro"]["exercices"][0]["activities"]

    assert [each["raisonSocialeSite"] for each in others] == ["HOPITAL <B> & FILS 2", "HOPITAL <B> & FILS 3"]
    assert len({each["identifiantTechniqueDeLaStructure"] for each in (first, *others)}) == 3
    assert {each["numeroFinessSite"] + each["numeroSiretSite"] for each in others} == {""}


@pytest.mark.parametrize("count", [0, 50])
def test_zero_to_fifty_activities_are_accepted(service: Service, count: int) -> None:
    claims = claims_of(service, service.press(open_form(service), **{**VALUES, "activities": str(count)}))

    assert len(claims["SubjectRefPro"]["exercices"][0]["activities"]) == count


def test_without_a_profession_there_is_no_professional_data(service: Service) -> None:
    claims = claims_of(service, service.press(open_form(service), **{**VALUES, "profession": "", "activities": "0"}))

    assert claims["SubjectRefPro"] == {"exercices": []}
    assert claims["SubjectRole"] == []


def test_an_unknown_code_is_accepted(service: Service) -> None:
    claims = claims_of(service, service.press(open_form(service), **{**VALUES, "profession": "999", "skill": "XX_1"}))

    assert claims["SubjectRefPro"]["exercices"][0]["codeProfession"] == "999"


@pytest.mark.parametrize("number", ["99700901202", " 99 700 901 202 ", "899700901202"])
def test_an_rpps_may_be_written_with_spaces_or_as_the_national_identifier(service: Service, number: str) -> None:
    assert claims_of(service, service.press(open_form(service), **{**VALUES, "rpps": number}))["SubjectNameID"] == (
        "899700901202"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("given_name", " ", "This field is required."),
        ("family_name", "", "This field is required."),
        ("family_name", "A" * 101, "100 characters at most."),
        ("structure", "A" * 100_000, "100 characters at most."),
        (
            "rpps",
            "9970090120",
            "An RPPS number has 11 digits (or 12, starting with the 8 of the national identifier).",
        ),
        ("rpps", "９９７００９０１２０２", PROBLEMS["en"]["rpps_malformed"]),
        ("rpps", "99700901203", "This is not an RPPS number: its last digit, the check digit, should be 2."),
        ("profession", "Médecin", "Enter the code, in capitals and digits: 10, SM54, FON-01."),
        ("sector", "sa01", PROBLEMS["en"]["code_malformed"]),
        ("category", "Z", "Choose from the list."),
        ("means", "PIGEON", "Choose from the list."),
        ("acr", "", "Choose from the list."),
        ("activities", "51", "Enter a whole number from 0 to 50."),
        ("activities", "-1", PROBLEMS["en"]["activities_malformed"]),
        ("activities", "١", PROBLEMS["en"]["activities_malformed"]),
        ("activities", "", "This field is required."),
        ("finess", "0C0999901", PROBLEMS["en"]["finess_malformed"]),
        ("siret", "123", "A SIRET number has 14 digits."),
        ("postal_code", "QUIMPER", "A postal code has 5 digits."),
        ("profession", "", "Activities need a profession: enter one, or 0 activities."),
        ("skill", "", "Kind and code of the skill go together: enter both or neither."),
    ],
)
def test_an_invalid_value_is_refused_beside_its_field(service: Service, name: str, value: str, sentence: str) -> None:
    assert refused_problems(service, **{**VALUES, name: value}) == {name: sentence}


def test_a_skill_without_its_kind_is_refused_beside_the_kind(service: Service) -> None:
    assert list(refused_problems(service, **{**VALUES, "skill_kind": ""})) == ["skill_kind"]


def test_all_problems_are_shown_together_and_the_values_are_kept(service: Service) -> None:
    typed = {**VALUES, "given_name": "", "rpps": '"><script>', "siret": "1", "category": "M"}
    page = service.press(open_form(service), **typed)

    assert list(problems_on(page)) == ["given_name", "rpps", "siret"]
    assert "<script" not in page.text
    assert 'name="rpps" value="&quot;&gt;&lt;script&gt;"' in page.text
    assert 'name="structure" value="HOPITAL &lt;B&gt; &amp; FILS"' in page.text
    assert '<option value="M" lang="fr" selected>' in page.text


def test_a_refused_form_can_be_corrected_and_sent_again(service: Service) -> None:
    page = service.press(open_form(service), **{**VALUES, "rpps": "1"})

    assert claims_of(service, service.press(page, **VALUES))["given_name"] == "Zoé"


def test_a_form_works_once(simulator: Simulator, service: Service) -> None:
    page = open_form(service)
    service.press(page, **VALUES)

    assert "unknown_interaction" in service.press(page, **VALUES).text
    assert len(simulator.created_people.newest_first()) == 1


def test_only_one_of_several_parallel_requests_signs_in(simulator: Simulator, service: Service) -> None:
    page = open_form(service)
    barrier = threading.Barrier(4)

    def press(_number: int) -> int:
        with browser() as session:
            barrier.wait()
            return Service(simulator, session=session).press(page, **VALUES).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [303, 400, 400, 400]
    assert len(simulator.created_people.newest_first()) == 1


def test_an_empty_form_is_refused(service: Service) -> None:
    assert {"given_name", "family_name", "activities", "means"} <= refused_problems(service).keys()
