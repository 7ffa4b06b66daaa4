"""Groups granted by rows of the mapping: added, removed, and never those given by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from psc_connect.access.groups import MAPPING, AccountMoved, update_groups
from psc_connect.accounts.merging import link, plan_link
from psc_connect.models import Account, ExportedGroup, GroupGrant
from tests.conftest import make_provider
from tests.support.backend_hooks import RelinksTheAccount, use_backend
from tests.support.browser_session import PAGE, BrowserSession
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


def test_new_person_joins_the_group_of_a_matching_row(podiatrists):
    assert sign_in() == {"Podiatrists"}


def test_known_person_joins_the_group_too(provider):
    assert sign_in() == set()
    group = Group.objects.create(name="Podiatrists")
    ExportedGroup.objects.create(provider=provider, claim=PODIATRIST, equals="80", group=group)
    assert sign_in() == {"Podiatrists"}


def test_group_is_removed_when_its_row_no_longer_matches(podiatrists):
    assert sign_in() == {"Podiatrists"}
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == set()
    assert not GroupGrant.objects.exists()


def test_group_is_removed_with_its_row(podiatrists):
    assert sign_in() == {"Podiatrists"}
    ExportedGroup.objects.all().delete()
    assert sign_in() == set()


def test_group_given_by_hand_is_kept(podiatrists):
    ExportedGroup.objects.update(equals="10")
    sign_in()
    get_user_model().objects.get().groups.add(podiatrists)
    assert sign_in() == {"Podiatrists"}


def test_group_given_by_hand_before_its_row_matched_is_kept(podiatrists):
    ExportedGroup.objects.update(equals="10")
    sign_in()
    get_user_model().objects.get().groups.add(podiatrists)
    ExportedGroup.objects.update(equals="80")
    assert sign_in() == {"Podiatrists"}
    assert not GroupGrant.objects.exists()
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == {"Podiatrists"}


def test_group_removed_by_hand_is_granted_again_while_its_row_matches(podiatrists):
    sign_in()
    get_user_model().objects.get().groups.clear()
    assert sign_in() == {"Podiatrists"}


def test_two_rows_for_one_group_are_one_membership(provider, podiatrists):
    ExportedGroup.objects.create(provider=provider, claim="given_name", equals="nobody", group=podiatrists)
    assert sign_in() == {"Podiatrists"}
    assert GroupGrant.objects.count() == 1


def test_group_that_another_account_grants_too_is_kept(simulator, provider, podiatrists):
    sign_in()
    user = get_user_model().objects.get()
    other = Account.objects.create(provider=provider, issuer="https://other.example", subject="s", user=user)
    GroupGrant.objects.create(account=other, group=podiatrists)
    ExportedGroup.objects.update(equals="10")
    assert sign_in() == {"Podiatrists"}
    other.delete()
    assert GroupGrant.objects.count() == 0


def test_deleting_a_group_deletes_its_rows_and_grants(podiatrists):
    sign_in()
    podiatrists.delete()
    assert not ExportedGroup.objects.exists()
    assert sign_in() == set()


def test_rows_of_another_provider_grant_nothing(simulator, provider):
    other = make_provider(simulator, "other", metadata={**simulator.metadata, "issuer": simulator.issuer + "-other"})
    group = Group.objects.create(name="Podiatrists")
    ExportedGroup.objects.create(provider=other, claim=PODIATRIST, equals="80", group=group)
    assert sign_in() == set()


@pytest.mark.case("AD03", "AL12")
def test_row_cannot_make_an_administrator(podiatrists):
    sign_in()
    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_row_with_an_absent_or_malformed_path_grants_nothing(podiatrists):
    for claim in ("nothing.at.all", "a..b", "sum(given_name)"):
        ExportedGroup.objects.update(claim=claim)
        assert sign_in() == set()


def test_failed_login_grants_nothing(provider, podiatrists):
    provider.exported_attributes.create(claim="nothing", user_field="email", required=True)
    assert BrowserSession().sign_in(PAGE).status_code == 403
    assert not GroupGrant.objects.exists()
    assert not get_user_model().objects.exists()


def test_previous_user_of_the_account_is_granted_nothing(podiatrists):
    """An administrator links the account to another user during a login, or during the choice of an activity."""
    sign_in()
    stale, other = Account.objects.get(), get_user_model().objects.create_user("other")
    link(plan_link(Account.objects.get(), other), by=None)
    with pytest.raises(AccountMoved), transaction.atomic():
        update_groups(stale, {MAPPING: [podiatrists.pk]})
    assert not stale.user.groups.exists()
    assert set(other.groups.all()) == {podiatrists}


def test_login_is_refused_if_the_account_moves_at_each_attempt(podiatrists, settings, simulator, person):
    sign_in()
    get_user_model().objects.create_user("other")
    use_backend(settings, RelinksTheAccount)
    assert_sign_in_is_refused("account_conflict", person=person, simulator=simulator)
