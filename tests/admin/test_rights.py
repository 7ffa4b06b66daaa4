"""Permissions: who may view and edit a provider, replace secrets and keys, and see claims."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import resolve

from psc_connect.environments import load_metadata
from psc_connect.models import DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import (
    ADD,
    Administrator,
    administrator,
    change_page,
    codes,
    messages_of,
    row,
    signed_in_long_ago,
    stored,
    text_of,
)
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.key_sets import EC_KEY, key_set

pytestmark = pytest.mark.django_db
EDITOR = ("view_provider", "change_provider")
KEEPER = (*EDITOR, "replace_provider_secrets")
DOCS = Path(__file__).parents[2] / "docs" / "admin.md"
CONFIRM = "/admin/psc_connect/provider/confirm/"
NEW_SECRET = "another-secret-4d1e88"


def secret(provider: Provider) -> str:
    return stored(provider).secret_for_its_issuer()


@pytest.mark.case("AD01")
def test_an_editor_edits_and_replaces_no_secret(provider: Provider) -> None:
    editor, before = administrator(*EDITOR), secret(provider)
    assert editor.submit(change_page(provider), button_text="Entrer").status_code == 302
    response = editor.submit(change_page(provider), client_secret=NEW_SECRET, button_text="Sortir")
    assert codes(response) == {("client_secret", "secrets_not_allowed")}
    assert (secret(provider), row(provider)["button_text"]) == (before, "Entrer")


@pytest.mark.case("AD01")
def test_whoever_has_the_right_replaces_the_secret(provider: Provider) -> None:
    assert administrator(*KEEPER).submit(change_page(provider), client_secret=NEW_SECRET).status_code == 302
    assert secret(provider) == NEW_SECRET
    assert DeclarationChange.objects.get().changes == [["client_secret", None, "replaced"]]


@pytest.mark.case("AD01")
def test_a_sign_in_of_some_time_ago_is_no_longer_enough(provider: Provider) -> None:
    late, before = signed_in_long_ago(administrator(*KEEPER)), secret(provider)
    response = late.submit(change_page(provider), client_secret=NEW_SECRET)
    assert codes(response) == {("client_secret", "secrets_not_allowed")}
    assert f'href="{CONFIRM}?next=' in response.content.decode()
    assert secret(provider) == before
    # What does not concern secrets asks nothing.
    assert late.submit(change_page(provider), button_text="Entrer").status_code == 302


@pytest.mark.case("AD01")
@pytest.mark.parametrize(
    "member",
    ["jwks_uri", "userinfo_endpoint", "token_endpoint", "authorization_endpoint", "end_session_endpoint"],
)
def test_editor_cannot_change_trusted_metadata(provider: Provider, member: str) -> None:
    editor = administrator(*EDITOR)
    moved = {**provider.metadata, member: provider.metadata[member] + "-moved"}
    response = editor.submit(change_page(provider), metadata=json.dumps(moved))
    assert codes(response) == {("metadata", "secrets_not_allowed")}
    assert stored(provider).metadata == provider.metadata
    harmless = {**provider.metadata, "x-new": 1}
    assert editor.submit(change_page(provider), metadata=json.dumps(harmless)).status_code == 302
    assert administrator(*KEEPER).submit(change_page(provider), metadata=json.dumps(moved)).status_code == 302


@pytest.mark.case("AD01")
def test_an_editor_does_not_change_the_environment_into_another_issuer(production: Provider) -> None:
    response = administrator(*EDITOR).submit(change_page(production), environment="sandbox")
    assert ("metadata", "secrets_not_allowed") in codes(response)
    assert stored(production).metadata == load_metadata("production")


@pytest.mark.case("AD01")
@pytest.mark.parametrize("action", ["fetch", "paste", "accept", "pin", "retire"])
def test_keys_page_is_read_only_without_permission_or_recent_authentication(
    provider: Provider, simulator: Simulator, action: str
) -> None:
    before = row(provider)
    (key,) = provider.key_set().keys
    simulator.clear_requests()
    for somebody in (administrator(*EDITOR), signed_in_long_ago(administrator(*KEEPER))):
        assert key.thumbprint in text_of(somebody.open(provider, "keys"))
        assert 'name="action"' not in somebody.open(provider, "keys").content.decode()
        response = somebody.press(
            provider, "keys", action=action, document=key_set(EC_KEY), thumbprint=key.thumbprint, payload="x"
        )
        assert [level for level, _text in messages_of(response)][-1] == "error"
    assert row(provider) == before
    assert not simulator.requests


def test_a_looker_reads_keys_mapping_and_history_and_exports(provider: Provider) -> None:
    looker = administrator("view_provider")
    for page in ("keys", "mapping", "history", "export"):
        assert looker.open(provider, page).status_code == 200
    assert looker.press(provider, "keys", action="fetch").status_code == 403


@pytest.mark.parametrize("page", ["keys", "mapping", "history", "export", "connection", "dry-run"])
def test_whoever_may_not_even_look_sees_nothing(provider: Provider, page: str) -> None:
    assert administrator("view_account").open(provider, page).status_code == 403


@pytest.mark.case("AD01")
def test_nobody_declares_a_second_provider_of_an_issuer_without_the_right(
    provider: Provider, simulator: Simulator
) -> None:
    """Its people would be those of the first, and the second's keys would vouch for them."""
    answers = {"environment": "custom", "client_id": "c", "client_secret": "s"}
    same, other = ({**provider.metadata, "jwks_uri": provider.metadata["jwks_uri"] + end} for end in ("", "-mine"))
    adder, keeper = administrator("add_provider"), administrator("add_provider", "replace_provider_secrets")
    assert codes(adder.submit(ADD, **answers, metadata=json.dumps(same))) == {("environment", "issuer_is_declared")}
    # Tests of the differences that only a superuser confirms: test_same_issuer.py.
    assert codes(keeper.submit(ADD, **answers, metadata=json.dumps(other))) == {
        ("__all__", "issuer_declared_differently")
    }
    assert Provider.objects.count() == 1
    assert keeper.submit(ADD, **answers, metadata=json.dumps(same)).status_code == 302


