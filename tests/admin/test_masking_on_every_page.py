"""Every page of the admin, opened by every role: no answer has an identifier of a person that was not revealed."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import transaction

from psc_connect.accounts.withdrawal import former_identifiers
from psc_connect.admin.masking import DOT
from psc_connect.models import Account, Provider, UnlinkedAccount
from tests.admin.clinic import Clinic, build_clinic, keep_dry_run
from tests.admin.pages import Administrator, administrator

pytestmark = pytest.mark.django_db
OURS = "psc_connect"
SEE = "view_claims"
LOOK = ("view_account", "view_accountchange", "view_unlinkedaccount", "view_provider")
PERMISSIONS = (
    *LOOK,
    "add_provider",
    "change_provider",
    "delete_provider",
    "replace_provider_secrets",
    "delete_account",
    "link_account",
)
BLIND: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in PERMISSIONS},
    "clerk": LOOK,
    "linker": (*LOOK, "delete_account", "link_account", "change_user"),
    "editor": ("view_provider", "change_provider", "add_provider", "delete_provider"),
    "all but claims": (*PERMISSIONS, "change_user", "view_user", "delete_user"),
}
SEEING: dict[str, tuple[str, ...]] = {
    "view_claims": (SEE,),
    "clerk with claims": (*LOOK, SEE),
    "superuser": (),
}


@dataclass(frozen=True)
class Ask:
    """A request besides the GET and the empty POST that every URL gets."""

    data: dict[str, Any] | None = None
    query: dict[str, Any] = field(default_factory=dict)


@dataclass
class Walk:
    """One role's way through every page. ``reveal``: whether it asks the page of a row to show identifiers.

    ``masking``: the pages that showed masked text.
    """

    clinic: Clinic
    admin: Administrator
    reveal: bool
    masking: set[str] = field(default_factory=set)

    def everywhere(self) -> None:
        refused: Counter[str] = Counter()
        for key, url, row in every_url():
            # The first account is a superuser's, which is refused to others more often than the rest.
            if refused[key] > 1:
                continue
            if self.ask(key, url, Ask()) == self.ask(key, url, Ask({})) == 403:
                refused[key] += 1
                continue
            for ask in ASKS[key](self.clinic, row):
                self.ask(key, url, ask)
        for url, query in OTHER_PAGES:
            self.ask(url, url, Ask(query=query))

    def ask(self, key: str, url: str, ask: Ask) -> int:
        """Send a request, follow its redirects, confirm what it previews, and undo what it did; return the status."""
        with transaction.atomic():
            response = self._send(key, url, ask)
            if payload := (response.context or {}).get("payload"):
                ticked = dict.fromkeys(("privileged", "different_names", "refused_sub", "deactivate"), "on")
                self._send(key, url, Ask({"payload": payload, **ticked}))
            transaction.set_rollback(True)
        return int(response.status_code)

    def _send(self, key: str, url: str, ask: Ask) -> Any:
        browser = self.admin.browser
        query = {**ask.query, **({"reveal": "1"} if self.reveal and OBJECT in key else {})}
        if ask.data is None:
            response = browser.get(url, query, follow=True)
        else:
            response = browser.post(url, ask.data, query_params=query, follow=True)
        assert response.status_code < 500
        raw = " ".join([*parts_of(response), *(cookie.OutputString() for cookie in browser.cookies.values())])
        found = {each for text in (raw, html.unescape(raw), unquote(raw)) for each in self.clinic.people_in(text)}
        assert not found, (url, ask, found)
        if DOT in raw:
            self.masking.add(key)
        return response


def parts_of(response: Any) -> Iterator[str]:
    """Yield the content, the headers, the addresses on the way to it, and what was written into Django's log."""
    yield response.content.decode()
    yield from response.headers.values()
    yield from (address for address, _status in response.redirect_chain)
    for row in LogEntry.objects.values_list("object_repr", "change_message"):
        yield from row


def every_url() -> Iterator[tuple[str, str, Any]]:
    """Yield (key, URL, row) of every URL of the package in the admin, with every row that it may show."""
    for model, model_admin in site._registry.items():
        if model._meta.app_label != OURS:
            continue
        for pattern in model_admin.get_urls():
            route = str(pattern.pattern)
            for row in model._default_manager.order_by("pk") if "<" in route else [None]:
                filled_in = route.replace("<path:object_id>", str(row and row.pk))
                url = f"/admin/{OURS}/{model._meta.model_name}/{filled_in}"
                # Another argument than the row: this test must know its values.
                assert "<" not in url
                yield f"{model._meta.model_name}/{route}", url, row


def nothing_else(_clinic: Clinic, _row: Any) -> list[Ask]:
    return []


