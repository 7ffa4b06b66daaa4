"""Accessibility: every ``aria-describedby`` refers to an element of the page."""

from __future__ import annotations

import re

import pytest

from psc_connect.models import Account, Provider
from tests.admin.account_page import page_of
from tests.admin.pages import LIST, Administrator

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", ["change", "mapping", "access-rules", "rules", "keys", "connection", "dry-run"])
def test_every_description_of_a_page_of_a_provider_is_there(
    admin: Administrator, provider: Provider, page: str
) -> None:
    assert_descriptions_are_there(admin, f"{LIST}{provider.pk}/{page}/")


@pytest.mark.parametrize("page", ["add", "import", "confirm"])
def test_every_description_of_a_page_without_a_provider_is_there(admin: Administrator, page: str) -> None:
    assert_descriptions_are_there(admin, f"{LIST}{page}/")


@pytest.mark.parametrize("page", ["merge", "link"])
def test_every_description_of_a_page_of_an_account_is_there(admin: Administrator, kept: Account, page: str) -> None:
    assert_descriptions_are_there(admin, page_of(kept, page))


def test_the_sentence_of_a_refusal_has_its_label_beside_it(
    admin: Administrator, provider: Provider, english: None
) -> None:
    page = admin.open(provider, "access-rules").content.decode()
    assert '<label for="id_rules-0-message">Message shown on refusal:</label>' in page


def assert_descriptions_are_there(admin: Administrator, url: str) -> None:
    response = admin.browser.get(url)
    assert response.status_code == 200
    page = response.content.decode()
    described = {each for found in re.findall(r' aria-describedby="([^"]*)"', page) for each in found.split()}
    assert described - set(re.findall(r' id="([^"]*)"', page)) == set()
