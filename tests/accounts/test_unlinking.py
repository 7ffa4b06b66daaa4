"""An account is unlinked: its sessions end wherever they are kept, what it gave goes, a trail stays."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.accounts.unlinking import unlink
from psc_connect.models import Account, ExportedAttribute, ExportedGroup, UnlinkedAccount
from psc_connect.simulator.people import PEOPLE
from tests.admin.pages import Administrator, administrator, text_of
from tests.conftest import make_provider
from tests.support.browser_session import PAGE, BrowserSession, is_out
from tests.support.hooks import LinksByNationalIdentifier, use

pytestmark = pytest.mark.django_db
SESSIONS = "django.contrib.sessions.backends."
PODIATRIST = next(person for person in PEOPLE if person.slug == "podiatrist")
LIST = "/admin/psc_connect/account/"


def signed_in(person: BrowserSession) -> BrowserSession:
    assert person.sign_in(PAGE)["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200
    return person


def know(settings: Any, user: Any) -> None:
    """Let the site's own code find this user at a first login."""
    use(settings, LinksByNationalIdentifier)
    ExportedAttribute.objects.filter(user_field="last_name").delete()
    get_user_model().objects.filter(pk=user.pk).update(last_name=PODIATRIST.userinfo["SubjectNameID"])


@pytest.mark.case("AD02", "AL14")
@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "file", "signed_cookies"])
def test_the_sessions_of_the_account_end_wherever_they_are_kept(
    provider: Any, person: BrowserSession, settings: Any, tmp_path: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = SESSIONS + engine
    settings.SESSION_FILE_PATH = str(tmp_path)
    import_module(settings.SESSION_ENGINE)
    signed_in(person)
    unlink(Account.objects.get(), by=None)
    assert is_out(person)


@pytest.mark.case("AL14")
@pytest.mark.parametrize("engine", ["db", "cache", "signed_cookies"])
def test_the_row_can_go_once_the_sessions_of_before_are_over_and_no_sooner(
    provider: Any, settings: Any, engine: str, time_machine: Any
) -> None:
    """A copy of the cookie that nobody has shown since: the row alone says that it has ended."""
    settings.SESSION_ENGINE = SESSIONS + engine
    import_module(settings.SESSION_ENGINE)
    early, late = signed_in(BrowserSession()), signed_in(BrowserSession())
    now = datetime.now(timezone.utc)
    unlink(Account.objects.get(), by=None)
    UnlinkedAccount.objects.all().delete()
    assert not is_out(early)
    time_machine.move_to(now + timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    assert is_out(late)


@pytest.mark.parametrize("fallbacks", [[], ["an older key " + "x" * 40]])
def test_an_older_secret_key_brings_no_ended_session_back(
    provider: Any, person: BrowserSession, settings: Any, fallbacks: list[str]
) -> None:
    signed_in(person)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY, *fallbacks]
    settings.SECRET_KEY = "a new key " + "y" * 40
    assert not is_out(person)
    unlink(Account.objects.get(), by=None)
    assert is_out(person)


def test_whoever_was_unlinked_signs_in_as_somebody_new_and_stays_signed_in(
    provider: Any, person: BrowserSession
) -> None:
    signed_in(person)
    before = get_user_model().objects.get()
    unlink(Account.objects.get(), by=None)
    again = signed_in(BrowserSession())
    assert not is_out(again)
    assert Account.objects.get().user != before


def test_whoever_is_linked_again_by_the_sites_own_code_stays_signed_in(
    provider: Any, person: BrowserSession, settings: Any
) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    unlink(Account.objects.get(), by=None)
    know(settings, user)
    again = signed_in(BrowserSession())
    assert Account.objects.get().user == user
    assert not is_out(again)
    assert not is_out(again)
    assert is_out(person)


def test_a_second_unlinking_ends_what_was_opened_after_the_first(
    provider: Any, person: BrowserSession, settings: Any
) -> None:
    know(settings, get_user_model().objects.create_user("known"))
    for _time in range(2):
        signed_in(person)
        unlink(Account.objects.get(), by=None)
        assert is_out(person)


def test_a_session_that_a_password_opened_is_none_of_ours(provider: Any, person: BrowserSession, client: Any) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    unlink(Account.objects.get(), by=None)
    assert client.get(PAGE).status_code == 200
    assert is_out(person)


def test_a_user_who_was_never_unlinked_has_the_hash_that_django_gives(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    assert person.browser.session["_auth_user_hash"] == user.get_session_auth_hash()


def test_tests_of_a_site_can_force_a_login(provider: Any, client: Any) -> None:
    client.force_login(get_user_model().objects.create_user("somebody"))
    assert client.get(PAGE).status_code == 200


def test_the_groups_that_the_account_was_given_go(provider: Any, person: BrowserSession) -> None:
    given, own = Group.objects.create(name="given"), Group.objects.create(name="own")
    ExportedGroup.objects.create(provider=provider, claim="given_name != 'x'", group=given)
    signed_in(person)
    user = get_user_model().objects.get()
    user.groups.add(own)
    assert set(user.groups.all()) == {given, own}
    unlink(Account.objects.get(), by=None)
    assert set(user.groups.all()) == {own}


@pytest.mark.case("AD02")
def test_a_trail_stays_of_who_unlinked_whom_and_when(
    provider: Any, person: BrowserSession, admin: Administrator
) -> None:
    signed_in(person)
    account = Account.objects.get()
    page = admin.browser.get(f"{LIST}{account.pk}/delete/")
    assert account.user.get_username() in text_of(page)
    admin.browser.post(f"{LIST}{account.pk}/delete/", {"post": "yes"})
    trail = UnlinkedAccount.objects.get()
    assert (trail.issuer, trail.subject, trail.provider) == (account.issuer, account.subject, "psc")
    assert trail.unlinked_by is not None
    assert trail.unlinked_by.get_username().startswith("administrator")
    assert get_user_model().objects.filter(pk=account.user_id).exists()
    assert is_out(person)


def test_several_are_unlinked_at_once_after_a_question(simulator: Any, provider: Any, admin: Administrator) -> None:
    make_provider(simulator, "other")
    people = [signed_in(BrowserSession())]
    simulator.sign_in("nurse")
    people.append(signed_in(BrowserSession()))
    ids = [str(account.pk) for account in Account.objects.all()]
    question = admin.browser.post(LIST, {"action": "delete_selected", "_selected_action": ids})
    assert Account.objects.count() == 2
    assert question.status_code == 200
    answer = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    admin.browser.post(LIST, answer)
    assert not Account.objects.exists()
    assert UnlinkedAccount.objects.count() == 2
    assert all(is_out(person) for person in people)


def test_the_question_warns_where_the_user_could_not_sign_in_any_more(
    provider: Any, person: BrowserSession, admin: Administrator, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    signed_in(person)
    url = f"{LIST}{Account.objects.get().pk}/delete/"
    assert "It has no password" in text_of(admin.browser.get(url))
    user = get_user_model().objects.get(psc_accounts__isnull=False)
    user.set_password("a password")
    user.save()
    assert "It has no password" not in text_of(admin.browser.get(url))


def test_the_trail_is_read_and_never_edited(provider: Any, person: BrowserSession, admin: Administrator) -> None:
    signed_in(person)
    trail = unlink(Account.objects.get(), by=None)
    url = f"/admin/psc_connect/unlinkedaccount/{trail.pk}/"
    assert admin.browser.get(f"{url}change/").status_code == 200
    assert admin.browser.post(f"{url}change/", {"username": "x"}).status_code == 403
    assert admin.browser.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert admin.browser.get("/admin/psc_connect/unlinkedaccount/add/").status_code == 403


def test_the_trail_outlives_the_user(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    unlink(Account.objects.get(), by=None)
    get_user_model().objects.all().delete()
    assert UnlinkedAccount.objects.get().user is None


def test_whoever_may_not_delete_accounts_unlinks_nobody(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    staff = administrator("view_account")
    answer = staff.browser.post(f"{LIST}{Account.objects.get().pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert Account.objects.exists()


def test_an_ordinary_page_costs_no_statement_more(provider: Any, person: BrowserSession) -> None:
    from tests.login.test_costs import statements

    signed_in(person)
    with statements() as seen:
        person.browser.get(PAGE)
    assert len(seen) == 2, seen


def test_a_user_who_was_unlinked_can_be_kept_in_a_cache(provider: Any, simulator: Any, admin: Administrator) -> None:
    person = signed_in(BrowserSession())
    unlink(Account.objects.get(), by=None)
    again = signed_in(person)
    user = again.browser.get(PAGE).wsgi_request.user
    kept = pickle.loads(pickle.dumps(user._wrapped if hasattr(user, "_wrapped") else user))
    assert kept == user
    assert kept.get_session_auth_hash() == user.get_session_auth_hash()
    assert list(kept.get_session_auth_fallback_hash()) == list(user.get_session_auth_fallback_hash())
