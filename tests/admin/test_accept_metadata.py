"""What the provider publishes, accepted member by member after a test of the connection."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import DeclarationChange, Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import (
    Administrator,
    administrator,
    change_page,
    messages_of,
    signed_in_long_ago,
    stored,
)

pytestmark = pytest.mark.django_db


def offered(admin: Administrator, provider: Provider, simulator: Simulator, **members: Any) -> Any:
    with simulator.fault("metadata_members", members=members):
        return admin.press(provider, "connection")


def test_differences_are_shown_side_by_side_the_ones_that_matter_first(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    response = offered(admin, provider, simulator, **{"a-new": ["x"], "end_session_endpoint": ""})
    rows = response.context["members"]
    assert [row["name"] for row in rows] == ["end_session_endpoint", "a-new"]
    assert rows[0]["old"] == provider.metadata["end_session_endpoint"]
    assert rows[1]["new"] == '["x"]'


def test_members_are_accepted_one_by_one(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    shown = offered(admin, provider, simulator, **{"a-new": 1, "b-new": 2})
    simulator.clear_requests()
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=["a-new"])
    assert response["Location"] == change_page(provider)
    assert stored(provider).metadata == {**provider.metadata, "a-new": 1}
    assert not simulator.requests
    change = DeclarationChange.objects.get()
    assert (change.changes, change.made_by_name) == ([["metadata.a-new", None, 1]], "administrator-")


def test_an_object_is_one_member_and_is_accepted_whole(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    aliases = {"token_endpoint": "https://mtls.example/token", "userinfo_endpoint": "https://mtls.example/userinfo"}
    shown = offered(admin, provider, simulator, mtls_endpoint_aliases=aliases)
    assert [row["name"] for row in shown.context["members"]] == ["mtls_endpoint_aliases"]
    response = admin.press(
        provider, "accept-metadata", payload=shown.context["payload"], member=["mtls_endpoint_aliases"]
    )
    assert [level for level, _text in messages_of(response)] == ["success"]
    assert stored(provider).metadata["mtls_endpoint_aliases"] == aliases


@pytest.mark.parametrize("member", ["issuer", "nowhere"])
def test_a_member_that_does_not_differ_is_no_success(
    admin: Administrator, provider: Provider, simulator: Simulator, member: str
) -> None:
    shown = offered(admin, provider, simulator, **{"a-new": 1})
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=[member])
    assert [level for level, _text in messages_of(response)] == ["warning"]
    assert stored(provider).metadata == provider.metadata
    assert not DeclarationChange.objects.exists()


def test_nothing_ticked_changes_nothing(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    shown = offered(admin, provider, simulator, **{"a-new": 1})
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"])
    assert [level for level, _text in messages_of(response)] == ["warning"]
    assert stored(provider).metadata == provider.metadata


@pytest.mark.case("OU01", "AD01", "TR10")
def test_another_recipient_of_the_secret_is_never_accepted(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = offered(admin, provider, simulator, token_endpoint="https://evil.example/token")
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=["token_endpoint"])
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == provider.metadata


@pytest.mark.case("OU01", "AD01", "NW01")
def test_a_document_of_another_issuer_is_not_offered(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = offered(admin, provider, simulator, issuer="https://evil.example", **{"x-new": 1})
    assert shown.context["members"] == []
    assert "payload" not in shown.context


@pytest.mark.case("AD01")
def test_what_decides_whom_the_site_believes_takes_its_own_right(provider: Provider, simulator: Simulator) -> None:
    moved = provider.metadata["jwks_uri"] + "-moved"
    editor = administrator("change_provider", "view_provider")
    late = signed_in_long_ago(administrator())
    for somebody in (editor, late):
        shown = offered(somebody, provider, simulator, jwks_uri=moved, **{"x-new": 1})
        payload = shown.context["payload"]
        response = somebody.press(provider, "accept-metadata", payload=payload, member=["jwks_uri"])
        assert [level for level, _text in messages_of(response)] == ["error"]
        assert stored(provider).metadata["jwks_uri"] != moved
    editor.press(provider, "accept-metadata", payload=payload, member=["x-new"])
    assert stored(provider).metadata["x-new"] == 1


def test_what_was_left_out_is_not_taken_over_within_the_day(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    moved = provider.metadata["end_session_endpoint"] + "-moved"
    shown = offered(admin, provider, simulator, end_session_endpoint=moved, **{"x-new": 1})
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=["x-new"])
    assert [level for level, _text in messages_of(response)] == ["success", "info"]
    assert not stored(provider).metadata_followed
    assert [change.changes for change in DeclarationChange.objects.order_by("pk")] == [
        [["metadata.x-new", None, 1]],
        [["metadata_followed", True, False]],
    ]


def test_what_no_login_goes_by_can_be_left_out(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    shown = offered(admin, provider, simulator, **{"x-new": 1, "y-new": 2})
    admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=["x-new"])
    assert stored(provider).metadata_followed


def test_what_somebody_saved_meanwhile_is_not_overwritten(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    shown = offered(admin, provider, simulator, **{"a-new": 1})
    newer = {**provider.metadata, "x-mine": 1}
    Provider.objects.update(metadata=newer)
    response = admin.press(provider, "accept-metadata", payload=shown.context["payload"], member=["a-new"])
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == newer


def test_an_invalid_payload_changes_nothing(admin: Administrator, provider: Provider) -> None:
    response = admin.press(provider, "accept-metadata", payload="x", member=["issuer"])
    assert [level for level, _text in messages_of(response)] == ["error"]
