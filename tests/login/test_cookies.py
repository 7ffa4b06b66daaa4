"""Cookies of this package under names that another site can set, and under names that come twice."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory

from psc_connect.login.cookies import exact_cookie
from tests.conftest import client_of
from tests.support.browser_session import HOST, PAGE, BrowserSession, path_of
from tests.support.refusals import assert_refused, pending_cookies

# What Django's parser removes around a name (`str.strip`), and browsers keep.
BLANKS = [*"\t\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2028\u2029\u202f\u205f\u3000", "  "]
NAME = "__Host-psc_auth_0123456789abcdef"
SECURE_HOST = HOST.replace("http:", "https:")


@pytest.fixture
def secure_site(simulator, settings):
    settings.PSC_CONNECT_BASE_URL = SECURE_HOST
    simulator.register(client_of(host=SECURE_HOST))


@pytest.fixture
def attacker(provider, secure_site):
    attacker = BrowserSession()
    yield attacker
    attacker.close()


def in_header(text: str) -> str:
    """Return the text as a WSGI server passes it: UTF-8 bytes, decoded as Latin-1."""
    return text.encode().decode("latin-1")


def come_back(person: BrowserSession, url: str, cookies: str) -> Any:
    """Open the callback with this ``Cookie`` header, which Django's test client cannot build."""
    return person.browser.get(path_of(url), HTTP_COOKIE=in_header(cookies), secure=True)


def prepared_attack(attacker: BrowserSession) -> tuple[str, str, str]:
    """Return the callback URL of the attacker's own login, and the name and value of its cookie."""
    url = attacker.authorize(attacker.begin(PAGE))
    ((name, value),) = pending_cookies(attacker).items()
    assert name.startswith("__Host-psc_auth_")
    return url, name, value


def requests_with(cookies: str) -> list[Any]:
    asgi = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookies.encode())]}
    return [RequestFactory().get("/", HTTP_COOKIE=in_header(cookies)), ASGIRequest(asgi, io.BytesIO())]


@pytest.mark.django_db
def test_cookie_with_its_exact_name_finishes_the_login(attacker):
    url, name, value = prepared_attack(attacker)
    assert come_back(attacker, url, f"a=b; {name}={value}; c=d")["Location"] == PAGE
    assert attacker.is_signed_in


@pytest.mark.django_db
@pytest.mark.case("NW06", "AZ03")
@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
@pytest.mark.parametrize("pattern", ["{blank}{name}", "{name}{blank}"], ids=["before", "after"])
def test_cookie_of_a_sibling_subdomain_signs_the_victim_in_as_no_one(simulator, attacker, person, blank, pattern):
    url, name, value = prepared_attack(attacker)
    planted = pattern.format(blank=blank, name=name)
    response = come_back(person, url, f"{planted}={value}")
    assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


@pytest.mark.django_db
@pytest.mark.case("NW06")
def test_cookie_that_comes_twice_is_refused(simulator, attacker, person):
    url, name, value = prepared_attack(attacker)
    for other in (value, "x", ""):
        for cookies in (f"{name}={value}; {name}={other}", f"{name}={other}; a=b;{name}={value}"):
            response = come_back(person, url, cookies)
            assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


@pytest.mark.django_db
@pytest.mark.case("NW06")
def test_planted_cookie_beside_the_own_one_changes_nothing(attacker, person):
    url = person.authorize(person.begin("/page/two/"))
    ((name, value),) = pending_cookies(person).items()
    _url, _name, evil = prepared_attack(attacker)
    assert come_back(person, url, f"{name}={value}; \u2000{name}={evil}")["Location"] == "/page/two/"


@pytest.mark.django_db
@pytest.mark.case("NW06")
def test_planted_cookies_push_out_no_pending_login(attacker, person):
    person.begin(PAGE)
    ((name, value),) = pending_cookies(person).items()
    planted = "; ".join(f"\u2000__Host-psc_auth_{number:016}={'x' * 700}" for number in range(8))
    header = in_header(f"{name}={value}; {planted}")
    response = person.browser.get("/psc/psc/login/", {"next": PAGE}, HTTP_COOKIE=header)
    assert [morsel.key for morsel in response.cookies.values() if not morsel.value] == []


@pytest.mark.case("NW06")
@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_django_reads_the_names_that_are_refused_here(blank):
    wsgi, asgi = requests_with(f"{blank}{NAME}=evil")
    assert wsgi.COOKIES.get(NAME) == "evil"
    assert [exact_cookie(request, NAME) for request in (wsgi, asgi)] == ["", ""]


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        (f"{NAME}=abc", "abc"),
        (f'a=b; {NAME}="abc=="; c', "abc=="),
        (f"a=b;{NAME}=abc==", "abc=="),
        (f"{NAME}", ""),
        (f"={NAME}=abc", ""),
        (f"x{NAME}=abc; {NAME}x=abc", ""),
        (NAME.lower() + "=abc", ""),
        ("", ""),
    ],
)
def test_names_are_compared_exactly(cookies, value):
    assert [exact_cookie(request, NAME) for request in requests_with(cookies)] == [value, value]
