"""The ``id_token_hint`` of a logout: left out when the provider no longer has its key, as far as this site knows."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Provider, SigningKey
from psc_connect.providers.keys import import_keys
from psc_connect.simulator import Simulator
from tests.support.access_rules import set_rules
from tests.support.browser_session import PAGE, BrowserSession, query_of
from tests.support.logout_forms import (
    CLOSE,
    OTHER_PERSON,
    asks_for_identification,
    end_session_url,
    press,
    return_from_provider,
)

pytestmark = [pytest.mark.django_db, pytest.mark.case("LO02")]
LOGOUT = "/psc/psc/logout/"


def has_hint(response: Any) -> bool:
    return "id_token_hint" in query_of(end_session_url(response))


def sign_in(person: BrowserSession, simulator: Simulator) -> None:
    person.sign_in()
    simulator.sign_in(None)


def test_the_hint_is_left_out_when_its_key_is_gone(
    provider: Provider, simulator: Simulator, person: BrowserSession, caplog: Any
) -> None:
    sign_in(person, simulator)
    simulator.rotate_keys(withdraw_old=True)
    import_keys(provider)
    caplog.clear()
    leaving = person.browser.post(LOGOUT)
    assert not has_hint(leaving)
    assert "logout.without_hint provider=psc" in caplog.text
    # The provider asks the person instead of refusing the request.
    page = person.provider_session.get(end_session_url(leaving), allow_redirects=False, timeout=10)
    assert page.status_code == 200
    confirm = page.text.partition('name="confirm" value="')[2].partition('"')[0]
    url = simulator.metadata["end_session_endpoint"]
    back = person.provider_session.post(url, {"confirm": confirm}, allow_redirects=False, timeout=10)
    assert person.come_back(back.headers["Location"]).context["ended_at_provider"]
    assert asks_for_identification(person)


def test_the_hint_of_a_refused_login_is_left_out_too(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    set_rules(provider, others_may_sign_in=False)
    response = person.sign_in(PAGE)
    assert has_hint(press(person, response, CLOSE))
    simulator.rotate_keys(withdraw_old=True)
    import_keys(provider)
    assert not has_hint(press(person, response, CLOSE))


def test_a_rotated_key_that_is_still_published_keeps_the_hint(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    sign_in(person, simulator)
    simulator.rotate_keys()
    import_keys(provider)
    leaving = person.browser.post(LOGOUT)
    assert has_hint(leaving)
    assert return_from_provider(person, leaving).context["ended_at_provider"]
    assert asks_for_identification(person)


def test_a_retired_key_that_is_still_published_keeps_the_hint(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    """The decision is this site's. The provider knows nothing of it."""
    sign_in(person, simulator)
    simulator.rotate_keys()
    import_keys(provider)
    provider.signing_keys.filter(last_used__isnull=False).update(state=SigningKey.State.RETIRED)
    assert has_hint(person.browser.post(LOGOUT))


@pytest.mark.parametrize("state", [SigningKey.State.PINNED, SigningKey.State.RETIRED])
def test_a_decision_about_a_key_does_not_hide_that_it_is_gone(
    provider: Provider, simulator: Simulator, person: BrowserSession, state: str
) -> None:
    sign_in(person, simulator)
    simulator.rotate_keys()
    import_keys(provider)
    provider.signing_keys.filter(last_used__isnull=False).update(state=state)
    simulator.keys.published.pop()
    import_keys(provider)
    assert not has_hint(person.browser.post(LOGOUT))


def test_another_key_under_the_same_name_is_another_key(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    sign_in(person, simulator)
    kid = simulator.keys.current.kid
    simulator.rotate_keys(withdraw_old=True)
    import_keys(provider)
    row = provider.signing_keys.get(thumbprint__isnull=False)
    row.kid, row.jwk = kid, {**simulator.keys.current.public, "kid": kid}
    row.save()
    assert not has_hint(person.browser.post(LOGOUT))


def test_the_hint_is_left_out_when_it_was_issued_to_another_client(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    """An administrator has replaced the client since the login. Keycloak refuses such a hint too."""
    sign_in(person, simulator)
    Provider.objects.update(client_id="the-new-client")
    assert not has_hint(person.browser.post(LOGOUT))


def test_another_person_gets_to_the_provider_without_a_usable_hint_too(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    """Keycloak asks for a confirmation. With ``prompt=login``, it would ask for the former person's password."""
    set_rules(provider, others_may_sign_in=False)
    response = person.sign_in(PAGE)
    simulator.rotate_keys(withdraw_old=True)
    import_keys(provider)
    assert not has_hint(press(person, response, OTHER_PERSON))


@pytest.mark.case("NW05")
def test_the_hint_of_a_refused_login_goes_to_no_other_issuer(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    set_rules(provider, others_may_sign_in=False)
    response = person.sign_in(PAGE)
    # The slug is that of another provider now, on the same host.
    Provider.objects.update(metadata={**simulator.metadata, "issuer": f"{simulator.issuer}-of-another"})
    assert not has_hint(press(person, response, CLOSE))


@pytest.mark.case("NW05")
def test_the_hint_goes_to_no_provider_with_other_keys(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    sign_in(person, simulator)
    SigningKey.objects.all().delete()
    assert not has_hint(person.browser.post(LOGOUT))
