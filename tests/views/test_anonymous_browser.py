"""Whatever an anonymous browser sends, no page of the package answers with a status over 499.

Load balancers count these responses, and take a server out for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import django
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psc_connect.models import Provider, ProviderSelectionRule
from psc_connect.oidc.authorization import AUTHENTICATION_EXPIRED
from psc_connect.oidc.error_codes import AUTHORIZATION_ERRORS
from psc_connect.simulator import Simulator
from psc_connect.urls import urlpatterns
from tests.conftest import make_provider
from tests.support.browser_session import BrowserSession, error_code_of, query_of

pytestmark = [pytest.mark.django_db, pytest.mark.case("NW09")]

SLUGS = ("psc", "unknown", "-", "_" * 50, "w" * 5000)
PAGES = ("/psc/login/", *(f"/psc/psc/{name}/" for name in ("login", "callback", "activity", "logout", "logged-out")))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "x")
# Not the codecs of Python that decode no text, such as "hex", nor "punycode", which raises an error of its own before
# Python 3.13: Django raises before it calls any code of a site.
CHARSETS = ("utf-16", "utf-7", "unknown", "é")
# Of the callback, then of the login.
PARAMETERS = (
    *("state", "code", "error", "error_description", "iss"),
    *("next", "as", "again", "choose", "clicked", "fetched", "from_other_host", "identify", "restarted"),
)
NASTY = (
    *(
        "",
        "\x00",
        "\ud800",
        "\r\nX: y",
        "é",
        "\u202e",
        "%",
        "%00",
        "%zz",
        "//",
        "///",
        "//[",
        "http://[",
        "/\\x",
        "../",
    ),
    *(
        "/" + "w" * 20_000,
        "javascript:1",
        "A" * 43,
        "None",
        "1" * 5000,
        "'",
        '"',
        "<script>",
        "{{",
        "${",
        ";",
        "&",
        "=",
    ),
)


def short(value: str) -> str:
    """Return a name for a test."""
    return ascii(value)[:20]


class AnonymousBrowser(Client):
    """A browser that sends anything. An exception of the site is an answer 500, as on a server."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)

    def send(self, method: str, path: str, query: str = "", **environ: Any) -> Any:
        return self.generic(method, path, QUERY_STRING=query, **environ)


def encoded(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, errors="surrogatepass")


def own_state() -> tuple[AnonymousBrowser, str]:
    """Start a login, as anybody can; return the browser and its state."""
    browser = AnonymousBrowser()
    return browser, query_of(browser.send("GET", "/psc/psc/login/")["Location"])["state"]


@pytest.fixture(autouse=True)
def _site(provider: Provider, request: pytest.FixtureRequest) -> None:
    """All tests have one provider.

    LoginRequiredMiddleware of Django 5.2 reads the session before it asks whether the view needs a login, so that
    PostgreSQL refuses a session key with NUL before any code of ours.
    """
    if django.VERSION < (6, 0):
        site = request.getfixturevalue("settings")
        site.MIDDLEWARE = [path for path in site.MIDDLEWARE if not path.endswith(".LoginRequiredMiddleware")]


def test_every_page_of_the_package_is_tested() -> None:
    assert {reverse(f"psc_connect:{each.name}", args=["psc"]) for each in urlpatterns} | {"/psc/login/"} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_no_method_causes_a_server_error(page: str) -> None:
    for method in METHODS:
        assert AnonymousBrowser().send(method, page).status_code < 500, method


@pytest.mark.parametrize("page", PAGES[1:])
def test_no_slug_causes_a_server_error(page: str) -> None:
    for slug in SLUGS:
        for method in ("GET", "POST"):
            assert AnonymousBrowser().send(method, page.replace("/psc/psc/", f"/psc/{slug}/")).status_code < 500, slug


@pytest.mark.parametrize("page", PAGES)
def test_no_parameter_causes_a_server_error(page: str) -> None:
    for value in NASTY:
        raw = "&".join(f"{name}={value.encode('utf-8', 'replace').decode('latin-1')}" for name in PARAMETERS)
        for query in (encoded(dict.fromkeys(PARAMETERS, value)), raw):
            assert AnonymousBrowser().send("GET", page, query).status_code < 500, short(value)
            posted = AnonymousBrowser().post(page, query, content_type="application/x-www-form-urlencoded")
            assert posted.status_code < 500, short(value)


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_answer_to_a_login_of_the_browser_causes_a_server_error(name: str) -> None:
    for value in NASTY:
        for answer in ({"code": "c"}, {"error": "access_denied"}):
            browser, state = own_state()
            query = encoded({"state": state, **answer, name: value})
            assert browser.send("GET", "/psc/psc/callback/", query).status_code < 500, short(value)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("page", PAGES)
