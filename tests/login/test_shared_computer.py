"""A shared computer: after a refusal, the session at the provider can be closed and another person can sign in."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client as Browser

from psc_connect.backends import ProSanteConnectBackend
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Provider
from psc_connect.signals import signed_in
from psc_connect.simulator import Simulator
from tests.support.access_rules import DOCTORS, allow, set_rules
from tests.support.backend_hooks import use_backend
from tests.support.browser_session import HOST, PAGE, BrowserSession, error_code_of, path_of, query_of
from tests.support.database import failing_statements
from tests.support.logout_forms import (
    CLOSE,
    OTHER_PERSON,
    asks_for_identification,
    buttons,
    end_session_url,
    form_fields,
    press,
    return_from_provider,
)
from tests.support.refused_people import PERSON, REFUSED_PEOPLE, Refused, Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
AS_OTHER = f"/psc/psc/login/?{urlencode({'next': PAGE, 'as': 'other', 'clicked': '1'})}"


class RefusesAfterwards(ProSanteConnectBackend):
    def authenticate(self, request: Any, code_grant: Any = None, **credentials: Any) -> None:  # type: ignore[override]
        super().authenticate(request, code_grant, **credentials)


@pytest.fixture
def refused(provider: Provider, simulator: Simulator, person: BrowserSession) -> Any:
    """The page of a person whom a rule refuses. The provider's session stays open."""
    set_rules(provider, allow(DOCTORS), others_may_sign_in=False)
    response = person.sign_in(PAGE)
    assert error_code_of(response) == "access_refused"
    simulator.sign_in(None)
    assert not asks_for_identification(person)
    return response


# --- the two buttons --------------------------------------------------------------------------------------------


def test_another_person_can_sign_in_after_a_refusal(refused: Any, person: BrowserSession, simulator: Simulator) -> None:
    leaving = press(person, refused, OTHER_PERSON)
    assert query_of(end_session_url(leaving)).keys() == {
        "client_id",
        "id_token_hint",
        "post_logout_redirect_uri",
        "state",
    }
    back = return_from_provider(person, leaving)
    assert back.context["ended_at_provider"]
    assert "Another person can sign in." in back.content.decode()
    # To the button, which leads to the page that was asked for.
    link = f"/psc/psc/login/?{urlencode({'next': PAGE})}"
    assert f'href="{escape(link)}' in back.content.decode()
    assert asks_for_identification(person)
    simulator.sign_in("doctor-two-activities")
    Provider.objects.update(ask_activity="never")
    assert person.sign_in(PAGE)["Location"] == PAGE


def test_the_refused_person_can_close_the_session_at_the_provider(refused: Any, person: BrowserSession) -> None:
    leaving = press(person, refused, CLOSE)
    assert "id_token_hint" in query_of(end_session_url(leaving))
    back = return_from_provider(person, leaving)
    assert back.context["ended_at_provider"]
    assert not back.context["signs_in"]
    # The person had no session of this site.
    assert "<p>Your Pro Santé Connect session is closed.</p>" in back.content.decode()
    assert "both closed" not in back.content.decode()
    assert asks_for_identification(person)


@pytest.mark.usefixtures("usernames_identify_nobody")
@pytest.mark.parametrize("case", REFUSED_PEOPLE, ids=lambda case: f"{case.code} {case.name}".strip())
def test_every_page_that_refuses_an_identified_person_has_both_buttons(
    provider: Provider, simulator: Simulator, settings: Any, monkeypatch: Any, person: BrowserSession, *, case: Refused
) -> None:
    case.arrange(Site(provider, simulator, settings, monkeypatch))
    simulator.sign_in(PERSON)
    response = person.sign_in(PAGE)
    assert error_code_of(response) == case.code
    # Without a call, the provider has not said who it is.
    is_identified = bool(case.calls)
    assert buttons(response) == ([OTHER_PERSON, CLOSE] if is_identified else [])
    assert bool(form_fields(response).get("id_token")) == is_identified


def test_a_person_refused_by_the_sites_own_code_has_both_buttons(
    provider: Provider, person: BrowserSession, settings: Any
) -> None:
    use_backend(settings, RefusesAfterwards)
    response = person.sign_in(PAGE)
    assert error_code_of(response) == "account_refused_by_site"
    assert buttons(response) == [OTHER_PERSON, CLOSE]


