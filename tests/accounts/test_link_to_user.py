"""Linking of an account to another user: sessions end, groups move, and the audit log has an entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.accounts.merging import PlanRefused, link, plan_link
from psc_connect.accounts.unlinking import unlink
from psc_connect.models import Account, AccountChange, AccountIdentifier, ExportedGroup, Provider
from psc_connect.simulator import Simulator
from tests.support.browser_session import BrowserSession, must_sign_in
from tests.support.people import OTHER_PSI, RPPS, make_person, other_id, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]
ONE = make_person("1", other_id("RPPS", RPPS))


def test_account_is_linked_to_another_user(provider: Provider, simulator: Simulator, by: User) -> None:
    account, right = sign_in(simulator, ONE), User.objects.create(username="right")
    wrong = account.user
    link(plan_link(account, right), by=by)
    assert sign_in(simulator, ONE).user == right
    assert sign_in(simulator, make_person("5", other_id("RPPS", RPPS))).user == right
    assert User.objects.filter(pk=wrong.pk, is_active=True).exists()
    change = AccountChange.objects.order_by("pk")[0]
    assert (change.action, change.username, change.made_by) == ("linked", "right", by)
    assert change.before == {"user": str(wrong.pk), "username": wrong.username}


@pytest.mark.case("AL14")
def test_sessions_of_the_previous_user_end(provider: Provider, simulator: Simulator, by: User) -> None:
    browser, right = BrowserSession(), User.objects.create(username="right")
    account = sign_in(simulator, ONE, browser)
    link(plan_link(account, right), by=by)
    assert must_sign_in(browser)
    again = BrowserSession()
    sign_in(simulator, ONE, again)
    assert not must_sign_in(again)


def test_groups_granted_by_the_account_move_with_it(provider: Provider, simulator: Simulator, by: User) -> None:
    given = Group.objects.create(name="given")
    ExportedGroup.objects.create(provider=provider, claim="given_name != 'x'", group=given)
    account, right = sign_in(simulator, ONE), User.objects.create(username="right")
    wrong = account.user
    link(plan_link(account, right), by=by)
    assert not wrong.groups.exists()
    assert set(right.groups.all()) == {given}
    ExportedGroup.objects.all().delete()
    sign_in(simulator, ONE)
    assert not right.groups.exists()


def test_a_user_with_an_account_of_the_issuer_gets_no_second_one(provider: Provider, simulator: Simulator) -> None:
    account, other = sign_in(simulator, ONE), sign_in(simulator, make_person("7", other_id("PSI", OTHER_PSI)))
    for user, code in ((other.user, "link_has_account"), (account.user, "link_same")):
        with pytest.raises(PlanRefused) as caught:
            plan_link(account, user)
        assert caught.value.code == code


def promote(account: Account, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True)


def rename(account: Account, user: User) -> None:
    User.objects.filter(pk=user.pk).update(username="somebody-else")


def remove(account: Account, user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


def unlinked(account: Account, user: User) -> None:
    unlink(Account.objects.get(pk=account.pk), by=None)


@pytest.mark.case("AL10")
@pytest.mark.parametrize("meanwhile", [promote, rename, remove, unlinked])
def test_plan_that_has_changed_since_its_confirmation_is_not_linked(
    provider: Provider, simulator: Simulator, meanwhile: Any
) -> None:
    account, right = sign_in(simulator, ONE), User.objects.create(username="right")
    plan = plan_link(account, right)
    meanwhile(account, right)
    with pytest.raises(PlanRefused) as caught:
        link(plan, by=None)
    assert caught.value.code == "plan_changed"
    assert not AccountChange.objects.exists()


@pytest.mark.case("AL14")
def test_unlinking_deletes_the_identifiers_and_the_next_login_creates_a_user(
    provider: Provider, simulator: Simulator
) -> None:
    sign_in(simulator, make_person("0", other_id("RPPS", RPPS)))
    account = sign_in(simulator, ONE)
    unlink(account, by=None)
    assert not AccountIdentifier.objects.exists()
    assert AccountChange.objects.get().account is None
    for sub in ("1", "0"):
        assert sign_in(simulator, make_person(sub, other_id("RPPS", RPPS))).user != account.user
    assert Account.objects.count() == 1
