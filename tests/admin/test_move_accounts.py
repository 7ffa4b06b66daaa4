"""The page that moves the accounts of a provider whose host has changed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from psc_connect.environments import load_metadata
from psc_connect.models import Account, AccountChange, DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.account_page import page_of as account_page_of
from tests.admin.pages import (
    LIST,
    Administrator,
    administrator,
    change_page,
    messages_of,
    select_of,
    signed_in_long_ago,
    text_of,
)
from tests.conftest import make_provider
from tests.support.two_issuers import NEW, OLD, TwoIssuers, state_of_accounts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
PAGE_NAME = "move-accounts"
KEEPER = ("view_provider", "change_provider", "replace_provider_secrets")


@pytest.fixture
def moved(provider: Provider, simulator: Simulator) -> Provider:
    """The provider under another host; ``provider`` has two accounts."""
    for name in ("dr-martin", "dr-durand"):
        give_account(provider, name)
    metadata = {**simulator.metadata, "issuer": simulator.issuer.replace("127.0.0.1", "localhost")}
    return make_provider(simulator, slug="moved", metadata=metadata)


def give_account(provider: Provider, name: str, sub: str = "", **rights: Any) -> Account:
    user, _is_new = User.objects.get_or_create(username=name, defaults=rights)
    return Account.objects.create(provider=provider, issuer=provider.issuer, subject=sub or f"f:x:{name}", user=user)


def look(admin: Administrator, old: Provider, new: Provider) -> Any:
    return admin.press(old, PAGE_NAME, new=str(new.pk))


def confirm(admin: Administrator, old: Provider, shown: Any) -> Any:
    return admin.press(old, PAGE_NAME, payload=shown.context["payload"])


def errors_of(response: Any) -> set[str]:
    return {error.code for error in response.context["form"].errors.as_data()["new"]}


def button_of(response: Any) -> bool:
    return 'id="confirm_form"' in response.content.decode()


def test_accounts_are_moved_after_a_preview(two: TwoIssuers, admin: Administrator) -> None:
    user = two.sign_in(OLD).user_id
    page = admin.browser.get(change_page(two.old)).content.decode()
    assert f"{LIST}{two.old.pk}/{PAGE_NAME}/" in page
    assert f"{LIST}{two.new.pk}/{PAGE_NAME}/" not in admin.browser.get(change_page(two.new)).content.decode()
    before = state_of_accounts()
    shown = look(admin, two.old, two.new)
    assert f"Accounts that move from {two.old.issuer} to {two.new.issuer} : 1 ." in text_of(shown)
    assert state_of_accounts() == before
    answer = confirm(admin, two.old, shown)
    assert answer["Location"] == change_page(two.old)
    assert [level for level, _text in messages_of(answer)] == ["success", "warning"]
    assert two.sign_in(NEW).user_id == user
    assert User.objects.filter(psc_accounts__isnull=False).count() == 1


def test_who_has_moved_them_is_recorded(provider: Provider, moved: Provider, admin: Administrator) -> None:
    confirm(admin, provider, look(admin, provider, moved))
    me = User.objects.get(username="administrator-")
    assert set(AccountChange.objects.values_list("action", "made_by", "made_by_name")) == {
        ("moved", me.pk, "administrator-")
    }
    assert set(DeclarationChange.objects.values_list("slug", "made_by", "source")) == {
        ("psc", me.pk, "admin"),
        ("moved", me.pk, "admin"),
    }
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(provider.pk), str(moved.pk)}
    history = text_of(admin.open(moved, "history"))
    assert "accounts moved to another issuer" in history.lower()
    assert f"{moved.issuer} (2)" in history
    page = text_of(admin.browser.get(account_page_of(Account.objects.earliest("pk"), "change")))
    assert "moved to another issuer" in page
    change = AccountChange.objects.latest("pk")
    assert provider.issuer in text_of(admin.browser.get(f"/admin/psc_connect/accountchange/{change.pk}/change/"))


def test_pages_of_both_providers_that_are_open_meanwhile_can_be_saved(two: TwoIssuers, admin: Administrator) -> None:
    two.sign_in(OLD)
    for provider in (two.old, two.new):
        shown = admin.fields_of(change_page(provider))
        confirm(admin, two.old, look(admin, two.old, two.new))
        assert admin.browser.post(change_page(provider), {**shown, "button_text": "Enter"}).status_code == 302


def test_no_get_moves_anything(provider: Provider, moved: Provider, admin: Administrator) -> None:
    shown, before = look(admin, provider, moved), state_of_accounts()
    assert admin.open(provider, PAGE_NAME, new=str(moved.pk), payload=shown.context["payload"]).status_code == 200
    assert state_of_accounts() == before


@pytest.mark.case("AD01", "AD02")
@pytest.mark.parametrize("late", [False, True])
def test_it_takes_the_right_to_replace_keys_and_a_recent_sign_in(
    provider: Provider, moved: Provider, late: bool
) -> None:
    keeper = administrator(*KEEPER)
    shown, before = look(keeper, provider, moved), state_of_accounts()
    staff = signed_in_long_ago(keeper) if late else administrator("view_provider", "change_provider")
    page = staff.open(provider, PAGE_NAME)
    assert "decides whom this site trusts" in text_of(page)
    assert ("provider/confirm/" in page.content.decode()) == late
    assert 'id="move_form"' not in page.content.decode()
    for fields in ({"new": str(moved.pk)}, {"payload": shown.context["payload"]}):
        answer = staff.press(provider, PAGE_NAME, **fields)
        assert answer.status_code == 302
        assert [level for level, _text in messages_of(answer)][-1] == "error"
    assert state_of_accounts() == before


def test_with_that_right_they_move(provider: Provider, moved: Provider) -> None:
    keeper = administrator(*KEEPER)
    confirm(keeper, provider, look(keeper, provider, moved))
    assert Account.objects.filter(issuer=moved.issuer).count() == 2


@pytest.mark.case("AD01")
@pytest.mark.parametrize(
    "rights", [("view_provider",), ("view_provider", "replace_provider_secrets"), ("view_account",)]
)
def test_it_takes_the_right_to_change_providers(provider: Provider, moved: Provider, rights: tuple[str, ...]) -> None:
    staff = administrator(*rights)
    assert staff.open(provider, PAGE_NAME).status_code == 403
    assert staff.press(provider, PAGE_NAME, new=str(moved.pk)).status_code == 403


@pytest.mark.case("AD01", "NW03")
def test_only_a_superuser_moves_the_account_of_a_superuser(provider: Provider, moved: Provider) -> None:
    keeper = administrator(*KEEPER)
    shown = look(keeper, provider, moved)
    give_account(provider, "boss", is_superuser=True)
    before = state_of_accounts()
    page = look(keeper, provider, moved)
    assert "ask a superuser to do this" in text_of(page)
    assert not button_of(page)
    assert button_of(shown)
    for each in (shown, page):
        confirm(keeper, provider, each)
        assert state_of_accounts() == before
    boss = administrator()
    confirm(boss, provider, look(boss, provider, moved))
    assert Account.objects.filter(issuer=moved.issuer).count() == 3


@pytest.mark.case("AD01", "NW03")
# An inactive user may be activated again.
@pytest.mark.parametrize("is_active", [True, False])
def test_staff_move_no_account_of_staff_with_more_permissions(
    provider: Provider, moved: Provider, is_active: bool
) -> None:
    keeper = administrator(*KEEPER)
    shown = look(keeper, provider, moved)
    colleague = give_account(provider, "it-admin", is_staff=True, is_active=is_active).user
    colleague.user_permissions.add(Permission.objects.get(codename="change_user"))
    before = state_of_accounts()
    page = look(keeper, provider, moved)
    assert "administers this site and has permissions that you do not have" in text_of(page)
    assert not button_of(page)
    for each in (shown, page):
        confirm(keeper, provider, each)
        assert state_of_accounts() == before
    complete = administrator(*KEEPER, "change_user")
    confirm(complete, provider, look(complete, provider, moved))
    assert Account.objects.filter(issuer=moved.issuer).count() == 3


def test_a_user_who_administers_the_site_since_the_preview_is_previewed_again(
    provider: Provider, moved: Provider
) -> None:
    keeper = administrator(*KEEPER)
    shown = look(keeper, provider, moved)
    User.objects.filter(username="dr-martin").update(is_staff=True)
    before = state_of_accounts()
    assert "something has changed" in str(messages_of(confirm(keeper, provider, shown)))
    assert state_of_accounts() == before
    confirm(keeper, provider, look(keeper, provider, moved))
    assert Account.objects.filter(issuer=moved.issuer).count() == 2


def test_a_person_with_two_accounts_is_shown_and_no_account_moves(
    provider: Provider, moved: Provider, admin: Administrator
) -> None:
    shown = look(admin, provider, moved)
    other = give_account(moved, "dr-martin-2", sub="f:x:dr-martin")
    known, before = Account.objects.get(user__username="dr-martin"), state_of_accounts()
    page = look(admin, provider, moved)
    assert not button_of(page)
    assert account_page_of(known, "change") in page.content.decode()
    assert account_page_of(other, "change") in page.content.decode()
    assert "unlink one of the two, as a rule that of the new issuer" in text_of(page)
    assert "Consequences" not in text_of(page)
    assert "psc-consequences" not in page.content.decode()
    for each in (shown, page):
        confirm(admin, provider, each)
        assert state_of_accounts() == before
    admin.browser.post(account_page_of(other, "delete"), {"post": "yes"})
    confirm(admin, provider, look(admin, provider, moved))
    assert Account.objects.filter(issuer=moved.issuer).count() == 2


def test_what_cannot_be_moved_is_an_error_of_the_form(
    provider: Provider, moved: Provider, admin: Administrator
) -> None:
    twin = Provider.objects.create(slug="twin", environment="simulator", metadata=provider.metadata)
    empty = Provider.objects.create(slug="empty", environment="simulator")
    production = Provider.objects.create(slug="production", metadata=load_metadata("production"))
    assert errors_of(look(admin, provider, production)) == {"move_other_environment"}
    assert errors_of(look(admin, provider, twin)) == {"move_same_issuer"}
    assert errors_of(look(admin, provider, empty)) == {"move_issuer_missing"}
    assert errors_of(look(admin, provider, provider)) == {"invalid_choice"}


def test_the_preview_of_one_administrator_confirms_nothing_for_another(
    provider: Provider, moved: Provider, admin: Administrator
) -> None:
    shown, before = look(admin, provider, moved), state_of_accounts()
    assert messages_of(confirm(administrator(*KEEPER), provider, shown))[-1][0] == "error"
    for payload in ("", "x", "é"):
        assert admin.press(provider, PAGE_NAME, payload=payload).status_code == 302
    assert state_of_accounts() == before


def test_the_preview_of_one_provider_confirms_no_other(
    provider: Provider, moved: Provider, admin: Administrator
) -> None:
    shown, before = look(admin, provider, moved), state_of_accounts()
    confirm(admin, moved, shown)
    assert state_of_accounts() == before


def test_a_preview_of_long_ago_confirms_nothing(provider: Provider, moved: Provider, admin: Administrator) -> None:
    shown, before = look(admin, provider, moved), state_of_accounts()
    # A session of today, and a page of an hour before.
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        session = admin.browser.session
        session["psc_connect_authenticated_at"] += 7200
        session.save()
        assert "too long" in str(messages_of(confirm(admin, provider, shown)))
    assert state_of_accounts() == before


@pytest.mark.parametrize("change", ["issuer", "deleted"])
def test_a_changed_provider_is_previewed_again(
    provider: Provider, moved: Provider, admin: Administrator, change: str
) -> None:
    shown = look(admin, provider, moved)
    if change == "issuer":
        Provider.objects.filter(pk=moved.pk).update(metadata={**moved.metadata, "issuer": "http://localhost:1/x"})
    else:
        moved.delete()
    before = state_of_accounts()
    answer = confirm(admin, provider, shown)
    assert answer["Location"] == f"{LIST}{provider.pk}/{PAGE_NAME}/"
    assert "something has changed" in str(messages_of(answer))
    assert state_of_accounts() == before


def test_without_another_provider_the_page_says_what_to_do(provider: Provider, admin: Administrator) -> None:
    page = text_of(admin.open(provider, PAGE_NAME))
    assert "Declare the provider under its new issuer first" in page
    assert "No other provider is declared yet" in page
    assert 'href="/admin/psc_connect/provider/add/"' in admin.open(provider, PAGE_NAME).content.decode()
    keeper = administrator(*KEEPER)
    assert "/provider/add/" not in keeper.open(provider, PAGE_NAME).content.decode()


def test_only_providers_that_can_get_the_accounts_are_offered(
    provider: Provider, moved: Provider, admin: Administrator
) -> None:
    Provider.objects.create(slug="twin", environment="simulator", metadata=provider.metadata)
    Provider.objects.create(slug="empty", environment="simulator")
    Provider.objects.create(slug="production", metadata=load_metadata("production"))
    select = select_of(admin.open(provider, PAGE_NAME).content.decode(), "new")
    assert re.findall(r'<option value="(\d+)"', select) == [str(moved.pk)]
    moved.delete()
    page = admin.open(provider, PAGE_NAME)
    assert "No other provider is declared yet" in text_of(page)
    assert 'id="move_form"' not in page.content.decode()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_new_provider_that_is_disabled_is_to_be_enabled(
    provider: Provider, moved: Provider, admin: Administrator, enabled: bool
) -> None:
    Provider.objects.filter(pk=moved.pk).update(enabled=enabled)
    shown = look(admin, provider, moved)
    assert ("is disabled: enable it after the move" in text_of(shown)) != enabled
    told = str(messages_of(confirm(admin, provider, shown)))
    assert ("Enable “moved”" in told) != enabled
    assert "Disable “psc”" in told


def test_the_page_names_no_person(provider: Provider, moved: Provider, admin: Administrator) -> None:
    give_account(moved, "dr-martin-2", sub="f:x:dr-martin")
    page = look(admin, provider, moved).content.decode()
    assert "dr-martin" not in page
    assert "f:x:" not in page