def test_no_character_set_causes_a_server_error(page: str, charset: str) -> None:
    for content_type in (f"text/html; charset={charset}", f"application/x-www-form-urlencoded; charset={charset}"):
        for query in ("next=%E9&state=%FF&code=%80", "next=é"):
            for method in ("GET", "POST"):
                answer = AnonymousBrowser().send(method, page, query, CONTENT_TYPE=content_type)
                assert answer.status_code < 500, content_type


BODIES = (
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=", b"x"),
    ("multipart/form-data; boundary=é", b"x"),
    ("multipart/form-data; boundary=a", b"--a"),
    ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: form-data; name="next"\r\n\r\n\x00\r\n--a--'),
    ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: form-data; name="next"; filename="x"\r\n\r\ny'),
    ("application/x-www-form-urlencoded", b"a&" * 2_000),
    ("application/x-www-form-urlencoded", b"next=" + b"/" * 3_000_000),
    ("application/x-www-form-urlencoded; charset=latin-1", b"next=%E9"),
    ("application/json", b"{"),
    ("x", b"\x00"),
)


@pytest.mark.parametrize("page", PAGES)
def test_no_body_causes_a_server_error(page: str) -> None:
    for content_type, body in BODIES:
        answer = AnonymousBrowser().generic("POST", page, body, content_type=content_type)
        assert answer.status_code < 500, (content_type, body[:50])


NAMES_OF_NO_COOKIE = ("", "/", "(a)", "a b", "a,b", '"', "\t", "\x01", "\xe9", "A" * 16, "0" * 17)

HEADERS = {
    "HTTP_HOST": ("", "evil.example", "[", "[::1", "a b", "testserver:99999999", "testserver:x", "é", "w" * 5000),
    "HTTP_COOKIE": (
        *(
            "sessionid",
            "sessionid=",
            "sessionid=x",
            "sessionid=" + "w" * 5000,
            'sessionid="\\000\\000\\000\\000\\000\\000"',
        ),
        *(
            "psc_auth_=",
            "psc_auth_" + "a" * 16 + "=gAAAA",
            "csrftoken=\x00",
            "=",
            ";;;",
            "\xff=\xff",
            "a=" + "b" * 60_000,
        ),
        # Long enough to be deleted, with names that no response can have.
        *(f"psc_auth_{name}=" + "w" * 4200 for name in NAMES_OF_NO_COOKIE),
        *('sessionid="' + "\\000" * 32 + '"', 'sessionid="' + "\\355\\240\\200" * 12 + '"', "django_language=\x00"),
    ),
    "HTTP_ACCEPT_LANGUAGE": ("", "\x00", "fr-" * 2000, "*", "x;q=x", "é", "zz-ZZ", "fr;q=" + "9" * 5000),
    "HTTP_ACCEPT": ("", "\x00", "*/*" * 5000, "é"),
    "HTTP_SEC_FETCH_DEST": ("", "\x00", "empty", "image", "é"),
    "HTTP_SEC_FETCH_MODE": ("", "\x00", "cors", "é"),
    "HTTP_SEC_FETCH_SITE": ("", "\x00", "same-origin", "é"),
    "HTTP_SEC_PURPOSE": ("", "\x00", "prefetch", "é"),
    "HTTP_X_FORWARDED_FOR": ("", "\x00", "x", "1.2.3.4, ::1, [", "," * 5000, "é"),
    "HTTP_X_FORWARDED_HOST": ("", "\x00", "evil.example"),
    "HTTP_X_FORWARDED_PROTO": ("", "\x00", "https"),
    "HTTP_REFERER": ("", "\x00", "http://[", "é"),
    "HTTP_ORIGIN": ("", "null", "http://[", "é"),
    "HTTP_X_CSRFTOKEN": ("", "\x00", "é" * 64),
    "HTTP_IF_MODIFIED_SINCE": ("x", "Mon, 99 Jan 0000 99:99:99 GMT"),
    "CONTENT_LENGTH": ("x", "-1", "9" * 5000),
    "REMOTE_ADDR": ("", "x", "unix:"),
}


@pytest.mark.parametrize(("header", "value"), [(name, value) for name in HEADERS for value in HEADERS[name]], ids=short)
def test_no_header_causes_a_server_error(settings: Any, header: str, value: str) -> None:
    settings.PSC_CONNECT_TRUSTED_PROXY_COUNT = 1
    for page in PAGES:
        for method in ("GET", "POST"):
            answer = AnonymousBrowser().send(method, page, "next=/page/one/", **{header: value})
            assert answer.status_code < 500, (method, page)


