"""Pending logins: the content, number and lifetime of their cookies."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timezone

import pytest
from django.contrib.sessions.models import Session

from psc_connect.encryption import CLIENT_SECRET, ID_TOKEN, PENDING_LOGIN, InvalidToken, cipher_for
from psc_connect.login.pending import PendingLogin, cookie_name
from psc_connect.login.redirects import MAX_BYTES
from psc_connect.login.site_urls import login_link, login_url
from psc_connect.models import ClaimedState
from tests.support.browser_session import PAGE, BrowserSession, path_of, query_of
from tests.support.refusals import assert_refused, pending_cookies

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 28, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def provider(provider):
    """A provider that does not follow its metadata, so that tests can move the clock."""
    provider.metadata_followed = False
    provider.save()
    return provider


def size_of(cookies: dict[str, str]) -> int:
    return len("; ".join(f"{name}={value}" for name, value in cookies.items()))


def names_of(urls: list[str]) -> set[str]:
    return {cookie_name(query_of(url)["state"], secure=False) for url in urls}


# --- the cookie -------------------------------------------------------------------------------------------------


def test_cookie_is_hidden_from_scripts_and_from_requests_of_other_sites(provider, person):
    response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    (morsel,) = response.cookies.values()
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert (morsel["secure"], morsel["domain"], morsel["max-age"]) == ("", "", 1200)
    assert "no-store" in response["Cache-Control"]


def test_cookie_content_is_encrypted(provider, person):
    query = query_of(person.begin("/page/a-secret-page/"))
    (value,) = pending_cookies(person).values()
    login = PendingLogin(*json.loads(cipher_for(PENDING_LOGIN).decrypt(value.encode())))
    assert (login.next, login.state) == ("/page/a-secret-page/", query["state"])
    assert not any(text in value for text in (login.state, login.nonce, login.code_verifier, login.seed, "secret"))
    (name,) = pending_cookies(person)
    assert query["state"] not in name


def test_an_anonymous_visitor_gets_no_session_and_no_row(provider, person):
    for _ in range(3):
        person.begin(PAGE)
    assert all("psc_auth_" in name for name in person.browser.cookies)
    assert (Session.objects.count(), ClaimedState.objects.count()) == (0, 0)


@pytest.mark.parametrize("query", ["code=c", f"code=c&state={'A' * 43}", "error=access_denied", "code=c&state=x"])
def test_a_callback_without_its_cookie_makes_no_row(provider, person, query):
    person.browser.get(f"/psc/psc/callback/?{query}")
    assert (Session.objects.count(), ClaimedState.objects.count()) == (0, 0)


def test_state_is_claimed_before_the_first_request(simulator, provider, person):
    with simulator.fault("outage", endpoint="token"):
        person.sign_in()
    assert ClaimedState.objects.count() == 1


def test_finished_login_deletes_its_own_cookie_only(provider, person):
    other, mine = person.begin("/page/two/"), person.begin(PAGE)
    person.come_back(person.authorize(mine))
    assert pending_cookies(person).keys() == names_of([other])


def test_refused_login_deletes_its_own_cookie_only(simulator, provider, person):
    other, mine = person.begin("/page/two/"), person.begin(PAGE)
    with simulator.fault("wrong_nonce"):
        person.come_back(person.authorize(mine))
    assert pending_cookies(person).keys() == names_of([other])


@pytest.mark.parametrize(
    "damage", ["flipped", "cut", "empty", "another login's", "of another purpose", "older version"]
)
def test_cookie_not_written_for_this_state_is_ignored(simulator, provider, person, damage):
    url = person.authorize(person.begin(PAGE))
    ((name, value),) = pending_cookies(person).items()
    held = cipher_for(PENDING_LOGIN).decrypt(value.encode())
    other = BrowserSession()
    other.begin(PAGE)
    person.browser.cookies[name] = {
        "flipped": value[:40] + ("A" if value[40] != "A" else "B") + value[41:],
        "cut": value[:-8],
        "empty": "",
        "another login's": next(iter(pending_cookies(other).values())),
        "of another purpose": cipher_for(ID_TOKEN).encrypt(held).decode(),
        "older version": cipher_for(PENDING_LOGIN).encrypt(b'{"state": "x", "provider": "psc"}').decode(),
    }[damage]
    assert_refused(person, person.come_back(url), "authorization_state_unknown", simulator=simulator)
    other.close()


def test_cookie_encrypted_with_a_removed_key_is_ignored(simulator, provider, person, settings):
    secret = provider.secret_for_its_issuer()
    url = person.authorize(person.begin(PAGE))
    settings.SECRET_KEY = "another-one-" + "z" * 40
    provider.client_secret = secret
    provider.save()
    assert_refused(person, person.come_back(url), "authorization_state_unknown", simulator=simulator)


def test_pending_login_cannot_be_decrypted_as_client_secret_or_id_token(provider, person):
    person.begin(PAGE)
    (value,) = pending_cookies(person).values()
    for purpose in (CLIENT_SECRET, ID_TOKEN):
        with pytest.raises(InvalidToken):
            cipher_for(purpose).decrypt(value.encode())


# --- how many ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", PAGE, "/page/" + "x" * 500 + "/", "/page/" + "é" * 250])
def test_all_cookies_together_stay_under_four_kilobytes(provider, person, page):
    for _ in range(60):
        person.begin(page)
        assert size_of(pending_cookies(person)) <= 4096
    assert person.browser.get("/").status_code == 200
    assert person.come_back(person.authorize(person.begin(page))).status_code == 302
    assert person.is_signed_in


@pytest.mark.parametrize(("tabs", "page"), [(30, PAGE), (8, "/page/" + "x" * 505 + "/")], ids=["short", "longest"])
def test_logins_started_at_the_same_moment_fit_the_headers_of_a_server(provider, person, settings, tabs, page):
    """As a browser that restores its tabs. gunicorn accepts 8190 bytes; the site has cookies too."""
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    assert len(page) in {len(PAGE), MAX_BYTES}
    cookies: dict[str, str] = {}
    for _ in range(tabs):
        tab = BrowserSession()
        tab.begin(page)
        cookies |= pending_cookies(tab)
        tab.close()
    assert len(cookies) == tabs
    assert size_of(cookies) <= 8190 - 200


@pytest.mark.parametrize("letter", ["x", "é", "€", "😀"])
def test_login_response_fits_the_buffer_of_a_reverse_proxy(simulator, provider, person, settings, letter):
    """nginx accepts 4 kB of response headers: the new cookie, and the deletions of old ones."""
    settings.PSC_CONNECT_BASE_URL = "https://testserver"
    for _ in range(20):
        person.begin()
        person.browser.cookies = type(person.browser.cookies)(pending_cookies(person))
    page = "/page/" + letter * (500 // len(letter.encode()))
    answer = person.browser.get("/psc/psc/login/", {"next": page})
    lines = [f"{name}: {value}" for name, value in answer.items()]
    lines += [f"Set-Cookie: {morsel.OutputString()}" for morsel in answer.cookies.values()]
    assert len(answer.cookies) > 1
    assert len("\r\n".join(lines)) < 3_000


def test_oldest_logins_are_deleted_first(provider, person):
    urls = [person.begin(PAGE) for _ in range(20)]
    kept = pending_cookies(person).keys()
    # All were started within two seconds, and are ordered nevertheless.
    assert kept == names_of(urls[-len(kept) :])
    assert len(kept) >= 6


def test_oldest_login_is_deleted_first_in_any_cookie_order(provider, person, time_machine):
    urls = []
    for second in range(20):
        time_machine.move_to(NOON.timestamp() + second, tick=False)
        urls.append(person.begin(PAGE))
        person.browser.cookies = type(person.browser.cookies)(
            {name: person.browser.cookies[name] for name in sorted(person.browser.cookies)}
        )
    kept = pending_cookies(person).keys()
    assert kept == names_of(urls[-len(kept) :])


def test_foreign_cookie_under_our_name_is_deleted_first(provider, person):
    url = person.begin(PAGE)
    for number in range(5):
        person.browser.cookies[f"psc_auth_{number:016}"] = "x" * 700
    person.begin("/page/two/")
    assert person.come_back(person.authorize(url))["Location"] == PAGE


FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
OWN = FOREIGN | {"Sec-Fetch-Site": "same-origin"}
TYPED = FOREIGN | {"Sec-Fetch-Site": "none"}
SIBLING = FOREIGN | {"Sec-Fetch-Site": "same-site"}
BUTTON = login_link("psc", PAGE)
REDIRECTED = login_url("psc", PAGE)


def start(person, url: str, headers: dict[str, str]) -> str:
    return person.browser.get(url, headers=headers)["Location"]


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("foreign", [FOREIGN, SIBLING], ids=["another site", "a sub-domain"])
@pytest.mark.parametrize("flood", [REDIRECTED, BUTTON, login_link("psc", "/page/" + "x" * 500 + "/")])
@pytest.mark.parametrize(
    ("url", "headers"), [(BUTTON, OWN), (BUTTON, TYPED), (REDIRECTED, OWN), (REDIRECTED, TYPED)], ids=repr
)
def test_navigations_of_another_site_push_out_no_login_of_a_person(provider, person, url, headers, flood, foreign):
    mine = start(person, url, headers)
    for _ in range(17):
        start(person, flood, foreign)
        assert size_of(pending_cookies(person)) <= 4096
    assert person.come_back(person.authorize(mine))["Location"] == PAGE
    assert person.is_signed_in


@pytest.mark.case("AZ18")
def test_clicked_login_stays_where_a_page_of_the_site_redirects_every_visitor(provider, person):
    mine = start(person, BUTTON, OWN)
    for _ in range(17):
        start(person, REDIRECTED, OWN)
    assert person.come_back(person.authorize(mine))["Location"] == PAGE


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("page", ["http://testserver", "http://testserver/page/one/?a=1"])
@pytest.mark.parametrize(
    "other", ["", "http://evil.example/", "http://testserver.evil.example/", "http://testserver@x/"]
)
def test_clicked_login_stays_in_a_browser_without_the_headers(provider, person, page, other):
    """Nor does a browser send them to a site without https."""
    mine = start(person, BUTTON, {"Referer": page})
    for _ in range(17):
        start(person, BUTTON, {"Referer": other})
    assert person.come_back(person.authorize(mine))["Location"] == PAGE


@pytest.mark.case("AZ18")
def test_link_in_an_email_pushes_out_no_click(provider, person):
    """Each of them is our link, opened by another program."""
    mine = start(person, BUTTON, OWN)
    for _ in range(17):
        start(person, BUTTON, TYPED)
    assert person.come_back(person.authorize(mine))["Location"] == PAGE


@pytest.mark.case("AZ18")
def test_newest_click_is_the_one_that_stays(provider, person):
    clicked = [start(person, BUTTON, OWN) for _ in range(3)]
    for _ in range(17):
        start(person, BUTTON, FOREIGN)
    kept = pending_cookies(person).keys()
    assert names_of(clicked[-1:]) <= kept
    assert not names_of(clicked[:-1]) & kept


def test_started_again_after_a_refusal_is_a_click(simulator, provider, person):
    with simulator.fault("wrong_nonce"):
        refused = person.sign_in(PAGE)
    mine = start(person, refused.context["start_again_url"], OWN)
    for _ in range(17):
        start(person, BUTTON, FOREIGN)
    assert person.come_back(person.authorize(mine))["Location"] == PAGE


@pytest.mark.case("AZ18")
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("callback_error", {"error": "temporarily_unavailable", "description": "authentication_expired"}),
        ("old_auth_time", {"seconds": 5 * 3600}),
    ],
)
def test_login_that_was_started_again_is_still_a_click(simulator, provider, person, fault, options):
    """The provider's redirect is the reason why it starts: a navigation from another site."""
    clicked = start(person, BUTTON, OWN)
    with simulator.fault(fault, **options):
        restart = person.browser.get(path_of(person.authorize(clicked)), headers=FOREIGN)
    mine = start(person, restart["Location"], FOREIGN)
    assert pending_cookies(person).keys() == names_of([mine])
    for _ in range(17):
        start(person, BUTTON, FOREIGN)
    assert person.come_back(person.authorize(mine))["Location"] == PAGE


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("name", ["", "0" * 16, "é", "\x00", "of another browser"])
def test_another_site_cannot_restart_a_login_that_it_does_not_know(provider, person, name):
    mine = start(person, REDIRECTED, OWN)
    other = BrowserSession()
    clicked = start(other, BUTTON, OWN)
    name = query_of(clicked)["state"] if name == "of another browser" else name
    for _ in range(17):
        start(person, login_link("psc", PAGE, restarted=name, again="1"), FOREIGN)
    assert person.come_back(person.authorize(mine))["Location"] == PAGE
    other.close()


