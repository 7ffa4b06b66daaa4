"""People that testers created: kept while the simulator runs."""

from __future__ import annotations

import json
import re

from psc_connect.simulator import Simulator
from psc_connect.simulator.created_people import MAX_CREATED_PEOPLE
from psc_connect.simulator.person_form import INITIAL
from tests.simulator.person_form import PASTED, claims_of, open_form
from tests.simulator.service import Service


def test_a_created_person_is_listed_first_and_can_be_chosen_again(service: Service) -> None:
    service.press(open_form(service), json=json.dumps(PASTED))
    service.session.cookies.clear()
    page = service.authorize()
    slugs = re.findall(r'name="person" value="([^"]+)"', page.text)

    assert slugs[:2] == ["created-1", "doctor-two-activities"]
    assert "<h2>Vos personnes</h2>" in page.text
    assert claims_of(service, service.press(page, person="created-1")) == PASTED


def test_the_same_person_is_kept_once(simulator: Simulator, service: Service) -> None:
    for name in ("Ève", "Ève", "Eva", "Ève"):
        service.press(open_form(service, prompt="login"), json=json.dumps({**PASTED, "given_name": name}))

    assert [person.name for person in simulator.created_people.newest_first()] == ["Ève COLLÉE", "Eva COLLÉE"]


def test_the_oldest_person_is_removed_when_there_are_too_many(simulator: Simulator, service: Service) -> None:
    for number in range(MAX_CREATED_PEOPLE + 2):
        service.press(open_form(service, prompt="login"), json=json.dumps({**PASTED, "given_name": str(number)}))

    kept = [person.slug for person in simulator.created_people.newest_first()]
    assert kept == [f"created-{number}" for number in range(MAX_CREATED_PEOPLE + 2, 2, -1)]
    assert "unknown_person" in service.press(service.authorize(prompt="login"), person="created-1").text


def test_two_people_without_rpps_have_different_subjects(simulator: Simulator, service: Service) -> None:
    for _ in range(2):
        service.press(open_form(service, prompt="login"), **INITIAL)

    assert len({person.subject for person in simulator.created_people.newest_first()}) == 2


def test_a_long_name_is_cut_on_its_card(service: Service) -> None:
    service.press(open_form(service), json=json.dumps({**PASTED, "given_name": "N" * 1000}))
    service.session.cookies.clear()

    assert "N" * 100 in service.authorize().text
    assert "N" * 101 not in service.authorize().text
