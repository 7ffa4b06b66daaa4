"""Unlinking of an account: its sessions end, its groups are removed, and the audit log keeps an entry."""

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
from tests.support.backend_hooks import LinksByNationalIdentifier, use_backend
from tests.support.browser_session import PAGE, BrowserSession, must_sign_in

pytestmark = pytest.mark.django_db
SESSIONS = "django.contrib.sessions.backends."
PODIATRIST = next(person for person in PEOPLE if person.slug == "podiatrist")
LIST = "/admin/psc_connect/account/"


def signed_in(person: BrowserSession) -> BrowserSession:
    assert person.sign_in(PAGE)["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200
    return person


def know(settings: Any, user: Any) -> None:
    """Make the site's own hook find this user at a first login."""
    use_backend(settings, LinksByNationalIdentifier)
    ExportedAttribute.objects.filter(user_field="last_name").delete()
    get_user_model().objects.filter(pk=user.pk).update(last_name=PODIATRIST.userinfo["SubjectNameID"])


@pytest.mark.case("AD02", "AL14")
@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "file", "signed_cookies"])
def test_sessions_of_the_account_end_in_every_session_store(
    provider: Any, person: BrowserSession, settings: Any, tmp_path: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = SESSIONS + engine
    settings.SESSION_FILE_PATH = str(tmp_path)
    import_module(settings.SESSION_ENGINE)
    signed_in(person)
    unlink(Account.objects.get(), by=None)
    assert must_sign_in(person)


@pytest.mark.case("AL14")
@pytest.mark.parametrize("engine", ["db", "cache", "signed_cookies"])
def test_row_can_be_deleted_only_after_the_older_sessions_have_expired(
    provider: Any, settings: Any, engine: str, time_machine: Any
) -> None:
    """A copy of a session cookie, unused since the unlinking: only the row ends it."""
    settings.SESSION_ENGINE = SESSIONS + engine
    import_module(settings.SESSION_ENGINE)
    early, late = signed_in(BrowserSession()), signed_in(BrowserSession())
    now = datetime.now(timezone.utc)
    unlink(Account.objects.get(), by=None)
    UnlinkedAccount.objects.all().delete()
    assert not must_sign_in(early)
    time_machine.move_to(now + timedelta(seconds=settings.SESSION_COOKIE_AGE + 1))
    assert must_sign_in(late)


@pytest.mark.parametrize("fallbacks", [[], ["an older key " + "x" * 40]])
def test_secret_key_fallbacks_do_not_restore_an_ended_session(
    provider: Any, person: BrowserSession, settings: Any, fallbacks: list[str]
) -> None:
    signed_in(person)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY, *fallbacks]
    settings.SECRET_KEY = "a new key " + "y" * 40
    assert not must_sign_in(person)
    unlink(Account.objects.get(), by=None)
    assert must_sign_in(person)


