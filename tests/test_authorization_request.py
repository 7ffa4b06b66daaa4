"""The authorization request: what is sent, and what begins none."""

from __future__ import annotations

import base64
import re

import pytest
from django.urls import include, path

from psc_connect.models import Provider
from psc_connect.views import LoginView
from tests.journey import PAGE, Person, query_of
from tests.refusals import assert_refused, pending_cookies

pytestmark = pytest.mark.django_db


class LoginWithExtras(LoginView):
    """A site that adds a hint of its own, and tries to replace what is the protocol's."""

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
def test_the_request_holds_exactly_what_the_provider_row_says(provider, person):
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


def test_prompt_and_max_age_are_sent_where_the_row_has_them(provider, person):
    Provider.objects.update(prompt="login", max_age=0, acr_values="")
    query = query_of(person.begin())
    assert (query["prompt"], query["max_age"]) == ("login", "0")
    assert "acr_values" not in query


@pytest.mark.case("AZ17")
def test_state_nonce_and_verifier_are_256_random_bits_each(provider, person):
    drawn = []
    for _ in range(48):
        query = query_of(Person().begin())
        drawn += [query["state"], query["nonce"], query["code_challenge"]]
    assert len(set(drawn)) == len(drawn)
    numbers = [int.from_bytes(base64.urlsafe_b64decode(value + "="), "big") for value in drawn]
    for kind in range(3):
        always, ever = -1, 0
        for number in numbers[kind::3]:
            always, ever = always & number, ever | number
        # No bit is the same in 48 of them: by chance, once in 2**39.
        assert always == 0
        assert ever == 2**256 - 1


@pytest.mark.case("AZ17")
def test_the_verifier_is_no_part_of_the_request(simulator, provider, person):
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
def test_parameters_of_the_login_address_never_reach_the_provider(provider, person):
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
def test_a_sites_own_parameters_are_added_and_replace_none(provider, person, settings):
    settings.ROOT_URLCONF = __name__
    query = query_of(person.begin())
    assert query["kc_idp_hint"] == "OKTA_chu"
    assert "evil" not in query.values()
    person.come_back(person.authorize(person.begin()))
    assert person.is_signed_in


@pytest.mark.parametrize("endpoint", ["{}?tenant=health", "{}?state=theirs&tenant=health"])
def test_the_endpoints_own_query_is_kept_and_holds_nothing_twice(simulator, provider, person, endpoint):
    url = endpoint.format(simulator.metadata["authorization_endpoint"])
    Provider.objects.update(metadata=simulator.metadata | {"authorization_endpoint": url})
    begun = person.begin()
    assert "tenant=health" in begun
    assert begun.count("state=") == 1
    assert "theirs" not in begun


NOT_VISITS = [
    {"Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Dest": "empty"},
    {"Sec-Fetch-Dest": "script"},
    {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
    {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
]


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("headers", NOT_VISITS, ids=str)
def test_what_is_no_visit_begins_nothing(simulator, provider, person, headers):
    response = person.browser.get("/psc/psc/login/", {"next": PAGE}, headers=headers)
    assert_refused(person, response, "login_not_a_visit", simulator=simulator, next_page=PAGE)
    assert not response.cookies


@pytest.mark.case("AZ18")
def test_after_sixty_pictures_and_prefetches_the_first_login_finishes(provider, person):
    url = person.authorize(person.begin(PAGE, **{"Sec-Fetch-Dest": "document"}))
    for number in range(60):
        person.browser.get("/psc/psc/login/", headers=NOT_VISITS[number % len(NOT_VISITS)])
    assert len(pending_cookies(person)) == 1
    assert person.come_back(url)["Location"] == PAGE
    assert person.is_signed_in