@pytest.mark.parametrize("fault", ["other_sub", "userinfo_unauthorized", "userinfo_array"])
def test_a_person_whose_userinfo_is_refused_has_both_buttons(
    provider: Provider, simulator: Simulator, person: BrowserSession, fault: str
) -> None:
    with simulator.fault(fault):
        assert buttons(person.sign_in(PAGE)) == [OTHER_PERSON, CLOSE]


def test_a_person_refused_by_a_receiver_of_the_site_has_both_buttons(provider: Provider, simulator: Simulator) -> None:
    def refuse(**_said: Any) -> None:
        raise LoginRefused("account_refused_by_site")

    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    signed_in.connect(refuse)
    response = person.sign_in(PAGE)
    signed_in.disconnect(refuse)
    # The session that was opened and closed again has changed the CSRF token.
    simulator.sign_in(None)
    return_from_provider(person, press(person, response, OTHER_PERSON))
    assert asks_for_identification(person)
    person.close()


@pytest.mark.parametrize("error", ["consent_required", "interaction_required", "account_selection_required"])
def test_a_person_of_whom_the_provider_needs_an_answer_can_leave_to_another(
    provider: Provider, simulator: Simulator, person: BrowserSession, error: str
) -> None:
    """The provider knows who it is, and may have asked the wrong person."""
    with simulator.fault("callback_error", error=error):
        response = person.sign_in(PAGE)
    assert error_code_of(response) == f"authorization_{error}"
    assert buttons(response) == [CLOSE]
    assert f'href="{escape(AS_OTHER)}"' in response.content.decode()
    assert query_of(person.browser.get(AS_OTHER)["Location"])["prompt"] == "login"


@pytest.mark.parametrize("error", ["access_denied", "login_required", "server_error"])
def test_a_person_whom_the_provider_may_not_know_has_no_button(
    provider: Provider, simulator: Simulator, person: BrowserSession, error: str
) -> None:
    with simulator.fault("callback_error", error=error):
        response = person.sign_in(PAGE)
    assert buttons(response) == []
    assert "as=other" not in response.content.decode()


@pytest.mark.case("SE05")
def test_the_form_of_a_refusal_brings_back_no_id_token_after_a_new_sign_in(
    refused: Any, provider: Provider, person: BrowserSession
) -> None:
    of_refusal = query_of(end_session_url(press(person, refused, CLOSE)))["id_token_hint"]
    set_rules(provider, others_may_sign_in=True)
    assert person.sign_in(PAGE)["Location"] == PAGE
    of_session = query_of(end_session_url(press(person, refused, CLOSE)))["id_token_hint"]
    assert of_session != of_refusal


def test_refusal_before_identification_has_no_button(provider: Provider, person: BrowserSession) -> None:
    response = person.browser.get("/psc/psc/callback/", {"error": "access_denied", "state": "x"})
    assert buttons(response) == []
    assert "as=other" not in response.content.decode()


def test_a_failing_database_shows_the_page_without_buttons(
    provider: Provider, person: BrowserSession, simulator: Simulator
) -> None:
    """They would query it again."""
    callback = person.authorize(person.begin(PAGE))
    with failing_statements("psc_connect_account"):
        response = person.come_back(callback)
    assert error_code_of(response) == "database_unavailable"
    assert buttons(response) == []


# --- the ID token that the page keeps ---------------------------------------------------------------------------


@pytest.mark.case("SE05")
def test_the_page_keeps_the_id_token_encrypted_and_no_session_is_opened(
    refused: Any, person: BrowserSession, simulator: Simulator
) -> None:
    text = refused.content.decode()
    hint = query_of(end_session_url(press(person, refused, CLOSE)))["id_token_hint"]
    assert "eyJ" not in text
    assert hint.rpartition(".")[2] not in text
    assert not Session.objects.exists()
    assert "sessionid" not in person.browser.cookies


