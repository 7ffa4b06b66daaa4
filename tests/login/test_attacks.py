"""Regression tests of weaknesses found in security reviews."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.core import mail
from django.db import InterfaceError, connection
from django.utils import timezone

from psc_connect.models import Provider
from psc_connect.oidc.errors import ProviderUnavailable
from psc_connect.providers.keys import import_keys
from psc_connect.providers.serialization import key_names
from psc_connect.simulator import Simulator, run_simulator
from tests.conftest import make_provider
from tests.support.browser_session import error_code_of, path_of, query_of
from tests.support.stored_keys import set_times, store_keys

PAGE = "/page/one/"
# Django 6 expects addresses, Django 5.2 pairs.
ADMINS = ["a@example.org"] if django.VERSION >= (6, 0) else [("A", "a@example.org")]


@contextlib.contextmanager
def raw_server(answer: bytes) -> Iterator[str]:
    """Respond to every request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _address = listener.accept()
                    with accepted, contextlib.suppress(OSError):
                        accepted.recv(65536)
                        accepted.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


@pytest.mark.case("TR06")
@pytest.mark.parametrize("size", [b"-5", b"zz", b""])
def test_chunk_of_an_impossible_size_is_a_malformed_response(db, simulator, size):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc\r\n0\r\n\r\n"
    provider = make_provider(simulator)
    with raw_server(answer) as origin:
        endpoints = ("issuer", "token_endpoint", "userinfo_endpoint", "jwks_uri", "authorization_endpoint")
        provider.metadata = dict.fromkeys(endpoints, origin)
        with pytest.raises(ProviderUnavailable) as caught:
            import_keys(provider)
    assert caught.value.code == "provider_answer_broken"


def test_malformed_cookie_of_the_provider_emits_no_warning(simulator, provider, person):
    simulator.faults.set("set_cookie", endpoint="token", cookie="a=b; max-age")
    person.sign_in()
    assert person.is_signed_in


@pytest.mark.case("AZ02")
@pytest.mark.parametrize(
    ("charset", "state"), [("utf-7", "+2AA-"), ("unicode_escape", "%5Cud800"), ("utf-16", "%D8%00")]
)
def test_request_with_its_own_character_set_is_refused(provider, person, charset, state):
    content_type = f"text/plain; charset={charset}"
    response = person.browser.get(f"/psc/psc/callback/?code=c&state={state}", headers={"content-type": content_type})
    assert response.status_code == 400
    assert not person.is_signed_in


@pytest.mark.case("LG01", "CF02")
@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI", "UNENCODED_URL"])
def test_refusal_sends_no_mail_and_leaves_no_code_in_the_request(simulator, provider, person, settings, name):
    settings.ADMINS = ADMINS
    callback = person.authorize(person.begin(PAGE))
    with simulator.fault("outage", endpoint="token"):
        response = person.browser.get(path_of(callback), **{name: path_of(callback)})
    assert error_code_of(response) == "provider_server_error"
    assert response.status_code == 503
    assert mail.outbox == []
    assert query_of(callback)["code"] not in str(response.wsgi_request.META)
    assert response.wsgi_request.META[name] == "/psc/psc/callback/"


def test_closed_database_connection_is_a_page_that_says_so(simulator, provider, person):
    callback = person.authorize(person.begin(PAGE))

    def closed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "psc_connect_account" in sql:
            raise InterfaceError("connection already closed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(closed):
        response = person.come_back(callback)
    assert error_code_of(response) == "database_unavailable"
    assert not person.is_signed_in


@pytest.mark.case("KR01")
@pytest.mark.parametrize("kid", ["kept", "none"])
def test_key_that_changes_under_the_same_kid_is_fetched_once(simulator, provider, person, kid):
    with run_simulator() as other:
        strangers = [key for key in other.jwks["keys"] if key.get("use") == "sig"]
    own = next(key for key in simulator.jwks["keys"] if key.get("use") == "sig")
    name = {"kid": own["kid"]} if kid == "kept" else {}
    stale = [{**{member: value for member, value in key.items() if member != "kid"}, **name} for key in strangers]
    store_keys(provider, {"keys": stale})
    if kid == "none":
        simulator.faults.set("missing_kid")
    person.sign_in()
    assert person.is_signed_in
    assert (simulator.count("jwks"), simulator.count("token")) == (1, 1)


@pytest.mark.case("KR03")
@pytest.mark.django_db(transaction=True)
def test_keys_pinned_during_a_fetch_are_kept(simulator):
    provider = make_provider(simulator)
    with run_simulator() as other:
        trusted = other.jwks
    pinned = threading.Event()

    def pin() -> None:
        while simulator.count("jwks") == 0:
            time.sleep(0.01)
        set_times(provider, jwks_updated_at=timezone.now(), jwks_fetch_began_at=None)
        store_keys(Provider.objects.get(), trusted, pinned=key_names(trusted))
        pinned.set()
        connection.close()

    with simulator.fault("hang", endpoint="jwks", seconds=0.6):
        thread = threading.Thread(target=pin)
        thread.start()
        import_keys(provider)
        thread.join()
    assert pinned.is_set()
    provider.refresh_from_db()
    assert provider.jwks == trusted


def test_provider_deleted_during_a_login_is_a_refusal(simulator: Simulator, provider, person):
    callback = person.authorize(person.begin(PAGE))
    Provider.objects.all().delete()
    assert error_code_of(person.come_back(callback)) == "no_provider"
