"""The logout: of this site first, then of the provider, then the logged-out page."""

from __future__ import annotations

import re

import jwt
import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client as Browser

from psc_connect.models import Provider
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, BrowserSession, query_of
from tests.support.logout_forms import asks_for_identification, end_session_url

pytestmark = pytest.mark.django_db

URL = "/psc/psc/logout/"


def sign_out(person: BrowserSession) -> str:
    return end_session_url(person.browser.post(URL))


# --- this site first --------------------------------------------------------------------------------------------


@pytest.mark.case("LO01")
@pytest.mark.parametrize("method", ["options", "put", "delete"])
def test_only_a_post_signs_out(provider, person, method):
    person.sign_in()
    assert getattr(person.browser, method)(URL).status_code == 405
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("LO01")
@pytest.mark.parametrize("method", ["get", "head"])
def test_get_shows_the_page_with_the_button(provider, person, method):
    assert getattr(person.browser, method)(URL)["Location"] == "/psc/psc/logged-out/?site_only=1"
    person.sign_in()
    response = getattr(person.browser, method)(URL)
    assert response.status_code == 200
    assert (f'action="{URL}"' in response.content.decode()) == (method == "get")
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("LO01")
def test_post_of_another_site_does_not_sign_out(provider):
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    person.sign_in()
    assert person.browser.post(URL).status_code == 403
    assert person.browser.post(URL, {"csrfmiddlewaretoken": "x" * 64}).status_code == 403
    assert person.browser.get(PAGE).status_code == 200
    person.close()


