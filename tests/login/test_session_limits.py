"""The longest life of a session: what is left of 4 hours since the identification."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.file import SessionStore as FileSessionStore
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from psc_connect.models import Account, Provider
from psc_connect.signals import account_created
from tests.login.test_costs import statements
from tests.support.browser_session import PAGE, BrowserSession, must_sign_in, path_of, query_of, restart_parameters

pytestmark = [pytest.mark.django_db, pytest.mark.case("SE04"), pytest.mark.usefixtures("provider")]
MINUTE, HOUR = 60, 3600
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
PROFESSIONAL = "psc_connect.middleware.ProSanteConnectMiddleware"


@pytest.fixture
def wait(time_machine: Any) -> Callable[[float], None]:
    """Return a function that moves the clock, of the site and of the simulator."""
    time_machine.move_to(time.time())
    shift: Callable[[float], None] = time_machine.shift
    return shift


@pytest.fixture
def middleware(settings: Any) -> None:
    settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)


def with_ours(installed: list[str]) -> list[str]:
    return [*(each for each in installed if each != PROFESSIONAL), PROFESSIONAL]


@pytest.fixture(params=ENGINES)
def engine(request: Any, settings: Any, tmp_path: Any, monkeypatch: Any) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    # Django keeps it in the class.
    monkeypatch.delattr(FileSessionStore, "_storage_path", raising=False)
    if request.param == "signed_cookies":
        # Django itself looks at the age of the cookie only.
        settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)
    return str(request.param)


def cookie_seconds(person: BrowserSession) -> Any:
    """Return how long the browser keeps the session cookie, "" until it is closed."""
    return person.browser.cookies[site.SESSION_COOKIE_NAME]["max-age"]


@pytest.fixture
def assert_ends_after(wait: Callable[[float], None]) -> Callable[[BrowserSession, float], None]:
    def check(person: BrowserSession, seconds: float) -> None:
        wait(seconds - 10)
        assert not must_sign_in(person)
        wait(11)
        assert must_sign_in(person)

    return check


# --- every session engine ---------------------------------------------------------------------------------------------


def test_session_ends_four_hours_after_the_identification(person, engine, assert_ends_after):
    person.sign_in(PAGE)
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR
    assert_ends_after(person, 4 * HOUR)


def test_no_save_moves_the_end(person, engine, settings, wait):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    person.sign_in(PAGE)
    for _ in range(3):
        wait(HOUR)
        assert not must_sign_in(person)
    assert cookie_seconds(person) <= HOUR
    wait(HOUR + 1)
    assert must_sign_in(person)


def test_what_is_left_counts_from_the_identification(simulator, person, engine, assert_ends_after):
    with simulator.fault("old_auth_time", seconds=3 * HOUR):
        person.sign_in(PAGE)
    assert HOUR - 2 <= cookie_seconds(person) <= HOUR
    assert_ends_after(person, HOUR)


def test_session_that_ends_with_the_browser_ends_with_either(person, engine, settings, middleware, wait):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = settings.SESSION_SAVE_EVERY_REQUEST = True
    person.sign_in(PAGE)
    assert cookie_seconds(person) == ""
    wait(4 * HOUR - 10)
    assert not must_sign_in(person)
    assert cookie_seconds(person) == ""
    wait(11)
    assert must_sign_in(person)


@pytest.mark.parametrize("is_installed", [True, False])
def test_cookie_of_the_sign_in_ends_with_the_browser_where_the_site_says_so(person, settings, is_installed):
    if is_installed:
        settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    person.sign_in(PAGE)
    assert cookie_seconds(person) == ""
    assert (Session.objects.get().expire_date.timestamp() - time.time()) <= 4 * HOUR


def test_naive_times_of_a_site_without_time_zones_work(person, engine, settings, assert_ends_after):
    settings.USE_TZ = False
    settings.SESSION_SAVE_EVERY_REQUEST = True
    person.sign_in(PAGE)
    assert_ends_after(person, 4 * HOUR)


def test_sign_in_after_the_end_leads_back_to_the_page(person, engine, wait):
    person.sign_in(PAGE)
    wait(4 * HOUR + 1)
    asked = person.browser.get(PAGE)
    started = person.browser.get(asked["Location"])
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    assert not must_sign_in(person)
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR


# --- a shorter life of the site's own ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("middleware")
def test_site_that_prolongs_a_short_session_does_so_up_to_the_end(person, engine, settings, tmp_path, wait):
    settings.SESSION_COOKIE_AGE, settings.SESSION_SAVE_EVERY_REQUEST = 30 * MINUTE, True
    person.sign_in(PAGE)
    for _ in range(11):
        for file in tmp_path.iterdir():
            # The file system has another clock.
            os.utime(file, (time.time(), time.time()))
        wait(20 * MINUTE)
        assert not must_sign_in(person)
        assert cookie_seconds(person) <= 30 * MINUTE
    wait(20 * MINUTE + 1)
    assert must_sign_in(person)


@pytest.mark.usefixtures("middleware")
def test_unused_short_session_ends_as_the_site_says(person, engine, settings, wait):
    settings.SESSION_COOKIE_AGE, settings.SESSION_SAVE_EVERY_REQUEST = 30 * MINUTE, True
    person.sign_in(PAGE)
    wait(31 * MINUTE)
    assert must_sign_in(person)


@pytest.mark.parametrize("saves", [True, False])
def test_short_session_is_not_prolonged_without_the_middleware(person, settings, wait, saves):
    settings.SESSION_COOKIE_AGE, settings.SESSION_SAVE_EVERY_REQUEST = 30 * MINUTE, saves
    person.sign_in(PAGE)
    wait(20 * MINUTE)
    assert not must_sign_in(person)
    wait(11 * MINUTE)
    assert must_sign_in(person)


@pytest.fixture
def ten_minutes() -> Iterator[None]:
    """A site whose receiver of Django's signal gives its sessions ten minutes."""

    def receiver(request: Any, **_arguments: Any) -> None:
        request.session.set_expiry(10 * MINUTE)

    user_logged_in.connect(receiver)
    yield
    user_logged_in.disconnect(receiver)


