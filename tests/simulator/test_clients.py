"""Client authentication (RFC 6749 2.3.1), with Keycloak's errors."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

import pytest

from psc_connect.simulator import Simulator
from tests.simulator.service import CLIENT, SECRET, Service, with_method


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "unauthorized_client"),
        ({"client_secret": SECRET + " "}, "unauthorized_client"),
        ({"client_secret": None}, "unauthorized_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
    ],
)
def test_wrong_credentials_are_refused_as_by_keycloak(
    service: Service, changes: dict[str, str | None], error: str
) -> None:
    response = service.exchange(service.code(), **changes)

    assert (response.status_code, response.json()["error"]) == (401, error)
    assert "WWW-Authenticate" not in response.headers


def test_a_code_stays_valid_after_a_refused_client(service: Service) -> None:
    code = service.code()
    service.exchange(code, client_secret="wrong")

    assert service.exchange(code).status_code == 200


def basic(service: Service, *, user: str, password: str, **form: str | None) -> int:
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    service.session.headers["Authorization"] = f"Basic {credentials}"
    changes: dict[str, str | None] = {"client_id": None, "client_secret": None, **form}
    return service.exchange(service.code(), **changes).status_code


def test_basic_credentials_are_form_encoded_first(simulator: Simulator, service: Service) -> None:
    simulator.register(with_method("client_secret_basic"))

    assert basic(service, user="the-service", password=quote_plus(SECRET)) == 200


def test_basic_credentials_may_come_with_the_same_client_id(simulator: Simulator, service: Service) -> None:
    simulator.register(with_method("client_secret_basic"))

    assert basic(service, user="the-service", password=quote_plus(SECRET), client_id="the-service") == 200


@pytest.mark.parametrize(
    ("password", "form"),
    [
        ("wrong", {}),
        ("a:b%/+", {}),
        (quote_plus(SECRET), {"client_secret": SECRET}),
        (quote_plus(SECRET), {"client_id": "another"}),
    ],
)
def test_wrong_basic_credentials_are_refused(
    simulator: Simulator, service: Service, password: str, form: dict[str, str]
) -> None:
    simulator.register(with_method("client_secret_basic"))

    assert basic(service, user="the-service", password=password, **form) == 401


def test_a_client_registered_for_post_is_refused_by_basic(service: Service) -> None:
    assert basic(service, user="the-service", password=quote_plus(SECRET)) == 401


def test_a_client_registered_for_basic_is_refused_by_post(simulator: Simulator, service: Service) -> None:
    simulator.register(with_method("client_secret_basic"))

    assert service.exchange(service.code()).status_code == 401


@pytest.mark.parametrize("header", ["Basic !", "Basic", "Basic w6k="])
def test_an_unreadable_authorization_header_is_refused(service: Service, header: str) -> None:
    service.session.headers["Authorization"] = header
    response = service.exchange(service.code())

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_client_with_an_unknown_method_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="client_secret_post, client_secret_basic"):
        with_method("private_key_jwt")


def test_a_client_does_not_show_its_secret() -> None:
    assert SECRET not in repr(CLIENT)
