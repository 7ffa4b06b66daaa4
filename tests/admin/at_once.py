"""Simultaneous saves of two administrators, on a database with several writers (tests/login/test_concurrency.py)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_save

from psc_connect.models import Provider
from psc_connect.providers.keys import import_keys
from psc_connect.simulator import Simulator, run_simulator
from tests.admin.pages import LIST, Administrator, administrator, change_page, stored
from tests.conftest import make_provider
from tests.support.log_recorder import record_simulator

# On PostgreSQL alone, by tests/login/test_concurrency.py, which names this file: SQLite has one writer at a time.
pytestmark = pytest.mark.django_db(transaction=True)
KEEPER = ("view_provider", "change_provider", "replace_provider_secrets")
OLD_ISSUERS = "the next secret of the old issuer"
NEW_ISSUERS = "the secret of the new issuer"


@pytest.fixture(scope="module")
def new_issuer() -> Iterator[Simulator]:
    with run_simulator() as simulator:
        yield record_simulator(simulator)


class AboutToSave:
    """Holds whoever saves a provider first in that instant, until the other one has done what they can."""

    def __init__(self) -> None:
        self.reached, self.other_is_done = threading.Event(), threading.Event()
        self.held = False

    def __call__(self, **_said: Any) -> None:
        if not self.held:
            self.held = True
            self.reached.set()
            # Where the row is locked, the other one waits for this one: a second is long enough to tell.
            self.other_is_done.wait(timeout=1)


class InsertsKeys:
    """Holds a fetch of keys that has inserted them, until the deletion has come as far as it can."""

    def __init__(self) -> None:
        self.reached, self.other_is_done = threading.Event(), threading.Event()

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith('INSERT INTO "psc_connect_signingkey"'):
            self.reached.set()
            self.other_is_done.wait(timeout=1)
        return result


def fetch_keys(provider: Provider, hold: InsertsKeys) -> None:
    try:
        with connection.execute_wrapper(hold):
            import_keys(provider)
    finally:
        connection.close()


def test_selected_providers_are_deleted_while_keys_are_fetched(simulator: Simulator) -> None:
    provider, admin, hold = make_provider(simulator), administrator(), InsertsKeys()
    simulator.rotate_keys()
    thread = threading.Thread(target=fetch_keys, args=(stored(provider), hold))
    thread.start()
    assert hold.reached.wait(timeout=10)
    fields = {"action": "delete_selected", "_selected_action": [provider.pk], "post": "yes"}
    response = admin.browser.post(LIST, fields)
    hold.other_is_done.set()
    thread.join()
    assert response.status_code == 302
    assert not Provider.objects.exists()


def post(admin: Administrator, provider: Provider, fields: dict[str, str]) -> int:
    try:
        status: int = admin.browser.post(change_page(provider), fields).status_code
        return status
    finally:
        connection.close()


@pytest.mark.case("AD01", "CC04")
def test_the_secret_of_the_old_issuer_never_goes_to_the_new_one(simulator: Simulator, new_issuer: Simulator) -> None:
    provider = make_provider(simulator, environment="custom")
    first, second = administrator(*KEEPER), administrator()
    rotates = {**first.fields_of(change_page(provider)), "client_secret": OLD_ISSUERS}
    moves = {
        **second.fields_of(change_page(provider)),
        "client_secret": NEW_ISSUERS,
        "metadata": json.dumps(new_issuer.metadata),
    }
    hold, statuses = AboutToSave(), []
    pre_save.connect(hold, sender=Provider)
    try:
        thread = threading.Thread(target=lambda: statuses.append(post(first, provider, rotates)))
        thread.start()
        assert hold.reached.wait(timeout=10)
        other = threading.Thread(target=lambda: statuses.append(post(second, provider, moves)))
        other.start()
        other.join(timeout=1)
        hold.other_is_done.set()
        thread.join()
        other.join()
    finally:
        pre_save.disconnect(hold, sender=Provider)
    now = stored(provider)
    assert (now.issuer, now.secret_for_its_issuer()) in {
        (simulator.issuer, OLD_ISSUERS),
        (new_issuer.issuer, NEW_ISSUERS),
    }
    # The one whose page no longer holds is told, and sees it once more.
    assert sorted(statuses) == [200, 302]
