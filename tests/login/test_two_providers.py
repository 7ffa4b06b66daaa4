"""Sandbox and production: two issuers with separate keys, codes and accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from psc_connect.models import Account, Provider
from psc_connect.providers.serialization import key_names
from psc_connect.simulator import Simulator, run_simulator
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, BrowserSession, error_code_of, query_of
from tests.support.stored_keys import store_keys

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Simulator]:
    with run_simulator() as simulator:
        yield simulator


@pytest.fixture
def sandbox(running_sandbox: Simulator) -> Iterator[Simulator]:
    running_sandbox.faults.clear()
    running_sandbox.end_sessions()
    running_sandbox.register(client_of("sandbox", client_id="sandbox-client", client_secret="sandbox-secret-77aa"))
    running_sandbox.sign_in("podiatrist")
    running_sandbox.clear_requests()
    published = list(running_sandbox.keys.published)
    yield running_sandbox
    running_sandbox.keys.published = published


@pytest.fixture(autouse=True)
def _both(provider, sandbox) -> None:
    """The fixture `provider` is production."""
    make_provider(sandbox, "sandbox", client_id="sandbox-client", client_secret="sandbox-secret-77aa")


@pytest.fixture
def tester() -> Iterator[BrowserSession]:
    """A person who signs in at the sandbox."""
    person = BrowserSession(slug="sandbox")
    yield person
    person.close()


def test_each_provider_has_its_own_urls_client_and_secret(simulator, sandbox, person, tester):
    for someone, other in ((person, sandbox), (tester, simulator)):
        before = len(other.requests)
        query = query_of(someone.begin())
        assert query["redirect_uri"] == f"http://testserver/psc/{someone.slug}/callback/"
        assert someone.sign_in(PAGE)["Location"] == PAGE
        assert len(other.requests) == before
    sent = [next(each for each in there.requests if each.endpoint == "token").form for there in (simulator, sandbox)]
    assert [form["client_id"] for form in sent] == ["the-client", "sandbox-client"]
    assert [form["client_secret"] for form in sent] == ["the-client-secret-e7c1", "sandbox-secret-77aa"]


@pytest.mark.case("AZ10")
@pytest.mark.parametrize("iss", ["its own", "of the other", "none"])
def test_response_at_the_other_providers_callback_is_refused_before_any_request(simulator, sandbox, person, iss):
    answer = query_of(person.authorize(person.begin(PAGE)))
    answer["iss"] = {"its own": simulator.issuer, "of the other": sandbox.issuer, "none": ""}[iss]
    response = person.browser.get("/psc/sandbox/callback/", answer)
    assert error_code_of(response) == "authorization_provider_mismatch"
    assert (simulator.count("token"), sandbox.count("token")) == (0, 0)
    assert "sessionid" not in person.browser.cookies
    # It can still be finished at its own provider.
    answer["iss"] = simulator.issuer
    assert person.browser.get("/psc/psc/callback/", answer)["Location"] == PAGE


@pytest.mark.case("AZ08", "AZ10")
def test_a_code_of_the_sandbox_is_not_sent_to_production(simulator, sandbox, person, tester):
    """A mix-up attack: the response of one issuer in a login with the other."""
    theirs = query_of(tester.authorize(tester.begin()))
    state = query_of(person.begin(PAGE))["state"]
    response = person.browser.get("/psc/psc/callback/", {**theirs, "state": state})
    assert error_code_of(response) == "authorization_issuer_mismatch"
    assert (simulator.count("token"), sandbox.count("token")) == (0, 0)


@pytest.mark.case("TN01")
def test_keys_with_the_same_kid_verify_their_own_provider_only(simulator, sandbox, person, tester):
    for there, someone in ((simulator, person), (sandbox, tester)):
        row = Provider.objects.get(slug=someone.slug)
        store_keys(row, {"keys": [{**there.keys.current.public, "kid": "same"}]})
        there.faults.set("id_token_header", header={"kid": "same"})
        assert someone.sign_in(PAGE)["Location"] == PAGE
        assert there.count("jwks") == 0


@pytest.mark.case("TN01")
def test_sandbox_key_with_a_production_kid_is_refused(simulator, sandbox, person, tester):
    tester.sign_in()
    jwks = {"keys": [{**simulator.keys.current.public, "kid": "same"}]}
    store_keys(Provider.objects.get(slug="psc"), jwks, pinned=key_names(jwks))
    before = list(simulator.keys.published)
    simulator.keys.published = [sandbox.keys.current, *before]
    simulator.faults.set("id_token_header", header={"kid": "same"})
    response = person.sign_in(PAGE)
    simulator.keys.published = before
    assert error_code_of(response) == "id_token_signature_invalid"
    assert "sessionid" not in person.browser.cookies
    assert simulator.count("userinfo") == 0


@pytest.mark.case("TN01")
def test_unknown_key_is_not_fetched_from_the_other_provider(simulator, sandbox, person, tester):
    with simulator.fault("unknown_kid", kid=sandbox.keys.current.kid):
        assert error_code_of(person.sign_in()) == "id_token_unknown_key"
    assert (simulator.count("jwks"), sandbox.count("jwks")) == (1, 0)
    # The minute between two fetches is counted for each provider.
    sandbox.rotate_keys(withdraw_old=True)
    assert tester.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("AL08", "TN04")
def test_one_sub_at_two_issuers_is_two_people(person, tester):
    person.sign_in()
    tester.sign_in()
    assert person.user_id != tester.user_id
    accounts = Account.objects.order_by("pk")
    assert len({account.subject for account in accounts}) == 1
    assert [account.provider.slug for account in accounts] == ["psc", "sandbox"]
    assert len({account.issuer for account in accounts}) == 2
    assert get_user_model().objects.values("username").distinct().count() == 2


@pytest.mark.case("TN04")
def test_production_does_not_know_the_people_of_the_sandbox(person, tester):
    tester.sign_in()
    Provider.objects.filter(slug="psc").update(create_unknown_users=False)
    assert error_code_of(person.sign_in()) == "account_unknown"
    assert "sessionid" not in person.browser.cookies


@pytest.mark.case("TN04")
def test_sandbox_does_not_use_an_account_of_production(person, tester):
    person.sign_in()
    # The issuer decides, not the provider's row.
    Account.objects.update(provider=Provider.objects.get(slug="sandbox"))
    tester.sign_in()
    assert person.user_id != tester.user_id


@pytest.mark.case("TN02")
def test_changed_provider_applies_from_the_next_login(simulator, person):
    person.sign_in()
    person.browser.logout()
    simulator.register(client_of(client_id="the-next-client", client_secret="the-next-secret"))
    row = Provider.objects.get(slug="psc")
    row.client_id, row.client_secret = "the-next-client", "the-next-secret"
    row.save()
    assert query_of(person.begin())["client_id"] == "the-next-client"
    assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("TN02")
def test_reloaded_provider_discards_its_parsed_metadata(simulator, sandbox):
    row = Provider.objects.get(slug="psc")
    assert row.parsed_metadata.issuer == simulator.issuer
    Provider.objects.filter(slug="psc").update(metadata=sandbox.metadata)
    row.refresh_from_db()
    assert row.parsed_metadata.issuer == sandbox.issuer


@pytest.mark.case("TN03")
def test_no_login_touches_the_cache(person, settings):
    settings.CACHES = {"default": {"BACKEND": "no.such.Cache"}}
    assert person.sign_in(PAGE)["Location"] == PAGE
    person.browser.post("/psc/psc/logout/")
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


def test_login_url_without_a_slug_shows_the_choice_and_keeps_the_next_page(person):
    response = person.browser.get("/psc/login/", {"next": PAGE})
    text = response.content.decode()
    assert response.status_code == 200
    assert "/psc/psc/login/?next=%2Fpage%2Fone%2F" in text
    assert "/psc/sandbox/login/?next=%2Fpage%2Fone%2F" in text
    assert not response.cookies


def test_disabled_provider_is_not_shown_and_finishes_no_login(sandbox, person, tester):
    callback = tester.authorize(tester.begin())
    Provider.objects.filter(slug="sandbox").update(enabled=False)
    assert error_code_of(tester.come_back(callback)) == "no_provider"
    assert error_code_of(tester.browser.get("/psc/sandbox/login/")) == "no_provider"
    assert sandbox.count("token") == 0
    # With one left, there is no choice.
    started = person.browser.get("/psc/login/", {"next": PAGE})
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE


# Two slugs change places.


def exchange_slugs() -> None:
    for before, after in (("psc", "meanwhile"), ("sandbox", "psc"), ("meanwhile", "sandbox")):
        Provider.objects.filter(slug=before).update(slug=after)


@pytest.mark.case("NW05")
def test_sign_out_sends_the_id_token_to_the_issuer_of_the_session_alone(simulator, sandbox, person):
    """Who declares providers can rename them, and would get the tokens of another issuer's people."""
    person.sign_in(PAGE)
    exchange_slugs()
    response = person.browser.post("/psc/psc/logout/")
    assert response["Location"] == "/psc/psc/logged-out/?site_only=1"
    assert not person.browser.session.items()
    assert sandbox.requests == []


