"""Who may change the mapping: it is written into every user who signs in."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from psc_connect.claims.samples import load_sample
from psc_connect.models import ExportedGroup, Provider
from psc_connect.providers.serialization import stored_rows
from tests.admin.mapping_page import SAMPLE, add_group, add_row, page_of, row_previews, submit
from tests.admin.pages import Administrator, administrator, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Administrator:
    """Somebody who may edit providers, and no users."""
    return administrator("view_provider", "change_provider")


@pytest.mark.case("AD03")
def test_whoever_may_not_change_users_gives_no_groups(editor: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Podiatrists")
    response = add_group(editor, provider, claim="given_name", equals="x", group=str(group.pk))
    assert response.context["problem"]
    assert not ExportedGroup.objects.exists()
    ExportedGroup.objects.create(provider=provider, claim="a", group=group)
    assert submit(editor, provider, **{"groups-0-DELETE": "on"}).context["problem"]
    assert ExportedGroup.objects.exists()


@pytest.mark.case("AD02", "AL12")
def test_whoever_may_not_change_users_writes_nothing_into_them(
    editor: Administrator, provider: Provider, english: None
) -> None:
    """An expression may be a constant: everybody who signs in would get it, an administrator of the site too."""
    before = stored_rows(provider, "exported_attributes")
    for response in (
        add_row(editor, provider, claim="'attacker@evil.example'"),
        submit(editor, provider, **{"attributes-0-DELETE": "on"}),
    ):
        assert "must be allowed to change users" in response.context["problem"]
        assert "must be allowed to change users" in text_of(response)
    assert stored_rows(provider, "exported_attributes") == before
    # They are told before they type, and may try.
    page = editor.browser.get(page_of(provider)).content.decode()
    assert "must be allowed to change users" in page
    assert 'name="_save"' not in page
    assert row_previews(add_row(editor, provider, "_preview", claim="SubjectOrganization"))[-1].found


def test_a_mapping_that_stays_as_it_is_takes_no_right(editor: Administrator, provider: Provider) -> None:
    assert submit(editor, provider).status_code == 302


def test_whoever_may_only_look_tries_and_saves_nothing(provider: Provider) -> None:
    looker = administrator("view_provider")
    page = looker.browser.get(page_of(provider))
    assert 'name="_save"' not in page.content.decode()
    before = stored_rows(provider, "exported_attributes")
    shown = add_row(looker, provider, "_preview", claim="SubjectOrganization")
    assert row_previews(shown)[-1].found == load_sample(SAMPLE)["SubjectOrganization"]
    assert add_row(looker, provider, claim="SubjectOrganization").status_code == 403
    assert stored_rows(provider, "exported_attributes") == before
