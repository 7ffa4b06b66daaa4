"""Groups that a row gives while it holds, and takes away again; never those that were given by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from psc_connect.access.groups import MAPPING, AccountMoved, update_groups
from psc_connect.accounts.merging import link, plan_link
from psc_connect.models import Account, ExportedGroup, GroupGrant
from tests.conftest import make_provider
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.hooks import LinksElsewhere, use
from tests.support.refusals import assert_sign_in_is_refused

pytestmark = pytest.mark.django_db
PODIATRIST = "SubjectRefPro.exercices[].codeProfession"


@pytest.fixture
def podiatrists(provider):
    group = Group.objects.create(name="Podiatrists")
    ExportedGroup.objects.create(provider=provider, claim=PODIATRIST, equals="80", group=group)
    return group


def sign_in() -> set[str]:
    person = BrowserSession()
    assert person.sign_in(PAGE)["Location"] == PAGE
    person.close()
    return {group.name for group in get_user_model().objects.get().groups.all()}


def test_a_new_person_joins_the_group_whose_row_holds(podiatrists):
    assert sign_in() == {"Podiatrists"}


def test_a_known_person_joins_it_too(provider):
    assert sign_in() == set()
    group = Group.objects.create(name="Podiatrists")
    ExportedGroup.objects.create(provider=provider, claim=PODIATRIST, equals="80", group=group)
    assert sign_in() == {"Podiatrists"}


def test_a_group_goes_when_its_row_no_longer_holds(podiatrists):
    assert sign_in() == {"Podiatrists"}
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == set()
    assert not GroupGrant.objects.exists()


def test_a_group_goes_when_its_row_has_gone(podiatrists):
    assert sign_in() == {"Podiatrists"}
    ExportedGroup.objects.all().delete()
    assert sign_in() == set()


def test_a_group_given_by_hand_is_left_alone(podiatrists):
    ExportedGroup.objects.update(equals="10")
    sign_in()
    get_user_model().objects.get().groups.add(podiatrists)
    assert sign_in() == {"Podiatrists"}


def test_a_group_given_by_hand_before_its_row_held_stays_when_it_no_longer_does(podiatrists):
    ExportedGroup.objects.update(equals="10")
    sign_in()
    get_user_model().objects.get().groups.add(podiatrists)
    ExportedGroup.objects.update(equals="80")
    assert sign_in() == {"Podiatrists"}
    assert not GroupGrant.objects.exists()
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == {"Podiatrists"}


def test_a_group_taken_away_by_hand_comes_back_while_its_row_holds(podiatrists):
    sign_in()
    get_user_model().objects.get().groups.clear()
    assert sign_in() == {"Podiatrists"}


def test_two_rows_for_one_group_are_one_membership(provider, podiatrists):
    ExportedGroup.objects.create(provider=provider, claim="given_name", equals="nobody", group=podiatrists)
    assert sign_in() == {"Podiatrists"}
    assert GroupGrant.objects.count() == 1


def test_a_group_that_another_account_gave_too_stays(simulator, provider, podiatrists):
    sign_in()
    user = get_user_model().objects.get()
    other = Account.objects.create(provider=provider, issuer="https://other.example", subject="s", user=user)
    GroupGrant.objects.create(account=other, group=podiatrists)
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == {"Podiatrists"}
    other.delete()
    assert GroupGrant.objects.count() == 0


def test_a_deleted_group_takes_its_rows_and_grants_along(podiatrists):
    sign_in()
    podiatrists.delete()
    assert not ExportedGroup.objects.exists()
    assert sign_in() == set()


def test_rows_of_another_provider_give_nothing(simulator, provider):
    other = make_provider(simulator, "other", metadata={**simulator.metadata, "issuer": simulator.issuer + "-other"})
    group = Group.objects.create(name="Podiatrists")
    ExportedGroup.objects.create(provider=other, claim=PODIATRIST, equals="80", group=group)
    assert sign_in() == set()


@pytest.mark.case("AD03", "AL12")
def test_no_row_makes_an_administrator(podiatrists):
    sign_in()
    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_a_row_whose_path_leads_nowhere_or_is_broken_gives_nothing(podiatrists):
    for claim in ("nothing.at.all", "a..b", "sum(given_name)"):
        ExportedGroup.objects.update(claim=claim)
        assert sign_in() == set()


def test_a_login_that_fails_afterwards_has_given_nothing(provider, podiatrists):
    provider.exported_attributes.create(claim="nothing", user_field="email", required=True)
    assert BrowserSession().sign_in(PAGE).status_code == 403
    assert not GroupGrant.objects.exists()
    assert not get_user_model().objects.exists()


def test_nothing_is_given_to_the_user_whom_the_account_had_before(podiatrists):
    """An administrator links the account to somebody else while its person signs in, or chooses an activity."""
    sign_in()
    stale, other = Account.objects.get(), get_user_model().objects.create_user("other")
    link(plan_link(Account.objects.get(), other), by=None)
    with pytest.raises(AccountMoved), transaction.atomic():
        update_groups(stale, {MAPPING: [podiatrists.pk]})
    assert not stale.user.groups.exists()
    assert set(other.groups.all()) == {podiatrists}


def test_a_login_whose_account_moves_at_each_attempt_is_refused(podiatrists, settings, simulator, person):
    sign_in()
    get_user_model().objects.create_user("other")
    use(settings, LinksElsewhere)
    assert_sign_in_is_refused("account_conflict", person=person, simulator=simulator)
