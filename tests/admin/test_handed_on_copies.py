"""Imports and copies of a provider hand on no right that the administrator lacks."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from psc_connect.models import Provider
from tests.admin.import_page import accept, document, problems_of, show
from tests.admin.pages import ADD, EDITOR, administrator, messages_of, stored
from tests.support.access_rules import DOCTORS, allow, give_group, set_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english"), pytest.mark.case("NW03")]
IMPORTER = (*EDITOR, "add_provider", "replace_provider_secrets")


@pytest.mark.parametrize(
    "part",
    [
        {"exported_groups": [{"claim": "given_name", "equals": "x", "group": "Keepers"}]},
        {"access_rules": [{"outcome": "group", "group": "Keepers"}]},
    ],
)
def test_an_import_gives_no_group_beyond_ones_own_permissions(
    provider: Provider, no_way_out: None, lacked: Group, part: dict[str, Any]
) -> None:
    text = document({"slug": "psc", **part})
    problems = problems_of(show(administrator(*IMPORTER), text))
    assert next(iter(part)) in problems
    assert "Keepers" in problems
    complete = administrator(*IMPORTER, "delete_account")
    accept(complete, show(complete, text))
    assert provider.exported_groups.count() + provider.access_rules.count() == 1


@pytest.mark.parametrize("option", [{"others_may_sign_in": False}, {"ask_activity": "never"}])
def test_an_import_changes_no_one_who_joins_such_a_group(
    provider: Provider, no_way_out: None, lacked: Group, option: dict[str, Any]
) -> None:
    set_rules(provider, give_group(lacked, DOCTORS))
    text = document({"slug": "psc", **option})
    assert "Keepers" in problems_of(show(administrator(*IMPORTER), text))
    assert show(administrator(), text).context["problems"] == []


def test_an_import_changes_no_activity_question_where_the_mapping_gives_such_a_group(
    provider: Provider, no_way_out: None, lacked: Group
) -> None:
    provider.exported_groups.create(claim="activity.mode.code", group=lacked)
    text = document({"slug": "psc", "ask_activity": "never"})
    assert "Keepers" in problems_of(show(administrator(*IMPORTER), text))
    assert show(administrator(*IMPORTER, "delete_account"), text).context["problems"] == []


def test_an_import_that_leaves_such_a_row_needs_no_permission(
    provider: Provider, no_way_out: None, lacked: Group
) -> None:
    set_rules(provider, give_group(lacked, DOCTORS))
    provider.exported_groups.create(claim="given_name", equals="x", group=lacked)
    editor = administrator(*IMPORTER)
    assert show(editor, document({"slug": "psc", "scope": "openid"})).context["problems"] == []


def test_a_right_that_was_lost_since_the_preview_is_missing_when_it_is_accepted(
    provider: Provider, no_way_out: None, lacked: Group
) -> None:
    editor = administrator(*IMPORTER, "delete_account")
    shown = show(editor, document({"slug": "psc", "access_rules": [{"outcome": "group", "group": "Keepers"}]}))
    lacked.permissions.add(Permission.objects.get(codename="view_claims"))
    accept(editor, shown)
    assert not provider.access_rules.exists()


def test_a_copied_provider_gives_no_group_beyond_ones_own_permissions(
    provider: Provider, no_way_out: None, held: Group, lacked: Group
) -> None:
    set_rules(provider, give_group(lacked, DOCTORS), give_group(held, DOCTORS), allow(DOCTORS))
    for group in (held, lacked):
        provider.exported_groups.create(claim="given_name", equals="x", group=group)
    answers = {"environment": "production", "client_id": "copy", "client_secret": "s" * 20, "like": str(provider.pk)}
    answer = administrator(*EDITOR, "add_provider").submit(ADD, **answers)
    copy = Provider.objects.get(client_id="copy")
    assert [(each.outcome, each.group) for each in copy.access_rules.all()] == [("group", held), ("allow", None)]
    assert copy.exported_groups.get().group == held
    told = " ".join(text for level, text in messages_of(answer) if level == "warning")
    assert "Keepers" in told
    assert "Readers" not in told


def test_commands_are_those_of_a_superuser(provider: Provider, lacked: Group, tmp_path: Any) -> None:
    declared = {
        "slug": "psc",
        "link_user_field": "last_name",
        "link_privileged_users": True,
        "exported_groups": [{"claim": "given_name", "equals": "x", "group": "Keepers"}],
        "access_rules": [{"outcome": "group", "group": "Keepers"}],
    }
    (tmp_path / "p.json").write_text(document(declared))
    call_command("psc_configure", file=str(tmp_path / "p.json"))
    saved = stored(provider)
    assert (saved.link_user_field, saved.link_privileged_users) == ("last_name", True)
    assert (saved.exported_groups.get().group, saved.access_rules.get().group) == (lacked, lacked)
