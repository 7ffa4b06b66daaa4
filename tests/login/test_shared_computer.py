"""A shared computer: after a refusal, another person can sign in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils.html import escape

from psc_connect.models import Provider
from tests.support.access_rules import DOCTORS, allow, set_rules
from tests.support.browser_session import HOST, PAGE, BrowserSession, path_of, query_of

pytestmark = pytest.mark.django_db


def test_another_person_can_sign_in_after_a_refusal(provider: Provider, person: BrowserSession) -> None:
    set_rules(provider, allow(DOCTORS), others_may_sign_in=False)
    link = f"/psc/psc/login/?{urlencode({'next': PAGE, 'as': 'other', 'clicked': '1'})}"
    assert f'<a href="{escape(link)}"' in person.sign_in(PAGE).content.decode()
    # The session of the refused person is open at the provider, and must not be used.
    assert query_of(person.browser.get(link)["Location"])["prompt"] == "login"


def test_as_other_is_kept_across_the_redirect_to_the_site_host(
    provider: Provider, person: BrowserSession, settings: Any
) -> None:
    settings.PSC_CONNECT_BASE_URL = HOST
    moved = person.browser.get("/psc/psc/login/", {"as": "other"}, headers={"Host": "localhost"})["Location"]
    assert query_of(person.browser.get(path_of(moved))["Location"])["prompt"] == "login"


@pytest.mark.parametrize("asked", ["", "login", "none", "other none"])
def test_other_values_of_as_change_nothing(provider: Provider, person: BrowserSession, asked: str) -> None:
    answer = person.browser.get("/psc/psc/login/", {"as": asked, "prompt": "none"})
    assert "prompt" not in query_of(answer["Location"])


def test_refusal_before_identification_has_no_link_for_another_person(
    provider: Provider, person: BrowserSession
) -> None:
    page = person.browser.get("/psc/psc/callback/", {"error": "access_denied", "state": "x"}).content.decode()
    assert "as=other" not in page
