"""The cost of a login: requests to the provider, connections and SQL queries."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection

from psc_connect.models import ClaimedState
from psc_connect.simulator import Simulator
from psc_connect.simulator.http_messages import Request
from tests.conftest import make_provider
from tests.support.browser_session import BACK_CHANNEL, BrowserSession
from tests.support.database import watching_transactions
from tests.support.people import PSI, RPPS, export_plain_usernames, make_person, other_id


def calls_of_the_site(simulator: Simulator) -> list[Request]:
    return [request for request in simulator.requests if request.endpoint in BACK_CHANNEL]


def sign_in(simulator: Simulator) -> BrowserSession:
    person = BrowserSession()
    simulator.clear_requests()
    assert person.sign_in("/page/one/").status_code == 302
    person.close()
    return person


def test_login_makes_two_requests_to_the_provider(provider, simulator):
    for _login in range(3):
        sign_in(simulator)
        assert [call.endpoint for call in calls_of_the_site(simulator)] == ["token", "userinfo"]


def test_a_login_after_the_first_opens_no_connection(provider, simulator):
    sign_in(simulator)
    first = {call.connection for call in calls_of_the_site(simulator)}
    for _login in range(3):
        sign_in(simulator)
        calls = calls_of_the_site(simulator)
        assert {call.connection for call in calls} <= first
        assert all(call.reused for call in calls)


def test_page_view_makes_no_request_to_the_provider(provider, simulator):
    person = sign_in(simulator)
    simulator.clear_requests()
    connections = simulator.connections
    for path in ("/", "/page/one/"):
        assert person.browser.get(path).status_code == 200
    BrowserSession().browser.get("/page/one/")
    assert simulator.requests == []
    assert simulator.connections == connections


def test_start_of_a_login_makes_no_request_to_the_provider(provider, simulator, person):
    simulator.clear_requests()
    person.begin()
    assert simulator.requests == []


@contextmanager
def statements() -> Any:
    """Record every SQL statement, including those of transactions."""
    queries: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(" ".join(sql.split())[:110])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield queries


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "now", "at_most"),
    [
        # Twelve without rules and identifiers; these may add two, and their changes four.
        ("podiatrist", "podiatrist", 13),
        ("activity-lost-before", "activity-lost-after", 14),
        ("sub-changed-before", "sub-changed-after", 16),
        (None, "podiatrist", 19),
    ],
    ids=["returning", "returning with an activity less", "returning under another sub", "new"],
)
def test_login_makes_few_sql_queries(simulator, before, now, at_most):
    assert connection.vendor == "sqlite"
    make_provider(simulator, ask_activity="never")
    if before:
        simulator.sign_in(before)
        sign_in(simulator)
    simulator.sign_in(now)
    person = BrowserSession()
    with statements() as of_login:
        address = person.begin("/page/one/")
    callback = person.authorize(address)
    with statements() as of_callback:
        response = person.come_back(callback)
    person.close()
    assert response["Location"] == "/page/one/"
    queries = [*of_login, *of_callback]
    assert 0 < len(queries) <= at_most, "\n".join(queries)


KNOWN = make_person("1", other_id("RPPS", RPPS), other_id("PSI", PSI, 2))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("now", "more"),
    [
        (KNOWN, {}),
        (
            make_person(
                "1", other_id("RPPS", RPPS), other_id("PSI", PSI, 2), other_id("AUTRE", "x"), other_id("AUTRE", "y")
            ),
            {"INSERT": 1},
        ),
        (make_person("1", other_id("RPPS", RPPS, 2), other_id("PSI", PSI, 1)), {"UPDATE": 1}),
        (
            make_person("1", other_id("RPPS", RPPS, 2), other_id("PSI", PSI, 1), other_id("AUTRE", "x")),
            {"INSERT": 1, "UPDATE": 1},
        ),
        # One row for the former sub, one of the audit log.
        (make_person("2", other_id("RPPS", RPPS), other_id("PSI", PSI, 2)), {"INSERT": 2}),
    ],
    ids=["the same", "two new", "another quality", "both", "another sub"],
)
def test_identifiers_cost_no_query_to_read_and_one_to_write_changes(simulator, now, more):
    """They are loaded with the account. The snapshot contains them too: one more UPDATE if they change."""
    export_plain_usernames(make_provider(simulator))
    counted = []
    for professional in (KNOWN, KNOWN, now):
        simulator.sign_in(professional)
        with statements() as queries:
            sign_in(simulator)
        counted.append(Counter(sql.partition(" ")[0] for sql in queries))
    _first, known, again = counted
    snapshot = Counter(["UPDATE"] if more else [])
    assert again - known == Counter(more) + snapshot
    assert known - again == Counter()


def test_the_start_of_a_login_leaves_no_row_and_one_cookie(provider, simulator, person):
    with statements() as queries:
        person.begin("/page/one/")
    assert len(queries) == 1, queries
    assert not any(sql.startswith(("INSERT", "UPDATE", "DELETE")) for sql in queries)
    assert not Session.objects.exists()
    assert not ClaimedState.objects.exists()
    [cookie] = person.browser.cookies
    assert cookie.startswith("psc_auth_")


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("with_keys", [True, False], ids=["steady state", "keys to fetch"])
def test_no_transaction_is_open_during_requests_to_the_provider(simulator, person, with_keys):
    without_keys: dict[str, Any] = {"jwks": {}, "jwks_updated_at": None}
    make_provider(simulator, **({} if with_keys else without_keys))
    with watching_transactions(simulator) as in_transaction:
        assert person.sign_in().status_code == 302
    assert in_transaction == [False] * (2 if with_keys else 3)


@pytest.mark.usefixtures("atomic_requests")
def test_site_of_that_test_opens_a_transaction_for_its_own_pages(person):
    with statements() as queries:
        person.browser.get("/")
    assert queries == ["BEGIN"]
