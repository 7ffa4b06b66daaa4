"""The pages of a login: structure, language and links."""

from __future__ import annotations

import html
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from psc_connect.login.refusal_texts import explanation_of
from tests.support.template_tags import declare


def refusal(code: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    context = {"explanation": explanation_of(code), "code": code, "reference": "ABCD2345", "hint": ""}
    return "error.html", {**context, "start_again_url": "/again/", "home_url": "/home/", **changes}


END_SESSION = "https://psc.example/logout?client_id=a&state=b"
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "refused, may start again": refusal("authorization_access_denied"),
    "refused for good": refusal("account_unknown", hint="A word to the administrators."),
    "refused after identification": refusal(
        "account_unknown", logout_form={"url": "/out/", "next": "/page/", "id_token": "gAAA"}, other_person_url="/in/"
    ),
    "refused by a rule": refusal(
        "access_refused", message="Doctors only.", contact=[("dsi@hospital.example", True), (" or extension 12", False)]
    ),
    "chooser": ("choose_provider.html", {}),
    "already signed in": (
        "already_signed_in.html",
        {"username": "x", "logout_action": "/out/", "home_url": "/home/"},
    ),
    "signing out": ("signing_out.html", {"end_session_url": END_SESSION}),
    "signed out of both": (
        "logged_out.html",
        {"ended_at_provider": True, "home_url": "/home/", "login_url": "/in/"},
    ),
    "signed out at the provider only": (
        "logged_out.html",
        {"ended_at_provider": True, "ended_at_provider_only": True, "home_url": "/home/", "login_url": "/in/"},
    ),
    "signed out here, without a way to close the other session": (
        "logged_out.html",
        {"ended_at_provider": False, "home_url": "/home/", "login_url": "/in/"},
    ),
    "signed out here": (
        "logged_out.html",
        {"ended_at_provider": False, "home_url": "/home/", "login_url": "/in/", "logout_url": "/out/"},
    ),
    "signed out for another person": (
        "logged_out.html",
        {"ended_at_provider": True, "signs_in": True, "provider": "psc", "home_url": "/home/", "login_url": "/in/"},
    ),
    "signed out here for another person": (
        "logged_out.html",
        {"ended_at_provider": False, "signs_in": True, "home_url": "/home/", "login_url": "/in/", "logout_url": "/o/"},
    ),
}


class Outline(HTMLParser):
    """Collects what a strict Content-Security-Policy and a screen reader depend on."""

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
def test_page_has_nothing_inline_and_nothing_from_other_hosts(name: str) -> None:
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
    # On the others, the button of a provider is the main action.
    assert outline.actions == (0 if name in {"chooser", "signed out for another person"} else 1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_page_declares_its_language(name: str, language: str) -> None:
    with translation.override(language):
        assert f'<html lang="{language}">' in page_of(name)


def test_refusal_that_may_start_again_has_a_link_its_code_and_reference() -> None:
    page = page_of("refused, may start again")
    assert (
        '<a class="psc-action" href="/again/" target="_top" data-turbo="false" hx-boost="false">Recommencer</a>' in page
    )
    assert "authorization_access_denied" in page
    assert "ABCD2345" in page


def test_final_refusal_links_to_the_home_page_only() -> None:
    page = page_of("refused for good")
    assert "/again/" not in page
    assert '<a class="psc-action" href="/home/" data-turbo="false" hx-boost="false">' in page
    assert "A word to the administrators." in page


def test_refusal_after_identification_has_two_buttons_and_no_link_for_another_person() -> None:
    with translation.override("en"):
        page = page_of("refused after identification")
    assert '<form class="psc-logout" method="post" action="/out/"' in page
    assert '<input type="hidden" name="id_token" value="gAAA">' in page
    assert ">Sign in as another person</button>" in page
    assert ">Close my Pro Santé Connect session too</button>" in page
    assert "/in/" not in page


def test_logout_page_redirects_by_itself_and_has_a_link() -> None:
    page = page_of("signing out")
    escaped = html.escape(END_SESSION)
    assert f'<meta http-equiv="refresh" content="0; url={escaped}">' in page
    assert f'href="{escaped}"' in page


def test_logout_of_this_site_alone_says_how_to_end_the_other_session() -> None:
    assert "retirez votre carte" in page_of("signed out here, without a way to close the other session")
    # There, a button closes it.
    assert "retirez votre carte" not in page_of("signed out here")
    assert "retirez votre carte" not in page_of("signed out of both")


@pytest.mark.django_db
@pytest.mark.case("AD04")
def test_name_of_the_person_is_shown_as_text(client: Client) -> None:
    client.force_login(
        User.objects.create_user("x", last_name="<script>alert(1)</script>"),
        "django.contrib.auth.backends.ModelBackend",
    )
    page = client.get(reverse("psc_connect:login"), {"next": "/admin/"}).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
