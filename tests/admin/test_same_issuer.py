"""Two declarations of one issuer, which lead to the same accounts: where they may differ, and who confirms it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.models import DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin import import_page, keys_page
from tests.admin.pages import (
    ADD,
    Administrator,
    FormReader,
    administrator,
    change_page,
    codes,
    give_account,
    messages_of,
    signed_in_long_ago,
    stored,
    text_of,
)
from tests.conftest import CLIENT_SECRET, make_provider
from tests.support.key_sets import EC_KEY, key_set

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english"), pytest.mark.case("NW01", "AD01")]
KEEPER = ("add_provider", "change_provider", "view_provider", "replace_provider_secrets")
DIFFERS = ("__all__", "issuer_declared_differently")
NAME = "confirmed_differences"
MEMBERS = ["token_endpoint", "userinfo_endpoint", "jwks_uri"]


def moved(simulator: Simulator, *members: str) -> dict[str, Any]:
    """Return the simulator's metadata with these members on the same host, but of another realm."""
    return {**simulator.metadata, **{name: f"{simulator.origin}/auth/realms/b/{name}" for name in members}}


def declare(admin: Administrator, metadata: dict[str, Any], **answers: Any) -> Any:
    given = {"environment": "custom", "client_id": "c", "client_secret": CLIENT_SECRET, **answers}
    return admin.submit(ADD, metadata=json.dumps(metadata), **given)


def tick(response: Any) -> dict[str, str]:
    """Return the ticked checkbox of the page."""
    checkbox = response.context["confirmation"]
    assert f'name="{NAME}" value="{checkbox["value"]}"' in response.content.decode()
    return {checkbox["name"]: checkbox["value"]}


# The form that adds a provider.


@pytest.mark.parametrize("member", MEMBERS)
def test_a_second_declaration_that_differs_needs_the_confirmation_of_a_superuser(
    admin: Administrator, provider: Provider, simulator: Simulator, member: str
) -> None:
    refused = declare(admin, moved(simulator, member))
    assert codes(refused) == {DIFFERS}
    said = text_of(refused)
    for text in ("as psc too", f"({member})", "same accounts", "superusers included", "let them differ"):
        assert text in said
    assert Provider.objects.count() == 1
    assert simulator.requests == []
    assert declare(admin, moved(simulator, member), **tick(refused)).status_code == 302
    assert Provider.objects.get(slug="custom").metadata == moved(simulator, member)


