"""The login page of the admin, where a site lets it show the button."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from psc_connect.refusals import login_url
from tests.buttons import declare, links

ADMIN_LOGIN = {
    "OPTIONS": {
        "loaders": [
            (
                "django.template.loaders.locmem.Loader",
                {"admin/login.html": '{% extends "psc_connect/admin_login.html" %}'},
            ),
            "django.template.loaders.app_directories.Loader",
        ]
    }
}


@pytest.fixture
def admin_login(settings: Any) -> None:
    """A site whose templates/admin/login.html is the documented line."""
    engine = dict(settings.TEMPLATES[0])
    engine.pop("APP_DIRS")
    settings.TEMPLATES = [{**engine, "OPTIONS": {**engine["OPTIONS"], **ADMIN_LOGIN["OPTIONS"]}}]


@pytest.mark.django_db
@pytest.mark.usefixtures("admin_login")
def test_login_page_of_the_admin_has_its_form_and_the_button(client: Client) -> None:
    declare()
    page = client.get("/admin/login/?next=/admin/auth/").content.decode()
    assert 'id="login-form"' in page
    assert links(page) == [login_url("psc", "/admin/auth/")]


@pytest.mark.django_db
@pytest.mark.usefixtures("admin_login")
def test_who_is_signed_in_and_no_administrator_is_told_so_by_the_admin(client: Client) -> None:
    declare()
    client.force_login(User.objects.create_user("x", last_name="Durand"), "django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/", follow=True).content.decode()
    assert "Cette partie du site est réservée à ses administrateurs" in page
    assert "Durand" in page
    assert 'action="/psc/psc/logout/"' in page
    assert 'id="login-form"' not in page
