from __future__ import annotations

import re
from string import Template

import pytest

from psc_connect.simulator import Client, Person, Simulator
from psc_connect.simulator.pages import texts
from tests.simulator.service import CALLBACK, CHALLENGE, Service


@pytest.mark.parametrize(
    ("accepted", "language", "label"),
    [
        ("", "fr", "Simulateur – aucune vraie authentification"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr", "Simulateur – aucune vraie authentification"),
        ("de,en-GB;q=0.7", "en", "Simulator – no real authentication"),
        ("*", "fr", "Simulateur – aucune vraie authentification"),
    ],
)
def test_every_page_is_labelled_as_simulator_in_the_browsers_language(
    service: Service, accepted: str, language: str, label: str
) -> None:
    service.session.headers["Accept-Language"] = accepted
    pages = (
        service.authorize(),
        service.authorize(client_id="nobody"),
        service.end_session(),
        service.press(service.end_session()),
        service.session.get(service.simulator.origin + "/", timeout=10),
        service.session.get(service.simulator.origin + "/nowhere", timeout=10),
    )

    for page in pages:
        assert f'<html lang="{language}">' in page.text
        assert f'<p class="label">{label}</p>' in page.text


def test_both_languages_have_the_same_sentences() -> None:
    assert texts.TEXTS["fr"].keys() == texts.TEXTS["en"].keys()
    assert texts.ERRORS["fr"].keys() == texts.ERRORS["en"].keys()


def test_french_punctuation_keeps_its_non_breaking_space() -> None:
    for sentence in (*texts.TEXTS["fr"].values(), *texts.ERRORS["fr"].values()):
        assert not re.search(r"[^\u00a0][;:?!](\s|$)", sentence), sentence


def test_a_page_has_no_script_and_no_external_resources(service: Service) -> None:
    page = service.authorize()

    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert re.findall(r'(?:src|href)="([^"]+)"', page.text) == ["data:,", "/simulator.css"]


def test_a_page_is_not_stored(service: Service) -> None:
    assert service.authorize().headers["Cache-Control"] == "no-store"


def test_the_style_sheet_has_a_dark_scheme(service: Service) -> None:
    response = service.session.get(service.simulator.origin + "/simulator.css", timeout=10)

    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in response.text


def test_names_are_escaped(simulator: Simulator, service: Service) -> None:
    markup = '"><script>alert(1)</script>'
    simulator.register(Client(markup, "secret", redirect_uris=(CALLBACK,)))
    simulator.add_people([Person(markup, {"sub": "1", "given_name": markup}, label_fr=markup)])
    page = service.authorize(client_id=markup, code_challenge=CHALLENGE)

    assert page.status_code == 200
    assert "<script" not in page.text
    assert page.text.count("&quot;&gt;&lt;script&gt;") == 4


def test_a_dollar_in_a_name_is_not_a_placeholder(simulator: Simulator, service: Service) -> None:
    simulator.add_people([Person("rich", {"sub": "1", "given_name": "$name ${slug}"})])

    assert Template.delimiter in service.authorize().text


def test_the_home_page_shows_the_discovery_url(simulator: Simulator, service: Service) -> None:
    page = service.session.get(simulator.origin + "/", timeout=10)

    assert simulator.discovery_url in page.text


def test_an_unknown_address_is_not_found(service: Service) -> None:
    response = service.session.get(service.simulator.issuer + "/nowhere", timeout=10)

    assert response.status_code == 404
    assert "unknown_path" in response.text
