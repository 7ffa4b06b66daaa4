"""Permissions to import a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.models import DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.import_page import IMPORT, PRODUCTION, accept, document, problems_of, show
from tests.admin.pages import LIST, Administrator, administrator, row, signed_in_long_ago, stored, text_of
from tests.conftest import CLIENT_ID, CLIENT_SECRET
from tests.contrib.lemonldap.configurations import NAME, configuration, run
from tests.support.access_rules import DOCTORS, give_group, set_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]


def of_lemonldap(metadata: Any, secret: str) -> dict[str, Any]:
    """The provider of the tests as LemonLDAP::NG declares it, where a secret stands in clear."""
    whole = configuration(metadata, {"ClientID": CLIENT_ID, "ClientSecret": secret})
    return {name: {"psc": part[NAME]} for name, part in whole.items() if name.startswith("oidc")}


@pytest.mark.case("AD01")
@pytest.mark.parametrize(
    "permissions",
    [("view_provider",), ("view_provider", "change_provider"), ("view_provider", "add_provider")],
)
def test_it_takes_the_rights_to_add_and_to_change(permissions: tuple[str, ...]) -> None:
    staff = administrator(*permissions)
    assert staff.browser.get(IMPORT).status_code == 403
    assert staff.browser.post(IMPORT, {"text": document(PRODUCTION)}).status_code == 403
    assert "import/" not in staff.browser.get(LIST).content.decode()


@pytest.mark.case("AD01")
def test_it_takes_the_right_to_replace_secrets_to_accept(provider: Provider) -> None:
    editor = administrator("view_provider", "change_provider", "add_provider")
    shown = show(editor, document({"slug": "psc", "scope": "openid"}))
    assert shown.context["why_not"]
    before = row(provider)
    assert accept(editor, shown)["Location"] == IMPORT
    assert row(provider) == before


@pytest.mark.case("AD01")
def test_a_sign_in_of_long_ago_is_asked_to_confirm_itself(admin: Administrator, provider: Provider) -> None:
    late = signed_in_long_ago(admin)
    shown = show(late, document({"slug": "psc", "scope": "openid"}))
    assert "confirm" in shown.content.decode()
    accept(late, shown)
    assert stored(provider).scope == "openid scope_all"


@pytest.mark.case("AD03")
def test_rows_that_give_groups_take_their_own_right(provider: Provider) -> None:
    Group.objects.create(name="Doctors")
    rows = [{"claim": "given_name", "equals": "x", "group": "Doctors"}]
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    text = document({"slug": "psc", "exported_groups": rows})
    assert "exported_groups" in problems_of(show(administrator(*rights), text))
    allowed = administrator(*rights, "change_user")
    accept(allowed, show(allowed, text))
    assert provider.exported_groups.get().equals == "x"


@pytest.mark.case("AD03")
@pytest.mark.parametrize("option", [{"others_may_sign_in": False}, {"ask_activity": "never"}, {"access_rules": []}])
def test_what_decides_who_comes_to_a_row_that_gives_a_group_takes_it_too(
    provider: Provider, option: dict[str, Any]
) -> None:
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    editor, text = administrator(*rights), document({"slug": "psc", **option})
    assert show(editor, text).context["problems"] == []
    set_rules(provider, give_group(Group.objects.create(name="Doctors"), DOCTORS))
    assert next(iter(option)) in problems_of(show(editor, text))
    assert show(administrator(*rights, "change_user"), text).context["problems"] == []


@pytest.mark.case("AD03")
def test_the_activity_question_takes_it_where_the_mapping_gives_groups(provider: Provider) -> None:
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    editor, text = administrator(*rights), document({"slug": "psc", "ask_activity": "never"})
    provider.exported_groups.create(claim="activity.mode.code", group=Group.objects.create(name="Doctors"))
    assert "ask_activity" in problems_of(show(editor, text))
    assert show(administrator(*rights, "change_user"), text).context["problems"] == []
    # The last line of the access rules decides about their groups alone.
    assert show(editor, document({"slug": "psc", "others_may_sign_in": False})).context["problems"] == []


@pytest.mark.case("AD03")
def test_a_row_that_reads_like_one_that_is_there_is_shown_and_takes_it(
    admin: Administrator, provider: Provider
) -> None:
    for name in ("Staff admins", "admins"):
        Group.objects.create(name=name)
    provider.exported_groups.create(claim="SubjectRole", group=Group.objects.get(name="Staff admins"))
    declared = json.loads(admin.open(provider, "export").content)["providers"][0]
    declared["exported_groups"].insert(0, {"claim": "SubjectRole", "equals": " Staff", "group": "admins"})
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    assert "exported_groups" in problems_of(show(administrator(*rights), document(declared)))
    shown = show(admin, document(declared))
    assert "admins" in shown.context["plans"][0]["diff"][0].new
    accept(admin, shown)
    assert "admins" in str(DeclarationChange.objects.get().changes)


@pytest.mark.case("AD02", "AL12")
def test_rows_that_fill_fields_of_users_take_it_too(provider: Provider) -> None:
    editor = administrator("view_provider", "change_provider", "add_provider", "replace_provider_secrets")
    constant = [{"claim": "'attacker@evil.example'", "user_field": "email"}]
    for declared in ({"slug": "psc"}, {**PRODUCTION, "slug": "new"}):
        problems = problems_of(show(editor, document({**declared, "exported_attributes": constant})))
        assert "exported_attributes" in problems
        assert "change users" in problems
    # Rows that stay, and those that every provider begins with, take none.
    declared = json.loads(editor.open(provider, "export").content)["providers"][0]
    shown = show(editor, document({**declared, "scope": "openid"}, {**PRODUCTION, "slug": "new"}))
    assert accept(editor, shown)["Location"] == LIST
    assert Provider.objects.get(slug="new").exported_attributes.count() == 3


@pytest.mark.case("AD02", "AD03", "NW03")
@pytest.mark.parametrize("option", [{"link_user_field": "last_name"}, {"link_privileged_users": True}])
def test_only_a_superuser_links_first_sign_ins_to_users(provider: Provider, option: dict[str, Any]) -> None:
    rights = ("view_provider", "change_provider", "add_provider", "replace_provider_secrets", "change_user")
    editor, allowed = administrator(*rights), administrator()
    for declared in ({"slug": "psc"}, {**PRODUCTION, "slug": "new"}):
        text = document({**declared, **option})
        assert next(iter(option)) in problems_of(show(editor, text))
        assert accept(allowed, show(allowed, text))["Location"] == LIST
    [(name, value)] = option.items()
    assert {getattr(each, name) for each in Provider.objects.all()} == {value}


def test_a_field_that_is_none_is_told_before_anything_is_imported(admin: Administrator, provider: Provider) -> None:
    assert "link_user_field" in problems_of(show(admin, document({"slug": "psc", "link_user_field": "password"})))


def told_of(response: Any) -> str:
    """Return what a page says, besides what was typed on it."""
    return text_of(response).replace(response.context["form"]["text"].value() or "", "")


@pytest.mark.case("AD01", "CF01")
@pytest.mark.parametrize("origin", ["", "https://evil.example"])
def test_whoever_may_not_replace_the_secret_learns_nothing_of_it_by_guessing(
    provider: Provider, simulator: Simulator, origin: str
) -> None:
    Provider.objects.update(environment="custom")
    metadata = json.loads(json.dumps(simulator.metadata).replace(simulator.origin, origin or simulator.origin))
    rights = ("view_provider", "change_provider", "add_provider", "change_user")
    editor = administrator(*rights)
    late = signed_in_long_ago(administrator(*rights, "replace_provider_secrets"))
    for somebody in (editor, late):
        told = {
            told_of(show(somebody, json.dumps(of_lemonldap(metadata, guess)))) for guess in (CLIENT_SECRET, "wrong")
        }
        assert len(told) == 1
        # Another issuer is refused whatever the secret.
        assert ("use another identifier (slug)" if origin else "client secret – given") in told.pop()


def test_the_same_secret_typed_once_more_goes_to_a_new_issuer(
    provider: Provider, simulator: Simulator, tmp_path: Path
) -> None:
    """Whoever types it, and asks for it, knows that it goes there."""
    moved = {**simulator.metadata, "issuer": simulator.origin}
    assert run(tmp_path, of_lemonldap(moved, CLIENT_SECRET), "--replace-issuer").status == 0
    assert stored(provider).issuer == simulator.origin
    assert stored(provider).secret_for_its_issuer() == CLIENT_SECRET
