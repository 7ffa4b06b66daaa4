"""People that tests create: variants of others, and any number of activities."""

from __future__ import annotations

import pytest

from psc_connect.simulator import Simulator
from psc_connect.simulator.people import person_with_activities
from psc_connect.simulator.userinfo_builder import activity
from tests.simulator.service import Service


@pytest.mark.parametrize("count", [0, 1, 2, 50, 10_000])
def test_a_person_can_have_any_number_of_activities(count: int) -> None:
    claims = person_with_activities(count).userinfo
    (exercice,) = claims["SubjectRefPro"]["exercices"]
    structures = {place["identifiantTechniqueDeLaStructure"] for place in exercice["activities"]}

    assert len(exercice["activities"]) == len(structures) == count


def test_a_person_with_fifty_activities_signs_in(simulator: Simulator, service: Service) -> None:
    person = person_with_activities(50)
    simulator.add_people([person])

    assert service.userinfo(service.tokens(person.slug)["access_token"]).json() == person.userinfo


def test_a_negative_number_of_activities_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        person_with_activities(-1)


def test_a_person_can_be_copied_with_other_claims(simulator: Simulator) -> None:
    nurse = simulator.people["nurse"]
    other = nurse.changed(slug="other", without=("otherIds", "codeCivilite"), given_name="Zoé", extra=[1])

    assert (other.slug, other.name, other.acr) == ("other", "Zoé VALOMBRE", nurse.acr)
    assert other.userinfo["extra"] == [1]
    assert other.userinfo.keys() == nurse.userinfo.keys() - {"otherIds", "codeCivilite"} | {"extra"}
    assert nurse.changed().slug == "nurse"
    assert nurse.name == "Inès VALOMBRE"


def test_an_unknown_leaf_of_an_activity_is_refused() -> None:
    with pytest.raises(TypeError, match="codeSection"):
        activity("L", "SA07", codeSection="A")