@pytest.mark.parametrize(("name", "kept"), [("0123456789abcdef", "0123456789abcdef"), ("é", None), ("\x00", None)])
def test_other_host_gets_the_name_of_a_login_that_was_started_again(provider, person, settings, name, kept):
    settings.PSC_CONNECT_BASE_URL = "http://www.example.org"
    settings.ALLOWED_HOSTS = ["testserver"]
    assert query_of(start(person, login_url("psc", PAGE, restarted=name), FOREIGN)).get("restarted") == kept


# --- several tabs -----------------------------------------------------------------------------------------------


@pytest.mark.case("CC03", "RD03")
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_five_tabs_finish_in_any_order_with_their_own_pages(simulator, provider, person, order):
    pages = [f"/page/tab-{number}/" for number in range(5)]
    callbacks = [person.authorize(person.begin(page)) for page in pages]
    for number in order:
        assert person.come_back(callbacks[number])["Location"] == pages[number]
        assert person.is_signed_in
    assert simulator.count("token") == 5
    for number in order:
        assert person.come_back(callbacks[number])["Location"] == pages[number]
    assert simulator.count("token") == 5


@pytest.mark.case("CC03", "RD03")
@pytest.mark.parametrize("order", list(itertools.permutations((0, 1))))
def test_two_tabs_started_at_the_same_moment_both_finish(provider, person, order, time_machine):
    time_machine.move_to(NOON, tick=False)
    second_tab = BrowserSession()
    started = [person.begin("/page/tab-0/"), second_tab.begin("/page/tab-1/")]
    # Both requests were sent before the first response: the browser then has both cookies.
    person.browser.cookies.update(second_tab.browser.cookies)
    callbacks = [person.authorize(url) for url in started]
    for number in order:
        assert person.come_back(callbacks[number])["Location"] == f"/page/tab-{number}/"
    second_tab.close()


