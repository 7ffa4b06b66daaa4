"""A dry run ends with the same code as a login: no check can be missing from one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator
from tests.support.backend_hooks import AuthenticatesNobody, use_backend
from tests.support.browser_session import BACK_CHANNEL, PAGE, BrowserSession, error_code_of
from tests.support.dry_runs import begin, code_of
from tests.support.fault_cases import HARMLESS, REFUSED, FaultCase
from tests.support.refusals import assert_sign_in_is_refused, stored_data
from tests.support.refused_people import PERSON, REFUSED_PEOPLE, TESTED_ELSEWHERE, Refused, Site
from tests.support.stored_keys import change_provider
from tests.test_error_codes import ALL_CODES

pytestmark = pytest.mark.django_db
# Of what the site decides once the provider has identified the person.
PREFIXES = ("account_", "access_", "attribute_")


@pytest.fixture
def admin_session(admin: Administrator) -> BrowserSession:
    return BrowserSession(browser=admin.browser)


def outcome_of_dry_run(admin_session: BrowserSession, simulator: Simulator) -> tuple[str, list[str]]:
    """Return the code of a dry run, and the endpoints that it asked."""
    url = admin_session.authorize(begin(admin_session, Provider.objects.get()))
    simulator.clear_requests()
    code = code_of(admin_session, admin_session.come_back(url))
    return code, [request.endpoint for request in simulator.requests if request.endpoint in BACK_CHANNEL]


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in REFUSED])
def test_a_wrong_answer_ends_a_dry_run_with_the_code_of_a_login(
    simulator: Simulator, admin_session: BrowserSession, wrong: FaultCase
) -> None:
    change_provider(Provider.objects.get(), **wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    assert outcome_of_dry_run(admin_session, simulator) == (wrong.code, list(wrong.calls))


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in HARMLESS])
def test_an_odd_answer_that_signs_in_passes_a_dry_run(
    simulator: Simulator, admin_session: BrowserSession, wrong: FaultCase
) -> None:
    change_provider(Provider.objects.get(), **wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    code, _calls = outcome_of_dry_run(admin_session, simulator)
    assert code == ""


@pytest.mark.usefixtures("usernames_identify_nobody")
@pytest.mark.parametrize("refused", REFUSED_PEOPLE, ids=lambda refused: f"{refused.code} {refused.name}".strip())
def test_a_refused_person_is_refused_by_a_login_and_a_dry_run_with_the_same_code(
    provider: Provider,
    simulator: Simulator,
    settings: Any,
    monkeypatch: Any,
    person: BrowserSession,
    admin_session: BrowserSession,
    refused: Refused,
) -> None:
    refused.arrange(Site(provider, simulator, settings, monkeypatch))
    simulator.sign_in(PERSON)
    assert_sign_in_is_refused(refused.code, person=person, simulator=simulator, calls=refused.calls)
    before = stored_data(person)
    assert outcome_of_dry_run(admin_session, simulator) == (refused.code, list(refused.calls))
    after = stored_data(person)
    # The session of the administrator holds the result.
    assert {**after, "sessions.Session": ""} == {**before, "sessions.Session": ""}


def test_every_refusal_of_the_site_is_in_the_table() -> None:
    in_table = {refused.code for refused in REFUSED_PEOPLE}
    assert not in_table & TESTED_ELSEWHERE.keys()
    assert {code for code in in_table | TESTED_ELSEWHERE.keys() if code.startswith(PREFIXES)} == {
        code for code in ALL_CODES if code.startswith(PREFIXES)
    }


def test_a_late_answer_is_refused_by_a_login_and_a_dry_run(
    provider: Provider, simulator: Simulator, person: BrowserSession, admin_session: BrowserSession
) -> None:
    login = person.authorize(person.begin(PAGE))
    dry_run = admin_session.authorize(begin(admin_session, provider))
    with time_machine.travel(timedelta(seconds=601)):
        assert error_code_of(person.come_back(login)) == "authorization_state_expired"
        assert code_of(admin_session, admin_session.come_back(dry_run)) == "authorization_state_expired"


def test_a_dry_run_does_not_call_authenticate_of_the_site(
    provider: Provider, simulator: Simulator, settings: Any, person: BrowserSession, admin_session: BrowserSession
) -> None:
    use_backend(settings, AuthenticatesNobody)
    assert_sign_in_is_refused("account_refused_by_site", person=person, simulator=simulator, calls=())
    assert outcome_of_dry_run(admin_session, simulator) == ("", ["token", "userinfo"])
