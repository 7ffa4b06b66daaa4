"""Differences between published and stored metadata and keys, as the connection test reports them."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.connection_page import outcome
from tests.admin.pages import Administrator
from tests.support.key_sets import EC_KEY, PRIVATE_KEY, key_set

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


def test_a_private_key_that_the_provider_publishes_is_an_alarm(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("jwks_more_keys", keys=[PRIVATE_KEY]):
        response = admin.press(provider, "connection")
    assert "jwks_key_private" in [line["finding"].code for line in response.context["lines"]]
