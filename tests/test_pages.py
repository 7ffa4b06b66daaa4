"""What people see: the buttons, and the pages around a login."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.template import RequestContext, Template
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from psc_connect.exceptions import LoginRefused
from psc_connect.models import Provider
from psc_connect.refusals import login_url

PACKAGE = Path(__file__).parent.parent / "psc_connect"


def declare(slug: str = "psc", **changes: Any) -> Provider:
    return Provider.objects.create(**{"slug": slug, "client_id": "the-client", **changes})


def shown(source: str, path: str = "/", *, method: str = "get", user: Any = None, session: Any = None) -> str:
    """The text that a template of a site makes of the tags."""
    request = getattr(RequestFactory(), method)(path)
    request.user = user or AnonymousUser()
    request.session = session if session is not None else {}
    return Template("{% load psc_connect %}" + source).render(RequestContext(request, {})).strip()


def links(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'class="psc-button" href="([^"]*)"', page)]


BUTTON = "{% psc_connect_button %}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "source", [BUTTON, '{% psc_connect_button provider="psc" %}', '{% psc_connect_button provider="other" %}']
)
def test_no_button_where_no_provider_is_enabled(source: str) -> None:
    declare(enabled=False)
    assert shown(source) == ""


@pytest.mark.django_db
def test_unknown_provider_has_no_button_though_another_is_enabled() -> None:
    declare()
    assert shown('{% psc_connect_button provider="other" %}') == ""


NEXT_PAGES = {
    "this page": (BUTTON, "/page/a/?b=c", "/page/a/?b=c"),
    "the page that the query names": (BUTTON, "/page/a/?next=/page/b/", "/page/b/"),
    "the page that the site names": (
        '{% psc_connect_button next="/page/c/" %}',
        "/page/a/?next=/page/b/",
        "/page/c/",
    ),
    "not another site of the query's": (
        BUTTON,
        "/page/a/?next=//evil.example/",
        "/page/a/?next=//evil.example/",
    ),
    "not another site of the tag's": (
        '{% psc_connect_button next="https://evil.example/" %}',
        "/page/a/",
        "",
    ),
    "not a page of ours": (BUTTON, "/psc/login/", ""),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", NEXT_PAGES)
def test_button_leads_back_to(name: str) -> None:
    source, path, next_page = NEXT_PAGES[name]
    declare()
    assert links(shown(source, path)) == [login_url("psc", next_page)]


@pytest.mark.django_db
def test_button_on_the_answer_to_a_post_does_not_lead_back_to_it() -> None:
    declare()
    assert links(shown(BUTTON, "/page/a/", method="post")) == ["/psc/psc/login/"]


@pytest.mark.django_db
def test_button_is_shown_where_the_page_has_no_request() -> None:
    declare()
    assert 'href="/psc/psc/login/"' in render_to_string("psc_connect/chooser.html")


@pytest.mark.django_db
def test_each_enabled_provider_has_its_button_and_says_which_it_is() -> None:
    declare("psc")
    declare("psc-sandbox", environment="sandbox")
    declare("closed", enabled=False)
    page = shown(BUTTON, "/page/a/")
    assert links(page) == [login_url("psc", "/page/a/"), login_url("psc-sandbox", "/page/a/")]
    assert "Bac à sable (BAS)</small>" in page


@pytest.mark.django_db
def test_a_provider_alone_does_not_say_which_it_is() -> None:
    declare()
    assert "psc-button-environment" not in shown(BUTTON)


@pytest.mark.django_db
def test_buttons_cost_one_query(django_assert_num_queries: Any) -> None:
    declare("psc")
    declare("psc-sandbox", environment="sandbox")
    with django_assert_num_queries(1):
        shown(BUTTON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Se connecter avec Pro Santé Connect"), ("en", "Sign in with Pro Santé Connect")],
)
def test_button_speaks_the_language_of_the_page(language: str, text: str) -> None:
    declare()
    with translation.override(language):
        assert f'<span class="psc-button-text">{text}</span>' in shown(BUTTON)


@pytest.mark.django_db
@pytest.mark.case("AD04")
def test_text_of_the_administrator_is_shown_as_text() -> None:
    declare(button_text="Carte <b>CPS</b>")
    assert "Carte &lt;b&gt;CPS&lt;/b&gt;" in shown(BUTTON)


@pytest.mark.django_db
def test_logo_of_the_administrator_replaces_our_drawing() -> None:
    declare(button_logo="img/official.svg")
    page = shown(BUTTON)
    assert 'src="/static/img/official.svg"' in page
    assert "psc_connect/button.svg" not in page


@pytest.mark.django_db
def test_logo_that_is_not_among_the_static_files_does_not_break_the_page(settings: Any, tmp_path: Path) -> None:
    manifest = {"version": "1.1", "paths": {"psc_connect/button.svg": "psc_connect/button.123.svg"}}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    declare(button_logo="img/mistyped.svg")
    assert 'src="/static/psc_connect/button.123.svg"' in shown(BUTTON)


LOGOUT = "{% psc_connect_logout_button %}"


@pytest.mark.django_db
def test_sign_out_button_posts_to_the_provider_of_the_session() -> None:
    declare("another")
    page = shown("{% csrf_token %}" + LOGOUT, user=User(pk=1), session={"psc_connect": {"provider": "psc"}})
    assert '<form class="psc-logout" method="post" action="/psc/psc/logout/">' in page
    assert page.count("csrfmiddlewaretoken") == 2


@pytest.mark.django_db
def test_sign_out_button_serves_who_came_with_a_password_too(client: Client) -> None:
    declare()
    user = User.objects.create_user("somebody")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert 'action="/psc/psc/logout/"' in shown(LOGOUT, user=user)
    response = client.post("/psc/psc/logout/", follow=True)
    assert "Votre session sur ce site est fermée." in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_nobody_signed_in_has_no_sign_out_button() -> None:
    declare()
    assert shown(LOGOUT) == ""


def refusal(code: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    refused = LoginRefused(code)
    said = {"explanation": refused.explanation, "code": code, "reference": "ABCD2345", "hint": ""}
    return "error.html", {**said, "start_again_url": "/again/", "home_url": "/home/", **changes}


END_SESSION = "https://psc.example/logout?client_id=a&state=b"
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "refused, may start again": refusal("authorization_access_denied"),
    "refused for good": refusal("account_unknown", hint="A word to the administrators."),
    "chooser": ("chooser.html", {}),
    "already signed in": (
        "already_signed_in.html",
        {"username": "x", "logout_action": "/out/", "home_url": "/home/"},
    ),
    "signing out": ("signing_out.html", {"end_session_url": END_SESSION}),
    "signed out of both": (
        "logged_out.html",
        {"ended_at_provider": True, "home_url": "/home/", "login_url": "/in/"},
    ),
    "signed out here": (
        "logged_out.html",
        {"ended_at_provider": False, "home_url": "/home/", "login_url": "/in/"},
    ),
}


class Outline(HTMLParser):
    """What a strict policy and a reader without a style sheet look at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.actions = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.actions += ("class", "psc-action") in attrs


