"""Simultaneous logins: on SQLite, and on PostgreSQL if a server is configured."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from psc_connect.models import Account
from psc_connect.simulator.people import PEOPLE
from tests.conftest import make_provider
from tests.support.browser_session import BrowserSession
from tests.support.people import RPPS, export_plain_usernames, make_person, other_id

PODIATRIST = next(person for person in PEOPLE if person.slug == "podiatrist")
THREADS = 8
# Other tests that need PostgreSQL.
PLACES = ("login/test_login.py", "views/test_anonymous_browser.py", "admin/at_once.py", "admin/test_hostile_input.py")


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run each task in its own thread with its own database connection, all started together."""
    barrier = threading.Barrier(len(tasks), timeout=30)
    outcomes: list[Any] = [None] * len(tasks)

    def run(index: int, task: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            outcomes[index] = task()
        except Exception as exc:  # noqa: BLE001 - the waiting test must see every exception
            outcomes[index] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def coming_back(people: list[BrowserSession]) -> list[Callable[[], Any]]:
    """Return the callbacks of all people, ready to be opened."""
    urls = [person.authorize(person.begin()) for person in people]
    return [partial(person.come_back, url) for person, url in zip(people, urls, strict=True)]


@pytest.mark.case("CC01")
@pytest.mark.django_db(transaction=True)
def test_parallel_first_logins_of_one_person_create_one_account(simulator):
    make_provider(simulator)
    people = [BrowserSession() for _browser in range(THREADS)]
    outcomes = at_once(*coming_back(people))
    assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [302] * THREADS
    assert User.objects.count() == Account.objects.count() == 1
    assert {person.user_id for person in people} == {str(User.objects.get().pk)}
    for person in people:
        person.close()


@pytest.mark.case("CC01", "AL04")
@pytest.mark.django_db(transaction=True)
def test_parallel_first_logins_with_colliding_usernames_create_one_account_each(simulator):
    make_provider(simulator)
    people, urls = [], []
    for number in range(4):
        # The same national identifier, and so the same username, under four `sub` values.
        simulator.sign_in(replace(PODIATRIST, userinfo={**PODIATRIST.userinfo, "sub": f"f:550dc1c8:{number}"}))
        person = BrowserSession()
        people.append(person)
        urls.append(person.authorize(person.begin()))
    tasks = [partial(person.come_back, url) for person, url in zip(people, urls, strict=True)]
    outcomes = at_once(*tasks)
    assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [302] * 4
    assert len({person.user_id for person in people}) == 4
    expected = ["ANS20231122132732", *(f"ANS20231122132732-{number}" for number in (2, 3, 4))]
    assert sorted(User.objects.values_list("username", flat=True)) == expected
    for person in people:
        person.close()


@pytest.mark.case("CC01")
@pytest.mark.django_db(transaction=True)
def test_parallel_logins_of_a_known_person_all_sign_in(simulator):
    make_provider(simulator)
    people = [BrowserSession() for _browser in range(THREADS)]
    people[0].sign_in()
    # Each login has another name, so that all of them update the same row.
    User.objects.update(first_name="Other")
    outcomes = at_once(*coming_back(people[1:]))
    assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [302] * (THREADS - 1)
    assert {person.user_id for person in people} == {str(User.objects.get().pk)}
    for person in people:
        person.close()


@pytest.mark.case("CC01", "AL09")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_number", [False, True], ids=["created", "linked by the number"])
def test_parallel_first_logins_of_one_person_under_several_subs_create_one_account(simulator, by_number):
    provider = make_provider(simulator, link_user_field="last_name" if by_number else "")
    export_plain_usernames(provider)
    provider.exported_attributes.filter(user_field="last_name").delete()
    if by_number:
        User.objects.create(username="known", last_name=RPPS)
    people, urls = [], []
    for number in range(4):
        simulator.sign_in(make_person(str(number), other_id("RPPS", RPPS)))
        people.append(BrowserSession())
        urls.append(people[-1].authorize(people[-1].begin()))
    tasks = [partial(person.come_back, url) for person, url in zip(people, urls, strict=True)]
    outcomes = at_once(*tasks)
    assert [getattr(outcome, "status_code", outcome) for outcome in outcomes] == [302] * 4
    account = Account.objects.get()
    assert {person.user_id for person in people} == {str(User.objects.get().pk)} == {str(account.user_id)}
    # Each other sub is a former one; each change is in the audit log once.
    former = {row.number for row in account.identifiers.filter(kind="sub")}
    assert former == {"0", "1", "2", "3"} - {account.subject}
    assert account.changes.filter(action="subject").count() == 3
    for person in people:
        person.close()


@pytest.mark.servers
@pytest.mark.case("CC01")
@pytest.mark.skipif(connection.vendor == "postgresql", reason="this is that run")
def test_same_tests_pass_on_postgresql():
    if not os.environ.get("PSC_TESTS_POSTGRES_DSN"):
        reason = "PSC_TESTS_POSTGRES_DSN names no PostgreSQL"
        pytest.fail(reason) if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1" else pytest.skip(reason)
    files = [__file__, *(str(Path(__file__).parents[1] / name) for name in PLACES)]
    options = ["-q", "-p", "no:cacheprovider", "--ds=tests.sites.postgresql"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed, 1 skipped" in run.stdout
