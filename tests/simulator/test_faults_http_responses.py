"""Faults of HTTP responses: what the client receives, and whether the endpoint was reached."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
import requests

from psc_connect.simulator import Simulator
from tests.simulator.service import Service, browser

HTML = "text/html; charset=utf-8"
JSON = "application/json"

# fault, options, default endpoint ("": every endpoint), status, content type, body
ANSWERS: list[tuple[str, dict[str, Any], str, int, str, bytes]] = [
    ("outage", {}, "", 503, HTML, b"<h1>Service unavailable</h1>"),
    ("server_error", {}, "", 500, JSON, b'{"error": "server_error"}'),
    ("server_error", {"status": 502}, "", 502, JSON, b'{"error": "server_error"}'),
    ("maintenance_page", {}, "", 200, HTML, b"<!doctype html><title>Maintenance</title>"),
    ("answer", {"body": b'{"a": NaN}'}, "token", 200, JSON, b'{"a": NaN}'),
    ("token_error", {}, "token", 400, JSON, b'{"error": "invalid_grant"'),
    (
        "token_error",
        {"error": "invalid_client", "status": 401},
        "token",
        401,
        JSON,
        b'{"error": "invalid_client"',
    ),
    ("redirected", {"location": "https://evil.example/"}, "token", 307, "", b""),
    ("userinfo_unauthorized", {}, "userinfo", 401, JSON, b'{"error": "invalid_token"}'),
    ("userinfo_array", {}, "userinfo", 200, JSON, b"[]"),
]
ONE_BY_ONE = [
    "huge_body",
    "gzip_bomb",
    "close_connection_before_answer",
    "hang",
    "drip",
    "set_cookie",
    "answer_headers",
]


def ask(service: Service, endpoint: str) -> requests.Response:
    url = service.simulator.metadata["jwks_uri"] if endpoint == "jwks" else service.endpoint(endpoint)
    method = "POST" if endpoint == "token" else "GET"
    return service.session.request(method, url, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row[0]}-{row[3]}")
def test_an_endpoint_sends_another_response(
    simulator: Simulator, service: Service, row: tuple[str, dict[str, Any], str, int, str, bytes]
) -> None:
    fault, options, endpoint, status, content_type, body = row
    simulator.faults.set(fault, **options)
    response = ask(service, endpoint or "jwks")

    assert (response.status_code, response.headers.get("Content-Type", "")) == (status, content_type)
    assert response.content.startswith(body)


@pytest.mark.parametrize("fault", ["outage", "server_error", "maintenance_page"])
def test_an_outage_applies_to_every_endpoint_or_to_one(simulator: Simulator, service: Service, fault: str) -> None:
    correct = {name: ask(service, name).content for name in ("jwks", "userinfo", "token")}
    simulator.faults.set(fault)
    assert all(ask(service, name).content != correct[name] for name in correct)
    simulator.faults.set(fault, endpoint="userinfo")

    assert [name for name in correct if ask(service, name).content != correct[name]] == ["userinfo"]


def test_an_outage_sends_retry_after(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("outage", retry_after="7")

    assert ask(service, "token").headers["Retry-After"] == "7"


def test_a_redirect_has_the_given_location(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("redirected", location="https://evil.example/", endpoint="jwks", status=302)
    response = ask(service, "jwks")

    assert (response.status_code, response.headers["Location"]) == (302, "https://evil.example/")


def test_a_refused_access_token_is_challenged(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("userinfo_unauthorized")

    assert 'error="invalid_token"' in ask(service, "userinfo").headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("outage", {}),
        ("token_error", {}),
        ("redirected", {"location": "/"}),
        ("close_connection_before_answer", {"endpoint": "token"}),
    ],
)
def test_a_code_stays_valid_if_the_endpoint_did_not_receive_it(
    simulator: Simulator, service: Service, fault: str, options: dict[str, Any]
) -> None:
    code = service.code()
    with simulator.fault(fault, **options):
        try:
            assert service.exchange(code).status_code != 200
        except requests.ConnectionError:
            assert fault == "close_connection_before_answer"

    assert service.exchange(code).status_code == 200


def test_a_huge_body_has_the_announced_length(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("huge_body", megabytes=3)
    response = ask(service, "token")

    assert response.headers["Content-Length"] == str(3 * 1024 * 1024)
    assert len(response.content) == 3 * 1024 * 1024


def test_a_gzip_bomb_is_small_when_sent(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("gzip_bomb", megabytes=3)
    url = service.endpoint("token")
    with service.session.post(url, stream=True, timeout=10) as response:
        sent = response.raw.read(decode_content=False)

    assert response.headers["Content-Encoding"] == "gzip"
    assert len(sent) < 10_000
    assert len(gzip.decompress(sent)) == 3 * 1024 * 1024


def test_a_reused_connection_is_closed_before_the_response(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("close_connection_before_answer")
    assert ask(service, "jwks").status_code == 200
    with pytest.raises(requests.ConnectionError):
        ask(service, "jwks")

    assert ask(service, "jwks").status_code == 200  # on a new connection
    assert simulator.connections == 2


def test_a_new_connection_can_be_closed_too(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("close_connection_before_answer", reused_only=False)

    with pytest.raises(requests.ConnectionError):
        ask(service, "jwks")


def test_a_hanging_endpoint_sends_the_correct_response_late(simulator: Simulator, service: Service) -> None:
    code = service.code()
    simulator.faults.set("hang", seconds=0.3)
    began = time.monotonic()
    response = service.exchange(code)

    assert response.status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_hanging_endpoint_does_not_delay_the_others(simulator: Simulator) -> None:
    simulator.faults.set("hang", seconds=60)
    with browser() as stuck, browser() as session:
        with pytest.raises(requests.ReadTimeout):
            stuck.post(simulator.metadata["token_endpoint"], timeout=0.1)
        assert ask(Service(simulator, session=session), "jwks").status_code == 200


@pytest.mark.parametrize("headers", [False, True])
def test_a_dripping_response_is_correct(simulator: Simulator, service: Service, headers: bool) -> None:
    correct = ask(service, "token")
    simulator.faults.set("drip", seconds=0.001, headers=headers)
    began = time.monotonic()
    response = ask(service, "token")
    elapsed = time.monotonic() - began

    assert response.content == correct.content
    assert elapsed >= 0.001 * (len(response.content) + (200 if headers else 0))


def test_a_back_channel_response_can_set_a_cookie(simulator: Simulator, service: Service) -> None:
    simulator.faults.set("set_cookie", cookie="a=b; Path=/")
    response = ask(service, "token")

    assert response.headers["Set-Cookie"] == "a=b; Path=/"
    assert response.json()["error"] == "invalid_client"


def test_headers_can_be_replaced(simulator: Simulator, service: Service) -> None:
    simulator.faults.set(
        "answer_headers",
        endpoint="jwks",
        headers=(("content-type", "text/plain"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")),
    )
    response = ask(service, "jwks")

    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["Date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert response.json() == simulator.jwks
