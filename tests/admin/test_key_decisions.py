"""What the keys page shows of each key; pinning and retiring."""

from __future__ import annotations

import datetime as dt
import json
from datetime import date, datetime
from typing import Any

import pytest
from django.utils import timezone

from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers.keys import import_keys, record_use
from psc_connect.simulator import Simulator
from tests.admin.keys_page import only_key, replace
from tests.admin.pages import LIST, Administrator, administrator, change_page, messages_of, stored, text_of
from tests.support.browser_session import PAGE, BrowserSession, error_code_of
from tests.support.key_sets import EC_KEY, OTHER_KEY, key_set
from tests.support.stored_keys import store_keys

pytestmark = pytest.mark.django_db


# What is known of a key.


def test_the_table_tells_what_is_known_of_a_key(admin: Administrator, provider: Provider) -> None:
    replace(admin, provider, key_set(EC_KEY))
    assert f"ec EC P-256 ES256 sig 256 {only_key(provider).thumbprint} " in text_of(admin.open(provider, "keys"))


def test_a_key_that_stays_keeps_its_first_date(admin: Administrator, provider: Provider) -> None:
    replace(admin, provider, key_set(EC_KEY))
    thumbprint = only_key(provider).thumbprint
    day = datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)
    provider.signing_keys.update(first_seen=day)
    replace(admin, provider, key_set(EC_KEY, OTHER_KEY))
    assert provider.signing_keys.get(thumbprint=thumbprint).first_seen == day
    assert "2020" in text_of(admin.open(provider, "keys"))


def used(provider: Provider) -> dict[str | None, date | None]:
    return dict(provider.signing_keys.exclude(last_used=None).values_list("thumbprint", "last_used"))


def test_the_day_of_the_last_use_is_told(admin: Administrator, provider: Provider, time_machine: Any) -> None:
    (key,) = provider.key_set().keys
    assert used(provider) == {}
    BrowserSession().sign_in(PAGE)
    assert used(provider) == {key.thumbprint: timezone.now().date()}


def test_two_logins_of_one_instant_by_two_keys_are_both_told(provider: Provider) -> None:
    """Each has read the row before the other has written to it."""
    store_keys(provider, {"keys": [EC_KEY, OTHER_KEY]})
    keys = provider.key_set().keys
    for row, key in zip([stored(provider), stored(provider)], keys, strict=True):
        record_use(row, key.thumbprint)
    assert set(used(provider)) == {key.thumbprint for key in keys}


def test_a_refused_token_is_no_use_of_a_key(provider: Provider, simulator: Simulator) -> None:
    with simulator.fault("wrong_audience"):
        BrowserSession().sign_in(PAGE)
    assert used(provider) == {}


@pytest.mark.parametrize("broken", ["oops", 3, [], {"keys": "no"}, [None], {"a": "b"}])
def test_stored_broken_keys_are_shown_and_can_be_replaced(
    admin: Administrator, provider: Provider, broken: object
) -> None:
    provider.signing_keys.update(jwk=broken, first_seen=None, state="x")
    for response in (
        admin.open(provider, "keys"),
        admin.browser.get(change_page(provider)),
        admin.browser.get("/admin/psc_connect/provider/"),
    ):
        assert response.status_code == 200
    provider.signing_keys.update(state="current")
    replace(admin, provider, key_set(EC_KEY))
    assert stored(provider).jwks == {"keys": [EC_KEY]}


@pytest.mark.case("TN01", "TN02")
def test_two_providers_with_the_same_kid_keep_a_key_each(admin: Administrator, provider: Provider) -> None:
    other = Provider.objects.create(slug="other", client_id="c", enabled=False)
    replace(admin, provider, key_set(EC_KEY))
    replace(admin, other, key_set({**OTHER_KEY, "kid": EC_KEY["kid"]}))
    assert only_key(provider).thumbprint != only_key(other).thumbprint


# What is decided of a key.


def decide(admin: Administrator, provider: Provider, decision: str, thumbprint: str) -> Any:
    return admin.press(provider, "keys", action=decision, thumbprint=thumbprint)