@pytest.mark.usefixtures("ten_minutes")
def test_shorter_expiry_that_the_site_sets_stays(person, engine, wait):
    person.sign_in(PAGE)
    assert cookie_seconds(person) <= 10 * MINUTE
    wait(11 * MINUTE)
    # Django only looks at the age of the cookie.
    assert must_sign_in(person) == (engine != "signed_cookies")


@pytest.mark.parametrize(("value", "expected"), [(None, 14 * 24 * HOUR), (0, 14 * 24 * HOUR), (600, 600)])
def test_setting_shortens_the_life_or_leaves_it_to_the_site(person, settings, value, expected, assert_ends_after):
    settings.PSC_CONNECT_SESSION_MAX_AGE = value
    person.sign_in(PAGE)
    assert expected - 2 <= cookie_seconds(person) <= expected
    assert_ends_after(person, expected)


def test_without_auth_time_the_time_counts_from_the_sign_in(simulator, person, caplog):
    with simulator.fault("missing_auth_time"):
        person.sign_in(PAGE)
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR
    assert "identification_old" not in caplog.text


# --- an older identification ------------------------------------------------------------------------------------------


@pytest.mark.case("SE07")
def test_old_identification_is_asked_for_again_once_before_anything_is_saved(simulator, person):
    created: list[Any] = []
    account_created.connect(lambda **arguments: created.append(arguments), weak=False, dispatch_uid="limits")
    with simulator.fault("old_auth_time", seconds=4 * HOUR):
        response = person.sign_in(PAGE)
    assert response["Location"].startswith("/psc/psc/login/?")
    assert restart_parameters(response) == {"next": PAGE, "identify": "1"}
    assert (simulator.count("token"), simulator.count("userinfo")) == (1, 0)
    assert not person.is_signed_in
    assert not Account.objects.exists()
    assert not get_user_model().objects.exists()
    # The provider asks the person now, since the session there is too old for `max_age`.
    started = person.browser.get(response["Location"])
    assert query_of(started["Location"])["max_age"] == str(4 * HOUR - MINUTE)
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    account_created.disconnect(dispatch_uid="limits")
    assert len(created) == 1
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR


