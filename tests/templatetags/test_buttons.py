"""The template tags of the login and logout buttons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from psc_connect.login.site_urls import login_link
from tests.support.template_tags import button_links, declare, render_template

BUTTON = "{% psc_connect_button %}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "source", [BUTTON, '{% psc_connect_button provider="psc" %}', '{% psc_connect_button provider="other" %}']
)
def test_no_button_if_no_provider_is_enabled(source: str) -> None:
    declare(enabled=False)
    assert render_template(source) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "text", "tooltip"),
    [("fr", "Entrer", "Aide"), ("en", "Come in", "Aide"), ("en-gb", "Come in", "Aide"), ("de", "Entrer", "Hilfe")],
)
def test_button_text_has_several_languages(language: str, text: str, tooltip: str) -> None:
    words = {"en": {"button_text": "Come in"}, "de": {"button_tooltip": "Hilfe"}}
    declare(button_text="Entrer", button_tooltip="Aide", translations=words)
    with translation.override(language):
        page = render_template(BUTTON)
    assert f'<span class="psc-button-text">{text}</span>' in page
    assert f'title="{tooltip}" aria-description="{tooltip}"' in page


@pytest.mark.django_db
def test_button_without_a_tooltip_has_none() -> None:
    declare()
    assert "title=" not in render_template(BUTTON)


@pytest.mark.django_db
def test_buttons_are_in_the_order_of_the_providers() -> None:
    declare("a", sort_order=20)
    declare("b", sort_order=10)
    assert button_links(render_template(BUTTON)) == [login_link("b", "/"), login_link("a", "/")]


@pytest.mark.django_db
def test_unknown_provider_has_no_button_though_another_is_enabled() -> None:
    declare()
    assert render_template('{% psc_connect_button provider="other" %}') == ""


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
def test_button_returns_to(name: str) -> None:
    source, path, next_page = NEXT_PAGES[name]
    declare()
    assert button_links(render_template(source, path)) == [login_link("psc", next_page)]


@pytest.mark.django_db
def test_button_on_the_response_to_a_post_does_not_return_to_it() -> None:
    declare()
    assert button_links(render_template(BUTTON, "/page/a/", method="post")) == ["/psc/psc/login/?clicked=1"]


@pytest.mark.django_db
def test_button_is_shown_without_a_request() -> None:
    declare()
    assert 'href="/psc/psc/login/?clicked=1"' in render_to_string("psc_connect/choose_provider.html")


@pytest.mark.django_db
def test_each_enabled_provider_has_a_button_with_its_environment() -> None:
    declare("psc")
    declare("psc-sandbox", environment="sandbox")
    declare("closed", enabled=False)
    page = render_template(BUTTON, "/page/a/")
    assert button_links(page) == [login_link("psc", "/page/a/"), login_link("psc-sandbox", "/page/a/")]
    assert "Bac à sable (BAS)</small>" in page


@pytest.mark.django_db
def test_single_provider_has_a_button_without_its_environment() -> None:
    declare()
    assert "psc-button-environment" not in render_template(BUTTON)


@pytest.mark.django_db
def test_buttons_cost_one_query(django_assert_num_queries: Any) -> None:
    declare("psc")
    declare("psc-sandbox", environment="sandbox")
    with django_assert_num_queries(1):
        render_template(BUTTON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "text"),
    [("fr", "Se connecter avec Pro Santé Connect"), ("en", "Sign in with Pro Santé Connect")],
)
def test_button_is_in_the_language_of_the_page(language: str, text: str) -> None:
    declare()
    with translation.override(language):
        assert f'<span class="psc-button-text">{text}</span>' in render_template(BUTTON)


@pytest.mark.django_db
@pytest.mark.case("AD04")
def test_text_of_the_administrator_is_escaped() -> None:
    declare(button_text="Carte <b>CPS</b>")
    assert "Carte &lt;b&gt;CPS&lt;/b&gt;" in render_template(BUTTON)


@pytest.mark.django_db
def test_logo_of_the_administrator_replaces_the_default() -> None:
    declare(button_logo="img/official.svg")
    page = render_template(BUTTON)
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
    assert 'src="/static/psc_connect/button.123.svg"' in render_template(BUTTON)


LOGOUT = "{% psc_connect_logout_button %}"


@pytest.mark.django_db
def test_logout_button_posts_to_the_provider_of_the_session() -> None:
    declare("another")
    page = render_template("{% csrf_token %}" + LOGOUT, user=User(pk=1), session={"psc_connect": {"provider": "psc"}})
    # Turbo and htmx do not show the page that leads to the provider.
    form = '<form class="psc-logout" method="post" action="/psc/psc/logout/" data-turbo="false" hx-boost="false">'
    assert form in page
    assert page.count("csrfmiddlewaretoken") == 2


@pytest.mark.django_db
def test_logout_button_has_the_text_of_the_page() -> None:
    declare()
    assert ">Se déconnecter</button>" in render_template(LOGOUT, user=User(pk=1))
    named = '{% psc_connect_logout_button text="Leave both" %}'
    assert ">Leave both</button>" in render_template(named, user=User(pk=1))


@pytest.mark.django_db
def test_logout_button_is_shown_after_a_login_by_password(client: Client) -> None:
    declare()
    user = User.objects.create_user("somebody")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert 'action="/psc/psc/logout/"' in render_template(LOGOUT, user=user)
    response = client.post("/psc/psc/logout/", follow=True)
    assert "Votre session sur ce site est fermée." in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_anonymous_user_has_no_logout_button() -> None:
    declare()
    assert render_template(LOGOUT) == ""