def test_the_confirmation_stays_ticked_while_the_secret_is_missing(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    refused = declare(admin, moved(simulator, "jwks_uri"))
    assert "Enter the client secret again" in text_of(refused)
    shown = FormReader("provider_form")
    shown.feed(refused.content.decode())
    assert shown.fields["client_secret"] == ""
    without = admin.browser.post(ADD, {**shown.fields, **tick(refused)})
    assert codes(without) == {("client_secret", "required")}
    shown = FormReader("provider_form")
    shown.feed(without.content.decode())
    assert shown.fields[NAME] == tick(refused)[NAME]
    assert "Enter the client secret again" in text_of(without)
    assert admin.browser.post(ADD, {**shown.fields, "client_secret": CLIENT_SECRET}).status_code == 302
    assert Provider.objects.filter(slug="custom").exists()


@pytest.mark.parametrize("wrong", [{"client_id": ""}, {"client_secret": ""}, {"like": "9999"}])
def test_the_confirmation_is_shown_beside_any_other_error(
    admin: Administrator, provider: Provider, simulator: Simulator, wrong: dict[str, str]
) -> None:
    refused = declare(admin, moved(simulator, "jwks_uri"), **wrong)
    [name] = wrong
    assert DIFFERS in codes(refused)
    assert name in {field for field, _code in codes(refused)}
    assert not refused.context["confirmation"]["is_checked"]
    ticked = declare(admin, moved(simulator, "jwks_uri"), **wrong, **tick(refused))
    assert name in {field for field, _code in codes(ticked)}
    assert ticked.context["confirmation"]["is_checked"]
    assert declare(admin, moved(simulator, "jwks_uri"), **tick(ticked)).status_code == 302


def test_a_ticked_confirmation_of_other_differences_is_not_kept(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = tick(declare(admin, moved(simulator, "jwks_uri")))
    other = declare(admin, moved(simulator, *MEMBERS), client_id="", **shown)
    assert not other.context["confirmation"]["is_checked"]
    assert DIFFERS in codes(other)


@pytest.mark.parametrize("ticked", ["", "on", "0" * 12])
def test_a_superuser_confirms_what_the_page_has_shown_and_nothing_else(
    admin: Administrator, provider: Provider, simulator: Simulator, ticked: str
) -> None:
    shown = tick(declare(admin, moved(simulator, "jwks_uri")))
    assert codes(declare(admin, moved(simulator, "jwks_uri"), **{NAME: ticked})) == {DIFFERS}
    assert codes(declare(admin, moved(simulator, "token_endpoint"), **shown)) == {DIFFERS}
    assert codes(declare(admin, moved(simulator, *MEMBERS), **shown)) == {DIFFERS}
    make_provider(simulator, slug="third")
    assert codes(declare(admin, moved(simulator, "jwks_uri"), **shown)) == {DIFFERS}
    assert Provider.objects.count() == 2


def test_staff_with_the_right_to_replace_keys_cannot_confirm_it(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = tick(declare(admin, moved(simulator, "jwks_uri")))
    refused = declare(administrator(*KEEPER), moved(simulator, "jwks_uri"), **shown)
    assert codes(refused) == {DIFFERS}
    assert "Only a superuser can confirm this" in text_of(refused)
    assert refused.context["confirmation"] is None
    assert NAME not in refused.content.decode()
    assert Provider.objects.count() == 1


def test_a_second_declaration_with_the_same_values_asks_nothing(provider: Provider, simulator: Simulator) -> None:
    others = {**simulator.metadata, "end_session_endpoint": simulator.origin + "/other", "x-new": 1}
    assert declare(administrator(*KEEPER), others).status_code == 302


def test_a_declaration_without_a_key_source_differs_from_one_that_has_one(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    without = {name: value for name, value in simulator.metadata.items() if name != "jwks_uri"}
    assert codes(declare(admin, without)) == {DIFFERS}


def test_a_disabled_declaration_counts(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    Provider.objects.update(enabled=False)
    assert codes(declare(admin, moved(simulator, "jwks_uri"))) == {DIFFERS}


# An issuer that has accounts.


def test_metadata_of_an_issuer_with_accounts_takes_the_right_to_replace_keys(
    provider: Provider, simulator: Simulator, settings: Any
) -> None:
    """Also where no declaration has that issuer any longer, and it is one that everybody may declare."""
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.origin
    give_account(provider)
    Provider.objects.update(metadata={**simulator.metadata, "issuer": "https://elsewhere.example"})
    for somebody in (administrator("add_provider"), signed_in_long_ago(administrator(*KEEPER))):
        refused = declare(somebody, simulator.metadata, environment="simulator")
        assert codes(refused) == {("environment", "issuer_is_declared")}
        assert "This issuer has accounts here" in text_of(refused)
    assert Provider.objects.count() == 1
    keeper = administrator("add_provider", "replace_provider_secrets")
    assert declare(keeper, simulator.metadata, environment="simulator").status_code == 302


# The change form.


@pytest.mark.parametrize("member", MEMBERS)
def test_a_change_that_makes_two_declarations_differ_needs_the_confirmation(
    admin: Administrator, provider: Provider, simulator: Simulator, member: str
) -> None:
    make_provider(simulator, slug="second")
    typed = {"metadata": json.dumps(moved(simulator, member))}
    page = change_page(provider)
    assert codes(administrator(*KEEPER).submit(page, **typed)) == {DIFFERS}
    refused = admin.submit(page, **typed)
    assert codes(refused) == {DIFFERS}
    assert stored(provider).metadata == provider.metadata
    assert not DeclarationChange.objects.exists()
    assert admin.submit(page, **typed, **tick(refused)).status_code == 302
    assert stored(provider).metadata == moved(simulator, member)


def test_a_difference_that_is_there_already_is_not_asked_about_again(provider: Provider, simulator: Simulator) -> None:
    make_provider(simulator, slug="second", metadata=moved(simulator, *MEMBERS))
    keeper = administrator(*KEEPER)
    changed = {**provider.metadata, "end_session_endpoint": provider.metadata["end_session_endpoint"] + "-moved"}
    assert keeper.submit(change_page(provider), button_text="Entrer").status_code == 302
    assert keeper.submit(change_page(provider), metadata=json.dumps(changed)).status_code == 302
    # It ends: both are the same then.
    same = json.dumps(moved(simulator, *MEMBERS))
    assert keeper.submit(change_page(provider), metadata=same).status_code == 302


def test_an_issuer_that_is_typed_into_another_declaration_is_compared(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    other = make_provider(simulator, slug="other", metadata={**simulator.metadata, "issuer": simulator.origin + "/b"})
    typed = {"metadata": json.dumps(moved(simulator, "jwks_uri")), "client_secret": CLIENT_SECRET}
    assert codes(admin.submit(change_page(other), **typed)) == {DIFFERS}


# What the provider publishes.


def test_members_that_are_accepted_go_to_every_declaration_that_follows(
    provider: Provider, simulator: Simulator
) -> None:
    second = make_provider(simulator, slug="second")
    by_hand = make_provider(simulator, slug="by-hand", metadata_followed=False)
    keeper = administrator(*KEEPER)
    published = simulator.origin + "/certs"
    with simulator.fault("metadata_members", members={"jwks_uri": published, "x-new": 1}):
        shown = keeper.press(provider, "connection")
    response = keeper.press(provider, "accept-metadata", payload=shown.context["payload"], member=["jwks_uri"])
    assert [level for level, _text in messages_of(response)] == ["success", "info"]
    assert "second" in messages_of(response)[1][1]
    for each in (provider, second):
        assert stored(each).metadata == {**each.metadata, "jwks_uri": published}
        assert DeclarationChange.objects.get(provider=each).source == "admin"
    assert stored(by_hand).metadata == by_hand.metadata


# Pasted keys.


def test_pasted_keys_that_another_declaration_lacks_need_the_confirmation(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    make_provider(simulator, slug="second")
    keeper = administrator(*KEEPER)
    shown = keys_page.paste(keeper, provider, key_set(EC_KEY))
    assert "Only a superuser can confirm this" in text_of(shown)
    assert 'value="accept"' not in shown.content.decode()
    refused = keys_page.accept(keeper, provider, shown)
    assert [level for level, _text in messages_of(refused)] == ["error"]
    shown = keys_page.paste(admin, provider, key_set(EC_KEY))
    assert [level for level, _text in messages_of(keys_page.accept(admin, provider, shown))] == ["error"]
    assert stored(provider).jwks == provider.jwks
    assert not DeclarationChange.objects.exists()
    payload = shown.context["payload"]
    admin.press(provider, "keys", action="accept", payload=payload, **tick(shown))
    assert keys_page.only_key(provider).kid == "ec"


def test_pasted_keys_that_the_other_declaration_has_ask_nothing(provider: Provider, simulator: Simulator) -> None:
    make_provider(simulator, slug="second", jwks={"keys": [*simulator.jwks["keys"], EC_KEY]})
    keys_page.replace(administrator(*KEEPER), provider, key_set(EC_KEY))
    assert keys_page.only_key(provider).kid == "ec"


def test_keys_that_the_provider_publishes_ask_nothing(provider: Provider, simulator: Simulator) -> None:
    make_provider(simulator, slug="second", jwks={"keys": [EC_KEY]})
    keeper = administrator(*KEEPER)
    simulator.rotate_keys()
    shown = keeper.press(provider, "keys", action="fetch")
    assert not shown.context["differences"]
    assert [level for level, _text in messages_of(keys_page.accept(keeper, provider, shown))] == ["success"]


# An imported file.


def test_an_imported_declaration_that_differs_needs_the_confirmation(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    declared = {"environment": "custom", "slug": "new", "client_id": "c", "metadata": moved(simulator, "jwks_uri")}
    file = import_page.document(declared)
    refused = import_page.show(administrator(*KEEPER), file)
    assert "Only a superuser can confirm this" in import_page.problems_of(refused)
    shown = import_page.show(admin, file)
    assert "same accounts" in text_of(shown)
    response = import_page.accept(admin, shown)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert Provider.objects.count() == 1
    admin.browser.post(import_page.IMPORT, {"payload": shown.context["payload"], **tick(shown)})
    assert Provider.objects.get(slug="new").metadata == moved(simulator, "jwks_uri")