@pytest.mark.case("SE07")
def test_provider_that_ignores_it_signs_in_for_four_hours_with_a_warning(simulator, person, caplog, assert_ends_after):
    with simulator.fault("old_auth_time", seconds=9 * HOUR):
        started = person.browser.get(person.sign_in(PAGE)["Location"])
        assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR
    account = Account.objects.get()
    assert f"login.identification_old provider=psc account={account.pk}" in caplog.messages
    assert_ends_after(person, 4 * HOUR)


def test_real_session_at_the_provider_is_asked_for_again(simulator, person, settings, wait):
    settings.PSC_CONNECT_SESSION_MAX_AGE = HOUR
    person.sign_in(PAGE)
    wait(20 * MINUTE)
    # In use at the provider, which ends a session after 30 minutes without.
    other_login(person)
    wait(20 * MINUTE)
    other_login(person)
    wait(20 * MINUTE + 1)
    simulator.clear_requests()
    response = person.browser.get(person.browser.get(PAGE)["Location"])
    response = person.come_back(person.authorize(response["Location"]))
    started = person.browser.get(response["Location"])
    assert query_of(started["Location"])["max_age"] == str(HOUR - MINUTE)
    assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    assert HOUR - 2 <= cookie_seconds(person) <= HOUR


def other_login(person: BrowserSession) -> None:
    """Sign in with another browser and the same session at the provider."""
    BrowserSession(provider_session=person.provider_session).sign_in(PAGE)


@pytest.mark.parametrize(("max_age", "sent"), [(600, 600), (5 * HOUR, 4 * HOUR - MINUTE), (None, 4 * HOUR - MINUTE)])
def test_shorter_max_age_of_the_provider_is_the_one_that_is_sent(person, max_age, sent):
    Provider.objects.update(max_age=max_age)
    assert query_of(person.browser.get("/psc/psc/login/?identify=1")["Location"])["max_age"] == str(sent)


@pytest.mark.case("CK01")
@pytest.mark.parametrize("seconds", [15, 45])
def test_slow_clock_of_the_provider_does_not_prevent_the_new_identification(simulator, person, wait, caplog, seconds):
    person.sign_in(PAGE)
    for _ in range(8):
        wait(29 * MINUTE)
        other_login(person)
    simulator.clock_offset = -seconds
    wait(8 * MINUTE)
    asked = person.browser.get(person.browser.get(PAGE)["Location"])
    started = person.browser.get(person.come_back(person.authorize(asked["Location"]))["Location"])
    assert query_of(started["Location"])["max_age"] == str(4 * HOUR - MINUTE)
    person.come_back(person.authorize(started["Location"]))
    assert 4 * HOUR - 2 - seconds <= cookie_seconds(person) <= 4 * HOUR
    assert "identification_old" not in caplog.text


def test_max_age_is_not_sent_unless_it_is_asked_for(person):
    assert "max_age" not in query_of(person.begin(PAGE))


def test_proxy_that_hides_the_host_causes_no_loop(simulator, person, settings):
    settings.PSC_CONNECT_BASE_URL = "http://www.example.org"
    settings.ALLOWED_HOSTS = ["testserver"]
    away = person.browser.get("/psc/psc/login/", {"next": PAGE, "identify": "1", "again": "1"})
    assert query_of(away["Location"]) == {"next": PAGE, "from_other_host": "1", "identify": "1", "again": "1"}
    assert query_of(person.browser.get(path_of(away["Location"]))["Location"])["max_age"] == str(4 * HOUR - MINUTE)


