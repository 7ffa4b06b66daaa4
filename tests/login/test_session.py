"""The session that a login opens: a new key, no data of another person, and no usable token."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory

from psc_connect.encryption import ID_TOKEN, cipher_for
from psc_connect.login.session import KEY
from tests.conftest import make_provider
from tests.support.browser_session import BrowserSession
from tests.support.log_recorder import RECORDER


def anonymous_session(person: BrowserSession, **values: Any) -> str:
    """Create a session before the login; return its key."""
    session = person.browser.session
    session.update(values)
    session.save()
    return str(session.session_key)


@pytest.mark.case("SE01")
def test_login_changes_the_key_of_an_anonymous_session(provider, simulator, person):
    key = anonymous_session(person, basket=["bandage"])
    person.sign_in()
    assert person.is_signed_in
    assert person.browser.session.session_key != key
    assert person.browser.session["basket"] == ["bandage"]
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.case("SE01")
def test_the_key_changes_when_the_same_person_signs_in_again(provider, simulator, person):
    first, second = person.begin(), person.begin()
    person.come_back(person.authorize(first))
    key, user = person.browser.session.session_key, person.user_id
    person.come_back(person.authorize(second))
    assert person.user_id == user
    assert person.browser.session.session_key != key
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.case("SE03")
def test_session_data_of_the_previous_person_are_removed(provider, simulator, person):
    first, second = person.begin("/page/of-the-first/"), person.begin("/page/of-the-second/")
    person.come_back(person.authorize(first))
    session = person.browser.session
    session["record"] = "of the first"
    session.save()
    before, key = person.user_id, session.session_key
    simulator.end_sessions()
    simulator.sign_in("nurse")
    person.come_back(person.authorize(second))
    assert person.user_id not in {None, before}
    assert "of-the-first" not in json.dumps(dict(person.browser.session))
    assert "record" not in person.browser.session
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.case("SE02", "AL11")
def test_an_open_session_ends_when_the_user_is_deactivated(provider, simulator, person):
    person.sign_in()
    assert person.browser.get("/page/one/").status_code == 200
    User.objects.update(is_active=False)
    assert person.browser.get("/page/one/").status_code == 302


@pytest.mark.case("SE02")
def test_an_open_session_ends_for_asynchronous_views_too(provider, simulator, person):
    person.sign_in()
    request = RequestFactory().get("/")
    request.session = person.browser.session
    assert async_to_sync(auth.aget_user)(request).is_authenticated
    User.objects.update(is_active=False)
    assert async_to_sync(auth.aget_user)(request) == AnonymousUser()


@pytest.fixture
def issued() -> Callable[[], dict[str, list[str]]]:
    """The tokens and codes that the provider has sent and received since the test started."""
    before = set(RECORDER.secrets)

    def tokens() -> dict[str, list[str]]:
        kinds = ("access_token", "refresh_token", "id_token", "code", "code_verifier")
        new = {value: kind for value, kind in RECORDER.secrets.items() if value not in before}
        return {kind: [value for value, other in new.items() if other == kind] for kind in kinds}

    return tokens


def everything_in(person: BrowserSession) -> str:
    """Return the session as the server reads it and as it is stored, and all cookies."""
    stored = [str(row) for row in Session.objects.values()]
    cookies = [f"{name}={morsel.value}" for name, morsel in person.browser.cookies.items()]
    return json.dumps(dict(person.browser.session)) + "".join(stored) + "".join(cookies)


@pytest.mark.case("SE05")
@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_no_session_backend_stores_a_token_in_clear(provider, simulator, person, settings, *, engine, issued):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    person.sign_in()
    assert person.is_signed_in
    kept = everything_in(person)
    for kind, values in issued().items():
        [value] = values
        assert value not in kept, kind
        # Its signature alone, too.
        assert value.rpartition(".")[2] not in kept, kind


@pytest.mark.case("SE05")
def test_only_the_id_token_is_stored_and_it_is_encrypted(provider, simulator, person, issued):
    person.sign_in()
    kept = person.browser.session[KEY]
    assert set(kept) == {
        "provider",
        "issuer",
        "account",
        "acr",
        "means",
        "activity_choice",
        "must_choose",
        "id_token",
        "finished_logins",
    }
    assert "." not in f"{kept['account']}{kept['acr']}{kept['activity_choice']}"
    assert [cipher_for(ID_TOKEN).decrypt(kept["id_token"].encode()).decode()] == issued()["id_token"]


@pytest.mark.case("SE05")
def test_cookie_sessions_do_not_store_the_id_token(provider, simulator, person, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person.sign_in()
    assert person.browser.session[KEY]["id_token"] == ""


@pytest.mark.servers
@pytest.mark.case("SE05")
def test_a_person_signs_in_with_sessions_in_redis(provider, simulator, person, settings):
    url = os.environ.get("PSC_TESTS_REDIS_URL", "")
    if not url:
        reason = "PSC_TESTS_REDIS_URL names no Redis"
        pytest.fail(reason) if os.environ.get("PSC_TESTS_REQUIRE_ALL") == "1" else pytest.skip(reason)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    cache.clear()
    response = person.sign_in("/page/one/")
    assert response["Location"] == "/page/one/"
    assert person.browser.get("/page/one/").status_code == 200
    assert not Session.objects.exists()
    assert cache.get(f"django.contrib.sessions.cache{person.browser.session.session_key}")[KEY]["provider"] == "psc"
    cache.clear()


@pytest.mark.case("CC04")
@pytest.mark.django_db(transaction=True)
def test_session_data_written_during_the_exchange_are_not_lost(simulator, person, settings):
    make_provider(simulator)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.support.middleware.ReadsTheSessionEarly"]
    key = anonymous_session(person, basket=["bandage"])
    callback = person.authorize(person.begin())

    def write_meanwhile() -> None:
        until = time.monotonic() + 10
        while not simulator.count("token") and time.monotonic() < until:
            time.sleep(0.01)
        session = SessionStore(key)
        session["basket"] = ["bandage", "gauze"]
        session.save()
        connection.close()

    simulator.faults.set("hang", seconds=0.8)
    other_request = threading.Thread(target=write_meanwhile)
    other_request.start()
    person.come_back(callback)
    other_request.join()
    assert person.is_signed_in
    assert person.browser.session["basket"] == ["bandage", "gauze"]
