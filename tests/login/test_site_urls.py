"""The URLs registered with ANS, independent of the Host header."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import client_of
from tests.support.browser_session import PAGE, path_of, query_of
from tests.support.refusals import assert_refused, pending_cookies

pytestmark = pytest.mark.django_db


@pytest.mark.case("AZ21")
@pytest.mark.parametrize("hosts", [["*"], [".example.org"], ["testserver", "*"]])
def test_without_a_base_url_a_wildcard_host_is_refused(simulator, provider, person, settings, hosts):
    settings.ALLOWED_HOSTS = hosts
    response = person.browser.get("/psc/psc/login/", headers={"Host": "evil.example.org"})
    assert_refused(person, response, "base_url_missing", simulator=simulator)


@pytest.mark.case("AZ21")
def test_without_a_base_url_the_callback_of_a_wildcard_host_is_refused(simulator, provider, person, settings):
    url = person.authorize(person.begin())
    settings.ALLOWED_HOSTS = ["*"]
    response = person.browser.get(path_of(url), headers={"Host": "evil.example"})
    assert_refused(person, response, "base_url_missing", simulator=simulator)


@pytest.mark.case("AZ21")
def test_the_host_header_never_reaches_the_redirect_uri(provider, person, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PSC_CONNECT_BASE_URL = "http://testserver"
    # As behind a proxy that hides the host: the previous URL has redirected here.
    response = person.browser.get("/psc/psc/login/", {"from_other_host": "1"}, headers={"Host": "evil.example"})
    assert query_of(response["Location"])["redirect_uri"] == "http://testserver/psc/psc/callback/"


@pytest.mark.case("AZ21")
def test_host_that_the_site_does_not_allow_gets_400(provider, person, settings):
    assert person.browser.get("/psc/psc/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("slug", ["", "psc/"])
def test_other_host_of_the_site_is_redirected_to_the_base_host_with_its_next_page(
    simulator, provider, person, settings, slug
):
    settings.PSC_CONNECT_BASE_URL = "http://testserver"
    response = person.browser.get(f"/psc/{slug}login/", {"next": PAGE}, headers={"Host": "localhost"})
    assert response.status_code == 302
    assert not response.cookies
    parts = urlsplit(response["Location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "testserver", f"/psc/{slug}login/")
    started = person.browser.get(path_of(response["Location"]))
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE


def test_proxy_that_hides_the_host_causes_no_loop(provider, person, settings):
    settings.PSC_CONNECT_BASE_URL = "https://site.example"
    hidden = {"Host": "127.0.0.1"}
    first = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=hidden)
    assert first["Location"].startswith("https://site.example/psc/psc/login/?")
    second = person.browser.get(path_of(first["Location"]), headers=hidden)
    query = query_of(second["Location"])
    assert query["redirect_uri"] == "https://site.example/psc/psc/callback/"


def test_base_url_alone_decides_the_scheme_of_cookies_and_urls(simulator, provider, person, settings):
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    simulator.register(client_of(host="https://testserver"))
    response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    (morsel,) = response.cookies.values()
    assert morsel.key.startswith("__Host-psc_auth_")
    assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")
    back = person.come_back(person.authorize(response["Location"]))
    assert back["Location"] == PAGE
    gone = back.cookies[morsel.key]
    assert (gone.value, gone["max-age"], gone["secure"], gone["path"]) == ("", 0, True, "/")
    sent = next(request for request in simulator.requests if request.endpoint == "token").form
    assert sent["redirect_uri"] == "https://testserver/psc/psc/callback/"


def test_over_https_a_cookie_without_the_host_prefix_is_not_read(simulator, provider, person, settings):
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    simulator.register(client_of(host="https://testserver"))
    url = person.authorize(person.begin(PAGE))
    (name,) = pending_cookies(person)
    # Another site of the same domain, or plain http, could set it.
    person.browser.cookies[name.removeprefix("__Host-")] = person.browser.cookies[name].value
    del person.browser.cookies[name]
    response = person.come_back(url)
    assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


@pytest.mark.django_db(transaction=True)
def test_urls_and_cookies_are_correct_under_a_script_name(simulator, provider, live_server, settings):
    settings.FORCE_SCRIPT_NAME = "/app"
    uri = f"{live_server.url}/app/psc/psc/callback/"
    simulator.register(client_of(redirect_uris=(uri,)))
    with requests.Session() as browser:
        started = browser.get(
            f"{live_server.url}/psc/psc/login/", params={"next": "/app/page/one/"}, allow_redirects=False, timeout=10
        )
        assert query_of(started.headers["Location"])["redirect_uri"] == uri
        answer = browser.get(started.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
        # A reverse proxy removes its mount point from the path.
        back = browser.get(answer.replace("/app/", "/", 1), allow_redirects=False, timeout=10)
        assert (back.status_code, back.headers["Location"]) == (302, "/app/page/one/")
        again = browser.get(f"{live_server.url}/psc/psc/login/", params={"next": "/app/page/one/"}, timeout=10)
        assert again.status_code == 403
        assert 'action="/app/psc/psc/logout/"' in again.text