@pytest.mark.case("NW05")
def test_sign_out_of_another_issuer_under_the_same_slug_stays_on_this_site(simulator, sandbox, person):
    person.sign_in(PAGE)
    Provider.objects.filter(slug="psc").update(metadata=sandbox.metadata)
    assert person.browser.post("/psc/psc/logout/")["Location"] == "/psc/psc/logged-out/?site_only=1"


@pytest.mark.case("NW05", "AZ10")
def test_code_is_not_sent_to_another_provider_under_the_same_slug(simulator, sandbox, person):
    answer = person.authorize(person.begin(PAGE))
    exchange_slugs()
    simulator.clear_requests()
    # An answer without `iss` names no issuer.
    Provider.objects.update(require_iss="never")
    response = person.browser.get("/psc/psc/callback/", {**query_of(answer), "iss": sandbox.issuer})
    assert error_code_of(response) == "authorization_provider_mismatch"
    assert simulator.requests == sandbox.requests == []
    assert not Account.objects.exists()
    assert "_auth_user_id" not in person.browser.session


# A ciphertext is copied into another row.


@pytest.mark.case("NW04", "CF01")
def test_secret_of_one_provider_is_not_sent_to_another(simulator, sandbox, person, tester):
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM psc_connect_provider WHERE slug = 'psc'")
        (ciphertext,) = cursor.fetchone()
        cursor.execute("UPDATE psc_connect_provider SET client_secret = %s WHERE slug = 'sandbox'", [ciphertext])
    assert error_code_of(tester.browser.get("/psc/sandbox/login/")) == "secret_other_recipient"
    assert sandbox.requests == []
    assert person.sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("NW04", "CF01")
@pytest.mark.parametrize("member", ["issuer", "token_endpoint"])
def test_secret_is_not_sent_where_the_metadata_was_changed_in_the_database(simulator, sandbox, person, member):
    """A code that was asked for before is not exchanged either."""
    answer = query_of(person.authorize(person.begin(PAGE)))
    Provider.objects.filter(slug="psc").update(metadata={**simulator.metadata, member: sandbox.metadata[member]})
    Provider.objects.update(require_iss="never")
    simulator.clear_requests()
    response = person.browser.get("/psc/psc/callback/", {"state": answer["state"], "code": answer["code"]})
    assert error_code_of(response) in {"secret_other_recipient", "metadata_foreign_host"}
    assert simulator.requests == sandbox.requests == []
    assert not Account.objects.exists()
