"""The admin of accounts: search, view and unlink, without editing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db.models.signals import post_save
from django.urls import reverse

from psc_connect.models import Account, ClaimedState, Provider, UnlinkedAccount
from tests.admin.pages import Administrator, messages_of, text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/psc_connect/account/"


@pytest.fixture
def account(provider: Provider) -> Account:
    user = get_user_model().objects.create_user("dr-martin", first_name="Zoé", last_name="Lefèvre")
    return Account.objects.create(
        provider=provider, user=user, issuer=provider.issuer, subject="f:x:899700", subject_name_id="899700"
    )


@pytest.mark.case("AD04")
def test_a_name_from_a_claim_is_only_text(admin: Administrator, account: Account) -> None:
    get_user_model().objects.filter(pk=account.user_id).update(username="<script>alert(1)</script>")
    for url in (LIST, f"{LIST}{account.pk}/change/"):
        page = admin.browser.get(url).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.case("AD05")
def test_no_page_of_the_admin_is_a_spreadsheet(admin: Administrator, account: Account) -> None:
    """A name such as ``=cmd`` would be a formula in an export to a spreadsheet: there is none."""
    get_user_model().objects.filter(pk=account.user_id).update(username="=cmd|' /C calc'!A0")
    kinds = {}
    for model, model_admin in site._registry.items():
        if model._meta.app_label != "psc_connect":
            continue
        for pattern in model_admin.get_urls():
            name = f"admin:{pattern.name}"
            arguments = [account.pk if model is Account else account.provider_id] if "object_id" in str(pattern) else []
            if pattern.name:
                response = admin.browser.get(reverse(name, args=arguments), follow=False)
                kinds[pattern.name] = response["Content-Type"].partition(";")[0]
    assert len(kinds) > 20
    assert {*kinds.values()} == {"text/html", "application/json"}
    assert [name for name, kind in kinds.items() if kind == "application/json"] == ["psc_connect_provider_export"]


@pytest.mark.parametrize(("words", "count"), [("martin", 1), ("899700", 1), ("Zoé Lefèvre", 1), ("durand", 0)])
def test_accounts_are_found_by_their_user(admin: Administrator, account: Account, words: str, count: int) -> None:
    page = admin.browser.get(LIST, {"q": words})
    assert page.context["cl"].result_count == count
    assert ("Zoé Lefèvre" in text_of(page)) == bool(count)


@pytest.mark.case("AD02")
def test_an_account_is_shown_and_cannot_be_edited(admin: Administrator, account: Account) -> None:
    url = f"{LIST}{account.pk}/change/"
    page = admin.browser.get(url, {"reveal": "1"})
    assert account.subject in text_of(page)
    assert account.issuer in text_of(page)
    other = get_user_model().objects.create_user("other")
    answer = admin.browser.post(url, {"user": other.pk, "subject": "another", "issuer": "https://evil.example"})
    assert answer.status_code == 403
    row = Account.objects.get()
    assert (row.user_id, row.subject, row.issuer) == (account.user_id, account.subject, account.issuer)


def test_an_account_cannot_be_added(admin: Administrator, account: Account) -> None:
    assert admin.browser.get(f"{LIST}add/").status_code == 403


def test_an_account_can_be_unlinked(admin: Administrator, account: Account) -> None:
    admin.browser.post(f"{LIST}{account.pk}/delete/", {"post": "yes"})
    assert not Account.objects.exists()
    assert get_user_model().objects.filter(username="dr-martin").exists()


@pytest.fixture
def a_colleague_links_it_meanwhile(account: Account) -> Iterator[Any]:
    """The account is changed after the page has been opened."""
    other = get_user_model().objects.create_user("other")

    def link(**_said: Any) -> None:
        Account.objects.filter(pk=account.pk).update(user=other)

    post_save.connect(link, sender=LogEntry)
    yield other
    post_save.disconnect(link, sender=LogEntry)


@pytest.mark.parametrize("way", ["page", "list"])
def test_an_account_that_was_changed_meanwhile_is_not_unlinked(
    admin: Administrator, account: Account, a_colleague_links_it_meanwhile: Any, way: str
) -> None:
    selected = {"action": "delete_selected", "_selected_action": [account.pk]} if way == "list" else {}
    url = LIST if way == "list" else f"{LIST}{account.pk}/delete/"
    response = admin.browser.post(url, {"post": "yes", **selected})
    assert response.status_code == 302
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert Account.objects.exists()
    assert not UnlinkedAccount.objects.exists()


def test_a_user_with_an_account_can_be_deleted(admin: Administrator, account: Account) -> None:
    admin.browser.post(f"/admin/auth/user/{account.user_id}/delete/", {"post": "yes"})
    assert not Account.objects.exists()


def test_an_empty_list_says_where_accounts_come_from(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    assert "No one has signed in" in text_of(admin.browser.get(LIST))
    user = get_user_model().objects.create_user("somebody")
    Account.objects.create(provider=provider, user=user, issuer="i", subject="s")
    assert "No one has signed in" not in text_of(admin.browser.get(LIST))


def test_used_states_have_no_page() -> None:
    assert not site.is_registered(ClaimedState)