def page_of(name: str) -> str:
    template, context = PAGES[name]
    return render_to_string(f"psc_connect/{template}", context)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_page_needs_nothing_inline_and_nothing_from_elsewhere(name: str) -> None:
    outline = Outline(page_of(name))
    assert not {"style", "script", "iframe"} & set(outline.tags)
    assert not [attribute for attribute, _value in outline.attributes if attribute == "style" or attribute[:2] == "on"]
    loaded = [value for attribute, value in outline.attributes if attribute == "src"]
    assert all(value.startswith("/static/psc_connect/") for value in loaded)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_page_has_one_heading_and_one_main_action(name: str) -> None:
    declare()
    outline = Outline(page_of(name))
    assert outline.tags.count("h1") == 1
    assert outline.actions == (0 if name == "chooser" else 1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_page_says_its_language(name: str, language: str) -> None:
    with translation.override(language):
        assert f'<html lang="{language}">' in page_of(name)


def test_refusal_that_may_start_again_offers_it_with_its_code_and_reference() -> None:
    page = page_of("refused, may start again")
    assert '<a class="psc-action" href="/again/">Recommencer</a>' in page
    assert "authorization_access_denied" in page
    assert "ABCD2345" in page


def test_refusal_for_good_offers_the_home_page_alone() -> None:
    page = page_of("refused for good")
    assert "/again/" not in page
    assert '<a class="psc-action" href="/home/">' in page
    assert "A word to the administrators." in page


def test_sign_out_moves_on_by_itself_and_by_a_link() -> None:
    page = page_of("signing out")
    escaped = html.escape(END_SESSION)
    assert f'<meta http-equiv="refresh" content="0; url={escaped}">' in page
    assert f'href="{escaped}"' in page


def test_end_of_this_session_alone_says_how_to_end_the_other() -> None:
    assert "retirez votre carte" in page_of("signed out here")
    assert "retirez votre carte" not in page_of("signed out of both")


@pytest.mark.django_db
@pytest.mark.case("AD04")
def test_name_of_the_person_is_shown_as_text(client: Client) -> None:
    client.force_login(
        User.objects.create_user("x", last_name="<script>alert(1)</script>"),
        "django.contrib.auth.backends.ModelBackend",
    )
    page = client.get(reverse("psc_connect:login")).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


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
