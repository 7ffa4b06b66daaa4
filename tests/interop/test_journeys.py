"""The whole way between a person's browser, our site and a real Keycloak, with nothing of ours at the other end."""

from __future__ import annotations

import re
import threading
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
from tests.interop.recording_proxy import Tap
from tests.interop.site import declare, shown_code, start_again_link
from tests.interop.visitor import Visitor, asks_for_password, is_page_of

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]

PODIATRIST = "podiatrist-2023"
DOCTOR = "doctor-card-two-activities-2023"


def assert_nobody_came_in(visitor: Visitor) -> None:
    assert not visitor.has_session
    assert not get_user_model().objects.exists()


def test_person_lands_on_the_page_first_asked_for(keycloak: Keycloak, visitor: Visitor) -> None:
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


def test_person_of_several_activities_says_in_what_capacity_and_lands_there_too(
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
        ("post", {"client_secret": "another secret"}, "token_client_refused"),
        ("post", {"client_id": "psc-basic", "slug": "basic"}, "token_client_refused"),
        ("basic", {}, "token_client_refused"),
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
    assert page.status_code in {502, 503}
    assert "no-store" in page.headers["Cache-Control"]
    assert_nobody_came_in(visitor)


def test_unknown_scope_is_refused_before_anybody_types_a_password(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, scope="openid unheard_of")
    page = visitor.read_page()
    assert (page.status_code, shown_code(page)) == (503, "authorization_invalid_scope")
    assert_nobody_came_in(visitor)


def test_unknown_redirect_uri_ends_on_a_page_of_keycloak(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, slug="undeclared")
    page = visitor.read_page()
    assert page.status_code == 400
    assert page.url.startswith(keycloak.issuer)
    assert not asks_for_password(page)
    assert_nobody_came_in(visitor)


def test_cancel_is_said_in_plain_words_and_can_be_begun_again(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak, "consent")
    page = visitor.browser.submit(visitor.sign_in(DOCTOR), cancel="No")
    assert (page.status_code, shown_code(page)) == (403, "authorization_access_denied")
    assert_nobody_came_in(visitor)

    # No test accepts: Keycloak would remember it, and not ask the next time.
    assert start_again_link(page) == "/psc/consent/login/?next=%2Fpage%2Fone%2F"
    assert asks_for_password(visitor.browser.open(f"{visitor.site}{start_again_link(page)}"))


def test_second_login_is_silent(keycloak: Keycloak, visitor: Visitor) -> None:
    declare(keycloak)
    visitor.sign_in(DOCTOR)
    visitor.lose_session()
    assert is_page_of(visitor.read_page(), DOCTOR)
    assert get_user_model().objects.count() == 1


def test_login_asks_the_provider_twice(keycloak: Keycloak, visitor: Visitor, tap: Tap) -> None:
    declare(keycloak, metadata=tap.metadata)
    tap.calls.clear()
    visitor.sign_in(DOCTOR)
    assert tap.calls == ["token", "userinfo"]


@pytest.mark.case("KR01")
def test_rotated_key_costs_one_request_and_sends_no_code_again(keycloak: Keycloak, visitor: Visitor, tap: Tap) -> None:
    declare(keycloak, metadata=tap.metadata)
    visitor.sign_in(DOCTOR)
    tap.calls.clear()
    with keycloak.rotated_key():
        for _login in range(2):
            visitor.lose_session()
            assert is_page_of(visitor.read_page(), DOCTOR)
    assert tap.calls == ["token", "certs", "userinfo", "token", "userinfo"]
    assert len(set(tap.codes)) == len(tap.codes) == 3


@pytest.mark.case("AZ04")
def test_reloaded_callback_lands_on_the_page_and_exchanges_nothing(
    keycloak: Keycloak, visitor: Visitor, tap: Tap
) -> None:
    declare(keycloak, metadata=tap.metadata)
    callback = visitor.callback(DOCTOR)
    assert is_page_of(visitor.browser.open(callback), DOCTOR)
    assert is_page_of(visitor.browser.open(callback), DOCTOR)
    assert tap.count("token") == 1
    assert token_is_alive(keycloak, tap)


def test_callback_stolen_by_another_browser_is_refused_and_exchanges_nothing(
    keycloak: Keycloak, visitor: Visitor, tap: Tap
) -> None:
    declare(keycloak, metadata=tap.metadata)
    callback = visitor.callback(DOCTOR)
    with Browser() as another:
        assert shown_code(another.open(callback)) == "authorization_state_unknown"
    assert tap.count("token") == 0
    assert is_page_of(visitor.browser.open(callback), DOCTOR)


@pytest.mark.case("AZ04", "CC02")
def test_second_click_while_the_first_waits_begins_again_silently(
    keycloak: Keycloak, visitor: Visitor, tap: Tap
) -> None:
    declare(keycloak, metadata=tap.metadata)
    callback = visitor.callback(DOCTOR)
    tap.may_answer.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(visitor.browser.open, callback)
        assert tap.asked.wait(5)
        second = visitor.browser.open(callback)
        tap.may_answer.set()
        assert is_page_of(second, DOCTOR)
        assert is_page_of(first.result(), DOCTOR)
    assert len(set(tap.codes)) == len(tap.codes) == 2
    assert token_is_alive(keycloak, tap)
    assert is_page_of(visitor.read_page(), DOCTOR)


@pytest.mark.case("AZ04", "CC02")
def test_double_click_at_one_instant_exchanges_the_code_once(keycloak: Keycloak, visitor: Visitor, tap: Tap) -> None:
    declare(keycloak, metadata=tap.metadata)
    callback = visitor.callback(DOCTOR)
    pages = at_one_instant([lambda: visitor.browser.open(callback)] * 2)
    assert all(is_page_of(page, DOCTOR) for page in pages)
    # The other click landed on the page, or began again once and brought a code of its own.
    assert len(set(tap.codes)) == len(tap.codes) <= 2
    assert token_is_alive(keycloak, tap)


def token_is_alive(keycloak: Keycloak, tap: Tap) -> bool:
    """Whether Keycloak still takes the first access token; it revokes it when its code comes a second time."""
    header = {"Authorization": f"Bearer {tap.access_tokens[0]}"}
    return requests.get(keycloak.endpoint("userinfo"), headers=header, timeout=30).status_code == 200


def at_one_instant(works: list[Any]) -> list[Any]:
    barrier = threading.Barrier(len(works))

    def together(work: Any) -> Any:
        barrier.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(together, works))


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

    assert all(at_one_instant([lambda person=person: whole_login(person) for person in persons]))
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
def test_sign_out_ends_the_session_at_the_provider(keycloak: Keycloak, visitor: Visitor, tap: Tap) -> None:
    declare(keycloak, metadata=tap.metadata)
    visitor.sign_in(DOCTOR)
    assert token_is_alive(keycloak, tap)
    visitor.sign_out()
    assert not token_is_alive(keycloak, tap)
    assert is_page_of(visitor.sign_in(PODIATRIST), PODIATRIST)
