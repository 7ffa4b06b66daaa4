"""The parameters of the callback."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from psc_connect.models import Provider
from tests.support.browser_session import PAGE, BrowserSession, path_of, query_of
from tests.support.refusals import assert_refused, pending_cookies

pytestmark = pytest.mark.django_db


def callback(person: BrowserSession, **parameters: str):
    return person.browser.get(f"/psc/{person.slug}/callback/", parameters)


@pytest.mark.case("AZ01")
def test_a_callback_without_state_is_refused(simulator, provider, person):
    person.begin(PAGE)
    assert_refused(person, callback(person, code="c"), "authorization_state_missing", simulator=simulator)


@pytest.mark.case("AZ02")
@pytest.mark.parametrize("state", ["evil", "A" * 43, "A" * 42, "é" * 43, "A" * 100_000, "A" * 42 + "\n", "../../x"])
def test_a_forged_state_is_refused(simulator, provider, person, state):
    person.begin(PAGE)
    response = callback(person, code="c", state=state)
    assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


@pytest.mark.case("AZ03")
def test_the_state_and_code_of_another_browser_are_refused(simulator, provider, person):
    attacker = BrowserSession()
    link = attacker.authorize(attacker.begin())
    own = person.authorize(person.begin(PAGE))
    assert_refused(person, person.come_back(link), "authorization_state_unknown", simulator=simulator)
    # The victim's own login is not affected.
    assert person.come_back(own)["Location"] == PAGE
    attacker.close()


@pytest.mark.case("AZ06")
def test_stolen_code_in_the_attackers_login_is_refused_by_its_verifier(simulator, provider, person):
    victim = BrowserSession()
    stolen = query_of(victim.authorize(victim.begin()))["code"]
    answer = query_of(person.authorize(person.begin(PAGE)))
    response = callback(person, **{**answer, "code": stolen})
    assert_refused(person, response, "token_invalid_grant", simulator=simulator, calls=("token",), next_page=PAGE)
    victim.close()


@pytest.mark.case("AZ08")
@pytest.mark.parametrize("require_iss", ["announced", "never"])
@pytest.mark.parametrize("suffix", ["x", "/", "?", " "])
def test_response_of_another_issuer_is_refused_before_any_request(simulator, provider, person, require_iss, suffix):
    Provider.objects.update(require_iss=require_iss)
    with simulator.fault("wrong_iss_in_callback", issuer=simulator.issuer + suffix):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_issuer_mismatch", simulator=simulator, next_page=PAGE)


@pytest.mark.case("AZ09")
def test_response_without_the_announced_issuer_is_refused(simulator, provider, person):
    with simulator.fault("no_iss_in_callback"):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_issuer_missing", simulator=simulator, next_page=PAGE)


@pytest.mark.case("AZ09")
def test_an_error_without_the_announced_issuer_is_refused_too(simulator, provider, person):
    with simulator.fault("callback_error"), simulator.fault("no_iss_in_callback"):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_issuer_missing", simulator=simulator, next_page=PAGE)


@pytest.mark.case("AZ09")
@pytest.mark.parametrize("how", ["the row never requires it", "the metadata does not announce it"])
def test_response_without_issuer_signs_in_if_none_is_announced(simulator, provider, person, how):
    if how == "the row never requires it":
        Provider.objects.update(require_iss="never")
    else:
        silent = simulator.metadata | {"authorization_response_iss_parameter_supported": False}
        Provider.objects.update(metadata=silent)
    with simulator.fault("no_iss_in_callback"):
        person.sign_in()
    assert person.is_signed_in


@pytest.mark.case("AZ11")
@pytest.mark.parametrize("value", ["evil", "same"])
@pytest.mark.parametrize("name", ["code", "state", "iss"])
def test_a_repeated_parameter_is_refused(simulator, provider, person, name, value):
    url = person.authorize(person.begin())
    again = query_of(url)[name] if value == "same" else "evil"
    response = person.come_back(f"{url}&{name}={again}")
    assert_refused(person, response, "authorization_duplicate_parameter", simulator=simulator)


@pytest.mark.case("AZ11")
def test_a_repeated_error_is_refused(simulator, provider, person):
    with simulator.fault("callback_error"), simulator.fault("error_and_code"):
        response = person.sign_in()
    assert_refused(person, response, "authorization_duplicate_parameter", simulator=simulator)


@pytest.mark.case("AZ12")
@pytest.mark.parametrize("query", ["error=access_denied", "error=x&state=evil", f"error=x&state={'A' * 43}"])
def test_forged_error_does_not_affect_a_pending_login(simulator, provider, person, query):
    url = person.authorize(person.begin(PAGE))
    before = pending_cookies(person)
    response = person.browser.get(f"/psc/psc/callback/?{query}")
    assert_refused(
        person,
        response,
        "authorization_state_unknown" if "state" in query else "authorization_state_missing",
        simulator=simulator,
    )
    assert pending_cookies(person) == before
    assert person.come_back(url)["Location"] == PAGE


@pytest.mark.case("AZ12")
@pytest.mark.parametrize("query", ["error=access_denied", "error=login_required&state=evil", "code=c", ""])
def test_forged_response_does_not_sign_out(simulator, provider, person, query):
    person.sign_in()
    session = person.browser.cookies["sessionid"].value
    response = person.browser.get(f"/psc/psc/callback/?{query}")
    assert response.status_code == 400
    assert person.browser.cookies["sessionid"].value == session
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("AZ13")
def test_response_with_error_and_code_is_an_error(simulator, provider, person):
    with simulator.fault("error_and_code"):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_access_denied", simulator=simulator, next_page=PAGE)


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("access_denied", "authorization_access_denied", 403),
        ("temporarily_unavailable", "authorization_temporarily_unavailable", 403),
        ("server_error", "authorization_server_error", 403),
        ("invalid_scope", "authorization_invalid_scope", 403),
        ("unauthorized_client", "authorization_unauthorized_client", 403),
        ("login_required", "authorization_login_required", 403),
        ("consent_required", "authorization_consent_required", 403),
        ("interaction_required", "authorization_interaction_required", 403),
        ("account_selection_required", "authorization_account_selection_required", 403),
        ("ACCESS_DENIED", "authorization_unrecognised", 403),
        ("état", "authorization_unrecognised", 403),
        ("x" * 10_000, "authorization_unrecognised", 403),
    ],
)
def test_each_error_of_the_provider_has_its_code(simulator, person, error, code, status):
    with simulator.fault("callback_error", error=error):
        response = person.sign_in(PAGE)
    assert_refused(person, response, code, simulator=simulator, next_page=PAGE)
    assert response.status_code == status


@pytest.mark.usefixtures("provider", "english")
@pytest.mark.parametrize(
    ("error", "title"),
    [
        ("login_required", "You are not signed in at Pro Santé Connect"),
        ("consent_required", "Pro Santé Connect needs your consent"),
        ("interaction_required", "Pro Santé Connect needs an answer from you"),
        ("account_selection_required", "Pro Santé Connect needs an answer from you"),
    ],
)
def test_page_says_what_the_provider_needs_of_the_person(simulator, person, error, title):
    with simulator.fault("callback_error", error=error):
        assert f'<h1 class="psc-title">{title}</h1>' in person.sign_in().content.decode()


@pytest.mark.usefixtures("provider", "english")
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("no_iss_in_callback", {}),
        ("wrong_iss_in_callback", {}),
        ("repeated_parameter", {"name": "code"}),
        ("callback_parameters", {"drop": ("code",)}),
        ("callback_parameters", {"drop": ("code",), "add": (("code", "é"),)}),
    ],
)
def test_page_does_not_blame_the_provider_for_an_answer_that_was_changed(simulator, person, fault, options):
    """The browser brought it: an extension or a device on the network may have removed a parameter."""
    with simulator.fault(fault, **options):
        response = person.sign_in()
    assert response.status_code == 400
    assert "did not arrive intact" in response.content.decode()
    assert "refused the sign-in" not in response.content.decode()


@pytest.mark.case("AZ14")
def test_page_shows_no_text_of_the_response(simulator, provider, person):
    hostile = "<script>alert(1)</script>\u202eappelez le 01 23 45 67 89"
    with simulator.fault("callback_error", error=f"e{hostile}", description=hostile):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_unrecognised", simulator=simulator, next_page=PAGE)
    text = response.content.decode()
    assert not any(part in text for part in ("alert", "\u202e", "appelez", "01 23"))


@pytest.mark.case("AZ15")
@pytest.mark.parametrize("code", ["x" * 4097, "x" * 100_000, "é", "a\nb", "a\x00b"])
def test_malformed_code_is_refused_before_any_request(simulator, provider, person, code):
    answer = query_of(person.authorize(person.begin(PAGE)))
    response = callback(person, **{**answer, "code": code})
    assert_refused(person, response, "authorization_code_malformed", simulator=simulator, next_page=PAGE)


@pytest.mark.case("AZ15")
def test_a_giant_issuer_is_refused(simulator, provider, person):
    answer = query_of(person.authorize(person.begin(PAGE)))
    response = callback(person, **{**answer, "iss": "https://" + "x" * 100_000})
    assert_refused(person, response, "authorization_issuer_mismatch", simulator=simulator, next_page=PAGE)


def test_response_with_neither_code_nor_error_is_refused(simulator, provider, person):
    with simulator.fault("callback_parameters", drop=("code",)):
        response = person.sign_in(PAGE)
    assert_refused(person, response, "authorization_code_missing", simulator=simulator, next_page=PAGE)


def test_cancelled_login_shows_a_page_and_can_be_started_again(simulator, provider, person):
    simulator.sign_in(None)
    page = person.provider_session.get(person.begin(PAGE), timeout=10)
    interaction = re.findall(r'name="interaction" value="([^"]+)"', page.text)[0]
    answer = person.provider_session.post(
        simulator.origin + "/auth/choose",
        {"interaction": interaction, "cancel": "1"},
        allow_redirects=False,
        timeout=10,
    )
    response = person.come_back(answer.headers["Location"])
    assert_refused(person, response, "authorization_access_denied", simulator=simulator, next_page=PAGE)
    simulator.sign_in("podiatrist")
    assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("AZ20")
def test_callback_redirects_immediately_and_sends_no_referrer(provider, person):
    response = person.sign_in(PAGE)
    assert response.status_code == 302
    assert response.content == b""
    assert response["Referrer-Policy"] == "strict-origin"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.case("AZ20")
def test_error_page_of_the_callback_loads_nothing_from_other_hosts(simulator, provider, person):
    answer = query_of(person.authorize(person.begin()))
    with simulator.fault("no_id_token"):
        response = callback(person, **answer)
    text = response.content.decode()
    assert response["Referrer-Policy"] == "strict-origin"
    assert "<script" not in text
    assert all(address.startswith("/") for address in re.findall(r'(?:href|src|action)="([^"]*)"', text))
    assert "url(" not in text
    assert not any(answer[name] in text for name in ("code", "state", "session_state"))


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options", "trace"])
def test_callback_with_another_method_than_get_changes_nothing(simulator, provider, person, method):
    answer = person.authorize(person.begin(PAGE))
    simulator.clear_requests()
    response = getattr(person.browser, method)(path_of(answer))
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert response.context["code"] == "login_method_not_allowed"
    assert (simulator.requests, person.is_signed_in) == ([], False)
    assert person.come_back(answer)["Location"] == PAGE


def test_answer_by_form_post_gets_a_page_that_leads_back_to_the_login(simulator, provider):
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    answer = person.authorize(person.begin(PAGE))
    # A browser sends no Lax cookies with a POST of another site.
    stranger = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    simulator.clear_requests()
    headers = {"Origin": simulator.issuer, "Sec-Fetch-Site": "cross-site"}
    response = stranger.browser.post("/psc/psc/callback/", query_of(answer), headers=headers)
    assert_refused(stranger, response, "login_method_not_allowed", simulator=simulator)
    assert 'href="/psc/psc/login/?clicked=1"' in response.content.decode()
    stranger.close()
    person.close()