def test_an_id_token_of_many_kilobytes_is_kept_in_no_cookie(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    set_rules(provider, others_may_sign_in=False)
    with simulator.fault("id_token_claims", claims={"SubjectRole": "x" * 22_000}):
        response = person.sign_in(PAGE)
    cookies = [morsel.OutputString() for morsel in person.browser.cookies.values()]
    assert sum(map(len, cookies)) < 1024
    assert len(query_of(end_session_url(press(person, response, CLOSE)))["id_token_hint"]) > 29_000


def test_another_browser_gets_nothing_from_the_page(refused: Any, person: BrowserSession) -> None:
    thief = BrowserSession()
    thief.browser.get("/psc/psc/logged-out/")
    leaving = press(thief, refused, CLOSE)
    assert query_of(end_session_url(leaving)).keys() == {"client_id", "post_logout_redirect_uri", "state"}
    thief.close()


def test_the_page_keeps_the_id_token_for_ten_minutes(refused: Any, person: BrowserSession) -> None:
    with time_machine.travel(timedelta(seconds=590)):
        assert "id_token_hint" in query_of(end_session_url(press(person, refused, CLOSE)))
    with time_machine.travel(timedelta(seconds=610)):
        assert "id_token_hint" not in query_of(end_session_url(press(person, refused, CLOSE)))


@pytest.mark.parametrize("text", ["", "x", "gAAAA", "é\ud800", "x" * 100_000])
def test_a_text_that_is_not_the_kept_id_token_is_ignored(refused: Any, person: BrowserSession, text: str) -> None:
    posted = urlencode({"then": CLOSE, "id_token": text}, errors="surrogatepass")
    response = person.browser.post("/psc/psc/logout/", posted, content_type="application/x-www-form-urlencoded")
    assert "id_token_hint" not in query_of(end_session_url(response))


def test_the_kept_id_token_goes_to_its_own_provider_only(refused: Any, person: BrowserSession) -> None:
    Provider.objects.update(slug="other")
    person.slug = "other"
    assert "id_token_hint" not in query_of(end_session_url(press(person, refused, CLOSE)))


@pytest.mark.case("LO01")
def test_another_site_cannot_press_the_buttons(provider: Provider, simulator: Simulator) -> None:
    set_rules(provider, allow(DOCTORS), others_may_sign_in=False)
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    response = person.sign_in(PAGE)
    simulator.sign_in(None)
    fields = {name: value for name, value in form_fields(response).items() if name != "csrfmiddlewaretoken"}
    for then in (OTHER_PERSON, CLOSE):
        for method in (person.browser.post, person.browser.get):
            refused = method("/psc/psc/logout/", {**fields, "then": then})
            assert refused["Location"] == "/psc/psc/logged-out/?site_only=1"
    assert not asks_for_identification(person)
    # The page's own form has the token.
    return_from_provider(person, press(person, response, OTHER_PERSON))
    assert asks_for_identification(person)
    person.close()


# --- without the ID token ---------------------------------------------------------------------------------------


def test_without_the_id_token_another_person_is_asked_for_identification(refused: Any, person: BrowserSession) -> None:
    with time_machine.travel(timedelta(seconds=610)):
        response = press(person, refused, OTHER_PERSON)
        page = person.browser.get(response["Location"])
        assert not page.context["ended_at_provider"]
        assert f'href="{escape(AS_OTHER)}"' in page.content.decode()
        assert query_of(person.browser.get(AS_OTHER)["Location"])["prompt"] == "login"


def test_without_an_end_session_endpoint_another_person_is_asked_for_identification(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    set_rules(provider, allow(DOCTORS), others_may_sign_in=False)
    metadata = simulator.metadata
    del metadata["end_session_endpoint"]
    Provider.objects.update(metadata=metadata)
    response = person.sign_in(PAGE)
    assert f'<a href="{escape(AS_OTHER)}"' in response.content.decode()
    assert buttons(response) == []
    assert "psc_logout_secret" not in person.browser.cookies


def test_a_person_refused_for_the_level_can_leave_without_the_id_token(
    provider: Provider, person: BrowserSession
) -> None:
    """The token is not valid, so it is not kept. The open session would lead to the same refusal again."""
    Provider.objects.update(accepted_acr_values="eidas3")
    response = person.sign_in(PAGE)
    assert error_code_of(response) == "id_token_acr_refused"
    assert f'<a href="{escape(AS_OTHER)}"' in response.content.decode()
    assert buttons(response) == [CLOSE]
    assert query_of(end_session_url(press(person, response, CLOSE))).keys() == {
        "client_id",
        "post_logout_redirect_uri",
        "state",
    }


def test_as_other_is_kept_across_the_redirect_to_the_site_host(
    provider: Provider, person: BrowserSession, settings: Any
) -> None:
    settings.PSC_CONNECT_BASE_URL = HOST
    moved = person.browser.get("/psc/psc/login/", {"as": "other"}, headers={"Host": "localhost"})["Location"]
    assert query_of(person.browser.get(path_of(moved))["Location"])["prompt"] == "login"


@pytest.mark.parametrize("asked", ["", "login", "none", "other none"])
def test_other_values_of_as_change_nothing(provider: Provider, person: BrowserSession, asked: str) -> None:
    answer = person.browser.get("/psc/psc/login/", {"as": asked, "prompt": "none"})
    assert "prompt" not in query_of(answer["Location"])
