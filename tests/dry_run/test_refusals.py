"""A dry run ends with the same code as a login: no check can be missing from one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator
from tests.admin.rehearsal import begin
from tests.support.browser_session import BACK_CHANNEL, PAGE, BrowserSession, code_on
from tests.support.hooks import AuthenticatesNobody, use
from tests.support.refusals import assert_sign_in_is_refused, everything_kept
from tests.support.refused_people import ELSEWHERE, PERSON, REFUSED_PEOPLE, Refused, Site
from tests.support.wrong_answers import HARMLESS, REFUSED, Wrong
from tests.test_error_codes import ALL_CODES

pytestmark = pytest.mark.django_db
# Of what the site decides once the provider has identified the person.
PREFIXES = ("account_", "access_", "attribute_")


@pytest.fixture
def session(admin: Administrator) -> BrowserSession:
    return BrowserSession(browser=admin.browser)


def dry_run_code(session: BrowserSession, response: Any) -> str:
    """Return the code of the callback's error page, of the step that failed or of the preview; "": it would sign in."""
    if response.status_code != 302:
        return code_on(response)
    page = session.browser.get(response["Location"])
    if code := page.context["result"].code:
        assert page.context["preview"] is None
        return str(code)
    preview = page.context["preview"]
    assert (preview.outcome == "refused") == bool(preview.code)
    return str(preview.code)


def dry_run(session: BrowserSession, simulator: Simulator) -> tuple[str, list[str]]:
    """Return the code of a dry run, and the endpoints that it asked."""
    url = session.authorize(begin(session, Provider.objects.get()))
    simulator.clear_requests()
    code = dry_run_code(session, session.come_back(url))
    return code, [request.endpoint for request in simulator.requests if request.endpoint in BACK_CHANNEL]


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in REFUSED])
def test_a_wrong_answer_ends_a_dry_run_with_the_code_of_a_login(
    simulator: Simulator, session: BrowserSession, wrong: Wrong
) -> None:
    Provider.objects.update(**wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    assert dry_run(session, simulator) == (wrong.code, list(wrong.calls))


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("wrong", [wrong.param() for wrong in HARMLESS])
def test_an_odd_answer_that_signs_in_passes_a_dry_run(
    simulator: Simulator, session: BrowserSession, wrong: Wrong
) -> None:
    Provider.objects.update(**wrong.row)
    simulator.faults.set(wrong.fault, **wrong.options)
    code, _calls = dry_run(session, simulator)
    assert code == ""


@pytest.mark.usefixtures("usernames_identify_nobody")
@pytest.mark.parametrize("refused", REFUSED_PEOPLE, ids=lambda refused: f"{refused.code} {refused.name}".strip())
def test_a_refused_person_is_refused_by_a_login_and_a_dry_run_with_the_same_code(
    provider: Provider,
    simulator: Simulator,
    settings: Any,
    monkeypatch: Any,
    person: BrowserSession,
    session: BrowserSession,
    refused: Refused,
) -> None:
    refused.arrange(Site(provider, simulator, settings, monkeypatch))
    simulator.sign_in(PERSON)
    assert_sign_in_is_refused(refused.code, person=person, simulator=simulator, calls=refused.calls)
    before = everything_kept(person)
    assert dry_run(session, simulator) == (refused.code, list(refused.calls))
    after = everything_kept(person)
    # The session of the administrator holds the result.
    assert {**after, "sessions.Session": ""} == {**before, "sessions.Session": ""}


def test_every_refusal_of_the_site_is_in_the_table() -> None:
    in_table = {refused.code for refused in REFUSED_PEOPLE}
    assert not in_table & ELSEWHERE.keys()
    assert {code for code in in_table | ELSEWHERE.keys() if code.startswith(PREFIXES)} == {
        code for code in ALL_CODES if code.startswith(PREFIXES)
    }


def test_a_late_answer_is_refused_by_a_login_and_a_dry_run(
    provider: Provider, simulator: Simulator, person: BrowserSession, session: BrowserSession
) -> None:
    login = person.authorize(person.begin(PAGE))
    rehearsal = session.authorize(begin(session, provider))
    with time_machine.travel(timedelta(seconds=601)):
        assert code_on(person.come_back(login)) == "authorization_state_expired"
        assert dry_run_code(session, session.come_back(rehearsal)) == "authorization_state_expired"


def test_a_dry_run_does_not_call_authenticate_of_the_site(
    provider: Provider, simulator: Simulator, settings: Any, person: BrowserSession, session: BrowserSession
) -> None:
    use(settings, AuthenticatesNobody)
    assert_sign_in_is_refused("account_refused_by_site", person=person, simulator=simulator, calls=())
    assert dry_run(session, simulator) == ("", ["token", "userinfo"])