@pytest.mark.case("AZ04")
def test_restart_after_a_double_click_asks_too_and_ends(simulator, person):
    with simulator.fault("old_auth_time", seconds=5 * HOUR):
        started = person.browser.get("/psc/psc/login/", {"next": PAGE, "again": "1"})
        response = person.come_back(person.authorize(started["Location"]))
        assert restart_parameters(response) == {"next": PAGE, "identify": "1", "again": "1"}
        started = person.browser.get(response["Location"])
        assert person.come_back(person.authorize(started["Location"]))["Location"] == PAGE
    assert person.is_signed_in


def test_restarts_keep_what_the_login_was_started_with(simulator, person):
    with simulator.fault("old_auth_time", seconds=5 * HOUR):
        started = person.browser.get("/psc/psc/login/", {"next": PAGE, "as": "other"})
        response = person.come_back(person.authorize(started["Location"]))
    assert restart_parameters(response) == {"next": PAGE, "as": "other", "identify": "1"}
    request = query_of(person.browser.get(response["Location"])["Location"])
    assert (request["prompt"], request["max_age"]) == ("login", str(4 * HOUR - MINUTE))


def test_somebody_who_signed_in_meanwhile_goes_to_the_page(person):
    person.sign_in(PAGE)
    assert person.browser.get("/psc/psc/login/", {"next": PAGE, "identify": "1"})["Location"] == PAGE


# --- several sign-ins in one session ----------------------------------------------------------------------------------


def test_new_identification_of_the_same_person_counts_anew(simulator, person, engine, wait):
    first, second = person.begin(PAGE), person.begin("/page/two/")
    with simulator.fault("old_auth_time", seconds=4 * HOUR - 5 * MINUTE):
        person.come_back(person.authorize(first))
    assert cookie_seconds(person) <= 5 * MINUTE
    simulator.end_sessions()
    person.come_back(person.authorize(second))
    assert 4 * HOUR - 2 <= cookie_seconds(person) <= 4 * HOUR
    wait(4 * HOUR - 10)
    assert not must_sign_in(person)


def test_session_of_another_user_by_password_has_its_own_life(person, wait):
    person.sign_in(PAGE)
    User.objects.create_user("anna", password="p-5b1")
    assert person.browser.login(username="anna", password="p-5b1")
    wait(5 * HOUR)
    assert not must_sign_in(person)


def test_session_by_password_after_a_sign_out_has_its_own_life(person, wait):
    person.sign_in(PAGE)
    person.browser.post("/psc/psc/logout/")
    User.objects.create_user("anna", password="p-5b1")
    assert person.browser.login(username="anna", password="p-5b1")
    wait(5 * HOUR)
    assert not must_sign_in(person)


def test_password_of_the_same_user_does_not_move_the_end(person, wait):
    """The session still opens pages for professionals."""
    person.sign_in(PAGE)
    person.browser.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    wait(4 * HOUR + 1)
    assert must_sign_in(person)


def test_session_data_of_before_the_sign_in_end_with_it(person, wait):
    session = person.browser.session
    session["basket"] = ["bandage"]
    session.save()
    person.sign_in(PAGE)
    assert person.browser.session["basket"] == ["bandage"]
    wait(4 * HOUR + 1)
    assert must_sign_in(person)


# --- the middleware ---------------------------------------------------------------------------------------------------


def test_page_for_professionals_is_refused_after_the_end_in_any_session(person, settings, professional_pages, wait):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    # A site that sets request.psc in its own way.
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != PROFESSIONAL]
    person.sign_in(PAGE)
    wait(4 * HOUR - 10)
    assert person.browser.get("/podiatrists/synchronous/").status_code == 200
    wait(11)
    response = person.browser.get("/podiatrists/synchronous/")
    assert (response.status_code, response.context["code"]) == (403, "professional_missing")


@pytest.mark.usefixtures("middleware")
def test_cookie_session_is_emptied_after_its_end(person, settings, wait):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person.sign_in(PAGE)
    wait(4 * HOUR + 1)
    copied = person.browser.cookies[site.SESSION_COOKIE_NAME].value
    assert must_sign_in(person)
    assert person.browser.cookies[site.SESSION_COOKIE_NAME].value == ""
    person.browser.cookies[site.SESSION_COOKIE_NAME] = copied
    assert must_sign_in(person)


