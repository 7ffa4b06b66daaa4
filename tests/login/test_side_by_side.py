"""A site that also uses mozilla-django-oidc for another provider: the two logins do not affect each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed

from psc_connect.models import Account, Provider
from psc_connect.simulator import Client, Simulator, run_simulator
from tests.support.browser_session import HOST, BrowserSession, path_of, query_of
from tests.support.log_recorder import record_simulator
from tests.support.refusals import assert_sign_in_is_refused

OURS = "psc_connect.backends.ProSanteConnectBackend"
MOZILLAS = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
OTHER_SECRET = "the-secret-of-the-other-login"
ORDERS = pytest.mark.parametrize(
    "backends", [[OURS, MOZILLAS], [MOZILLAS, OURS]], ids=["ours first", "mozilla's first"]
)


@pytest.fixture(scope="module")
def running_other() -> Iterator[Simulator]:
    with run_simulator(clients=[Client("other-client", OTHER_SECRET, (f"{HOST}/oidc/callback/",))]) as other:
        yield record_simulator(other)


@pytest.fixture
def other(running_other: Simulator, settings: Any) -> Simulator:
    """The other provider, with its settings."""
    other = running_other
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "mozilla_django_oidc"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "mozilla_django_oidc.middleware.SessionRefresh"]
    # Its views are not marked with login_not_required.
    settings.MIDDLEWARE.remove("django.contrib.auth.middleware.LoginRequiredMiddleware")
    settings.ROOT_URLCONF = "tests.sites.side_by_side"
    settings.AUTHENTICATION_BACKENDS = [OURS, MOZILLAS]
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = other.metadata["authorization_endpoint"]
    settings.OIDC_OP_TOKEN_ENDPOINT = other.metadata["token_endpoint"]
    settings.OIDC_OP_USER_ENDPOINT = other.metadata["userinfo_endpoint"]
    settings.OIDC_OP_JWKS_ENDPOINT = other.metadata["jwks_uri"]
    settings.OIDC_RP_CLIENT_ID = "other-client"
    settings.OIDC_RP_CLIENT_SECRET = OTHER_SECRET
    settings.OIDC_RP_SIGN_ALGO = "RS256"
    settings.OIDC_USE_PKCE = True
    other.faults.clear()
    # mozilla-django-oidc matches users by e-mail, which Pro Santé Connect does not send.
    other.faults.set("userinfo_claims", claims={"email": "nurse@example.org"})
    other.end_sessions()
    other.sign_in("nurse")
    other.clear_requests()
    return other


def sign_in_by_mozilla(person: BrowserSession) -> Any:
    started = person.browser.get("/oidc/authenticate/")
    return person.browser.get(path_of(person.authorize(started["Location"])))


def backend_of(person: BrowserSession) -> str:
    return str(person.browser.session["_auth_user_backend"])


@ORDERS
def test_both_logins_work(provider, simulator, other, settings, *, backends):
    settings.AUTHENTICATION_BACKENDS = backends
    ours, theirs = BrowserSession(), BrowserSession()
    assert ours.sign_in("/page/one/")["Location"] == "/page/one/"
    assert sign_in_by_mozilla(theirs).status_code == 302
    assert (backend_of(ours), backend_of(theirs)) == (OURS, MOZILLAS)
    assert ours.user_id != theirs.user_id
    assert User.objects.get(pk=theirs.user_id).email == "nurse@example.org"
    assert Account.objects.get().user_id == int(ours.user_id or 0)
    ours.close()
    theirs.close()


@ORDERS
@pytest.mark.case("AZ08", "AZ10")
def test_our_login_sends_the_other_provider_nothing(provider, simulator, other, person, settings, *, backends):
    settings.AUTHENTICATION_BACKENDS = backends
    assert person.sign_in().status_code == 302
    assert other.requests == []


@ORDERS
def test_our_refused_login_sends_the_other_provider_nothing(provider, simulator, other, person, settings, *, backends):
    settings.AUTHENTICATION_BACKENDS = backends
    with simulator.fault("wrong_audience"):
        assert_sign_in_is_refused("id_token_audience_mismatch", person=person, simulator=simulator, calls=("token",))
    assert other.requests == []


@ORDERS
def test_mozillas_login_sends_our_provider_nothing(provider, simulator, other, person, settings, *, backends):
    settings.AUTHENTICATION_BACKENDS = backends
    simulator.clear_requests()
    sign_in_by_mozilla(person)
    assert person.is_signed_in
    assert simulator.requests == []
    assert not Account.objects.exists()


def test_djangos_authenticate_would_send_our_code_to_the_other_provider(provider, simulator, other, person, rf):
    """The reason why our callback calls our backend only."""
    callback = person.authorize(person.begin())
    request = rf.get(path_of(callback))
    request.session = {}
    received: list[Any] = []
    receiver = lambda **kwargs: received.append(kwargs["credentials"])  # noqa: E731
    user_login_failed.connect(receiver)
    try:
        with other.fault("token_error"), pytest.raises(Exception, match="invalid_grant"):
            auth.authenticate(request, nonce="our-nonce", code_verifier="our-verifier")
    finally:
        user_login_failed.disconnect(receiver)
    [sent] = [call.form for call in other.requests if call.endpoint == "token"]
    assert sent["code"] == query_of(callback)["code"]
    assert sent["code_verifier"] == "our-verifier"
    assert sent["client_secret"] == OTHER_SECRET


def test_people_signed_in_by_us_are_never_refreshed_at_the_other_provider(
    provider, simulator, other, person, time_machine_at
):
    person.sign_in()
    for days in (0, 1, 365):
        with time_machine_at(days):
            session = person.browser.session
            session.set_expiry(10 * 365 * 86400)
            session.save()
            response = person.browser.get("/page/one/")
            assert response.status_code == 200, response["Location"]
    assert other.requests == []


def test_people_signed_in_by_mozilla_are_still_refreshed(provider, simulator, other, person, time_machine_at):
    sign_in_by_mozilla(person)
    assert person.browser.get("/page/one/").status_code == 200
    with time_machine_at(1):
        response = person.browser.get("/page/one/")
    assert response.status_code == 302
    assert response["Location"].startswith(other.metadata["authorization_endpoint"])


@pytest.fixture
def time_machine_at() -> Any:
    start = datetime.now(timezone.utc)
    return lambda days: time_machine.travel(start + timedelta(days=days), tick=True)


JUNK = {
    "OIDC_RP_CLIENT_ID": "junk",
    "OIDC_RP_SCOPES": "junk",
    "OIDC_AUTH_REQUEST_EXTRA_PARAMS": {"scope": "junk", "extra": "junk"},
    "OIDC_STATE_SIZE": 1,
    "OIDC_USE_NONCE": False,
    "OIDC_USE_PKCE": False,
    "OIDC_PKCE_CODE_CHALLENGE_METHOD": "plain",
    "OIDC_VERIFY_SSL": False,
    "OIDC_PROXY": {"http": "http://127.0.0.1:1"},
    "OIDC_TIMEOUT": 0.0001,
    "OIDC_CREATE_USER": False,
    "OIDC_USERNAME_ALGO": "no.such.function",
    "OIDC_STORE_ACCESS_TOKEN": True,
    "OIDC_STORE_ID_TOKEN": True,
    "OIDC_ALLOW_UNSECURED_JWT": True,
    "OIDC_RP_SIGN_ALGO": "HS256",
    "OIDC_REDIRECT_FIELD_NAME": "junk",
    "OIDC_AUTHENTICATION_CALLBACK_URL": "junk",
    "OIDC_TOKEN_USE_BASIC_AUTH": True,
    "OIDC_OP_LOGOUT_URL_METHOD": "no.such.function",
    "OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS": -1,
    "ALLOW_LOGOUT_GET_METHOD": True,
    "LOGIN_REDIRECT_URL_FAILURE": "/junk/",
}


@pytest.mark.case("CF04")
def test_no_setting_of_the_other_login_changes_ours(provider, simulator, person, settings):
    usual = query_of(person.begin("/page/one/"))
    for name, value in JUNK.items():
        setattr(settings, name, value)
    address = person.begin("/page/one/")
    changing = {"state", "nonce", "code_challenge"}
    asked = query_of(address)
    assert {name: value for name, value in asked.items() if name not in changing} == {
        name: value for name, value in usual.items() if name not in changing
    }
    assert {len(asked[name]) for name in changing} == {43}
    response = person.come_back(person.authorize(address))
    assert response["Location"] == "/page/one/"
    assert not [name for name in dict(person.browser.session) if name in {"oidc_access_token", "oidc_id_token"}]
    assert person.browser.get("/psc/psc/logout/").status_code == 200
    leaving = person.browser.post("/psc/psc/logout/")
    assert leaving.context["end_session_url"].startswith(simulator.metadata["end_session_endpoint"])


@pytest.mark.case("CF04")
def test_no_setting_of_the_other_login_lets_a_wrong_token_in(provider, simulator, person, settings):
    for name, value in JUNK.items():
        setattr(settings, name, value)
    with simulator.fault("alg_none"):
        assert_sign_in_is_refused("id_token_algorithm_refused", person=person, simulator=simulator, calls=("token",))
    Provider.objects.update(create_unknown_users=False)
    assert_sign_in_is_refused("account_unknown", person=person, simulator=simulator)