def test_unlinked_person_signs_in_as_a_new_user_and_stays_signed_in(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    before = get_user_model().objects.get()
    unlink(Account.objects.get(), by=None)
    again = signed_in(BrowserSession())
    assert not must_sign_in(again)
    assert Account.objects.get().user != before


def test_user_linked_again_by_the_sites_own_code_stays_signed_in(
    provider: Any, person: BrowserSession, settings: Any
) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    unlink(Account.objects.get(), by=None)
    know(settings, user)
    again = signed_in(BrowserSession())
    assert Account.objects.get().user == user
    assert not must_sign_in(again)
    assert not must_sign_in(again)
    assert must_sign_in(person)


def test_second_unlinking_ends_sessions_opened_after_the_first(
    provider: Any, person: BrowserSession, settings: Any
) -> None:
    know(settings, get_user_model().objects.create_user("known"))
    for _time in range(2):
        signed_in(person)
        unlink(Account.objects.get(), by=None)
        assert must_sign_in(person)


def test_session_opened_by_password_is_not_ended(provider: Any, person: BrowserSession, client: Any) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    unlink(Account.objects.get(), by=None)
    assert client.get(PAGE).status_code == 200
    assert must_sign_in(person)


def test_user_who_was_never_unlinked_has_djangos_session_hash(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    user = get_user_model().objects.get()
    assert person.browser.session["_auth_user_hash"] == user.get_session_auth_hash()


def test_force_login_works(provider: Any, client: Any) -> None:
    client.force_login(get_user_model().objects.create_user("somebody"))
    assert client.get(PAGE).status_code == 200


def test_groups_granted_by_the_account_are_removed(provider: Any, person: BrowserSession) -> None:
    given, own = Group.objects.create(name="given"), Group.objects.create(name="own")
    ExportedGroup.objects.create(provider=provider, claim="given_name != 'x'", group=given)
    signed_in(person)
    user = get_user_model().objects.get()
    user.groups.add(own)
    assert set(user.groups.all()) == {given, own}
    unlink(Account.objects.get(), by=None)
    assert set(user.groups.all()) == {own}


@pytest.mark.case("AD02")
def test_audit_log_has_who_unlinked_which_user_and_when(
    provider: Any, person: BrowserSession, admin: Administrator
) -> None:
    signed_in(person)
    account = Account.objects.get()
    page = admin.browser.get(f"{LIST}{account.pk}/delete/", {"reveal": "1"})
    assert account.user.get_username() in text_of(page)
    admin.browser.post(f"{LIST}{account.pk}/delete/", {"post": "yes"})
    entry = UnlinkedAccount.objects.get()
    assert (entry.issuer, entry.subject, entry.provider) == (account.issuer, account.subject, "psc")
    assert entry.unlinked_by is not None
    assert entry.unlinked_by.get_username().startswith("administrator")
    assert get_user_model().objects.filter(pk=account.user_id).exists()
    assert must_sign_in(person)


def test_several_are_unlinked_after_a_confirmation(simulator: Any, provider: Any, admin: Administrator) -> None:
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
    assert all(must_sign_in(person) for person in people)


def test_confirmation_warns_if_the_user_could_not_sign_in_any_more(
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


def test_audit_log_is_read_only(provider: Any, person: BrowserSession, admin: Administrator) -> None:
    signed_in(person)
    entry = unlink(Account.objects.get(), by=None)
    url = f"/admin/psc_connect/unlinkedaccount/{entry.pk}/"
    assert admin.browser.get(f"{url}change/").status_code == 200
    assert admin.browser.post(f"{url}change/", {"username": "x"}).status_code == 403
    assert admin.browser.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert admin.browser.get("/admin/psc_connect/unlinkedaccount/add/").status_code == 403


def test_audit_log_is_kept_after_the_user_is_deleted(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    unlink(Account.objects.get(), by=None)
    get_user_model().objects.all().delete()
    assert UnlinkedAccount.objects.get().user is None


def test_user_without_the_delete_permission_cannot_unlink(provider: Any, person: BrowserSession) -> None:
    signed_in(person)
    staff = administrator("view_account")
    answer = staff.browser.post(f"{LIST}{Account.objects.get().pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert Account.objects.exists()


def test_page_view_costs_no_additional_query(provider: Any, person: BrowserSession) -> None:
    from tests.login.test_costs import statements

    signed_in(person)
    with statements() as queries:
        person.browser.get(PAGE)
    assert len(queries) == 2, queries


def test_unlinked_user_can_be_cached(provider: Any, simulator: Any, admin: Administrator) -> None:
    person = signed_in(BrowserSession())
    unlink(Account.objects.get(), by=None)
    again = signed_in(person)
    user: Any = again.browser.get(PAGE).wsgi_request.user
    kept = pickle.loads(pickle.dumps(user._wrapped if hasattr(user, "_wrapped") else user))
    assert kept == user
    assert kept.get_session_auth_hash() == user.get_session_auth_hash()
    assert list(kept.get_session_auth_fallback_hash()) == list(user.get_session_auth_fallback_hash())