# --- how long ---------------------------------------------------------------------------------------------------


def test_login_may_take_ten_minutes(provider, person, time_machine):
    time_machine.move_to(NOON)
    url = person.begin(PAGE)
    time_machine.move_to(NOON.timestamp() + 595)
    assert person.come_back(person.authorize(url))["Location"] == PAGE


@pytest.mark.case("AZ05")
@pytest.mark.parametrize("seconds", [605, 1100])
def test_after_ten_minutes_the_login_has_expired_and_its_page_is_kept(
    simulator, provider, person, time_machine, seconds
):
    time_machine.move_to(NOON)
    url = person.begin(PAGE)
    time_machine.move_to(NOON.timestamp() + seconds)
    response = person.come_back(person.authorize(url))
    assert_refused(person, response, "authorization_state_expired", simulator=simulator, next_page=PAGE)
    assert not pending_cookies(person)


@pytest.mark.case("AZ05")
@pytest.mark.parametrize("seconds", [1205, 24 * 3600, 30 * 24 * 3600])
def test_response_of_another_day_is_refused(simulator, provider, person, time_machine, seconds):
    time_machine.move_to(NOON)
    url = person.begin(PAGE)
    time_machine.move_to(NOON.timestamp() + seconds)
    response = person.come_back(person.authorize(url))
    assert_refused(person, response, "authorization_state_unknown", simulator=simulator)


def test_login_started_in_the_future_has_expired(simulator, provider, person, time_machine):
    time_machine.move_to(NOON)
    url = person.authorize(person.begin(PAGE))
    time_machine.move_to(NOON.timestamp() - 62)
    response = person.come_back(url)
    # Fernet has the same limit for times in the future.
    assert response.status_code == 400
    assert response.context["code"] in {"authorization_state_expired", "authorization_state_unknown"}
    assert simulator.count("token") == 0


def test_expired_login_can_be_started_again_immediately(provider, person, time_machine):
    time_machine.move_to(NOON)
    url = person.begin(PAGE)
    time_machine.move_to(NOON.timestamp() + 700)
    refused = person.come_back(person.authorize(url))
    again = person.browser.get(refused.context["start_again_url"])
    assert person.come_back(person.authorize(again["Location"]))["Location"] == PAGE
