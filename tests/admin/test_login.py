"""The admin's login page and header, with the button and the logout of both sessions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from psc_connect.login.site_urls import login_link
from psc_connect.models import Provider
from tests.support.browser_session import BrowserSession
from tests.support.template_tags import button_links, declare

DOCUMENTED = {
    "OPTIONS": {
        "loaders": [
            (
                "django.template.loaders.locmem.Loader",
                {
                    "admin/login.html": '{% extends "psc_connect/admin_login.html" %}',
                    "admin/base_site.html": '{% extends "psc_connect/admin_base_site.html" %}',
                },
            ),
            "django.template.loaders.app_directories.Loader",
        ]
    }
}


@pytest.fixture
def documented(settings: Any) -> None:
    """A site whose templates/admin/login.html and base_site.html are the documented lines."""
    engine = dict(settings.TEMPLATES[0])
    engine.pop("APP_DIRS")
    settings.TEMPLATES = [{**engine, "OPTIONS": {**engine["OPTIONS"], **DOCUMENTED["OPTIONS"]}}]


@pytest.mark.django_db
@pytest.mark.usefixtures("documented")
def test_login_page_of_the_admin_has_its_form_and_the_button(client: Client) -> None:
    declare()
    page = client.get("/admin/login/?next=/admin/auth/").content.decode()
    assert 'id="login-form"' in page
    assert button_links(page) == [login_link("psc", "/admin/auth/")]


@pytest.mark.django_db
@pytest.mark.usefixtures("documented")
def test_who_is_signed_in_and_no_administrator_is_told_so_by_the_admin(client: Client) -> None:
    declare()
    client.force_login(User.objects.create_user("x", last_name="Durand"), "django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/", follow=True).content.decode()
    assert "Cette partie du site est réservée à ses administrateurs" in page
    assert "Durand" in page
    assert 'action="/psc/psc/logout/"' in page
    assert 'id="login-form"' not in page


SIGN_OUT_OF_BOTH = 'action="/psc/psc/logout/"'


@pytest.mark.usefixtures("documented")
def test_an_administrator_who_came_with_psc_can_end_both_sessions(
    provider: Provider, person: BrowserSession, english: None
) -> None:
    person.sign_in()
    User.objects.update(is_staff=True)
    page = person.browser.get("/admin/").content.decode()
    assert SIGN_OUT_OF_BOTH in page
    assert ">Close my Pro Santé Connect session too</button>" in page
    assert 'href="/static/psc_connect/psc_connect.css"' in page


@pytest.mark.django_db
@pytest.mark.usefixtures("documented")
def test_an_administrator_who_came_by_password_is_not_offered_a_session_that_is_not_there(client: Client) -> None:
    declare()
    client.force_login(User.objects.create_superuser("x"), "django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/").content.decode()
    assert 'id="logout-form"' in page
    assert SIGN_OUT_OF_BOTH not in page
