"""Rights to change the mapping, which changes every user who signs in."""

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
    """An administrator with the right to change providers, but not users."""
    return administrator("view_provider", "change_provider")


@pytest.mark.case("AD03")
def test_without_the_right_to_change_users_no_groups_are_given(editor: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Podiatrists")
    response = add_group(editor, provider, claim="given_name", equals="x", group=str(group.pk))
    assert response.context["problem"]
    assert not ExportedGroup.objects.exists()
    ExportedGroup.objects.create(provider=provider, claim="a", group=group)
    assert submit(editor, provider, **{"groups-0-DELETE": "on"}).context["problem"]
    assert ExportedGroup.objects.exists()


@pytest.mark.case("AD02", "AL12")
def test_without_the_right_to_change_users_no_attributes_are_changed(
    editor: Administrator, provider: Provider, english: None
) -> None:
    """An expression may be a constant, which would be saved for everyone who signs in, administrators included."""
    before = stored_rows(provider, "exported_attributes")
    for response in (
        add_row(editor, provider, claim="'attacker@evil.example'"),
        submit(editor, provider, **{"attributes-0-DELETE": "on"}),
    ):
        assert "the permission to change users" in response.context["problem"]
        assert "the permission to change users" in text_of(response)
    assert stored_rows(provider, "exported_attributes") == before
    # The page says so before anything is typed, and shows a preview.
    page = editor.browser.get(page_of(provider)).content.decode()
    assert "the permission to change users" in page
    assert 'name="_save"' not in page
    assert row_previews(add_row(editor, provider, "_preview", claim="SubjectOrganization"))[-1].found


def test_saving_an_unchanged_mapping_takes_no_right(editor: Administrator, provider: Provider) -> None:
    assert submit(editor, provider).status_code == 302


def test_with_the_right_to_view_only_a_preview_is_possible_and_saving_is_not(provider: Provider) -> None:
    viewer = administrator("view_provider")
    page = viewer.browser.get(page_of(provider))
    assert 'name="_save"' not in page.content.decode()
    before = stored_rows(provider, "exported_attributes")
    shown = add_row(viewer, provider, "_preview", claim="SubjectOrganization")
    assert row_previews(shown)[-1].found == load_sample(SAMPLE)["SubjectOrganization"]
    assert add_row(viewer, provider, claim="SubjectOrganization").status_code == 403
    assert stored_rows(provider, "exported_attributes") == before
