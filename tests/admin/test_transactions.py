"""No transaction is open while a page waits for a provider: on SQLite it would block every other write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import ADD, Administrator, administrator, change_page
from tests.conftest import CLIENT_ID, CLIENT_SECRET, make_provider
from tests.support.database import watching_transactions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("atomic_requests")]
ANSWERS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def origin_of(simulator: Simulator) -> str:
    return str(simulator.metadata["issuer"]).partition("/auth/")[0]


def declare(admin: Administrator, simulator: Simulator) -> Any:
    return admin.submit(ADD, environment="simulator", **ANSWERS)


def discover(admin: Administrator, simulator: Simulator) -> Any:
    return admin.submit(ADD, environment="custom", discovery_url=simulator.discovery_url, **ANSWERS)


def change_environment(admin: Administrator, simulator: Simulator) -> Any:
    provider = make_provider(simulator, environment="custom")
    return admin.submit(change_page(provider), environment="simulator", metadata="", client_secret=CLIENT_SECRET)


def take_in(admin: Administrator, simulator: Simulator) -> Any:
    declared = {"environment": "simulator", "client_id": CLIENT_ID}
    text = json.dumps({"psc_connect": 1, "providers": [declared]})
    shown = admin.browser.post("/admin/psc_connect/provider/import/", {"text": text})
    return admin.browser.post("/admin/psc_connect/provider/import/", {"payload": shown.context["payload"]})


@pytest.mark.parametrize("work", [declare, discover, change_environment, take_in])
def test_saving_asks_the_provider_first(simulator: Simulator, settings: Any, work: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = origin_of(simulator)
    admin = administrator()
    with watching_transactions(simulator) as seen:
        assert work(admin, simulator).status_code == 302
    assert seen
    assert not any(seen)
    assert Provider.objects.get().metadata == simulator.metadata


@pytest.mark.parametrize(("page", "fields"), [("connection", {}), ("keys", {"action": "fetch"})])
def test_no_transaction_is_open_while_a_page_calls_a_provider(
    simulator: Simulator, page: str, fields: dict[str, str]
) -> None:
    admin, provider = administrator(), make_provider(simulator)
    with watching_transactions(simulator) as seen:
        assert admin.press(provider, page, **fields).status_code == 200
    assert seen
    assert not any(seen)


def test_a_form_asks_the_provider_once(simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = origin_of(simulator)
    simulator.clear_requests()
    declare(administrator(), simulator)
    assert [request.endpoint for request in simulator.requests] == ["metadata", "jwks"]


def test_user_without_permission_triggers_no_request(simulator: Simulator) -> None:
    provider = make_provider(simulator)
    looker = administrator("view_provider")
    simulator.clear_requests()
    fields = {"environment": "custom", "discovery_url": simulator.discovery_url, **ANSWERS}
    for url in (ADD, change_page(provider), "/admin/psc_connect/provider/999/change/"):
        assert looker.browser.post(url, fields).status_code in {302, 403}
    assert not simulator.requests
