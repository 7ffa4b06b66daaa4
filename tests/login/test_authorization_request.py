"""The authorization request: its parameters, and requests that start no login."""

from __future__ import annotations

import base64
import re
from urllib.parse import parse_qsl

import pytest
from django.core.exceptions import ValidationError
from django.urls import include, path

from psc_connect.models import Provider
from psc_connect.oidc.authorization import RESERVED_PARAMETERS
from psc_connect.validators import validate_extra_parameters
from psc_connect.views import LoginView
from tests.support.browser_session import PAGE, BrowserSession, path_of, query_of
from tests.support.refusals import assert_refused, pending_cookies

pytestmark = pytest.mark.django_db
# The parameters of every request.
SENT = {
    "response_type",
    "scope",
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "acr_values",
}


class LoginWithExtras(LoginView):
    """A site that adds a parameter, and tries to replace those of the protocol."""

    def get_extra_params(self, request):
        taken = (
            "scope",
            "state",
            "nonce",
            "redirect_uri",
            "client_id",
            "code_challenge",
            "response_type",
            "acr_values",
        )
        return {"kc_idp_hint": "OKTA_chu", **dict.fromkeys(taken, "evil")}


urlpatterns = [
    path("psc/<slug:provider>/login/", LoginWithExtras.as_view()),
    path("psc/", include("psc_connect.urls")),
]


@pytest.mark.case("AZ06", "AZ16")
def test_request_has_exactly_the_parameters_of_the_provider(provider, person):
    url = person.begin()
    assert url.startswith(provider.metadata["authorization_endpoint"] + "?")
    query = query_of(url)
    drawn = {name: query.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert query == {
        "response_type": "code",
        "scope": "openid scope_all",
        "client_id": "the-client",
        "redirect_uri": "http://testserver/psc/psc/callback/",
        "code_challenge_method": "S256",
        "acr_values": "eidas2",
    }
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", value) for value in drawn.values())


def test_prompt_and_max_age_are_sent_if_the_provider_has_them(provider, person):
    Provider.objects.update(prompt="login", max_age=0, acr_values="")
    query = query_of(person.begin())
    assert (query["prompt"], query["max_age"]) == ("login", "0")
    assert "acr_values" not in query


def test_display_and_languages_are_sent_if_the_provider_has_them(provider, person):
    Provider.objects.update(display="popup", ui_locales="fr en")
    query = query_of(person.begin())
    assert (query["display"], query["ui_locales"]) == ("popup", "fr en")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_language_of_the_page_is_sent_if_the_provider_asks_for_it(provider, person, language):
    Provider.objects.update(ui_locales="auto")
    assert query_of(person.begin(**{"Accept-Language": language}))["ui_locales"] == language


def test_extra_parameters_are_sent_and_replace_none_of_the_protocol(provider, person):
    reserved = dict.fromkeys(RESERVED_PARAMETERS - {"prompt", "max_age", "display", "ui_locales"}, "evil")
    Provider.objects.update(extra_parameters={"kc_idp_hint": "OKTA_chu", "claims": '{"id_token": {}}'})
    query = query_of(person.begin())
    assert (query["kc_idp_hint"], query["claims"]) == ("OKTA_chu", '{"id_token": {}}')
    # Saved without the form's validation.
    Provider.objects.update(extra_parameters=reserved)
    assert {value for name, value in query_of(person.begin()).items() if name in SENT} & {"evil"} == set()


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        *(({name: "x"}, "extra_parameters_reserved") for name in sorted(RESERVED_PARAMETERS)),
        ({"a b": "x"}, "extra_parameters_malformed"),
        ({"a": ""}, "extra_parameters_malformed"),
        ({"a": 1}, "extra_parameters_malformed"),
        ({"a": "x" * 2001}, "extra_parameters_malformed"),
        ({f"a{number}": "x" for number in range(21)}, "extra_parameters_malformed"),
        (["a"], "extra_parameters_malformed"),
    ],
)
def test_extra_parameters_of_the_protocol_are_refused(parameters, code):
    with pytest.raises(ValidationError) as raised:
        validate_extra_parameters(parameters)
    assert raised.value.code == code