def test_a_retired_key_verifies_nothing_though_the_provider_publishes_it(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    (key,) = provider.key_set().keys
    asked = decide(admin, provider, "retire", key.thumbprint)
    assert asked.context["last_key"] == key.thumbprint
    assert stored(provider).jwks_retired == []
    response = admin.press(provider, "keys", action="retire", thumbprint=key.thumbprint, confirmed="yes")
    assert [level for level, _text in messages_of(response)] == ["success", "warning"]
    assert error_code_of(BrowserSession().sign_in(PAGE)) == "jwks_all_retired"
    assert stored(provider).jwks_retired == [key.thumbprint]
    assert [each.reason for each in stored(provider).key_set().ignored][-1] == "jwks_key_retired"
    lines = [line["finding"] for line in admin.press(provider, "connection").context["lines"]]
    assert {"jwks_all_retired", "psc_connect.E021"} < {line.code for line in lines}
    decide(admin, provider, "restore", key.thumbprint)
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE


@pytest.mark.case("KR03")
def test_a_retired_key_stays_retired_through_imports_and_fetches(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    (old,) = provider.key_set().keys
    new = simulator.rotate_keys()
    import_keys(provider)
    decide(admin, provider, "retire", old.thumbprint)
    import_keys(stored(provider))
    assert [key.kid for key in stored(provider).key_set().keys] == [new.kid]
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE


def test_a_pinned_key_stays_though_the_provider_withdraws_it(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    (old,) = provider.key_set().keys
    simulator.rotate_keys()
    import_keys(provider)
    decide(admin, provider, "pin", old.thumbprint)
    new = simulator.rotate_keys(withdraw_old=True)
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE
    assert {key.kid for key in stored(provider).key_set().keys} == {old.kid, new.kid}
    decide(admin, provider, "unpin", old.thumbprint)
    import_keys(stored(provider))
    assert {key.kid for key in stored(provider).key_set().keys} == {new.kid}


def test_a_decision_is_in_the_history_by_the_keys_name(admin: Administrator, provider: Provider) -> None:
    (key,) = provider.key_set().keys
    decide(admin, provider, "pin", key.thumbprint)
    assert DeclarationChange.objects.get().changes == [["jwks_pinned", [], [key.thumbprint]]]
    for page in ("history", "keys"):
        text = text_of(admin.open(provider, page))
        # Its provider calls it by its thumbprint: once is enough.
        assert text.count(f"– {key.thumbprint} ") == 1
        assert "[]" not in text


@pytest.mark.parametrize("decision", ["pin", "retire", "nonsense", ""])
def test_decision_about_an_unknown_key_changes_nothing(admin: Administrator, provider: Provider, decision: str) -> None:
    response = decide(admin, provider, decision, "A" * 43)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert (stored(provider).jwks_pinned, stored(provider).jwks_retired) == ([], [])


def test_pinned_keys_are_told_in_the_list(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    (key,) = provider.key_set().keys
    decide(admin, provider, "pin", key.thumbprint)
    assert "1 key (all pinned)" in text_of(admin.browser.get("/admin/psc_connect/provider/"))
    admin.press(provider, "keys", action="retire", thumbprint=key.thumbprint, confirmed="yes")
    assert "all are retired" in text_of(admin.browser.get("/admin/psc_connect/provider/"))


@pytest.mark.case("AD01")
def test_pinned_keys_stay_when_the_metadata_is_changed(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    (key,) = provider.key_set().keys
    decide(admin, provider, "pin", key.thumbprint)
    simulator.rotate_keys()
    simulator.clear_requests()
    editor = administrator("view_provider", "change_provider")
    for somebody, member in ((editor, "x-new"), (admin, "x-newer")):
        metadata = {**stored(provider).metadata, member: 1}
        assert somebody.submit(change_page(provider), metadata=json.dumps(metadata)).status_code == 302
        assert stored(provider).metadata == metadata
    assert stored(provider).jwks == provider.jwks
    assert simulator.count("jwks") == 0


def test_a_key_whose_row_lacks_its_thumbprint_is_shown(admin: Administrator, provider: Provider) -> None:
    thumbprint = provider.key_set().keys[0].thumbprint
    provider.signing_keys.update(thumbprint=None, state="retired")
    assert thumbprint in admin.open(provider, "keys").content.decode()
    assert admin.browser.get(LIST).status_code == 200
