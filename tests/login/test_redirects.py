"""The page to show after a login: only one of this site, validated at the start and at the end."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.test import override_settings
from django.urls import get_script_prefix, include, path, set_script_prefix
from django.utils.encoding import iri_to_uri

from psc_connect.encryption import PENDING_LOGIN, cipher_for
from psc_connect.login.pending import PendingLogin
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.site_urls import login_link
from tests.support.browser_session import PAGE, BrowserSession, error_code_of
from tests.support.refusals import pending_cookies

pytestmark = pytest.mark.django_db


@permission_required("auth.add_user")
def guarded(request):
    return HttpResponse("guarded")


urlpatterns = [
    path("guarded/", guarded),
    path("", include("tests.urls")),
]

# The position of the next page in the cookie, which has the values of a login without their names.
NEXT = [field.name for field in fields(PendingLogin)].index("next")
# Each leads, or has led in some browser or library, to another host, to a script, or to a login page.
ELSEWHERE = [
    "https://evil.example",
    "https://evil.example/",
    "http://evil.example/page/one/",
    "HTTPS://EVIL.EXAMPLE/",
    "//evil.example",
    "//evil.example/page/one/",
    "///evil.example",
    "////evil.example",
    "//evil.example\\@testserver/",
    "//testserver@evil.example/",
    "/\\evil.example",
    "/\\/evil.example",
    "/\\\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://testserver/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "mailto:evil@evil.example",
    "ftp://evil.example/",
    "file:///etc/passwd",
    "blob:https://evil.example/",
    "\thttps://evil.example/",
    "\nhttps://evil.example/",
    "\r\nhttps://evil.example/",
    " https://evil.example/",
    "\x00https://evil.example/",
    "\x01//evil.example/",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\x00/evil.example",
    "/\x0b/evil.example",
    "/page/\r\nSet-Cookie: a=b",
    "/page/\nLocation: https://evil.example",
    "/page/one/\t",
    "/\u202e/elpmaxe.live//",
    "/page/\u2028",
    "/page/\ufeff",
    "/page/\xad",
    "\u3000//evil.example",
    "\xa0//evil.example",
    "http://testserver.evil.example/",
    "http://evil-testserver/",
    "http://testserver:80@evil.example/",
    "http://testserver%2eevil.example/",
    "//testserver.evil.example/",
    "http://testserver\u3002evil.example/",
    # An absolute URL of our own host: a site behind a proxy cannot know its host for certain.
    "http://testserver/page/one/",
    "//testserver/page/one/",
    "page/one/",
    "./page/one/",
    "../page/one/",
    "?next=/page/one/",
    "#fragment",
    "http://[::1",
    "//[evil",
    "evil.example",
    "@evil.example",
    ":443/evil",
    "%2f%2fevil.example",
    # Without a host: no browser can open them.
    "//",
    "//?x",
    "//#x",
    "/\\",
    "/\\?x",
    "\\/",
    "",
]
OURS = [
    "/psc/login/",
    "/psc/psc/login/",
    "/psc/psc/login/?next=/page/one/",
    "/psc/psc/callback/?code=c&state=s",
    "/psc/psc/logout/",
    "/psc/psc/logged-out/",
    "/psc/psc/login/#fragment",
    "/psc/%70sc/login/",
]
GOOD = [
    "/",
    PAGE,
    "/page/one/?a=1&b=2",
    "/page/one/?next=https://evil.example/",
    "/page/one/#part",
    "/page/%2F%2Fevil.example/",
    "/page/dossier-n°-5/",
    "/page/é/?q=à%20la",
    "/pscology/",
    "/page/one/;params",
    "/nowhere/",
]


@pytest.mark.case("RD01", "RD02")
@pytest.mark.parametrize("url", [*ELSEWHERE, *OURS, None])
def test_next_page_of_another_site_is_dropped(url):
    assert safe_next(url) == ""
    assert landing_page(url) == "/"


@pytest.mark.parametrize("url", GOOD)
def test_next_page_of_this_site_is_unchanged(url):
    assert safe_next(url) == landing_page(url) == url


def test_list_of_hostile_urls_has_a_minimum_length():
    assert len(set(ELSEWHERE)) >= 60


@pytest.mark.case("RD01")
def test_login_does_not_store_a_page_of_another_site(provider, person):
    for url in (*ELSEWHERE, *OURS):
        person.browser.cookies.clear()
        person.begin(url)
        (cookie,) = pending_cookies(person).values()
        assert json.loads(cipher_for(PENDING_LOGIN).decrypt(cookie.encode()))[NEXT] == ""


@pytest.mark.case("RD01")
@pytest.mark.parametrize("url", ELSEWHERE[:-1:4])
def test_login_never_redirects_to_another_site(provider, person, url):
    response = person.sign_in(url)
    assert response["Location"] == "/"
    assert person.is_signed_in


@pytest.mark.case("RD01")
@pytest.mark.parametrize("url", [*ELSEWHERE[::6], "/psc/psc/logout/"])
def test_next_page_is_validated_again_before_the_redirect(provider, person, url):
    callback = person.authorize(person.begin(PAGE))
    ((name, value),) = pending_cookies(person).items()
    cipher = cipher_for(PENDING_LOGIN)
    held = json.loads(cipher.decrypt(value.encode()))
    assert held[NEXT] == PAGE
    held[NEXT] = url
    # As an earlier version of this package with a laxer validation could have written it.
    person.browser.cookies[name] = cipher.encrypt(json.dumps(held).encode()).decode()
    assert person.come_back(callback)["Location"] == "/"
    assert person.is_signed_in
    # Also on a reload, which reads it from the session.
    assert person.come_back(callback)["Location"] == "/"


@pytest.mark.case("RD01", "RD06")
@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_pages_do_not_link_to_a_page_of_another_site(simulator, provider, person, url):
    refused = person.browser.get("/psc/psc/callback/", {"state": "x", "next": url})
    assert "evil" not in refused.content.decode()
    with simulator.fault("wrong_nonce"):
        assert "evil" not in person.sign_in(url).content.decode()
    person.sign_in()
    assert "evil" not in person.browser.get("/psc/login/", {"next": url}).content.decode()
    assert person.browser.get("/psc/login/", {"next": url, "again": "1"})["Location"] == "/"


@pytest.mark.case("RD05")
@pytest.mark.parametrize("name", ["next", "redirect_to", "failure_url", "redirect_uri", "continue"])
def test_callback_ignores_a_next_parameter(provider, person, name):
    callback = person.authorize(person.begin(PAGE))
    assert person.come_back(f"{callback}&{name}=https://evil.example/")["Location"] == PAGE


def test_without_a_next_page_login_redirect_url_is_used(provider, person, settings):
    settings.LOGIN_REDIRECT_URL = "/page/welcome/"
    assert person.sign_in()["Location"] == "/page/welcome/"


# --- long pages, and our own ------------------------------------------------------------------------------------


@pytest.mark.case("RD04")
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (PAGE + "?q=" + "x" * 8_000, PAGE),
        ("/page/" + "x" * 8_000 + "/", "/"),
        ("/page/" + "x" * 505 + "/", "/page/" + "x" * 505 + "/"),
        ("/page/" + "x" * 506 + "/", "/"),
        ("/page/" + "é" * 253, "/page/" + "é" * 253),
        ("/page/" + "é" * 254, "/"),
        ("/page/one/#" + "x" * 600, PAGE),
        ("//evil.example/page/one/?q=" + "x" * 8_000, "/"),
        ("//?q=" + "x" * 8_000, "/"),
        ("https://evil.example/page/one/?q=" + "x" * 600, "/"),
        ("/psc/psc/login/?q=" + "x" * 600, "/"),
    ],
)
def test_long_next_page_loses_its_query_and_a_longer_one_is_dropped(provider, person, url, kept):
    assert person.sign_in(url)["Location"] == iri_to_uri(kept)


@pytest.mark.case("RD04")
def test_pages_of_this_package_are_recognised_under_a_script_name():
    prefix = get_script_prefix()
    try:
        set_script_prefix("/app/")
        assert safe_next("/app/psc/psc/login/") == ""
        assert safe_next("/app/page/one/") == "/app/page/one/"
    finally:
        set_script_prefix(prefix)


@pytest.mark.case("RD04")
def test_login_page_as_next_page_causes_no_loop(provider, person):
    assert person.sign_in("/psc/psc/login/?next=/psc/login/")["Location"] == "/"


# --- a user without the permission -----------------------------------------------------------------------------


@pytest.mark.case("RD06")
@override_settings(ROOT_URLCONF=__name__)
def test_user_without_the_permission_sees_a_page_and_is_not_redirected(simulator, provider, person):
    first = person.browser.get("/guarded/")
    assert first["Location"] == "/psc/login/?next=/guarded/"
    started = person.browser.get(first["Location"])
    assert person.come_back(person.authorize(started["Location"]))["Location"] == "/guarded/"
    simulator.clear_requests()
    response = person.browser.get("/guarded/", follow=True)
    assert response.redirect_chain == [("/psc/login/?next=/guarded/", 302)]
    assert response.status_code == 403
    assert "psc_connect/already_signed_in.html" in [template.name for template in response.templates]
    assert "http-equiv" not in response.content.decode()
    assert not pending_cookies(person)
    assert simulator.requests == []
    # Refused, but still signed in.
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("RD06")
@pytest.mark.parametrize("address", ["/psc/login/", "/psc/psc/login/", "/psc/unknown/login/"])
@pytest.mark.parametrize(("query", "status"), [("?next=/page/one/", 403), ("", 302), ("?next=//evil.example", 302)])
def test_signed_in_user_starts_no_login(provider, person, address, query, status):
    """A page that lacks a permission sends its path as ?next=: redirecting there would be an endless loop."""
    person.sign_in()
    response = person.browser.get(address + query)
    assert response.status_code == status
    assert response.get("Location", "/") == "/"
    assert not pending_cookies(person)
    assert "no-store" in response["Cache-Control"]


@pytest.mark.case("RD06")
def test_user_signed_in_by_password_sees_the_page_too(provider, person):
    user = get_user_model().objects.create_user("local")
    person.browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = person.browser.get("/psc/login/", {"next": PAGE})
    assert response.status_code == 403
    assert "local" in response.content.decode()


@pytest.mark.case("RD06")
@pytest.mark.parametrize("page", [PAGE, "/page/two/?a=b"])
def test_button_of_a_page_loaded_before_the_sign_in_leads_to_the_page(simulator, provider, person, page):
    link = login_link("psc", page)
    person.sign_in("/page/another-tab/")
    simulator.clear_requests()
    response = person.browser.get(link)
    assert (response.status_code, response["Location"]) == (302, page)
    assert not pending_cookies(person)
    assert simulator.requests == []


@pytest.mark.case("RD06")
@override_settings(ROOT_URLCONF=__name__)
def test_button_of_a_page_without_permission_shows_the_reason_and_is_no_loop(provider, person):
    person.sign_in()
    response = person.browser.get(login_link("psc", "/guarded/"), follow=True)
    assert response.redirect_chain == [("/guarded/", 302), ("/psc/login/?next=/guarded/", 302)]
    assert response.status_code == 403
    assert "psc_connect/already_signed_in.html" in [template.name for template in response.templates]


@pytest.mark.case("RD01", "RD06")
@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "/psc/psc/logout/"])
def test_link_with_the_mark_leads_to_pages_of_this_site_only(provider, person, url):
    person.sign_in()
    assert person.browser.get("/psc/psc/login/", {"next": url, "clicked": "1"})["Location"] == "/"


@pytest.mark.case("RD06")
def test_link_for_another_person_shows_who_is_signed_in(provider, person):
    person.sign_in()
    response = person.browser.get("/psc/psc/login/", {"next": PAGE, "as": "other", "clicked": "1"})
    assert response.status_code == 403
    assert "psc_connect/already_signed_in.html" in [template.name for template in response.templates]


def test_login_page_of_an_unknown_provider_shows_an_error_page(db):
    person = BrowserSession()
    for address in ("/psc/login/", "/psc/unknown/login/"):
        response = person.browser.get(address)
        assert error_code_of(response) == "no_provider"
        assert response.status_code == 404
    person.close()
