"""Differences between published and stored metadata and keys, as the connection test reports them."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone, translation
from django.utils.formats import date_format

from psc_connect.models import Provider, SigningKey
from psc_connect.providers.keys import refresh_due_at
from psc_connect.simulator import Simulator
from tests.admin.connection_page import finding_of, outcome
from tests.admin.pages import Administrator, stored
from tests.support.browser_session import BrowserSession, error_code_of
from tests.support.key_sets import EC_KEY, PRIVATE_KEY, key_set
from tests.support.stored_keys import set_times, store_keys

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"x-new": 1}, ("passed", "metadata_changed_elsewhere")),
        ({"end_session_endpoint": ""}, ("warning", "metadata_changed")),
        ({"issuer": "https://evil.example"}, ("failed", "metadata_issuer_changed")),
    ],
    ids=str,
)
@pytest.mark.case("OU01")
def test_differences_of_the_document_are_told_by_their_weight(
    admin: Administrator, provider: Provider, simulator: Simulator, members: dict[str, Any], expected: tuple[str, str]
) -> None:
    with simulator.fault("metadata_members", members=members):
        assert outcome(admin, provider)["metadata"] == expected


@pytest.mark.case("OU01")
@pytest.mark.parametrize(
    "members",
    [
        {"exported_attributes": 5},
        {"exported_groups": ["x"]},
        {"selection_rules": {"a": 1}},
        {"exported_attributes": [{"user_field": ["x"]}]},
        {"jwks": "abc"},
        {"jwks": {"keys": [1]}},
        {"enabled": None},
    ],
    ids=str,
)
def test_members_named_like_those_of_a_declaration_are_members_like_others(
    admin: Administrator, provider: Provider, simulator: Simulator, members: dict[str, Any]
) -> None:
    (name,) = members
    with simulator.fault("metadata_members", members=members):
        response = admin.press(provider, "connection")
        with pytest.raises(SystemExit) as ended:
            call_command("psc_check", provider.slug, stdout=StringIO())
    assert [row["name"] for row in response.context["members"]] == ([] if members[name] is None else [name])
    # The sessions of this site are not secure: a warning.
    assert ended.value.code in {1, 2}


@pytest.mark.case("OU02")
def test_a_maintenance_page_in_the_place_of_the_document_is_recognised(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("maintenance_page", endpoint="metadata"):
        assert outcome(admin, provider)["metadata"] == ("failed", "provider_maintenance_page")


def test_keys_that_differ_are_told(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    with simulator.fault("answer", endpoint="jwks", body=key_set(EC_KEY).encode()):
        response = admin.press(provider, "connection")
    (line,) = [each["finding"] for each in response.context["lines"] if each["finding"].check == "keys"]
    assert (line.status.value, line.code) == ("warning", "keys_changed")
    assert "ec" in line.text
    assert provider.key_set().keys[0].kid in line.text


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("hours", [1, 25, None], ids=["just fetched", "old", "never fetched"])
def test_of_keys_that_are_gone_it_tells_until_when_sign_ins_accept_them(
    admin: Administrator, provider: Provider, simulator: Simulator, hours: int | None
) -> None:
    fetched = timezone.now() - timedelta(hours=hours or 0)
    set_times(provider, jwks_updated_at=fetched if hours else None)
    store_keys(provider, {"keys": [*simulator.jwks["keys"], EC_KEY]})
    finding = finding_of(admin, provider, "keys")
    assert (finding.status.value, finding.code) == ("warning", "keys_changed")
    assert "removed: ec" in finding.text
    with translation.override("en"):
        due_at = date_format(timezone.localtime(fetched + timedelta(days=1)), "SHORT_DATETIME_FORMAT")
    told = f"until the first sign-in after {due_at}" if hours == 1 else "until the next sign-in"
    assert told in finding.advice
    assert "new keys" not in finding.advice


def test_a_sign_in_does_what_was_told_of_keys_that_are_gone(
    admin: Administrator, provider: Provider, simulator: Simulator, settings: Any
) -> None:
    """The old key is accepted before its time, and not after it."""
    old = simulator.jwks
    fetched = timezone.now()
    set_times(provider, jwks_updated_at=fetched)
    with simulator.fault("answer", endpoint="jwks", body=key_set(EC_KEY).encode()):
        assert outcome(admin, provider)["keys"] == ("warning", "keys_changed")
        assert BrowserSession().sign_in().status_code == 302
        due_at = refresh_due_at(stored(provider))
        assert due_at == fetched + timedelta(days=1)
        assert stored(provider).jwks == old
        set_times(provider, jwks_updated_at=fetched - timedelta(days=1, seconds=1))
        assert error_code_of(BrowserSession().sign_in()) == "id_token_unknown_key"


def test_a_pinned_key_that_is_gone_is_not_the_same_as_published(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    pinned = str(SigningKey.read(EC_KEY).thumbprint)
    store_keys(provider, {"keys": [*simulator.jwks["keys"], EC_KEY]}, pinned=[pinned])
    finding = finding_of(admin, provider, "keys")
    assert (finding.status.value, finding.code) == ("warning", "keys_pinned_gone")
    assert "ec" in finding.text


def test_a_private_key_that_the_provider_publishes_is_an_alarm(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("jwks_more_keys", keys=[PRIVATE_KEY]):
        response = admin.press(provider, "connection")
    assert "jwks_key_private" in [line["finding"].code for line in response.context["lines"]]
