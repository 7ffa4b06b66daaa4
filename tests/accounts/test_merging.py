"""Merging of two accounts: identifiers and groups move, sessions end, and the audit log has an entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.accounts.identifiers import SUB, Identifier, own_key, shared_key
from psc_connect.accounts.merging import PlanRefused, link, merge, plan_link, plan_merger
from psc_connect.accounts.unlinking import unlink
from psc_connect.models import (
    Account,
    AccountChange,
    AccountIdentifier,
    GroupGrant,
    Provider,
    UnlinkedAccount,
)
from psc_connect.simulator import Simulator
from tests.support.browser_session import BrowserSession, must_sign_in
from tests.support.people import (
    EDIT,
    OTHER_PSI,
    OTHER_RPPS,
    PSI,
    RPPS,
    assert_refused_with,
    identifiers_of,
    make_person,
    other_id,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("usernames_identify_nobody")]
ONE = make_person("1", other_id("RPPS", RPPS), other_id("AUTRE", "x"))
OTHER = make_person("2", other_id("PSI", PSI), other_id("AUTRE", "x"), other_id("AUTRE", "y", 3))
# The claims of Pro Santé Connect after the merge.
BOTH = make_person("3", other_id("RPPS", RPPS), other_id("PSI", PSI, 2))


def test_login_with_either_account_signs_in_the_user_of_the_kept_one(
    provider: Provider, simulator: Simulator, by: User
) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    assert_refused_with(simulator, BOTH, "account_identifiers_conflict")
    merge(plan_merger(kept, other), by=by)
    for professional in (ONE, OTHER, BOTH, make_person("4", other_id("PSI", PSI)), OTHER, ONE):
        assert sign_in(simulator, professional) == kept
    assert Account.objects.get().user == kept.user
    assert User.objects.filter(pk=other.user_id, is_active=True).exists()


def test_identifiers_and_sub_of_the_other_become_rows_of_the_kept_one(
    provider: Provider, simulator: Simulator, by: User
) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    since = other.identifiers.get(kind="psi").created_at
    merger = plan_merger(kept, other)
    moving = {(each.kind, each.number) for each in merger.identifiers}
    assert moving == {("psi", PSI), ("unknown", "y"), (SUB, "2")}
    merge(merger, by=by)
    assert identifiers_of(kept) == {
        ("rpps", RPPS, "RPPS", 1),
        ("unknown", "x", "AUTRE", 1),
        ("psi", PSI, "PSI", 1),
        ("unknown", "y", "AUTRE", 3),
        (SUB, "2", "", 0),
    }
    assert kept.identifiers.get(kind="psi").created_at == since
    assert AccountIdentifier.objects.count() == 5


def test_former_subs_and_audit_log_of_the_other_move_too(provider: Provider, simulator: Simulator, by: User) -> None:
    sign_in(simulator, make_person("0", other_id("PSI", PSI)))
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    merge(plan_merger(kept, other), by=by)
    assert sign_in(simulator, make_person("0", other_id("PSI", PSI))) == kept
    assert [change.action for change in kept.changes.order_by("pk")] == ["subject", "merged", "subject"]


def test_identifier_that_led_to_neither_leads_to_the_kept_one(
    provider: Provider, simulator: Simulator, by: User
) -> None:
    """Two accounts have the same number, which led to neither."""
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    rpps = Identifier("rpps", RPPS, "RPPS", 1)
    kept.identifiers.filter(kind="rpps").update(match_key=own_key(kept.pk, rpps))
    other.identifiers.filter(kind="psi").update(kind="rpps", number=RPPS, match_key=own_key(other.pk, rpps))
    merge(plan_merger(kept, other), by=by)
    assert kept.identifiers.get(kind="rpps").match_key == shared_key(kept.issuer, rpps)
    assert sign_in(simulator, make_person("5", other_id("RPPS", RPPS))) == kept


@pytest.mark.case("AL14")
def test_sessions_of_the_other_end_and_those_of_the_kept_one_continue(
    provider: Provider, simulator: Simulator, by: User
) -> None:
    of_kept, of_other = BrowserSession(), BrowserSession()
    kept, other = sign_in(simulator, ONE, of_kept), sign_in(simulator, OTHER, of_other)
    merge(plan_merger(kept, other), by=by)
    assert must_sign_in(of_other)
    assert not must_sign_in(of_kept)
    unlinked = UnlinkedAccount.objects.get()
    assert (unlinked.user, unlinked.subject, unlinked.unlinked_by) == (other.user, "2", by)


def test_audit_log_has_who_merged_which_accounts(provider: Provider, simulator: Simulator, by: User) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    merge(plan_merger(kept, other), by=by)
    change = AccountChange.objects.get()
    assert (change.account, change.action, change.made_by, change.provider) == (kept, "merged", by, "psc")
    assert change.username == kept.user.username
    expected = {"sub": "2", "account": other.pk, "user": str(other.user_id), "username": other.user.username}
    assert change.before == expected


@pytest.mark.parametrize("deactivate", [True, False])
def test_other_user_is_deactivated_if_requested(
    provider: Provider, simulator: Simulator, by: User, deactivate: bool
) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    merge(plan_merger(kept, other), by=by, deactivate=deactivate)
    assert User.objects.get(pk=other.user_id).is_active is not deactivate
    assert User.objects.get(pk=kept.user_id).is_active


def test_two_accounts_of_one_user_are_merged_too(provider: Provider, simulator: Simulator, by: User) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    Account.objects.filter(pk=other.pk).update(user=kept.user)
    group = Group.objects.create(name="given")
    GroupGrant.objects.create(account=other, group=group)
    kept.user.groups.add(group)
    merge(plan_merger(kept, Account.objects.get(pk=other.pk)), by=by, deactivate=True)
    assert User.objects.get(pk=kept.user_id).is_active
    # It was not given by hand: it is removed when no row grants it.
    assert GroupGrant.objects.get().account == kept
    assert set(kept.user.groups.all()) == {group}
    assert sign_in(simulator, OTHER) == kept
    assert not kept.user.groups.exists()


def test_groups_granted_by_the_other_move_to_the_kept_user(provider: Provider, simulator: Simulator, by: User) -> None:
    given, by_hand, both = (Group.objects.create(name=name) for name in ("given", "by hand", "both"))
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    for account, group in ((other, given), (other, by_hand), (other, both), (kept, both)):
        GroupGrant.objects.create(account=account, group=group)
    other.user.groups.set([given, by_hand, both])
    kept.user.groups.set([by_hand, both])
    merge(plan_merger(kept, other), by=by)
    assert not other.user.groups.exists()
    assert set(kept.user.groups.all()) == {given, by_hand, both}
    # A group that the user had by hand is not a grant.
    assert {grant.group for grant in kept.group_grants.all()} == {given, both}


@pytest.mark.parametrize(
    ("code", "issuer", "same"),
    [("merge_same", "", True), ("merge_other_issuer", "https://elsewhere.example", False)],
)
def test_accounts_of_different_people_are_not_merged(
    provider: Provider, simulator: Simulator, code: str, issuer: str, same: bool
) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    if issuer:
        Account.objects.filter(pk=other.pk).update(issuer=issuer)
    with pytest.raises(PlanRefused) as caught:
        plan_merger(kept, kept if same else Account.objects.get(pk=other.pk))
    assert caught.value.code == code


def test_identifier_of_a_third_account_is_not_taken(provider: Provider, simulator: Simulator) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    third = sign_in(simulator, make_person("9", other_id("PSI", OTHER_PSI)))
    other.identifiers.filter(kind="psi").update(number=OTHER_PSI)
    with pytest.raises(PlanRefused) as caught:
        plan_merger(kept, other)
    assert caught.value.code == "merge_third_account"
    assert identifiers_of(third) == {("psi", OTHER_PSI, "PSI", 1)}


def test_two_rpps_numbers_are_two_people(provider: Provider, simulator: Simulator) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, make_person("9", other_id("RPPS", OTHER_RPPS)))
    for pair in ((kept, other), (other, kept)):
        with pytest.raises(PlanRefused) as caught:
            plan_merger(*pair)
        assert caught.value.code == "merge_two_people"


def change_the_other(simulator: Simulator, kept: Account, other: Account) -> None:
    sign_in(simulator, make_person("2", other_id("PSI", PSI), other_id("AUTRE", "new")))


def move_the_other(simulator: Simulator, kept: Account, other: Account) -> None:
    link(plan_link(other, User.objects.create(username="third")), by=None)


def promote_the_user(simulator: Simulator, kept: Account, other: Account) -> None:
    User.objects.filter(pk=kept.user_id).update(is_staff=True)


def unlink_the_other(simulator: Simulator, kept: Account, other: Account) -> None:
    unlink(Account.objects.get(pk=other.pk), by=None)


def give_a_group(simulator: Simulator, kept: Account, other: Account) -> None:
    GroupGrant.objects.create(account=other, group=Group.objects.create(name="administrators"))


@pytest.mark.case("AL10")
@pytest.mark.parametrize(
    "meanwhile", [change_the_other, move_the_other, promote_the_user, unlink_the_other, give_a_group]
)
def test_plan_that_has_changed_since_its_confirmation_is_not_merged(
    provider: Provider, simulator: Simulator, meanwhile: Any
) -> None:
    kept, other = sign_in(simulator, ONE), sign_in(simulator, OTHER)
    merger = plan_merger(kept, other)
    meanwhile(simulator, kept, other)
    before = list(AccountIdentifier.objects.order_by("pk").values())
    with pytest.raises(PlanRefused) as caught:
        merge(merger, by=None)
    assert caught.value.code == "plan_changed"
    assert list(AccountIdentifier.objects.order_by("pk").values()) == before


# What the kept account has, what the other one has, whether a login with the other one is refused after the merge
# (None: unless test identities are trusted).
OTHER_SUBS = [
    ("nothing", [], [], True),
    ("a number of the kept account alone", [other_id("RPPS", RPPS)], [], True),
    ("an RPPS number", [], [other_id("RPPS", RPPS)], False),
    ("a PSI", [other_id("RPPS", RPPS)], [other_id("PSI", PSI)], False),
    ("a test identity", [], [other_id("EDIT", EDIT)], None),
    ("a PSI that is not vouched for", [], [other_id("AUTRE", PSI)], True),
    ("a PSI that the kept account has without its origin", [other_id("AUTRE", PSI)], [other_id("PSI", PSI)], True),
    ("the same unknown number", [other_id("AUTRE", "x")], [other_id("AUTRE", "x")], True),
]


@pytest.mark.case("NW02")
@pytest.mark.parametrize("trusted", [(), ("rpps", "psi"), ("edit",)], ids=str)
@pytest.mark.parametrize(
    ("own", "others", "is_refused"), [row[1:] for row in OTHER_SUBS], ids=[row[0] for row in OTHER_SUBS]
)
def test_plan_says_whether_logins_with_the_other_sub_are_refused(
    provider: Provider, simulator: Simulator, settings: Any, trusted: Any, own: Any, others: Any, is_refused: Any
) -> None:
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = trusted
    kept, other = make_person("1", *own), make_person("2", *others)
    merger = plan_merger(sign_in(simulator, kept), sign_in(simulator, other))
    assert merger.refuses_other_sub == (is_refused if is_refused is not None else "edit" not in trusted)
    merge(merger, by=None)
    if merger.refuses_other_sub:
        assert_refused_with(simulator, other, "account_identifiers_conflict")
    else:
        assert sign_in(simulator, other) == merger.kept