def of_a_list(*actions: str) -> Callable[[Clinic, Any], list[Ask]]:
    """Return the requests for a list: searches, and these actions on some rows."""

    def asks(clinic: Clinic, _row: Any) -> list[Ask]:
        queries = [{"q": "dr-martin"}, {"q": "Martin"}, {"_facets": "1"}, {"_popup": "1", "_to_field": "id"}]
        queries += [{"_popup": "1", "_to_field": name} for name in ("subject", "username", "user")]
        pks = [account.pk for account in clinic.accounts]
        posts = [
            {"action": action, "_selected_action": selected, **confirmed}
            for action in actions
            for selected in (pks, pks[:2])
            for confirmed in ({}, {"post": "yes"})
        ]
        return [*(Ask(query=query) for query in queries), *map(Ask, posts)]

    return asks


def of_an_unlinking(_clinic: Clinic, _row: Account) -> list[Ask]:
    return [Ask({"post": "yes"})]


def of_a_merger(clinic: Clinic, row: Account) -> list[Ask]:
    # The previews of a few accounts are enough: their template is the same.
    if row not in clinic.accounts[:3]:
        return []
    others = [account.pk for account in clinic.accounts if account.pk != row.pk][:2]
    wrong = ["#999", "nobody", "", f"#{row.pk}"] if row.pk == clinic.accounts[0].pk else []
    typed = [*(f"#{pk}" for pk in others), "dr-martin", *wrong]
    return [*(Ask({"other": each}) for each in typed), Ask(query={"other": f"#{others[0]}"})]


def of_a_link(clinic: Clinic, row: Account) -> list[Ask]:
    if row not in clinic.accounts[:3]:
        return []
    unlinked = UnlinkedAccount.objects.exclude(user=None).values_list("user", flat=True)
    wrong = ["#999", "nobody", "", f"#{row.user_id}", "dr-martin"] if row.pk == clinic.accounts[0].pk else []
    typed = [*(f"#{pk}" for pk in unlinked), *wrong]
    return [*(Ask({"user": each}) for each in typed), Ask(query={"user": f"#{row.user_id}"})]


def of_a_withdrawal(_clinic: Clinic, row: Account) -> list[Ask]:
    return [Ask({"identifiers": [each.pk for each in former_identifiers(row)]})]


def of_the_mapping(clinic: Clinic, row: Provider) -> list[Ask]:
    form = form_of(clinic, row, "mapping", "mapping_form")
    changed = {**form, "attributes-0-claim": "family_name || 'x'", "version": clinic.version, "_save": "on"}
    return [
        *(Ask({**form, "sample": sample, "_preview": "on"}) for sample in ("dry-run", "podiatrist-2023")),
        Ask(changed),
        Ask({**form, "preset": "directory", "_fill": "on"}),
    ]


def of_the_access_rules(clinic: Clinic, row: Provider) -> list[Ask]:
    form = {**form_of(clinic, row, "access-rules", "access_rules_form"), "others_may_sign_in": "False"}
    saved = {**form, "_save": "on"}
    return [Ask({**form, "_preview": "on"}), Ask(saved), Ask({**saved, "version": clinic.version, "contact": "x"})]


def of_the_settings(clinic: Clinic, row: Provider) -> list[Ask]:
    form = form_of(clinic, row, "change", "provider_form")
    # As the page was before the colleague changed the text of the button.
    stale = {**form, "shown_version": clinic.version, "initial-button_text": ""}
    return [Ask({**stale, "button_text": "Sortir"}), Ask({**stale, "comment": "new"}), Ask({**form, "slug": ""})]


def of_the_keys(_clinic: Clinic, _row: Provider) -> list[Ask]:
    return [Ask({"action": action, "document": "{}"}) for action in ("paste", "accept", "pin", "retire")]


def form_of(clinic: Clinic, provider: Provider, page: str, form: str) -> dict[str, Any]:
    return clinic.chief.fields_of(f"/admin/{OURS}/provider/{provider.pk}/{page}/", form)