def test_everything_that_a_request_sends_is_reserved(provider, person):
    Provider.objects.update(prompt="login", max_age=1, display="page", ui_locales="fr")
    assert set(query_of(person.begin())) <= RESERVED_PARAMETERS


@pytest.mark.case("AZ17")
def test_state_nonce_and_verifier_are_256_random_bits_each(provider, person):
    drawn = []
    for _ in range(48):
        query = query_of(BrowserSession().begin())
        drawn += [query["state"], query["nonce"], query["code_challenge"]]
    assert len(set(drawn)) == len(drawn)
    numbers = [int.from_bytes(base64.urlsafe_b64decode(value + "="), "big") for value in drawn]
    for kind in range(3):
        always, ever = -1, 0
        for number in numbers[kind::3]:
            always, ever = always & number, ever | number
        # No bit is equal in all 48: the probability of a false failure is 2**-39.
        assert always == 0
        assert ever == 2**256 - 1


@pytest.mark.case("AZ17")
def test_request_does_not_contain_the_verifier(simulator, provider, person):
    url = person.begin()
    person.come_back(person.authorize(url))
    sent = next(request for request in simulator.requests if request.endpoint == "token").form
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", sent["code_verifier"])
    assert sent["code_verifier"] not in url
    assert len({sent["code_verifier"], query_of(url)["state"], query_of(url)["nonce"]}) == 3


@pytest.mark.case("AZ07")
@pytest.mark.parametrize("supported", [["plain"], [], None])
def test_the_challenge_is_s256_whatever_the_metadata_announces(simulator, provider, person, supported):
    metadata = simulator.metadata | {"code_challenge_methods_supported": supported}
    if supported is None:
        del metadata["code_challenge_methods_supported"]
    Provider.objects.update(metadata=metadata)
    assert query_of(person.begin())["code_challenge_method"] == "S256"
    assert person.sign_in().status_code == 302
    assert person.is_signed_in


@pytest.mark.case("AZ19")
def test_parameters_of_the_login_url_are_not_sent_to_the_provider(provider, person):
    asked = {
        "redirect_uri": "https://evil.example/",
        "scope": "openid offline_access",
        "acr_values": "0",
        "client_id": "evil",
        "state": "evil",
        "nonce": "evil",
        "prompt": "none",
        "login_hint": "evil",
        "kc_idp_hint": "evil",
        "request_uri": "https://evil.example/",
    }
    location = person.browser.get("/psc/psc/login/", asked)["Location"]
    assert "evil" not in location
    assert query_of(location).keys() == query_of(person.begin()).keys()
    assert query_of(location)["scope"] == "openid scope_all"
    assert query_of(location)["acr_values"] == "eidas2"


@pytest.mark.case("AZ19")
def test_parameters_of_a_subclass_are_sent_and_replace_none_of_the_protocol(provider, person, settings):
    settings.ROOT_URLCONF = __name__
    query = query_of(person.begin())
    assert query["kc_idp_hint"] == "OKTA_chu"
    assert "evil" not in query.values()
    person.come_back(person.authorize(person.begin()))
    assert person.is_signed_in


@pytest.mark.parametrize("endpoint", ["{}?tenant=health", "{}?state=theirs&tenant=health"])
def test_query_of_the_endpoint_is_kept_without_duplicates(simulator, provider, person, endpoint):
    url = endpoint.format(simulator.metadata["authorization_endpoint"])
    Provider.objects.update(metadata=simulator.metadata | {"authorization_endpoint": url})
    url = person.begin()
    assert "tenant=health" in url
    assert url.count("state=") == 1
    assert "theirs" not in url


