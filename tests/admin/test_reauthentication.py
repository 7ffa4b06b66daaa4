"""Recent authentication before secrets and keys are replaced."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import (
    Administrator,
    FormReader,
    administrator,
    change_page,
    codes,
    messages_of,
    signed_in_long_ago,
    stored,
    text_of,
)
from tests.support.browser_session import PAGE, BrowserSession

pytestmark = pytest.mark.django_db
KEEPER = ("view_provider", "change_provider", "replace_provider_secrets")
CONFIRM = "/admin/psc_connect/provider/confirm/"
NEW_SECRET = "another-secret-4d1e88"


@pytest.fixture
def late() -> Administrator:
    admin = signed_in_long_ago(administrator(*KEEPER))
    user = get_user_model().objects.get()
    user.set_password("a good password")
    user.save()
    admin.browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return signed_in_long_ago(admin)


def test_the_password_confirms_for_a_quarter_of_an_hour(late: Administrator, provider: Provider) -> None:
    url = change_page(provider)
    response = late.browser.post(CONFIRM, {"password": "a good password", "next": url})
    assert response["Location"] == url
    assert late.submit(url, client_secret=NEW_SECRET).status_code == 302
    assert stored(provider).secret_for_its_issuer() == NEW_SECRET
    again = signed_in_long_ago(late).submit(url, client_secret="yet another secret")
    assert codes(again) == {("client_secret", "secrets_not_allowed")}


@pytest.mark.parametrize("password", ["", "wrong", "a good password "])
def test_another_password_confirms_nothing(late: Administrator, provider: Provider, password: str) -> None:
    response = late.browser.post(CONFIRM, {"password": password})
    assert response.status_code == 200
    if password:
        assert password not in response.content.decode()
    assert codes(late.submit(change_page(provider), client_secret=NEW_SECRET))


def test_the_password_of_another_user_confirms_nothing(late: Administrator, provider: Provider) -> None:
    get_user_model().objects.create_user("other", password="the other's password")
    assert late.browser.post(CONFIRM, {"password": "the other's password"}).status_code == 200


def test_failed_confirmations_send_the_signal_of_failed_logins(late: Administrator, provider: Provider) -> None:
    from django.contrib.auth.signals import user_login_failed

    heard: list[Any] = []

    def hear(**said: Any) -> None:
        heard.append(said["credentials"])

    user_login_failed.connect(hear)
    try:
        late.browser.post(CONFIRM, {"password": "wrong"})
    finally:
        user_login_failed.disconnect(hear)
    assert [each["password"] for each in heard] == ["********************"]


@pytest.mark.case("RD01")
@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "/\\evil.example"]
)
def test_the_confirmation_redirects_only_within_the_site(late: Administrator, provider: Provider, url: str) -> None:
    response = late.browser.post(CONFIRM, {"password": "a good password", "next": url})
    assert response["Location"] == "/admin/psc_connect/provider/"


def test_a_user_without_password_sees_another_way(provider: Provider, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    page = administrator(*KEEPER).browser.get(CONFIRM)
    assert "Sign out, then sign in again" in text_of(page)
    assert "Sign out here and at Pro Santé Connect" in text_of(page)
    assert "psc_connect/psc_connect.css" in page.content.decode()


@pytest.mark.usefixtures("english")
def test_a_user_with_a_password_sees_no_other_way(late: Administrator, provider: Provider) -> None:
    assert "Sign out and sign in again" not in text_of(late.browser.get(CONFIRM))


@pytest.mark.case("AD01", "SE06")
@pytest.mark.parametrize(
    ("fault", "options", "is_asked"),
    [
        ("old_auth_time", {"seconds": 10 * 60}, False),
        ("old_auth_time", {"seconds": -30}, False),
        ("old_auth_time", {"seconds": 20 * 60}, True),
        ("missing_auth_time", {}, True),
    ],
)
def test_a_sign_in_with_psc_counts_from_the_authentication_at_psc(
    provider: Provider,
    person: BrowserSession,
    simulator: Simulator,
    fault: str,
    options: dict[str, int],
    is_asked: bool,
) -> None:
    """An old session at the provider proves nothing about the person at the computer now."""
    with simulator.fault(fault, **options):
        person.sign_in(PAGE)
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    page = Administrator(person.browser).open(provider, "keys")
    assert bool(page.context["why_not"]) == is_asked


def test_the_confirmation_leads_back_to_a_page_that_answers_get(late: Administrator, provider: Provider) -> None:
    """A page that only accepts POST cannot be opened again."""
    moved = {**provider.metadata, "jwks_uri": provider.metadata["jwks_uri"] + "-moved"}
    Provider.objects.update(metadata=moved)
    payload = late.press(provider, "connection").context["payload"]
    ((_level, text),) = messages_of(late.press(provider, "accept-metadata", payload=payload, member=["jwks_uri"]))
    address = html.unescape(re.findall('href="([^"]+)"', text)[0])
    shown = FormReader("confirm_form")
    shown.feed(late.browser.get(address).content.decode())
    response = late.browser.post(CONFIRM, {**shown.fields, "password": "a good password"})
    assert late.browser.get(response["Location"]).status_code == 200
    assert response["Location"].endswith(f"/{provider.pk}/connection/")


def test_the_confirmation_is_for_administrators_only(provider: Provider, person: BrowserSession) -> None:
    assert "/login/?next=" in person.browser.get(CONFIRM)["Location"]