OBJECT = "<path:object_id>/"
# A new page of the package is added here, with the requests that make it show people.
ASKS: dict[str, Callable[[Clinic, Any], list[Ask]]] = {
    "account/": of_a_list("delete_selected", "merge_selected"),
    f"account/{OBJECT}delete/": of_an_unlinking,
    f"account/{OBJECT}merge/": of_a_merger,
    f"account/{OBJECT}link/": of_a_link,
    f"account/{OBJECT}withdraw/": of_a_withdrawal,
    "accountchange/": of_a_list("delete_selected"),
    "unlinkedaccount/": of_a_list("delete_selected"),
    "provider/": of_a_list("delete_selected"),
    f"provider/{OBJECT}change/": of_the_settings,
    f"provider/{OBJECT}delete/": of_an_unlinking,
    f"provider/{OBJECT}mapping/": of_the_mapping,
    f"provider/{OBJECT}access-rules/": of_the_access_rules,
    f"provider/{OBJECT}keys/": of_the_keys,
    **dict.fromkeys(
        (
            *(f"{name}/add/" for name in ("account", "accountchange", "unlinkedaccount", "provider")),
            *(f"{name}/{OBJECT}" for name in ("account", "accountchange", "unlinkedaccount", "provider")),
            *(f"{name}/{OBJECT}history/" for name in ("account", "accountchange", "unlinkedaccount", "provider")),
            *(f"{name}/{OBJECT}change/" for name in ("account", "accountchange", "unlinkedaccount")),
            *(f"{name}/{OBJECT}delete/" for name in ("accountchange", "unlinkedaccount")),
            "provider/confirm/",
            "provider/import/",
            f"provider/{OBJECT}connection/",
            f"provider/{OBJECT}begin-dry-run/",
            f"provider/{OBJECT}dry-run/",
            f"provider/{OBJECT}rules/",
            f"provider/{OBJECT}export/",
            f"provider/{OBJECT}accept-metadata/",
            f"provider/{OBJECT}move-accounts/",
        ),
        nothing_else,
    ),
}
# Pages of Django that name rows of the package.
OTHER_PAGES: tuple[tuple[str, dict[str, str]], ...] = (
    ("/admin/", {}),
    (f"/admin/{OURS}/", {}),
    *(
        ("/admin/autocomplete/", {"app_label": OURS, "model_name": model, "field_name": "account", "term": term})
        for model in ("accountidentifier", "groupgrant", "accountchange")
        for term in ("", "Martin")
    ),
)
# What a superuser sees masked: on each of these pages somebody is shown, so that the test looks at something.
MASKED = {
    "account/",
    *(f"account/{OBJECT}{page}/" for page in ("change", "delete", "merge", "link", "withdraw", "history")),
    "accountchange/",
    f"accountchange/{OBJECT}change/",
    "unlinkedaccount/",
    f"unlinkedaccount/{OBJECT}change/",
    *(f"provider/{OBJECT}{page}/" for page in ("access-rules", "change", "dry-run", "history", "mapping")),
}


@pytest.fixture
def clinic(provider: Provider) -> Clinic:
    return build_clinic(provider)


def role_with_dry_run(clinic: Clinic, *permissions: str) -> Administrator:
    admin = administrator(*permissions)
    keep_dry_run(admin.browser.session, clinic)
    return admin


def test_every_url_of_the_package_is_in_the_walk(clinic: Clinic) -> None:
    assert {key for key, _url, _row in every_url()} == {*ASKS}


def test_the_roles_have_every_permission_of_the_package() -> None:
    codenames = Permission.objects.filter(content_type__app_label=OURS).values_list("codename", flat=True)
    assert {*codenames} == {*PERMISSIONS, SEE}


@pytest.mark.case("NW11")
@pytest.mark.parametrize("role", BLIND)
def test_without_the_right_to_view_claims_no_page_shows_an_identifier(clinic: Clinic, role: str) -> None:
    Walk(clinic, role_with_dry_run(clinic, *BLIND[role]), reveal=True).everywhere()


@pytest.mark.case("NW11")
@pytest.mark.parametrize("role", SEEING)
def test_with_the_right_identifiers_are_masked_until_they_are_revealed(clinic: Clinic, role: str) -> None:
    walk = Walk(clinic, role_with_dry_run(clinic, *SEEING[role]), reveal=False)
    walk.everywhere()
    if role == "superuser":
        assert walk.masking >= MASKED


@pytest.mark.case("NW11")
def test_revealed_pages_show_the_identifiers(clinic: Clinic) -> None:
    admin, shown = administrator(), set()
    for key, url, _row in every_url():
        if OBJECT in key and "provider" not in key:
            shown |= clinic.people_in(admin.browser.get(url, {"reveal": "1"}, follow=True).content.decode())
    assert shown >= {account.subject for account in clinic.accounts}


def test_no_row_of_the_package_names_an_identifier(clinic: Clinic) -> None:
    """Django's own pages show rows by these texts, such as the page that deletes a user."""
    for model in apps.get_app_config(OURS).get_models():
        for row in model._default_manager.all():
            assert not clinic.people_in(f"{row} {row!r}"), model


def test_the_page_that_deletes_a_user_names_no_identifier(clinic: Clinic) -> None:
    plain = User.objects.get(username="dr-martin")
    page = clinic.chief.browser.get(f"/admin/auth/user/{plain.pk}/delete/").content.decode()
    assert str(plain.psc_accounts.get()) in html.unescape(page)
    assert not clinic.people_in(page)