@pytest.fixture
def open_site(settings: Any) -> None:
    """A site without Django's LoginRequiredMiddleware, which reads the user on every page until Django 6.0."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]


@pytest.mark.usefixtures("middleware", "open_site")
def test_page_that_does_not_read_the_session_does_not_depend_on_its_cookie(person, engine):
    person.sign_in(PAGE)
    assert "Cookie" not in person.browser.get("/").headers.get("Vary", "")


REMEMBERS = "tests.support.middleware.RemembersPeople"
READS_EARLY = "tests.support.middleware.ReadsTheSessionEarly"


@pytest.mark.parametrize("others", [[REMEMBERS], [REMEMBERS, READS_EARLY]])
def test_middleware_that_prolongs_sessions_after_ours_moves_no_end(
    person, engine, settings, professional_pages, wait, others
):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *others]
    settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)
    person.sign_in(PAGE)
    assert not must_sign_in(person)
    assert cookie_seconds(person) == 30 * 24 * HOUR
    wait(4 * HOUR - 10)
    assert not must_sign_in(person)
    kept = person.browser.cookies[site.SESSION_COOKIE_NAME].value
    wait(11)
    assert must_sign_in(person)
    assert person.browser.cookies[site.SESSION_COOKIE_NAME].value == ""
    person.browser.cookies[site.SESSION_COOKIE_NAME] = kept
    assert must_sign_in(person)
    assert not Session.objects.exists()


@pytest.mark.usefixtures("middleware", "open_site")
def test_page_that_does_not_read_the_session_costs_no_statement(person, engine):
    person.sign_in(PAGE)
    with statements() as made:
        person.browser.get("/")
    assert len(made) == 0


@pytest.mark.parametrize("saves", [True, False])
def test_middleware_costs_no_statement(person, settings, saves):
    settings.SESSION_SAVE_EVERY_REQUEST = saves
    person.sign_in(PAGE)
    with statements() as without:
        person.browser.get(PAGE)
    settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)
    with statements() as with_it:
        person.browser.get(PAGE)
    assert len(with_it) == len(without)


@pytest.mark.usefixtures("middleware", "open_site")
def test_anonymous_visitors_get_no_session(client, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    response = client.get("/")
    assert not response.cookies
    assert "Vary" not in response.headers or "Cookie" not in response["Vary"]


async def _ask(person: BrowserSession, page: str) -> Any:
    client = AsyncClient()
    client.cookies = person.browser.cookies
    response = await client.get(page)
    person.browser.cookies.update(response.cookies)
    return response


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("engine", ["db", "signed_cookies"], indirect=True)
def test_middleware_keeps_the_end_under_an_asynchronous_server(person, engine, settings, professional_pages, wait):
    settings.SESSION_COOKIE_AGE, settings.SESSION_SAVE_EVERY_REQUEST = 3 * HOUR, True
    person.sign_in(PAGE)
    wait(2 * HOUR)
    assert async_to_sync(_ask)(person, "/podiatrists/decorated/").status_code == 200
    assert 2 * HOUR - 5 <= cookie_seconds(person) <= 2 * HOUR
    wait(2 * HOUR + 1)
    assert async_to_sync(_ask)(person, "/podiatrists/decorated/").status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("engine", ["db", "cached_db", "signed_cookies"], indirect=True)
@pytest.mark.parametrize("others", [[REMEMBERS], [REMEMBERS, READS_EARLY]])
def test_prolonged_session_ends_under_an_asynchronous_server(
    person, engine, settings, professional_pages, wait, others
):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *others]
    settings.MIDDLEWARE = with_ours(settings.MIDDLEWARE)
    person.sign_in(PAGE)
    assert async_to_sync(_ask)(person, "/podiatrists/decorated/").status_code == 200
    assert cookie_seconds(person) == 30 * 24 * HOUR
    wait(4 * HOUR + 1)
    assert async_to_sync(_ask)(person, "/podiatrists/decorated/").status_code == 302
    assert person.browser.cookies[site.SESSION_COOKIE_NAME].value == ""
