"""The end of a person's session at a real Keycloak: after a refusal, for another person, with a key that is gone."""

from __future__ import annotations

import re
from html import unescape

import pytest
import requests

from psc_connect.models import Provider
from psc_connect.providers.keys import import_keys
from tests.interop.keycloak import Keycloak
from tests.interop.site import declare, refresh_link, shown_code
from tests.interop.visitor import Visitor, asks_for_password, is_page_of
from tests.support.access_rules import PODIATRISTS, allow, set_rules
from tests.support.logout_forms import CLOSE, OTHER_PERSON

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("english")]

PODIATRIST = "podiatrist-2023"
DOCTOR = "doctor-card-two-activities-2023"
CLOSED = "Pro Santé Connect session is closed"
BOTH_CLOSED = "are both closed"


@pytest.fixture
def provider(keycloak: Keycloak) -> Provider:
    """A provider that refuses the doctor."""
    provider = declare(keycloak)
    set_rules(provider, allow(PODIATRISTS), others_may_sign_in=False)
    return provider


def refuse_doctor(visitor: Visitor) -> requests.Response:
    page = visitor.sign_in(DOCTOR)
    assert shown_code(page) == "access_refused"
    assert not visitor.has_session
    return page


def press(visitor: Visitor, page: requests.Response, button: str) -> requests.Response:
    """Press a button of the page's form, and follow the page that leads to Keycloak."""
    leaving = visitor.browser.submit(page, then=button)
    return visitor.browser.open(refresh_link(leaving))


def press_login_button(visitor: Visitor, page: requests.Response) -> requests.Response:
    (link,) = re.findall(r'class="psc-button"[^>]*href="([^"]+)"', page.text)
    return visitor.browser.open(visitor.site + unescape(link))


def asks_for_username(page: requests.Response) -> bool:
    """Return whether Keycloak knows nobody: with a session, it only asks for the password of the person it knows."""
    return asks_for_password(page) and 'id="kc-attempted-username"' not in page.text


def test_another_person_signs_in_after_a_refusal(provider: Provider, visitor: Visitor) -> None:
    back = press(visitor, refuse_doctor(visitor), OTHER_PERSON)
    assert back.url.startswith(f"{visitor.site}/psc/post/logged-out/?state=")
    assert CLOSED in back.text
    form = press_login_button(visitor, back)
    assert asks_for_username(form)
    assert is_page_of(visitor.browser.sign_in(form, PODIATRIST), PODIATRIST)


def test_the_refused_person_closes_the_session_at_keycloak(provider: Provider, visitor: Visitor) -> None:
    back = press(visitor, refuse_doctor(visitor), CLOSE)
    assert CLOSED in back.text
    # The refused person had no session of this site.
    assert BOTH_CLOSED not in back.text
    assert asks_for_username(visitor.read_page())


def test_a_signed_in_person_without_access_makes_room_for_another(provider: Provider, visitor: Visitor) -> None:
    assert is_page_of(visitor.sign_in(PODIATRIST), PODIATRIST)
    refused = visitor.browser.open(f"{visitor.site}/psc/login/?next=/page/one/")
    assert refused.status_code == 403
    back = press(visitor, refused, OTHER_PERSON)
    assert CLOSED in back.text
    assert not visitor.has_session
    assert asks_for_username(press_login_button(visitor, back))


def test_without_the_id_token_keycloak_asks_the_former_person(provider: Provider, visitor: Visitor) -> None:
    """Why the ID token is kept: with ``prompt=login``, Keycloak only accepts the password of the refused person."""
    refuse_doctor(visitor)
    form = visitor.browser.open(f"{visitor.site}/psc/post/login/?as=other")
    assert asks_for_password(form)
    assert not asks_for_username(form)


@pytest.mark.case("LO02")
def test_without_the_id_token_keycloak_asks_for_a_confirmation_and_closes_the_session(
    provider: Provider, visitor: Visitor
) -> None:
    refuse_doctor(visitor)
    # A page without the form's ID token, as after ten minutes.
    page = visitor.browser.open(f"{visitor.site}/psc/post/logged-out/")
    assert CLOSED not in page.text
    question = press(visitor, page, CLOSE)
    assert question.url.startswith(provider.issuer)
    back = visitor.browser.submit(question, confirmLogout="Logout")
    assert CLOSED in back.text
    assert asks_for_username(visitor.read_page())


@pytest.mark.case("LO02")
def test_a_key_that_is_gone_does_not_keep_the_session_at_keycloak_open(
    keycloak: Keycloak, provider: Provider, visitor: Visitor
) -> None:
    with keycloak.rotated_key():
        assert is_page_of(visitor.sign_in(PODIATRIST), PODIATRIST)
    import_keys(provider)
    question = visitor.sign_out()
    assert question.status_code == 200, "Keycloak refuses a hint whose key it does not have"
    assert question.url.startswith(provider.issuer)
    back = visitor.browser.submit(question, confirmLogout="Logout")
    assert BOTH_CLOSED in back.text
    assert asks_for_username(visitor.read_page())


@pytest.mark.case("LO02")
def test_a_second_click_on_the_way_to_keycloak_is_confirmed_too(provider: Provider, visitor: Visitor) -> None:
    visitor.sign_in(PODIATRIST)
    leaving = visitor.browser.submit(visitor.browser.open(f"{visitor.site}/psc/login/?next=/page/one/"), then="")
    for _click in range(2):
        assert BOTH_CLOSED in visitor.browser.open(refresh_link(leaving)).text
