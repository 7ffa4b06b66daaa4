"""A move of many accounts, and one that something else interrupts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from psc_connect.accounts.identifiers import SUB, Identifier, row_of, shared_key
from psc_connect.configuration.issuer_move import MoveRefused, carry_out, plan_move
from psc_connect.models import Account, AccountChange, AccountIdentifier, Provider
from psc_connect.simulator import Simulator
from tests.conftest import make_provider
from tests.support.database import failing_statements
from tests.support.two_issuers import state_of_accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def moved(provider: Provider, simulator: Simulator) -> Provider:
    """The provider under another host."""
    metadata = {**simulator.metadata, "issuer": simulator.issuer.replace("127.0.0.1", "localhost")}
    return make_provider(simulator, slug="moved", metadata=metadata)


def make_accounts(provider: Provider, count: int, prefix: str = "person") -> None:
    """Create accounts with a trusted number, a former sub, and an identifier that leads nowhere."""
    users = User.objects.bulk_create(User(username=f"{prefix}-{number}") for number in range(count))
    accounts = Account.objects.bulk_create(
        Account(provider=provider, issuer=provider.issuer, user=user, subject=f"sub-of-{user.username}")
        for user in users
    )
    AccountIdentifier.objects.bulk_create(
        row_of(account, identifier)
        for account in accounts
        for identifier in (
            Identifier("rpps", f"rpps-of-{account.user.username}", "RPPS", 1),
            Identifier(SUB, f"former-sub-of-{account.user.username}"),
            Identifier("unknown", f"number-of-{account.user.username}"),
        )
    )


@pytest.mark.parametrize("count", [1, 700])
def test_a_preview_costs_four_statements(provider: Provider, moved: Provider, count: int) -> None:
    make_accounts(provider, count)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        move = plan_move(provider, moved)
    assert (len(statements), move.count, len(move.found.identifiers)) == (4, count, 2 * count)


def test_many_accounts_move_in_batches(provider: Provider, moved: Provider) -> None:
    make_accounts(provider, 1200)
    make_accounts(moved, 3, "already-there")
    with CaptureQueriesContext(connection) as statements:
        carry_out(plan_move(provider, moved), source="command")
    assert len(statements) < 60
    assert Account.objects.filter(issuer=moved.issuer, provider=moved).count() == 1203
    assert AccountChange.objects.filter(action="moved").count() == 1200
    for row in AccountIdentifier.objects.exclude(kind="unknown").select_related("account"):
        assert row.match_key == shared_key(moved.issuer, Identifier(row.kind, row.number))


def test_the_key_of_an_identifier_that_leads_nowhere_stays(provider: Provider, moved: Provider) -> None:
    make_accounts(provider, 2)
    before = list(AccountIdentifier.objects.filter(kind="unknown").values_list("match_key", flat=True))
    carry_out(plan_move(provider, moved), source="command")
    assert list(AccountIdentifier.objects.filter(kind="unknown").values_list("match_key", flat=True)) == before


def test_a_number_that_is_no_longer_trusted_keeps_its_key(provider: Provider, moved: Provider, settings: Any) -> None:
    """Its row has the key of the time when it was trusted: a login would find the account by it if it is again."""
    make_accounts(provider, 1)
    settings.PSC_CONNECT_TRUSTED_IDENTIFIERS = []
    carry_out(plan_move(provider, moved), source="command")
    row = AccountIdentifier.objects.get(kind="rpps")
    assert row.match_key == shared_key(moved.issuer, Identifier("rpps", row.number))


def test_a_plan_is_not_carried_out_if_a_person_has_signed_in_at_the_new_issuer_since(
    provider: Provider, moved: Provider
) -> None:
    make_accounts(provider, 2)
    plan = plan_move(provider, moved)
    user = User.objects.create(username="again")
    Account.objects.create(provider=moved, issuer=moved.issuer, user=user, subject="sub-of-person-1")
    before = state_of_accounts()
    with pytest.raises(MoveRefused) as refused:
        carry_out(plan, source="command")
    assert (refused.value.code, state_of_accounts()) == ("move_conflicts", before)


@pytest.mark.case("NW02")
@pytest.mark.parametrize("former_at", ["old", "new"])
def test_a_sub_that_is_former_at_the_other_issuer_is_a_conflict(
    provider: Provider, moved: Provider, former_at: str
) -> None:
    """A sign-in with it would find two accounts, and be refused."""
    make_accounts(provider, 2)
    make_accounts(moved, 2, "already-there")
    former, current = ("person-1", "already-there-0") if former_at == "old" else ("already-there-0", "person-1")
    Account.objects.filter(user__username=current).update(subject=f"former-sub-of-{former}")
    move = plan_move(provider, moved)
    pairs = [
        (Account.objects.get(pk=old).user.username, Account.objects.get(pk=new).user.username)
        for old, new in move.conflicts
    ]
    assert pairs == [("person-1", "already-there-0")]
    before = state_of_accounts()
    with pytest.raises(MoveRefused) as refused:
        carry_out(move, source="command")
    assert (refused.value.code, state_of_accounts()) == ("move_conflicts", before)


@pytest.mark.parametrize("change", ["superuser", "staff", "issuer", "deleted"])
def test_a_plan_is_not_carried_out_if_something_has_changed(provider: Provider, moved: Provider, change: str) -> None:
    make_accounts(provider, 2)
    plan = plan_move(provider, moved)
    if change == "superuser":
        User.objects.filter(username="person-1").update(is_superuser=True)
    elif change == "staff":
        User.objects.filter(username="person-1").update(is_staff=True)
    elif change == "issuer":
        Provider.objects.filter(pk=moved.pk).update(metadata={**moved.metadata, "issuer": "https://other.example"})
    else:
        Provider.objects.filter(pk=moved.pk).delete()
    before = state_of_accounts()
    with pytest.raises(MoveRefused) as refused:
        carry_out(plan, source="command")
    assert (refused.value.code, state_of_accounts()) == ("move_changed", before)


def test_accounts_created_since_the_preview_move_too(provider: Provider, moved: Provider) -> None:
    make_accounts(provider, 2)
    plan = plan_move(provider, moved)
    make_accounts(provider, 1, "late")
    assert carry_out(plan, source="command").count == 3
    assert not Account.objects.filter(issuer=provider.issuer).exists()


@pytest.mark.parametrize("table", ["psc_connect_accountchange", "psc_connect_declarationchange"])
def test_a_database_that_fails_on_the_way_keeps_everything(provider: Provider, moved: Provider, table: str) -> None:
    make_accounts(provider, 2)
    plan, before = plan_move(provider, moved), state_of_accounts()
    with failing_statements(table), pytest.raises(MoveRefused) as refused:
        carry_out(plan, source="command")
    assert (refused.value.code, state_of_accounts()) == ("move_changed", before)