@pytest.mark.case("AD03")
def test_signing_in_with_psc_makes_nobody_staff(provider: Provider, person: BrowserSession) -> None:
    person.sign_in(PAGE)
    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert person.browser.get("/admin/psc_connect/provider/").status_code == 302


@pytest.mark.usefixtures("english")
def test_every_permission_is_documented_and_no_other_exists() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+): ([^|]+) \|", DOCS.read_text(), re.MULTILINE)
    found = Permission.objects.filter(content_type__app_label="psc_connect").select_related("content_type")
    # As `migrate` names them: a test that emptied the tables before has had them made anew in its own language.
    found.delete()
    call_command("migrate", verbosity=0)
    assert sorted(rows) == sorted((each.codename, each.content_type.name, each.name) for each in found)


# Who may press the button that calls the provider.


def test_a_test_is_pressed_not_visited_and_never_from_another_site(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    simulator.clear_requests()
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = admin.browser.cookies
    assert Administrator(careful).press(provider, "connection").status_code == 403
    assert not simulator.requests


@pytest.mark.parametrize("page", ["connection", "accept-metadata", "dry-run", "begin-dry-run"])
def test_whoever_may_only_look_and_strangers_do_not_get_there(
    provider: Provider, simulator: Simulator, page: str
) -> None:
    simulator.clear_requests()
    looker, stranger = administrator("view_provider"), Administrator(Browser())
    for ask in (looker.press, looker.open):
        assert ask(provider, page).status_code == 403
    assert "/login/?next=" in stranger.press(provider, page)["Location"]
    assert not simulator.requests


@pytest.mark.parametrize("page", ["connection", "keys", "mapping", "dry-run", "export", "history", "accept-metadata"])
def test_a_page_of_no_provider_is_not_found(admin: Administrator, provider: Provider, page: str) -> None:
    for object_id in ("999", "x"):
        assert admin.browser.post(f"/admin/psc_connect/provider/{object_id}/{page}/").status_code == 404


@pytest.mark.parametrize("page", ["connection", "keys"])
def test_no_transaction_is_open_while_a_provider_is_waited_for(page: str) -> None:
    view: Any = resolve(f"/admin/psc_connect/provider/1/{page}/").func
    assert "default" in view._non_atomic_requests
