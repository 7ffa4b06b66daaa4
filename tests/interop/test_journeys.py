"""Complete logins and logouts between a browser, the site and a real Keycloak."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from pytest_django.live_server_helper import LiveServer

from psc_connect.models import Account, AskActivity
from psc_connect.professional.snapshot import from_snapshot
from psc_connect.professional.userinfo import read_userinfo
from tests.interop.browser import Browser
from tests.interop.keycloak import Keycloak, people
from tests.interop.recording_proxy import RecordingProxy
from tests.interop.site import declare, shown_code, start_again_link
from tests.interop.visitor import Visitor, asks_for_password, is_page_of
from tests.support.browser_session import query_of

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]

PODIATRIST = "podiatrist-2023"
DOCTOR = "doctor-card-two-activities-2023"


def assert_nobody_signed_in(visitor: Visitor) -> None:
    assert not visitor.has_session
    assert not get_user_model().objects.exists()


def test_login_ends_on_the_requested_page(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak)
    assert is_page_of(visitor.sign_in(DOCTOR), DOCTOR)


@pytest.mark.parametrize("person", people())
def test_site_receives_the_claims_of_the_shared_payload(
    keycloak: Keycloak,
    visitor: Visitor,
    logins: list[dict[str, Any]],
    person: str,
) -> None:
    declare(keycloak)
    visitor.sign_in(person)
    assert logins == [people()[person]]


def test_person_with_several_activities_chooses_one_and_ends_on_the_requested_page(
    keycloak: Keycloak, visitor: Visitor
) -> None:
    declare(keycloak, ask_activity=AskActivity.SEVERAL)
    page = visitor.sign_in(DOCTOR)
    assert "/psc/post/activity/" in page.url
    keys = re.findall(r'name="activity_choice" value="([0-9a-f]{16})"', page.text)
    assert len(keys) == 2
    assert is_page_of(visitor.browser.submit(page, activity_choice=keys[1]), DOCTOR)
    assert Account.objects.get().activity_choice == keys[1]


@pytest.mark.parametrize("person", people())
def test_account_keeps_what_the_person_practises(keycloak: Keycloak, visitor: Visitor, person: str) -> None:
    declare(keycloak)
    visitor.sign_in(person)
    assert from_snapshot(Account.objects.get().professional) == read_userinfo(people()[person])


@pytest.mark.parametrize("person", people())
def test_account_keeps_who_the_person_is(keycloak: Keycloak, visitor: Visitor, person: str) -> None:
    declare(keycloak)
    visitor.sign_in(person)
    claims, account = people()[person], Account.objects.get()
    assert (account.issuer, account.subject) == (keycloak.issuer, claims["sub"])
    assert account.subject_name_id == claims["SubjectNameID"]
    assert (account.user.first_name, account.user.last_name) == (claims["given_name"], claims["family_name"])


@pytest.mark.parametrize(
    ("client", "changes"),
    [
        ("basic", {"token_endpoint_auth_method": "client_secret_basic"}),
        ("ps256", {"id_token_signed_response_alg": "PS256"}),
        ("es256", {"id_token_signed_response_alg": "ES256"}),
    ],
    ids=["a secret of special characters in the header", "PS256", "ES256"],
)
def test_other_kinds_of_client_sign_in(
    keycloak: Keycloak, visitor: Visitor, client: str, changes: dict[str, str]
) -> None:
    declare(keycloak, client, **changes)
    assert is_page_of(visitor.sign_in(DOCTOR), DOCTOR)


@pytest.mark.parametrize(
    ("client", "changes", "code"),
    [
        ("post", {"client_secret": "another secret"}, "token_unauthorized_client"),
        ("post", {"client_id": "psc-basic", "slug": "basic"}, "token_unauthorized_client"),
        ("basic", {}, "token_unauthorized_client"),
        ("ps256", {}, "id_token_algorithm_refused"),
        ("es256", {"id_token_signed_response_alg": "PS256"}, "id_token_algorithm_refused"),
        ("post", {"accepted_acr_values": "eidas3"}, "id_token_acr_refused"),
        ("post", {"userinfo_signed_response_alg": "RS256"}, "userinfo_not_signed"),
    ],
    ids=[
        "wrong secret",
        "another client's secret",
        "secret sent another way",
        "PS256, not RS256",
        "ES256, not PS256",
        "another ACR",
        "userinfo that is not signed",
    ],
)
def test_wrong_declaration_is_refused_with_its_code(
    keycloak: Keycloak,
    visitor: Visitor,
    client: str,
    changes: dict[str, str],
    code: str,
) -> None:
    declare(keycloak, client, **changes)
    page = visitor.sign_in(DOCTOR)
    assert shown_code(page) == code
    assert page.status_code == (503 if code.startswith("token_") else 403)
    assert "no-store" in page.headers["Cache-Control"]
    assert_nobody_signed_in(visitor)


def test_unknown_scope_is_refused_before_the_password_is_asked(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, scope="openid unheard_of")
    page = visitor.read_page()
    assert (page.status_code, shown_code(page)) == (403, "authorization_invalid_scope")
    assert_nobody_signed_in(visitor)


def test_unknown_redirect_uri_ends_on_a_page_of_keycloak(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, slug="undeclared")
    page = visitor.read_page()
    assert page.status_code == 400
    assert page.url.startswith(keycloak.issuer)
    assert not asks_for_password(page)
    assert_nobody_signed_in(visitor)


def test_cancelled_login_shows_an_error_page_and_can_be_started_again(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, "consent")
    page = visitor.browser.submit(visitor.sign_in(DOCTOR), cancel="No")
    assert (page.status_code, shown_code(page)) == (403, "authorization_access_denied")
    assert_nobody_signed_in(visitor)

    # No test gives consent: Keycloak would remember it and not ask again.
    assert start_again_link(page) == "/psc/consent/login/?next=%2Fpage%2Fone%2F&clicked=1"
    assert asks_for_password(visitor.browser.open(f"{visitor.site}{start_again_link(page)}"))


def test_second_login_is_silent(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak)
    visitor.sign_in(DOCTOR)
    visitor.lose_session()
    assert is_page_of(visitor.read_page(), DOCTOR)
    assert get_user_model().objects.count() == 1


@pytest.mark.case("SE04", "SE07")
def test_identification_older_than_a_session_is_asked_for_again_once(
    keycloak: Keycloak, visitor: Visitor, settings: Any
) -> None:
    declare(keycloak)
    visitor.sign_in(DOCTOR)
    settings.PSC_CONNECT_SESSION_MAX_AGE = 3
    time.sleep(3.5)
    # The page asks to sign in; Keycloak signs in silently, the site asks again, and Keycloak asks the person.
    visitor.lose_session()
    page = visitor.read_page()
    assert asks_for_password(page)
    assert query_of(page.request.url or "")["max_age"] == "0"
    settings.PSC_CONNECT_SESSION_MAX_AGE = 4 * 3600
    assert is_page_of(visitor.browser.sign_in(page, DOCTOR), DOCTOR)


def test_login_asks_the_provider_twice(keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy) -> None:
    declare(keycloak, metadata=proxy.metadata)
    proxy.calls.clear()
    visitor.sign_in(DOCTOR)
    assert proxy.calls == ["token", "userinfo"]


@pytest.mark.case("KR01")
def test_rotated_key_costs_one_request_and_sends_no_code_again(
    keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy
) -> None:
    declare(keycloak, metadata=proxy.metadata)
    visitor.sign_in(DOCTOR)
    proxy.calls.clear()
    with keycloak.rotated_key():
        for _login in range(2):
            visitor.lose_session()
            assert is_page_of(visitor.read_page(), DOCTOR)
    assert proxy.calls == ["token", "certs", "userinfo", "token", "userinfo"]
    assert len(set(proxy.codes)) == len(proxy.codes) == 3


def test_form_that_was_sent_twice_restarts_the_login_and_signs_in(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak)
    form = visitor.read_page()
    with visitor.browser.stopping_before(f"{visitor.site}/psc/post/callback/"):
        # A browser drops the answer to the first click.
        visitor.browser.sign_in(form, DOCTOR)
        second = visitor.browser.sign_in(form, DOCTOR).headers["Location"]
    assert "error=temporarily_unavailable&error_description=authentication_expired" in second
    assert is_page_of(visitor.browser.open(second), DOCTOR)


@pytest.mark.case("AZ04")
def test_reloaded_callback_lands_on_the_page_and_exchanges_nothing(
    keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy
) -> None:
    declare(keycloak, metadata=proxy.metadata)
    callback = visitor.callback(DOCTOR)
    assert is_page_of(visitor.browser.open(callback), DOCTOR)
    assert is_page_of(visitor.browser.open(callback), DOCTOR)
    assert proxy.count("token") == 1
    assert token_is_alive(keycloak, proxy)


def test_callback_stolen_by_another_browser_is_refused_and_exchanges_nothing(
    keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy
) -> None:
    declare(keycloak, metadata=proxy.metadata)
    callback = visitor.callback(DOCTOR)
    with Browser() as another:
        assert shown_code(another.open(callback)) == "authorization_state_unknown"
    assert proxy.count("token") == 0
    assert is_page_of(visitor.browser.open(callback), DOCTOR)


@pytest.mark.case("AZ04", "CC02")
def test_second_click_while_the_first_waits_starts_again_silently(
    keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy
) -> None:
    declare(keycloak, metadata=proxy.metadata)
    callback = visitor.callback(DOCTOR)
    proxy.may_answer.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(visitor.browser.open, callback)
        assert proxy.token_requested.wait(5)
        second = visitor.browser.open(callback)
        proxy.may_answer.set()
        assert is_page_of(second, DOCTOR)
        assert is_page_of(first.result(), DOCTOR)
    assert len(set(proxy.codes)) == len(proxy.codes) == 2
    assert token_is_alive(keycloak, proxy)
    assert is_page_of(visitor.read_page(), DOCTOR)


@pytest.mark.case("AZ04", "CC02")
def test_double_click_at_once_exchanges_the_code_once(
    keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy
) -> None:
    declare(keycloak, metadata=proxy.metadata)
    callback = visitor.callback(DOCTOR)
    pages = run_at_once([lambda: visitor.browser.open(callback)] * 2)
    assert all(is_page_of(page, DOCTOR) for page in pages)
    # The other click ended on the page, or started again once and got a new code.
    assert len(set(proxy.codes)) == len(proxy.codes) <= 2
    assert token_is_alive(keycloak, proxy)


def token_is_alive(keycloak: Keycloak, proxy: RecordingProxy) -> bool:
    """Return whether Keycloak accepts the first access token, which it revokes if its code is used again."""
    header = {"Authorization": f"Bearer {proxy.access_tokens[0]}"}
    return requests.get(keycloak.endpoint("userinfo"), headers=header, timeout=30).status_code == 200


def run_at_once(works: list[Any]) -> list[Any]:
    barrier = threading.Barrier(len(works))

    def run(work: Any) -> Any:
        barrier.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.case("CC01")
@pytest.mark.parametrize(
    "persons",
    [[DOCTOR] * 8, [*people(), *people()][:8]],
    ids=["one person in eight browsers", "five persons in eight browsers"],
)
def test_parallel_logins_each_end_on_their_own_page(
    keycloak: Keycloak, live_server: LiveServer, logins: list[dict[str, Any]], persons: list[str]
) -> None:
    declare(keycloak)

    def whole_login(person: str) -> bool:
        with Browser() as browser:
            return is_page_of(Visitor(live_server.url, browser).sign_in(person), person)

    assert all(run_at_once([lambda person=person: whole_login(person) for person in persons]))
    assert len(logins) == 8
    subjects = {people()[person]["sub"] for person in persons}
    assert {account.subject for account in Account.objects.all()} == subjects
    assert get_user_model().objects.count() == len(subjects)


def test_sign_out_comes_back_and_says_so(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak)
    visitor.sign_in(DOCTOR)
    page = visitor.sign_out()
    assert page.status_code == 200
    assert page.url.startswith(f"{visitor.site}/psc/post/logged-out/?state=")
    assert not visitor.has_session


@pytest.mark.case("LO02")
def test_sign_out_ends_the_session_at_the_provider(keycloak: Keycloak, visitor: Visitor, proxy: RecordingProxy) -> None:
    declare(keycloak, metadata=proxy.metadata)
    visitor.sign_in(DOCTOR)
    assert token_is_alive(keycloak, proxy)
    visitor.sign_out()
    assert not token_is_alive(keycloak, proxy)
    assert is_page_of(visitor.sign_in(PODIATRIST), PODIATRIST)
