from __future__ import annotations

import json
from pathlib import Path

import pytest

import psc_connect
from psc_connect.simulator import Person, Simulator
from psc_connect.simulator.people import PEOPLE
from tests.simulator.service import Service

PUBLISHED = {
    "doctor-two-activities": "doctor-card-two-activities-2023.json",
    "doctor-two-exercices": "doctor-two-exercices-2022.json",
    "doctor-five-activities": "doctor-five-activities-2021.json",
    "podiatrist": "podiatrist-2023.json",
    "no-professional-data": "no-professional-data-2023.json",
}
INVENTED = [person for person in PEOPLE if person.slug not in PUBLISHED]
DATA = Path(psc_connect.__file__).parent / "claims" / "samples"


@pytest.mark.parametrize(("slug", "name"), PUBLISHED.items())
def test_a_published_payload_is_sent_word_for_word(service: Service, slug: str, name: str) -> None:
    response = service.userinfo(service.tokens(slug)["access_token"])

    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == json.loads((DATA / name).read_text("utf-8"))


@pytest.mark.parametrize("person", INVENTED, ids=lambda person: person.slug)
def test_an_invented_person_signs_in(service: Service, person: Person) -> None:
    tokens = service.tokens(person.slug)

    assert service.userinfo(tokens["access_token"]).json() == person.userinfo
    assert service.verified(tokens["id_token"])["sub"] == person.subject
    assert service.verified(tokens["id_token"])["acr"] == person.acr


def test_an_added_person_can_sign_in(simulator: Simulator, service: Service) -> None:
    simulator.add_people([Person("mine", {"sub": "f:0:1", "given_name": "Zoé"}, auth_mode="CARD", acr="eidas2")])
    tokens = service.tokens("mine")

    assert service.verified(tokens["id_token"])["acr"] == "eidas2"
    assert service.userinfo(tokens["access_token"]).json() == {"sub": "f:0:1", "given_name": "Zoé"}


@pytest.mark.parametrize(("elapsed", "status"), [(119, 200), (120, 401)])
def test_an_access_token_lasts_two_minutes(simulator: Simulator, service: Service, elapsed: int, status: int) -> None:
    access_token = service.tokens()["access_token"]
    simulator.clock_offset = elapsed

    assert service.userinfo(access_token).status_code == status


def test_an_invalid_token_is_challenged(service: Service) -> None:
    """RFC 6750 3.1."""
    response = service.userinfo("junk")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="esante-wallet", error="invalid_token"')


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}])
def test_a_missing_token_is_challenged_without_an_error(service: Service, headers: dict[str, str]) -> None:
    response = service.session.get(service.endpoint("userinfo"), headers=headers, timeout=10)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="esante-wallet"'


def test_a_token_in_the_query_is_not_read(service: Service) -> None:
    access_token = service.tokens()["access_token"]
    url = service.endpoint("userinfo")

    response = service.session.get(url, params={"access_token": access_token}, timeout=10)
    assert response.status_code == 401


def test_an_id_token_is_not_accepted_as_access_token(service: Service) -> None:
    assert service.userinfo(service.tokens()["id_token"]).status_code == 401


def test_userinfo_accepts_post(service: Service) -> None:
    """OIDC Core 5.3.1."""
    headers = {"Authorization": f"bearer {service.tokens()['access_token']}"}

    response = service.session.post(service.endpoint("userinfo"), headers=headers, timeout=10)
    assert response.status_code == 200
