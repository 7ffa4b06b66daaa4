"""The login page for anonymous users: one provider, several, none; with LoginRequiredMiddleware."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client as Browser

from psc_connect.models import Provider
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, error_code_of, query_of

REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"


def test_page_that_requires_a_login_redirects_to_it_and_back(provider, simulator, person, settings):
    assert REQUIRED in settings.MIDDLEWARE
    asked = person.browser.get(PAGE)
    assert asked["Location"] == f"/psc/login/?next={PAGE}"
    started = person.browser.get(asked["Location"])
    landed = person.come_back(person.authorize(started["Location"]))
    assert landed["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200


def test_every_view_accepts_anonymous_users(provider, person, settings):
    assert REQUIRED in settings.MIDDLEWARE
    answers = {
        "/psc/login/": 302,
        "/psc/psc/login/": 302,
        "/psc/psc/callback/": 400,
        "/psc/psc/logged-out/": 200,
    }
    for path, status in answers.items():
        response = person.browser.get(path)
        assert response.status_code == status, path
        assert not response.headers.get("Location", "").startswith("/psc/login/")
    leaving = person.browser.post("/psc/psc/logout/")
    assert leaving["Location"] == "/psc/psc/logged-out/?site_only=1"


def test_without_a_slug_the_only_enabled_provider_is_used(provider, simulator, person):
    make_provider(simulator, slug="closed", enabled=False)
    started = person.browser.get("/psc/login/", {"next": PAGE})
    assert query_of(started["Location"])["redirect_uri"].endswith("/psc/psc/callback/")


def test_without_a_slug_several_providers_are_shown_and_the_next_page_is_kept(provider, simulator, person):
    make_provider(simulator, slug="sandbox", button_text="Bac à sable")
    make_provider(simulator, slug="closed", enabled=False)
    response = person.browser.get("/psc/login/", {"next": PAGE})
    assert response.status_code == 200
    page = response.content.decode()
    for slug in ("psc", "sandbox"):
        assert f'href="/psc/{slug}/login/?next={quote(PAGE, safe="")}&amp;clicked=1"' in page
    assert "Bac à sable" in page
    assert "closed" not in page
    assert "no-store" in response["Cache-Control"]
    assert not person.browser.cookies


def test_provider_chosen_on_the_page_signs_in(provider, simulator, person):
    make_provider(simulator, slug="sandbox")
    simulator.register(client_of("sandbox"))
    person.slug = "sandbox"
    assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.parametrize("path", ["/psc/login/", "/psc/psc/login/", "/psc/unknown/login/", "/psc/unknown/callback/"])
def test_page_says_that_no_provider_is_enabled(provider, person, path):
    Provider.objects.update(enabled=False)
    response = person.browser.get(path)
    code = "authorization_state_missing" if "callback" in path else "no_provider"
    assert error_code_of(response) == code
    assert "no-store" in response["Cache-Control"]
    assert not person.browser.cookies


def test_provider_disabled_during_a_login_is_refused_before_any_request(provider, simulator, person):
    callback = person.authorize(person.begin(PAGE))
    Provider.objects.update(enabled=False)
    simulator.clear_requests()
    response = person.come_back(callback)
    assert error_code_of(response) == "no_provider"
    assert simulator.requests == []
    assert not person.is_signed_in


@pytest.mark.parametrize("path", ["/psc/login/", "/psc/psc/login/", "/psc/unknown/login/", "/psc/psc/logged-out/"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_other_methods_get_a_page_of_ours_even_without_a_csrf_token(provider, path, method):
    browser = Browser(enforce_csrf_checks=True)
    response = getattr(browser, method)(path)
    assert response.status_code == 405
    assert response["Allow"].startswith("GET")
    assert error_code_of(response) == "login_method_not_allowed"
    assert not browser.cookies


def test_head_of_the_login_page_starts_no_login(provider):
    browser = Browser()
    assert browser.head("/psc/psc/login/").status_code == 405
    assert not browser.cookies
