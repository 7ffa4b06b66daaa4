"""A site that has been running goes from one version to the next, and back: what it knew of its people stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from psc_connect.identifiers import as_identifier, own_key
from psc_connect.models import Account
from psc_connect.simulator import Simulator
from tests.conftest import make_provider
from tests.identities import (
    EDIT,
    OTHER_PSI,
    OTHER_RPPS,
    PSI,
    RPPS,
    names_are_no_identifiers,
    of,
    refused,
    rows_of,
    sign_in,
    somebody,
)

pytestmark = pytest.mark.django_db(transaction=True)
THIRD_RPPS = "99700366240"
BEFORE, AFTER = "0002_administration", "0003_professional"


def migrate(name: str) -> Any:
    """Go to a migration of ours; return the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("psc_connect", name)])
    return MigrationExecutor(connection).loader.project_state([("psc_connect", name)]).apps


@pytest.fixture
def before(simulator: Simulator) -> Iterator[Any]:
    """The models of the version before, and at the end those of now."""
    names_are_no_identifiers(make_provider(simulator))
    yield migrate(BEFORE)
    migrate(AFTER)


def make_account(apps: Any, subject: str, name_id: str, other_ids: Any) -> int:
    provider = apps.get_model("psc_connect", "Provider").objects.get()
    user = apps.get_model("auth", "User").objects.create(username=f"user-{subject}")
    account = apps.get_model("psc_connect", "Account").objects.create(
        provider_id=provider.pk,
        user_id=user.pk,
        issuer=provider.metadata["issuer"],
        subject=subject,
        subject_name_id=name_id,
        other_ids=other_ids,
    )
    pk: int = account.pk
    return pk


def test_what_the_accounts_knew_becomes_rows_by_which_they_are_found(before: Any, simulator: Simulator) -> None:
    """In one test, since the way takes seconds."""
    doctor = make_account(before, "1", "8" + RPPS, [of("RPPS", "8" + RPPS), of("PSI", PSI, 2)])
    tester = make_account(before, "2", EDIT, [of("EDIT", EDIT)])
    secretary = make_account(before, "3", "500000001815646/CPAT00045", [])
    odd = [make_account(before, f"odd-{number}", "", ids) for number, ids in enumerate(({}, "x", [5, {}, None]))]
    # Two with the same identifier, and one that contradicts itself: their rows lead nowhere.
    one, other = (make_account(before, subject, "8" + OTHER_RPPS, []) for subject in ("one", "other"))
    contrary = make_account(before, "4", "8" + THIRD_RPPS, [of("RPPS", OTHER_RPPS), of("PSI", OTHER_PSI, 2)])
    migrate(AFTER)

    accounts = Account.objects.in_bulk()
    assert rows_of(accounts[doctor]) == {("rpps", RPPS, "RPPS", 1), ("psi", PSI, "PSI", 2)}
    assert rows_of(accounts[tester]) == {("edit", EDIT, "EDIT", 1)}
    assert rows_of(accounts[secretary]) == {("siret_staff", "00000001815646/CPAT00045", "SubjectNameID", 0)}
    assert not any(accounts[pk].identifiers.exists() for pk in odd)
    assert accounts[contrary].identifiers.count() == 3
    for pk in (one, other, contrary):
        rows = accounts[pk].identifiers.all()
        assert {row.match_key for row in rows} == {own_key(pk, as_identifier(row)) for row in rows}

    assert sign_in(simulator, somebody("new", of("RPPS", RPPS))).pk == doctor
    # The first of the two to sign in is found by what both have.
    assert sign_in(simulator, somebody("other", SubjectNameID="8" + OTHER_RPPS)).pk == other
    refused(simulator, somebody("one", SubjectNameID="8" + OTHER_RPPS), "account_identifiers_conflict")


def test_the_way_back_knows_what_there_was(before: Any, simulator: Simulator) -> None:
    others = [of("RPPS", "8" + RPPS), of("PSI", PSI, 2), of("AUTRE", "x", 3)]
    pk = make_account(before, "1", "8" + RPPS, others)
    migrate(AFTER)
    sign_in(simulator, somebody("2", *others))
    account = migrate(BEFORE).get_model("psc_connect", "Account").objects.get(pk=pk)
    assert account.other_ids == others
