"""Edit conflicts: two administrators change one provider."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers.key_management import decide
from psc_connect.providers.keys import import_keys
from psc_connect.simulator import Simulator
from tests.admin import access_page
from tests.admin.pages import (
    Administrator,
    FormReader,
    administrator,
    change_page,
    codes,
    messages_of,
    row,
    stored,
    texts,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def second() -> Administrator:
    return administrator("view_provider", "change_provider", "replace_provider_secrets")


def post(admin: Administrator, provider: Provider, fields: dict[str, str], **changes: str) -> Any:
    return admin.browser.post(change_page(provider), {**fields, **changes})


def shown_again(response: Any) -> dict[str, str]:
    reader = FormReader("provider_form")
    reader.feed(response.content.decode())
    return {name: value for name, value in reader.fields.items() if "__prefix__" not in name}


def test_different_fields_are_both_kept_and_the_second_is_told(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid", sort_order="7")
    response = post(second, provider, page, button_text="Entrer")
    assert response.status_code == 302
    after = row(provider)
    assert (after["scope"], after["sort_order"], after["button_text"]) == ("openid", 7, "Entrer")
    told = [text for level, text in messages_of(response) if level == "info"]
    assert len(told) == 1
    assert "administrator-" in told[0]
    assert "Scopes" in told[0]


@pytest.mark.usefixtures("english")
def test_whoever_has_two_windows_open_is_told_so(admin: Administrator, provider: Provider) -> None:
    page = admin.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid first")
    told = post(admin, provider, page, scope="openid second")
    assert "You have changed this provider yourself meanwhile" in texts(told, "__all__")


@pytest.mark.usefixtures("english")
def test_no_message_begins_with_a_name_that_django_would_capitalise(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid")
    ((_level, text), *_rest) = [
        each for each in messages_of(post(second, provider, page, comment="x")) if each[0] == "info"
    ]
    assert text.startswith("This provider has been changed meanwhile by administrator-.")


def test_the_same_field_is_a_conflict_that_the_second_decides(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid first", button_text="Premier")
    told = post(second, provider, page, scope="openid second", button_tooltip="Aide")
    assert codes(told) == {("__all__", "changed_meanwhile"), ("scope", "changed_meanwhile")}
    assert "openid first" in texts(told, "scope")
    assert "administrator-" in texts(told, "__all__")
    assert row(provider)["scope"] == "openid first"
    again = shown_again(told)
    assert (again["scope"], again["button_tooltip"]) == ("openid second", "Aide")
    assert second.browser.post(change_page(provider), again).status_code == 302
    after = row(provider)
    assert (after["scope"], after["button_text"], after["button_tooltip"]) == ("openid second", "Premier", "Aide")


def test_a_third_save_in_between_is_told_once_more(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid first")
    again = shown_again(post(second, provider, page, scope="openid second"))
    admin.submit(change_page(provider), scope="openid third")
    told = second.browser.post(change_page(provider), again)
    assert "openid third" in texts(told, "scope")
    assert row(provider)["scope"] == "openid third"


def test_two_who_typed_the_same_agree(admin: Administrator, second: Administrator, provider: Provider) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), scope="openid")
    assert post(second, provider, page, scope="openid", button_text="Entrer").status_code == 302
    assert row(provider)["button_text"] == "Entrer"


@pytest.mark.parametrize(
    ("name", "first", "later"),
    [
        ("enabled", None, "on"),
        ("max_age", "3600", ""),
        ("extra_parameters", "a = 1", ""),
        ("button_texts", "en = Hello", ""),
        ("prompt", "login", ""),
        ("comment", "Ask Ms Durand", ""),
    ],
)
def test_what_the_second_did_not_touch_is_not_written_back(
    admin: Administrator, second: Administrator, provider: Provider, name: str, first: str | None, later: str
) -> None:
    page = second.fields_of(change_page(provider))
    assert page.get(name, "") == later
    if first is None:
        admin.submit(change_page(provider), drop=(name,))
    else:
        admin.submit(change_page(provider), **{name: first})
    before = row(provider)
    assert post(second, provider, page, button_logo="logo.svg").status_code == 302
    after = row(provider)
    assert after == {**before, "button_logo": "logo.svg"}


def test_a_secret_that_somebody_replaced_meanwhile_is_told_before_it_is_replaced_again(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), client_secret="the first new secret")
    told = post(second, provider, page, client_secret="the second new secret")
    assert ("client_secret", "changed_meanwhile") in codes(told)
    assert "first new secret" not in told.content.decode()
    assert stored(provider).secret_for_its_issuer() == "the first new secret"
    again = {**shown_again(told), "client_secret": "the second new secret"}
    assert second.browser.post(change_page(provider), again).status_code == 302
    assert stored(provider).secret_for_its_issuer() == "the second new secret"


def test_an_environment_that_changed_meanwhile_is_judged_as_it_is_now(
    admin: Administrator, second: Administrator, production: Provider, no_way_out: None
) -> None:
    page = second.fields_of(change_page(production))
    admin.submit(change_page(production), environment="sandbox", client_secret="of the sandbox")
    assert post(second, production, page, button_text="Entrer").status_code == 302
    assert row(production)["environment"] == "sandbox"
    assert row(production)["button_text"] == "Entrer"


def test_metadata_that_a_login_followed_meanwhile_stays(second: Administrator, provider: Provider) -> None:
    page = second.fields_of(change_page(provider))
    newer = {**provider.metadata, "x-newer": 1}
    Provider.objects.update(metadata=newer)
    assert post(second, provider, page, button_text="Entrer").status_code == 302
    assert row(provider)["metadata"] == newer


@pytest.mark.case("AD01")
def test_a_secret_for_an_issuer_that_changed_meanwhile_is_not_kept_before_that_is_told(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    """Where there was none to enter again, the one that is typed for the old issuer would go to the new one."""
    Provider.objects.update(client_secret="", environment="custom")
    page = second.fields_of(change_page(provider))
    moved = {**provider.metadata, "issuer": provider.metadata["issuer"] + "/new"}
    assert admin.submit(change_page(provider), metadata=json.dumps(moved)).status_code == 302
    told = post(second, provider, page, client_secret="of the old issuer")
    assert ("metadata", "changed_meanwhile") in codes(told)
    assert not stored(provider).client_secret


def test_metadata_that_both_changed_is_a_conflict(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    admin.submit(change_page(provider), metadata=json.dumps({**provider.metadata, "x-first": 1}))
    told = post(second, provider, page, metadata=json.dumps({**provider.metadata, "x-second": 1}))
    assert ("metadata", "changed_meanwhile") in codes(told)
    assert "x-second" in told.content.decode()


@pytest.mark.parametrize("version", ["", "{}", "nonsense", "[]", "-1", "²", "9" * 5_000])
def test_a_page_that_carries_no_version_is_saved_as_it_is(
    admin: Administrator, provider: Provider, version: str
) -> None:
    page = admin.fields_of(change_page(provider))
    assert post(admin, provider, page, shown_version=version, scope="openid").status_code == 302
    assert row(provider)["scope"] == "openid"


@pytest.mark.parametrize("is_rotated", [False, True], ids=["the same keys", "other keys"])
@pytest.mark.parametrize("page", ["change", "mapping", "rules", "access-rules"])
def test_keys_that_a_login_fetched_meanwhile_are_no_conflict(
    second: Administrator, provider: Provider, simulator: Simulator, page: str, is_rotated: bool
) -> None:
    url = f"/admin/psc_connect/provider/{provider.pk}/{page}/"
    form = {"change": "provider_form", "access-rules": "access_rules_form"}.get(page, f"{page}_form")
    shown = second.fields_of(url, form)
    if is_rotated:
        simulator.rotate_keys()
    import_keys(stored(provider), source=DeclarationChange.Source.LOGIN)
    assert (stored(provider).version > provider.version) == is_rotated
    changes = {"change": {"button_text": "Entrer"}, "rules": {"form-0-kind": "host", "form-0-value": "a.example"}}
    response = second.browser.post(url, {**shown, "_save": "on", **changes.get(page, {})})
    assert response.status_code == 302
    assert "info" not in [level for level, _text in messages_of(response)]


def test_what_the_sites_own_code_wrote_meanwhile_is_told(second: Administrator, provider: Provider) -> None:
    page = second.fields_of(change_page(provider))
    Provider.objects.update(scope="openid first")
    told = post(second, provider, page, scope="openid second", button_text="Entrer")
    assert codes(told) == {("__all__", "changed_meanwhile"), ("scope", "changed_meanwhile")}
    assert second.browser.post(change_page(provider), shown_again(told)).status_code == 302
    assert (row(provider)["scope"], row(provider)["button_text"]) == ("openid second", "Entrer")


def test_an_audited_write_does_not_hide_one_of_the_sites_own_code(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    page = second.fields_of(change_page(provider))
    Provider.objects.update(scope="openid first")
    admin.submit(change_page(provider), comment="audited")
    assert ("scope", "changed_meanwhile") in codes(post(second, provider, page, scope="openid second"))


def test_rows_of_the_sites_own_code_are_told_after_an_audited_write(
    admin: Administrator, second: Administrator, provider: Provider
) -> None:
    shown = access_page.shown_by(admin, provider)
    provider.access_rules.create(outcome="refuse", message="by code", position=0)
    second.submit(change_page(provider), comment="audited")
    response = access_page.submit(admin, provider, access_page.typed("allow"), shown=shown)
    assert response.status_code == 200
    assert [rule.message for rule in provider.access_rules.all()] == ["by code"]


def test_the_entries_of_the_audit_log_are_a_chain_of_versions(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    first = stored(provider).version
    admin.submit(change_page(provider), comment="a")
    simulator.rotate_keys()
    import_keys(stored(provider), source=DeclarationChange.Source.LOGIN)
    decide(stored(provider), stored(provider).key_set().keys[0].thumbprint, "pin", by=User.objects.all()[0])
    access_page.submit(admin, provider, access_page.typed("allow"))
    changes = DeclarationChange.objects.order_by("pk")
    assert len(changes) == 4
    assert [change.version_before for change in changes] == [first, *(change.version for change in changes)][:-1]
    assert changes[3].version == stored(provider).version


def test_the_page_carries_nothing_of_the_secret(admin: Administrator, provider: Provider) -> None:
    fields = admin.fields_of(change_page(provider))
    assert fields["shown_version"] == str(provider.version)
    assert "initial-client_secret" not in fields
    assert provider.client_secret.ciphertext not in str(fields)
