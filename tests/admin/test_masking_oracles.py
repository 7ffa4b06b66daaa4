"""Without the right to view claims, no answer tells a part of an identifier, or whether a username exists."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Field, Model
from django.test.utils import CaptureQueriesContext

from psc_connect.accounts.unlinking import unlink
from psc_connect.models import Account, AccountChange, Provider, UnlinkedAccount
from tests.admin.clinic import Clinic, build_clinic
from tests.admin.mapping_page import page_of
from tests.admin.pages import Administrator, administrator
from tests.admin.test_masking_on_every_page import LOOK, OURS, SEE

pytestmark = [pytest.mark.django_db, pytest.mark.case("NW11")]
LISTS = ("account", "accountchange", "unlinkedaccount")
AUTOCOMPLETE = {"app_label": OURS, "model_name": "accountidentifier", "field_name": "account"}
# Columns that hold an identifier, or may.
SECRET = {
    *("username", "first_name", "last_name", "email", "password", "subject", "subject_name_id", "number"),
    *("match_key", "before", "professional", "made_by_name", "unlinked_by_name", "client_secret"),
}


@pytest.fixture
def clinic(provider: Provider) -> Clinic:
    return build_clinic(provider)


def found(admin: Administrator, name: str, words: str) -> int:
    count: int = admin.browser.get(f"/admin/{OURS}/{name}/", {"q": words}).context["cl"].result_count
    return count


def whole_values(name: str) -> set[str]:
    if name == "account":
        accounts = Account.objects.select_related("user")
        return {value for each in accounts for value in (each.user.username, each.subject_name_id)}
    if name == "accountchange":
        return {*AccountChange.objects.values_list("username", flat=True)}
    return {value for row in UnlinkedAccount.objects.values_list("username", "subject_name_id") for value in row}


@pytest.mark.parametrize("name", LISTS)
def test_a_search_without_the_right_finds_whole_values_only(clinic: Clinic, name: str) -> None:
    clerk, seeing = administrator(*LOOK), administrator(*LOOK, SEE)
    values = whole_values(name)
    parts = {part for value in values if len(value) > 8 for part in (value[:-1], value[1:], value[:4], value[3:9])}
    for value in values:
        assert found(clerk, name, value), value
    for part in parts - {"martin", *values, *clinic.identifiers}:
        assert not found(clerk, name, part), part
        assert found(seeing, name, part), part


def test_a_search_for_a_name_without_the_right_finds_whole_names_only(clinic: Clinic) -> None:
    """A site may keep the RPPS number in a name (“field of the user with the RPPS number”)."""
    clerk = administrator(*LOOK)
    number = User.objects.get(username__startswith="psc-8").last_name
    assert [found(clerk, "account", words) for words in ("Hélène Martin", "martin", "marti")] == [1, 1, 0]
    assert [found(clerk, "account", words) for words in (number, number[:-1], number[1:])] == [1, 0, 0]


def test_the_autocompletion_of_accounts_compares_whole_values_too(clinic: Clinic) -> None:
    clerk, username = administrator(*LOOK), clinic.accounts[1].user.username
    for term, count in ((username, 1), (username[:-1], 0), (username[1:5], 0)):
        answer = clerk.browser.get("/admin/autocomplete/", {**AUTOCOMPLETE, "term": term}).json()
        assert len(answer["results"]) == count


def lookups(model: type[Model], prefix: str = "", depth: int = 3) -> Iterator[str]:
    """Yield the path to every secret column, over at most three relations in either direction."""
    for field in model._meta.get_fields(include_hidden=False):
        name = f"{prefix}{field.name}"
        if isinstance(field, Field) and field.name in SECRET and not field.is_relation:
            yield name
        elif field.is_relation and field.related_model and depth:
            yield from lookups(field.related_model, f"{name}__", depth - 1)


@pytest.mark.parametrize("name", [*LISTS, "provider"])
def test_a_lookup_in_the_url_finds_nothing_out(clinic: Clinic, name: str) -> None:
    clerk = administrator(*LOOK)
    [model] = [each for each in site._registry if each._meta.label_lower == f"{OURS}.{name}"]
    paths = [*lookups(model)]
    assert len(paths) > 5
    for path in paths:
        for lookup in ("__startswith", "__regex", ""):
            response = clerk.browser.get(f"/admin/{OURS}/{name}/", {f"{path}{lookup}": "8"})
            assert response.status_code == 400 or response.headers["Location"] == f"/admin/{OURS}/{name}/?e=1", path


@pytest.mark.parametrize("name", LISTS)
def test_the_order_of_a_list_does_not_depend_on_what_is_masked(clinic: Clinic, name: str) -> None:
    clerk = administrator(*LOOK, SEE)
    for account in [*Account.objects.all()][:3]:
        unlink(account, by=None)
        AccountChange.objects.create(provider="psc", username=account.user.username, action="linked")

    def orders() -> list[list[int]]:
        columns = [f"{sign}{column}" for column in range(8) for sign in ("", "-")]
        pages = [clerk.browser.get(f"/admin/{OURS}/{name}/", {"o": column}) for column in columns]
        return [[row.pk for row in page.context["cl"].result_list] for page in pages]

    before = orders()
    assert len(before[0]) > 3
    for table, column in ((User, "username"), (UnlinkedAccount, "username"), (AccountChange, "username")):
        rows = [*table._default_manager.order_by(column)]
        for number, row in enumerate(rows):
            table._default_manager.filter(pk=row.pk).update(**{column: f"z{len(rows) - number:03d}"})
    for number, account in enumerate(Account.objects.order_by("subject_name_id")):
        Account.objects.filter(pk=account.pk).update(subject_name_id=f"z{99 - number}")
    assert orders() == before


@pytest.mark.parametrize("role", [("view_provider",), ()])
@pytest.mark.parametrize("field", ["username", "email"])
def test_the_preview_of_a_mapping_does_not_tell_whether_a_username_exists(
    provider: Provider, role: tuple[str, ...], field: str, email_is_unique: None
) -> None:
    known, unknown = "899700427885@hospital.example", "899700427886@hospital.example"
    User.objects.create_user(known, email=known)
    admin, url = administrator(*role), page_of(provider)
    pages = [trial(admin, url, field, value) for value in (known, unknown)]
    assert known in pages[0]
    assert pages[0].replace(known, unknown) == pages[1]


def trial(admin: Administrator, url: str, field: str, value: str) -> str:
    """Return the page that previews one row with a pasted value, without what differs at each request."""
    form = admin.fields_of(url, "mapping_form")
    row = {"attributes-3-claim": "email", "attributes-3-user_field": field, "attributes-3-when": "login"}
    if field == "username":
        row = {"attributes-2-claim": "email"}
    page = admin.browser.post(url, {**form, **row, "pasted": f'{{"email": "{value}"}}', "_preview": "on"})
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())


@pytest.fixture
def email_is_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site's own user model may have any unique field."""
    monkeypatch.setattr(User._meta.get_field("email"), "unique", True)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_number_of_statements_for_more_people(clinic: Clinic, name: str) -> None:
    admin, costs = administrator(), []
    for number in range(6):
        another = clinic.add(f"another-{number}", number=f"another{number}")
        AccountChange.objects.create(account=another, provider="psc", username="x", made_by=clinic.colleague)
        unlink(clinic.add(f"unlinked-{number}", number=f"unlinked{number}"), by=clinic.colleague)
        with CaptureQueriesContext(connection) as statements:
            admin.browser.get(f"/admin/{OURS}/{name}/")
        costs.append(len(statements))
    assert {*costs[1:]} == {costs[1]}