@pytest.mark.case("LO01")
def test_site_without_the_csrf_middleware_is_protected(provider, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Csrf" not in name]
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    person.sign_in()
    assert person.browser.post(URL).status_code == 403
    assert person.browser.get(PAGE).status_code == 200
    person.close()


@pytest.mark.case("LO01")
def test_the_sites_own_button_signs_out(provider):
    person = BrowserSession(browser=Browser(enforce_csrf_checks=True))
    person.sign_in()
    text = person.browser.get("/psc/login/?next=/page/one/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)[0]
    assert person.browser.post(URL, {"csrfmiddlewaretoken": token}).status_code == 200
    assert not Session.objects.exists()
    person.close()


@pytest.mark.case("LO02", "LO04")
def test_site_session_ends_before_the_request_to_the_provider(simulator, provider, person):
    person.sign_in()
    simulator.faults.set("outage")
    simulator.clear_requests()
    response = person.browser.post(URL)
    assert response.status_code == 200
    assert simulator.requests == []
    assert not Session.objects.exists()
    assert person.browser.get(PAGE).status_code == 302
    # The page says so, in case the provider does not respond.
    assert "psc_connect/signing_out.html" in [template.name for template in response.templates]
    assert person.provider_session.get(end_session_url(response), timeout=10).status_code == 503


def test_logout_page_is_not_cached(provider, person):
    person.sign_in()
    assert "no-store" in person.browser.post(URL)["Cache-Control"]


# --- then the provider ------------------------------------------------------------------------------------------


@pytest.mark.case("LO02")
def test_the_request_to_the_provider_is_complete(simulator, provider, person):
    person.sign_in()
    address = sign_out(person)
    assert address.startswith(simulator.metadata["end_session_endpoint"] + "?")
    query = query_of(address)
    hint = query.pop("id_token_hint")
    claims = jwt.decode(hint, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["typ"]) == (simulator.issuer, "the-client", "ID")
    assert claims["sub"] == simulator.people["podiatrist"].subject
    assert len(query.pop("state")) >= 22
    assert query == {
        "client_id": "the-client",
        "post_logout_redirect_uri": "http://testserver/psc/psc/logged-out/",
    }


@pytest.mark.case("LO02")
def test_each_logout_has_its_own_state(provider, person):
    states = set()
    for _ in range(3):
        person.sign_in()
        states.add(query_of(sign_out(person))["state"])
    assert len(states) == 3


@pytest.mark.case("LO02")
def test_next_login_asks_for_identification(simulator, provider, person):
    person.sign_in()
    simulator.sign_in(None)
    assert not asks_for_identification(person)
    back = person.provider_session.get(sign_out(person), allow_redirects=False, timeout=10)
    assert back.headers["Location"].startswith("http://testserver/psc/psc/logged-out/?state=")
    assert asks_for_identification(person)


@pytest.mark.case("LO03")
@pytest.mark.parametrize("fault", [None, "forget_logout_state", "wrong_logout_state"])
def test_logged_out_page_only_says_what_its_state_confirms(simulator, provider, person, fault):
    person.sign_in()
    if fault:
        simulator.faults.set(fault)
    back = person.provider_session.get(sign_out(person), allow_redirects=False, timeout=10)
    response = person.come_back(back.headers["Location"])
    assert response.status_code == 200
    assert "psc_connect/logged_out.html" in [template.name for template in response.templates]
    assert response.context["ended_at_provider"] is (fault is None)
    assert not Session.objects.exists()
    assert "no-store" in response["Cache-Control"]


@pytest.mark.case("LO03")
@pytest.mark.parametrize("base_url", ["http://testserver", "https://testserver"])
def test_logged_out_page_of_an_earlier_logout_claims_nothing_after_a_new_sign_in(
    simulator, provider, person, settings, base_url
):
    """The session at the provider is open again."""
    settings.PSC_CONNECT_BASE_URL = base_url
    simulator.register(client_of(host=base_url))
    person.sign_in()
    back = person.provider_session.get(sign_out(person), allow_redirects=False, timeout=10).headers["Location"]
    assert person.come_back(back).context["ended_at_provider"]
    assert person.come_back(back).context["ended_at_provider"]
    person.sign_in()
    del person.browser.cookies[settings.SESSION_COOKIE_NAME]
    response = person.come_back(back)
    assert not response.context["ended_at_provider"]
    assert response.context["logout_url"]


@pytest.mark.case("LO03")
@pytest.mark.parametrize("query", ["", "?state=evil", "?state=a&state=b", "?error=x", "?state=" + "x" * 100_000])
def test_logged_out_page_does_not_sign_out(provider, person, query):
    person.sign_in()
    response = person.browser.get("/psc/psc/logged-out/" + query)
    # To the home page, not to the one that says "You are signed out".
    assert (response.status_code, response["Location"]) == (302, "/")
    assert person.browser.get(PAGE).status_code == 200


@pytest.mark.case("LO03")
@pytest.mark.parametrize("query", ["", "?state=evil", "?state=a&state=b", "?error=x"])
def test_logged_out_page_accepts_any_parameters(provider, person, query):
    response = person.browser.get("/psc/psc/logged-out/" + query)
    assert response.status_code == 200
    assert not response.context["ended_at_provider"]


@pytest.mark.case("RD05")
def test_logout_ignores_urls_in_the_request(provider, person):
    evil = "https://evil.example/"
    parameters = dict.fromkeys(("next", "post_logout_redirect_uri", "redirect_uri", "state", "client_id"), evil)
    person.sign_in()
    response = person.browser.post(f"{URL}?next={evil}&post_logout_redirect_uri={evil}", parameters)
    assert "evil" not in response.content.decode()
    assert "evil" not in person.browser.get("/psc/psc/logged-out/", parameters).content.decode()


# --- logout of this site alone ----------------------------------------------------------------------------------


def is_signed_out_of_site_only(person: BrowserSession) -> bool:
    response = person.browser.post(URL, follow=True)
    assert response.redirect_chain == [("/psc/psc/logged-out/?site_only=1", 302)]
    assert not Session.objects.exists()
    assert "Pro Santé Connect sont toutes deux" not in response.content.decode()
    return not response.context["ended_at_provider"]


@pytest.mark.case("LO04")
@pytest.mark.usefixtures("english")
def test_without_an_end_session_endpoint_the_page_says_that_only_this_site_was_signed_out(simulator, provider, person):
    person.sign_in()
    metadata = simulator.metadata
    del metadata["end_session_endpoint"]
    Provider.objects.update(metadata=metadata)
    assert is_signed_out_of_site_only(person)
    page = person.browser.get("/psc/psc/logged-out/").content.decode()
    assert "remove your card from the reader or close the browser" in page
    assert "click below" not in page


@pytest.mark.case("LO04")
def test_unusable_metadata_do_not_keep_the_session_open(simulator, provider, person):
    person.sign_in()
    Provider.objects.update(metadata={})
    assert is_signed_out_of_site_only(person)


@pytest.mark.case("LO04")
def test_missing_base_url_does_not_keep_the_session_open(provider, person, settings):
    person.sign_in()
    settings.ALLOWED_HOSTS = ["*"]
    assert is_signed_out_of_site_only(person)


def test_logout_of_an_anonymous_user_shows_the_logged_out_page(provider, person):
    assert is_signed_out_of_site_only(person)


def test_logout_url_of_another_provider_ends_the_site_session_only(simulator, provider, person):
    make_provider(simulator, "other", client_id="another-client")
    person.sign_in()
    response = person.browser.post("/psc/other/logout/")
    assert response["Location"] == "/psc/other/logged-out/?site_only=1"
    assert not Session.objects.exists()


def test_provider_disabled_meanwhile_is_signed_out_too(simulator, provider, person):
    person.sign_in()
    Provider.objects.update(enabled=False)
    assert "id_token_hint" in query_of(sign_out(person))


# --- the id_token_hint ------------------------------------------------------------------------------------------


def test_the_session_keeps_the_id_token_encrypted_and_no_other_token(simulator, provider, person):
    person.sign_in()
    hint = query_of(sign_out(person))["id_token_hint"]
    person.sign_in()
    (row,) = Session.objects.all()
    stored = str(row.get_decoded())
    assert "eyJ" not in stored
    assert hint.split(".")[0] not in stored
    form = next(request for request in simulator.requests if request.endpoint == "userinfo")
    assert form.headers["authorization"].removeprefix("Bearer ") not in stored


@pytest.mark.case("SE05", "LO02")
def test_a_signed_cookie_session_keeps_no_token_and_sends_the_client_id_alone(simulator, provider, person, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person.sign_in()
    value = person.browser.cookies["sessionid"].value
    kept = signing.loads(
        value,
        salt="django.contrib.sessions.backends.signed_cookies",
        serializer=signing.JSONSerializer,
    )
    assert kept["psc_connect"]["id_token"] == ""
    assert "eyJ" not in str(kept)
    query = query_of(address := sign_out(person))
    assert query.keys() == {"client_id", "post_logout_redirect_uri", "state"}
    # Without the hint, the provider asks for a confirmation.
    page = person.provider_session.get(address, allow_redirects=False, timeout=10)
    confirm = re.findall(r'name="confirm" value="([^"]+)"', page.text)[0]
    answer = person.provider_session.post(
        simulator.metadata["end_session_endpoint"], {"confirm": confirm}, allow_redirects=False, timeout=10
    )
    assert person.come_back(answer.headers["Location"]).status_code == 200
    simulator.sign_in(None)
    assert asks_for_identification(person)


def test_changed_encryption_key_loses_the_hint_but_not_the_logout(provider, person, settings):
    settings.PSC_CONNECT_ENCRYPTION_KEYS = []
    person.sign_in()
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["another-key-of-thirty-two-characters"]
    assert query_of(sign_out(person)).keys() == {"client_id", "post_logout_redirect_uri", "state"}


def test_renamed_or_removed_provider_ends_the_site_session(provider, person):
    person.sign_in()
    Provider.objects.update(slug="renamed")
    assert is_signed_out_of_site_only(person)
