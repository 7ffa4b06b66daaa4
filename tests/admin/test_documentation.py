"""Each admin page links to the page of the documentation that explains it, in its language."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from django.contrib import admin as django_admin
from django.utils.text import slugify

from psc_connect.models import Account, Provider
from psc_connect.templatetags.psc_connect_admin import PAGES
from tests.admin.account_page import page_of
from tests.admin.pages import LIST, Administrator

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs"
# Pages that show nothing, or only ask whether to go on.
WITHOUT_PAGE = {"provider_export", "provider_delete", "provider_begin_dry_run", "provider_accept_metadata"}


def link_of(page: str) -> str:
    [address] = re.findall(r'psc-documentation"><a href="([^"]+)"', page)
    return str(address)


def folder() -> str:
    links = metadata.metadata("django-psc-connect").get_all("Project-URL") or []
    [address] = [link.partition(", ")[2] for link in links if link.startswith("Documentation")]
    return address.rpartition("/")[0]


@pytest.mark.parametrize(
    ("page", "french"),
    [
        ("", "index"),
        ("add/", "declarer"),
        ("{pk}/change/", "declarer"),
        ("{pk}/connection/", "tester"),
        ("{pk}/dry-run/", "tester"),
        ("{pk}/mapping/", "attributs"),
        ("{pk}/access-rules/", "regles"),
        ("{pk}/keys/", "cles"),
    ],
)
def test_page_of_a_provider_links_to_the_guide(
    admin: Administrator, provider: Provider, page: str, french: str
) -> None:
    response = admin.browser.get(LIST + page.format(pk=provider.pk))
    assert link_of(response.content.decode()) == f"{folder()}/fr/{french}.md"


def test_page_in_english_links_to_the_documentation_in_english(
    admin: Administrator, provider: Provider, english: None
) -> None:
    page = admin.open(provider, "connection").content.decode()
    assert link_of(page) == f"{folder()}/admin.md#test-the-connection"


@pytest.mark.parametrize("page", ["change", "merge", "link", "delete"])
def test_page_of_an_account_links_to_the_guide(admin: Administrator, kept: Account, page: str) -> None:
    assert link_of(admin.browser.get(page_of(kept, page)).content.decode()) == f"{folder()}/fr/comptes.md"


def test_every_admin_page_of_the_package_has_its_page() -> None:
    names = {
        pattern.name.removeprefix("psc_connect_")
        for model, model_admin in django_admin.site._registry.items()
        if model._meta.app_label == "psc_connect"
        for pattern in model_admin.get_urls()
        if pattern.name
    }
    # Accounts and audit logs are read-only: Django's pages to add, change or delete them answer 403.
    logs = ("accountchange", "unlinkedaccount")
    read_only = {f"{model}_{action}" for model in logs for action in ("add", "delete", "history")}
    assert names - WITHOUT_PAGE - read_only - {"account_add", "account_history"} == set(PAGES)


@pytest.mark.parametrize(("english", "french"), PAGES.values(), ids=PAGES)
def test_the_pages_that_are_linked_exist(english: str, french: str) -> None:
    file, _hash, anchor = english.partition("#")
    headings = re.findall(r"^#+ (.+)$", (DOCS / file).read_text("utf-8"), re.MULTILINE)
    assert not anchor or anchor in {slugify(heading) for heading in headings}
    assert (DOCS / "fr" / french).is_file()
