"""Details on the page of an account: masked identifiers and the audit log."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from psc_connect.accounts import audit
from psc_connect.accounts.identifiers import Identifier, row_of
from psc_connect.admin.masking import masked as mask
from psc_connect.models import Account, AccountChange, Provider, UnlinkedAccount
from tests.admin.account_page import LIST, RPPS, confirm, look, page_of
from tests.admin.pages import Administrator, administrator, text_of
from tests.support.browser_session import BrowserSession

pytestmark = pytest.mark.django_db


def test_identifiers_are_masked_until_they_are_revealed(admin: Administrator, kept: Account) -> None:
    url = page_of(kept, "change")
    masked, revealed = admin.browser.get(url).content.decode(), admin.browser.get(url, {"reveal": "1"}).content.decode()
    for number in (RPPS, kept.subject):
        assert number not in masked
        assert number in revealed
    assert "99•••••••85" in masked


@pytest.mark.parametrize("username", ["{}", "psc-8{}", "x.{}"])
def test_a_username_that_is_an_identifier_is_masked_in_every_list(
    admin: Administrator, kept: Account, username: str
) -> None:
    User.objects.filter(pk=kept.user_id).update(username=username.format(RPPS))
    kept.refresh_from_db()
    audit.record(kept, AccountChange.Action.LINKED, provider=kept.provider, before={"username": RPPS}, by=None)
    change = AccountChange.objects.get()
    for url in (LIST, "/admin/psc_connect/accountchange/", f"/admin/psc_connect/accountchange/{change.pk}/change/"):
        page = text_of(admin.browser.get(url))
        assert RPPS not in page
        assert username.format("99•••••••85")[-12:] in page


def test_a_username_is_masked_after_its_account_is_deleted(admin: Administrator, kept: Account) -> None:
    User.objects.filter(pk=kept.user_id).update(username=RPPS)
    kept.refresh_from_db()
    audit.record(kept, AccountChange.Action.LINKED, provider=kept.provider, before={"username": RPPS}, by=None)
    kept.delete()
    change = AccountChange.objects.get()
    for page in ("", f"{change.pk}/change/"):
        assert RPPS not in admin.browser.get(f"/admin/psc_connect/accountchange/{page}").content.decode()


@pytest.mark.parametrize("name", ["account", "accountchange", "unlinkedaccount"])
def test_the_date_filter_has_the_title_date(admin: Administrator, kept: Account, english: None, name: str) -> None:
    page = admin.browser.get(f"/admin/psc_connect/{name}/")
    [by_date] = [each for each in page.context["cl"].filter_specs if each.title == "date"]
    assert "By date" in text_of(page)
    [*_links, this_year] = by_date.choices(page.context["cl"])
    assert admin.browser.get(f"/admin/psc_connect/{name}/{this_year['query_string']}").status_code == 200


def test_an_unlinked_account_reveals_its_numbers_on_request(admin: Administrator, kept: Account, english: None) -> None:
    User.objects.filter(pk=kept.user_id).update(username=RPPS)
    Account.objects.filter(pk=kept.pk).update(subject=f"f:x:8{RPPS}", subject_name_id=f"8{RPPS}")
    admin.browser.post(page_of(kept, "delete"), {"post": "yes"})
    row = UnlinkedAccount.objects.get()
    url = f"/admin/psc_connect/unlinkedaccount/{row.pk}/change/"
    assert RPPS not in text_of(admin.browser.get("/admin/psc_connect/unlinkedaccount/"))
    masked = admin.browser.get(url)
    assert RPPS not in masked.content.decode()
    assert "Identifiers are masked. Reveal them" in text_of(masked)
    revealed = text_of(admin.browser.get(url, {"reveal": "1"}))
    assert {RPPS, f"8{RPPS}", f"f:x:8{RPPS}"} <= set(revealed.split())
    blind = administrator("view_unlinkedaccount").browser.get(url, {"reveal": "1"})
    assert RPPS not in blind.content.decode()


def test_without_the_right_to_view_claims_nothing_is_revealed(kept: Account) -> None:
    staff = administrator("view_account")
    text = staff.browser.get(page_of(kept, "change"), {"reveal": "1"}).content.decode()
    assert RPPS not in text
    assert "?reveal=1" not in text


def test_the_page_shows_which_identifiers_find_the_account(admin: Administrator, kept: Account) -> None:
    row_of(kept, Identifier("edit", "ANS20231122132732", "EDIT", 2)).save()
    shown = admin.browser.get(page_of(kept, "change")).context["identifiers"]
    assert (shown[0].kind, shown[0].finds_account) == ("sub", True)
    assert [each.finds_account for each in shown if each.origin] == [True, False]


def test_the_audit_log_is_shown_on_the_page_and_read_only(admin: Administrator, kept: Account, other: Account) -> None:
    confirm(admin, kept, "merge", look(admin, kept, "merge", other=other.user.username))
    change = AccountChange.objects.get()
    url = f"/admin/psc_connect/accountchange/{change.pk}/"
    assert f"{url}change/" in admin.browser.get(page_of(kept, "change")).content.decode()
    masked = admin.browser.get(f"{url}change/")
    assert mask(other.subject) in text_of(masked)
    # Without this class, a masked sub would be one very long line.
    assert "psc_connect/admin.css" in masked.content.decode()
    assert other.subject not in masked.content.decode()
    assert other.subject in admin.browser.get(f"{url}change/", {"reveal": "1"}).content.decode()
    assert admin.browser.post(f"{url}change/", {"username": "x"}).status_code == 403
    assert admin.browser.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert admin.browser.get("/admin/psc_connect/accountchange/add/").status_code == 403
    assert (
        admin.browser.get("/admin/psc_connect/accountchange/", {"q": kept.user.username}).context["cl"].result_count
        == 1
    )


@pytest.mark.parametrize("typed", [RPPS, "8" + RPPS, f" 8{RPPS} ", RPPS[2:9], "dr-mart"])
def test_an_account_is_found_by_any_of_its_numbers(
    admin: Administrator, kept: Account, other: Account, typed: str
) -> None:
    accounts = admin.browser.get(LIST, {"q": typed}).context["cl"].queryset
    assert kept in accounts
    assert (other in accounts) is (typed == "dr-mart")


def test_the_professional_data_are_shown_with_the_right_to_view_claims(
    admin: Administrator, provider: Provider, person: BrowserSession
) -> None:
    person.sign_in()
    account = Account.objects.get()
    url = page_of(account, "change")
    assert "Pédicure-Podologue – CABINET INDIVIDUEL PEDI PODO0023704" in text_of(admin.browser.get(url))
    assert "Podologue" not in text_of(administrator("view_account").browser.get(url))
    Account.objects.update(professional={})
    assert "sans droit de professionnel" in text_of(admin.browser.get(url))


def test_a_username_that_is_an_identifier_is_masked_and_only_found_whole_without_the_right(kept: Account) -> None:
    """The mapping may write the national identifier into the username."""
    kept.user.username = RPPS
    kept.user.save()
    limited = administrator("view_account").browser
    assert RPPS not in limited.get(page_of(kept, "change")).content.decode()
    counts = {query: limited.get(LIST, {"q": query}).context["cl"].result_count for query in (RPPS, RPPS[:-2])}
    assert counts == {RPPS: 1, RPPS[:-2]: 0}
