"""The buttons of the provider's page: import the keys, fetch the metadata."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin_pages import Administrator, administrator, change_page, messages_of, stored
from tests.key_sets import PRIVATE_KEY

pytestmark = pytest.mark.django_db


# The button that imports the keys.


def test_the_button_imports_the_keys(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    new = simulator.rotate_keys()
    response = admin.press(provider, "import-keys")
    assert response["Location"] == change_page(provider)
    assert new.kid in {key.kid for key in stored(provider).key_set().keys}
    assert [level for level, _text in messages_of(response)] == ["success"]


@pytest.mark.case("JO15", "KR03")
@pytest.mark.parametrize("fault", ["jwks_empty", "jwks_without_keys"])
def test_an_import_that_fails_keeps_the_old_keys(
    admin: Administrator, provider: Provider, simulator: Simulator, fault: str
) -> None:
    with simulator.fault(fault):
        response = admin.press(provider, "import-keys")
    assert stored(provider).jwks == provider.jwks
    assert [level for level, _text in messages_of(response)] == ["warning"]
    assert not LogEntry.objects.exists()


def test_a_private_key_that_the_provider_publishes_is_an_alarm(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("jwks_more_keys", keys=[PRIVATE_KEY]):
        response = admin.press(provider, "import-keys")
    assert [level for level, _text in messages_of(response)] == ["success", "error"]


def test_an_import_by_broken_metadata_is_a_warning(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata=[])
    assert [level for level, _text in messages_of(admin.press(provider, "import-keys"))] == ["warning"]


def test_an_import_without_jwks_uri_proposes_to_paste(admin: Administrator, provider: Provider) -> None:
    Provider.objects.update(metadata={**provider.metadata, "jwks_uri": ""})
    ((level, text),) = messages_of(admin.press(provider, "import-keys"))
    assert (level, "jwks_uri" in text) == ("warning", True)


# The button that fetches the metadata.


def test_the_button_fetches_the_metadata(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    fields = admin.fields_of(change_page(provider), "psc-fetch-metadata")
    assert set(fields) == {"csrfmiddlewaretoken"}
    with simulator.fault("metadata_members", members={"x-new": 1}):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert response["Location"] == change_page(provider)
    assert stored(provider).metadata == {**provider.metadata, "x-new": 1}
    assert [level for level, _text in messages_of(response)] == ["success"]


def test_the_discovery_url_of_the_issuer_is_proposed(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    page = admin.browser.get(change_page(provider)).content.decode()
    assert f'name="discovery_url" value="{simulator.discovery_url}" form="psc-fetch-metadata"' in page


def test_the_same_metadata_is_not_saved_again(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["info"]
    assert not LogEntry.objects.exists()


@pytest.mark.case("TR10", "SS01")
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"issuer": "https://evil.example"},
        {"issuer": ""},
    ],
)
def test_fetched_metadata_that_is_wrong_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator, members: dict[str, str]
) -> None:
    with simulator.fault("metadata_members", members=members):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == provider.metadata
    assert not LogEntry.objects.exists()


def test_metadata_found_elsewhere_than_its_issuer_says_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("metadata_members", members={"x-new": 1}):
        response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url + "?x=1")
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == provider.metadata


def test_metadata_of_another_issuer_is_not_saved(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    other = {**provider.metadata, "issuer": provider.issuer + "-other"}
    Provider.objects.update(metadata=other)
    response = admin.press(provider, "fetch-metadata", discovery_url=simulator.discovery_url)
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert stored(provider).metadata == other


@pytest.mark.parametrize("url", ["", "ftp://a.example", "http://a.example/", "file:///etc/passwd", "nonsense"])
def test_an_address_that_is_none_is_an_error(admin: Administrator, provider: Provider, url: str) -> None:
    response = admin.press(provider, "fetch-metadata", discovery_url=url)
    assert [level for level, _text in messages_of(response)] == ["error"]


# Both buttons.

BUTTONS = ("fetch-metadata", "import-keys")


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_is_pressed_not_visited(
    admin: Administrator, provider: Provider, simulator: Simulator, button: str
) -> None:
    simulator.clear_requests()
    assert admin.browser.get(f"/admin/psc_connect/provider/{provider.pk}/{button}/").status_code == 405
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_asks_for_the_permission_to_change(provider: Provider, simulator: Simulator, button: str) -> None:
    response = administrator("view_provider").press(provider, button, discovery_url=simulator.discovery_url)
    assert response.status_code == 403
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_is_not_for_strangers(provider: Provider, simulator: Simulator, button: str) -> None:
    response = Administrator(Browser()).press(provider, button)
    assert response.status_code == 302
    assert "/login/?next=" in response["Location"]
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_cannot_be_pressed_from_another_site(
    admin: Administrator, provider: Provider, simulator: Simulator, button: str
) -> None:
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = admin.browser.cookies
    assert Administrator(careful).press(provider, button).status_code == 403
    assert not simulator.requests


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_of_no_provider_is_not_found(admin: Administrator, provider: Provider, button: str) -> None:
    assert admin.browser.post(f"/admin/psc_connect/provider/999/{button}/").status_code == 404


@pytest.mark.parametrize("button", BUTTONS)
def test_no_transaction_is_open_while_a_button_waits(admin: Administrator, button: str) -> None:
    from django.urls import resolve

    view = resolve(f"/admin/psc_connect/provider/1/{button}/").func
    assert "default" in view._non_atomic_requests


def test_the_history_tells_what_a_button_did(admin: Administrator, provider: Provider, simulator: Simulator) -> None:
    admin.press(provider, "import-keys")
    (entry,) = LogEntry.objects.all()
    assert json.loads(entry.change_message) == [{"changed": {"fields": ["signing keys (JWKS)"]}}]