VISITS = [
    {},
    {"Sec-Fetch-Dest": "document"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"},
    # A service worker passed the navigation on.
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"},
]
FETCHED = [
    {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": site}
    for mode in ("cors", "same-origin", "no-cors")
    for site in ("same-origin", "same-site", "cross-site")
]
NOT_VISITS = [
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty", "Sec-Purpose": "prefetch"},
    {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty", "Sec-Purpose": "prefetch"},
    {"Sec-Fetch-Mode": "cors"},
    {"Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Dest": "script"},
    {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
    {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
]


@pytest.mark.case("AZ18", "NW07")
@pytest.mark.parametrize("headers", VISITS, ids=str)
def test_visit_starts_a_login(provider, person, headers):
    response = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=headers)
    assert response["Location"].startswith(provider.metadata["authorization_endpoint"])
    assert person.come_back(person.authorize(response["Location"]))["Location"] == PAGE


@pytest.mark.case("AZ18", "NW07")
@pytest.mark.parametrize("headers", FETCHED, ids=str)
def test_script_gets_a_page_with_a_plain_link_and_no_cookie(simulator, provider, person, headers):
    response = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=headers)
    assert response.status_code == 200
    assert not response.cookies
    assert (simulator.requests, pending_cookies(person)) == ([], {})
    assert "no-store" in response["Cache-Control"]
    assert 'data-turbo="false" hx-boost="false"' in response.content.decode()
    opened = person.browser.get(response.context["url"], headers=VISITS[-1])
    assert person.come_back(person.authorize(opened["Location"]))["Location"] == PAGE


@pytest.mark.parametrize("query", ["as=other&choose=1", "again=1", ""])
def test_link_of_the_page_for_scripts_keeps_the_parameters(provider, person, query):
    url = person.browser.get(f"/psc/login/?next={PAGE}&{query}", headers=FETCHED[0]).context["url"]
    assert query_of(url) == {"next": PAGE, "fetched": "1", "clicked": "1"} | dict(parse_qsl(query))


@pytest.mark.case("NW07")
def test_link_that_a_service_worker_fetches_leads_to_the_provider_and_back(provider, person):
    same_origin = FETCHED[0]
    url = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=same_origin).context["url"]
    second = person.browser.get(url, headers=same_origin)
    assert (second.status_code, len(pending_cookies(person))) == (200, 1)
    assert second.context["url"].startswith(provider.metadata["authorization_endpoint"])
    callback = path_of(person.authorize(second.context["url"]))
    landed = person.browser.get(callback, headers=same_origin)
    assert (landed.status_code, landed.context["url"]) == (200, PAGE)
    assert landed["Referrer-Policy"] == "strict-origin"
    assert person.is_signed_in
    assert not pending_cookies(person)


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("site", ["same-site", "cross-site", "none"])
def test_script_of_another_site_starts_no_login_with_that_link(provider, person, site):
    headers = FETCHED[0] | {"Sec-Fetch-Site": site}
    response = person.browser.get("/psc/psc/login/", {"next": PAGE, "fetched": "1"}, headers=headers)
    assert (response.status_code, len(response.cookies)) == (200, 0)


def test_script_of_a_signed_in_person_gets_the_page_of_a_signed_in_person(provider, person):
    person.sign_in(PAGE)
    assert person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=FETCHED[0]).status_code == 403
    assert person.browser.get("/psc/psc/login/", headers=FETCHED[0]).context["url"] == "/"


def test_script_on_another_host_of_the_site_gets_the_link_of_its_own_host(simulator, provider, person, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    settings.PSC_CONNECT_BASE_URL = "http://testserver"
    response = person.browser.get("/psc/psc/login/", headers=FETCHED[0], HTTP_HOST="other.example")
    assert (response.status_code, response.context["url"]) == (200, "/psc/psc/login/?fetched=1&clicked=1")


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("headers", NOT_VISITS, ids=str)
def test_request_that_is_not_a_visit_starts_no_login(simulator, provider, person, headers):
    response = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=headers)
    assert_refused(person, response, "login_not_a_visit", simulator=simulator, next_page=PAGE)
    assert not response.cookies


@pytest.mark.case("AZ18")
def test_first_login_finishes_after_sixty_images_and_prefetches(provider, person):
    url = person.authorize(person.begin(PAGE, **{"Sec-Fetch-Dest": "document"}))
    others = [*NOT_VISITS, *FETCHED]
    for number in range(60):
        person.browser.get("/psc/psc/login/", headers=others[number % len(others)])
    assert len(pending_cookies(person)) == 1
    assert person.come_back(url)["Location"] == PAGE
    assert person.is_signed_in