@pytest.mark.parametrize("host", ["[1:2.3:4]", "[:1:]", "[a:b]:80", "testserver.", "-", "a..b", "x:0"])
def test_no_host_causes_a_server_error_where_the_site_allows_all(
    settings: Any, simulator: Simulator, host: str
) -> None:
    """Django accepts some that Python refuses to parse."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.PSC_CONNECT_BASE_URL = "http://testserver"
    clinic = make_provider(simulator, "clinic")
    for kind, value, name in (("host", "a.example", ""), ("header", "x", "X-Site"), ("network", "10.0.0.0/8", "")):
        ProviderSelectionRule.objects.create(provider=clinic, kind=kind, value=value, header=name)
    for page in PAGES:
        for query in ("next=/page/one/", "from_other_host=1"):
            answer = AnonymousBrowser().send("GET", page, query, HTTP_HOST=host, HTTP_X_SITE="\x00")
            assert answer.status_code < 500, (page, query)


@pytest.mark.parametrize("key", ['"' + "\\000" * 32 + '"', "\xe9" * 32], ids=short)
def test_session_key_that_no_site_has_sent_is_deleted_and_the_login_starts(key: str) -> None:
    """PostgreSQL refuses to compare NUL."""
    answer = AnonymousBrowser().send("GET", "/psc/psc/login/", HTTP_COOKIE=f"sessionid={key}")
    assert answer.status_code == 302
    assert answer.cookies["sessionid"]["max-age"] == 0


def addresses(patterns: Any, prefix: str = "/") -> Iterator[str]:
    """Yield an address of each page under the patterns."""
    for pattern in patterns:
        address = prefix + str(pattern.pattern).lstrip("^").rstrip("$").replace("\\", "")
        for converter in ("<path:object_id>", "<int:pk>", "<slug:slug>", "<str:name>"):
            address = address.replace(converter, "1")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield address


def test_no_page_of_the_administration_causes_a_server_error() -> None:
    pages = [each for each in addresses(get_resolver().url_patterns) if each.startswith("/admin/psc_connect/")]
    assert len(pages) > 30
    for page in pages:
        for method in ("GET", "POST"):
            assert AnonymousBrowser().send(method, page, "next=%00&_to_field=x").status_code < 500, page


@pytest.mark.parametrize("error", sorted(AUTHORIZATION_ERRORS | {AUTHENTICATION_EXPIRED, "", "x", "é"}))
def test_no_error_of_the_provider_is_a_server_error(error: str) -> None:
    for again in ({}, {"again": "1"}):
        browser = AnonymousBrowser()
        state = query_of(browser.send("GET", "/psc/psc/login/", encoded(again))["Location"])["state"]
        query = encoded({"state": state, "error": error, "error_description": AUTHENTICATION_EXPIRED})
        assert browser.send("GET", "/psc/psc/callback/", query).status_code < 500


def test_junk_codes_are_refused_without_a_server_error(simulator: Simulator, person: BrowserSession) -> None:
    """Fourteen of them in a moment took both servers behind a load balancer out."""
    for _ in range(14):
        state = query_of(person.begin())["state"]
        parameters = {"state": state, "code": "junk", "iss": simulator.issuer}
        response = person.browser.get("/psc/psc/callback/", parameters)
        assert (response.status_code, error_code_of(response)) == (403, "token_invalid_grant")


texts = st.text(max_size=80) | st.sampled_from(NASTY)
queries = st.dictionaries(st.sampled_from(PARAMETERS) | texts, texts, max_size=6).map(encoded) | st.binary(
    max_size=200
).map(lambda raw: raw.decode("latin-1"))
headers = st.dictionaries(
    st.sampled_from(sorted(HEADERS)), st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))
)
cookie_names = st.binary(max_size=20).map(lambda raw: raw.decode("latin-1"))
paths = st.sampled_from(PAGES) | texts.map(lambda text: f"/psc/{quote(text, errors='replace')}/callback/")
many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(st.sampled_from(METHODS), paths, queries, headers)
def test_no_request_causes_a_server_error(method: str, path: str, query: str, environ: dict[str, str]) -> None:
    assert AnonymousBrowser().send(method, path, query, **environ).status_code < 500


@many
@given(st.dictionaries(st.sampled_from(PARAMETERS), texts, max_size=4))
def test_no_answer_to_a_login_causes_a_server_error(parameters: dict[str, str]) -> None:
    browser, state = own_state()
    assert browser.send("GET", "/psc/psc/callback/", encoded({**parameters, "state": state})).status_code < 500


@many
@given(st.lists(cookie_names, max_size=4))
def test_no_name_of_a_cookie_causes_a_server_error(names: list[str]) -> None:
    header = ";".join(f"psc_auth_{name}={'w' * 4000}" for name in names)
    assert AnonymousBrowser().send("GET", "/psc/psc/login/", HTTP_COOKIE=header).status_code < 500
