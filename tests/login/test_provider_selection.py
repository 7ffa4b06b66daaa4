"""Several providers: their order, the choice page, and the rules that select one."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from psc_connect.models import Provider, ProviderSelectionRule
from tests.conftest import make_provider
from tests.support.browser_session import PAGE, error_code_of, query_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(simulator: Any, provider: Any) -> Provider:
    return make_provider(simulator, "clinic")


def rule(provider: Provider, kind: str, value: str, header: str = "") -> ProviderSelectionRule:
    row = ProviderSelectionRule(provider=provider, kind=kind, value=value, header=header)
    row.full_clean()
    row.save()
    return row


def selected_provider(person: Any, **options: Any) -> str:
    """Return the slug of the selected provider, or "" for the choice page."""
    response = person.browser.get("/psc/login/", {"next": PAGE, **options.pop("data", {})}, **options)
    if response.status_code == 200:
        assert "psc_connect/choose_provider.html" in [template.name for template in response.templates]
        return ""
    return query_of(response["Location"])["redirect_uri"].split("/")[-3]


def test_without_a_rule_the_choice_is_shown(person: Any, clinic: Provider) -> None:
    assert selected_provider(person) == ""


@pytest.mark.parametrize(
    ("network", "address", "fits"),
    [
        ("10.20.0.0/16", "10.20.3.4", True),
        ("10.20.0.0/16", "10.21.3.4", False),
        ("10.20.3.4", "10.20.3.4", True),
        ("10.20.0.0/16", "::ffff:10.20.3.4", True),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "10.20.3.4", False),
        ("0.0.0.0/0", "nonsense", False),
        ("0.0.0.0/0", "", False),
    ],
)
def test_a_rule_about_the_network(person: Any, clinic: Provider, network: str, address: str, fits: bool) -> None:
    rule(clinic, "network", network)
    assert selected_provider(person, REMOTE_ADDR=address) == ("clinic" if fits else "")


@pytest.mark.case("LG05")
@pytest.mark.parametrize(
    ("proxies", "forwarded", "fits"),
    [
        (0, "10.20.3.4", False),  # any client can write it
        (1, "10.20.3.4", True),
        (1, "10.20.3.4, 192.0.2.1", False),  # the nearest proxy received another address
        (2, "10.20.3.4, 192.0.2.1", True),
        (2, "10.20.3.4", False),
        (1, "", False),
        (1, "10.20.3.4, nonsense", False),
    ],
)
def test_behind_proxies_the_address_is_the_one_that_the_sites_proxy_received(
    person: Any, clinic: Provider, settings: Any, proxies: int, forwarded: str, fits: bool
) -> None:
    settings.PSC_CONNECT_TRUSTED_PROXY_COUNT = proxies
    rule(clinic, "network", "10.20.0.0/16")
    assert selected_provider(person, headers={"X-Forwarded-For": forwarded}) == ("clinic" if fits else "")


@pytest.mark.parametrize(("host", "fits"), [("localhost", True), ("LOCALHOST:8000", True), ("testserver", False)])
def test_a_rule_about_the_host(person: Any, clinic: Provider, host: str, fits: bool) -> None:
    rule(clinic, "host", "localhost")
    assert selected_provider(person, headers={"Host": host}) == ("clinic" if fits else "")


def test_host_rule_applies_before_the_redirect_to_the_site_host(person: Any, clinic: Provider, settings: Any) -> None:
    settings.PSC_CONNECT_BASE_URL = "http://testserver"
    rule(clinic, "host", "localhost")
    response = person.browser.get("/psc/login/", {"next": PAGE}, headers={"Host": "localhost"})
    assert response["Location"].startswith("http://testserver/psc/clinic/login/?")
    other = person.browser.get("/psc/login/", {"choose": "1"}, headers={"Host": "localhost"})
    assert other["Location"] == "http://testserver/psc/login/?choose=1&from_other_host=1"


@pytest.mark.parametrize(("sent", "fits"), [("clinic-7", True), ("clinic-8", False), (None, False)])
def test_a_rule_about_a_header(person: Any, clinic: Provider, sent: str | None, fits: bool) -> None:
    rule(clinic, "header", "clinic-7", header="X-Site")
    assert selected_provider(person, headers={"X-Site": sent} if sent else {}) == ("clinic" if fits else "")


def test_first_provider_in_their_order_is_selected_if_several_match(person: Any, clinic: Provider) -> None:
    for row in Provider.objects.all():
        rule(row, "host", "testserver")
    assert selected_provider(person) == "clinic"
    Provider.objects.filter(slug="psc").update(sort_order=1)
    assert selected_provider(person) == "psc"


def test_rule_of_a_disabled_provider_is_ignored(simulator: Any, person: Any, clinic: Provider) -> None:
    make_provider(simulator, "third")
    rule(clinic, "host", "testserver")
    Provider.objects.filter(slug="clinic").update(enabled=False)
    assert selected_provider(person) == ""


def test_choose_parameter_shows_the_choice(person: Any, clinic: Provider) -> None:
    rule(clinic, "host", "testserver")
    assert selected_provider(person, data={"choose": "1"}) == ""


def test_refusal_links_to_the_choice_if_there_are_several_providers(
    person: Any, clinic: Provider, simulator: Any
) -> None:
    with simulator.fault("callback_error", error="access_denied"):
        response = person.sign_in(PAGE)
    assert error_code_of(response) == "authorization_access_denied"
    assert 'href="/psc/login/?next=%2Fpage%2Fone%2F&amp;choose=1&amp;clicked=1"' in response.content.decode()
    Provider.objects.filter(slug="clinic").update(enabled=False)
    with simulator.fault("callback_error", error="access_denied"):
        assert "choose=1" not in person.sign_in(PAGE).content.decode()


def test_choice_costs_two_queries(person: Any, clinic: Provider, django_assert_num_queries: Any) -> None:
    rule(clinic, "host", "localhost")
    with django_assert_num_queries(3):  # providers, rules, and the buttons of the page
        selected_provider(person)


@pytest.mark.parametrize(
    ("kind", "value", "header", "field", "code"),
    [
        ("network", "10.20.0.0/99", "", "value", "selection_network_malformed"),
        ("network", "10.20.3.4/16", "", "value", "selection_network_malformed"),
        ("network", "everybody", "", "value", "selection_network_malformed"),
        ("host", "https://a.example", "", "value", "selection_host_malformed"),
        ("host", "a.example:8000", "", "value", "selection_host_malformed"),
        ("host", "*.example", "", "value", "selection_host_malformed"),
        ("header", "x", "", "header", "selection_header_malformed"),
        ("header", "x", "X Site", "header", "selection_header_malformed"),
        ("header", "x", "X-Site:\n", "header", "selection_header_malformed"),
        ("host", "a.example", "X-Site", "header", "selection_header_unexpected"),
        ("cookie", "x", "", "kind", "invalid_choice"),
        ("network", "", "", "value", "blank"),
    ],
)
def test_rule_that_can_never_match_is_refused(
    provider: Provider, kind: str, value: str, header: str, field: str, code: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        rule(provider, kind, value, header)
    assert code in {error.code for error in raised.value.error_dict[field]}


def test_malformed_rule_in_the_database_matches_no_request(person: Any, clinic: Provider) -> None:
    ProviderSelectionRule.objects.create(provider=clinic, kind="network", value="nonsense")
    assert selected_provider(person) == ""


def test_providers_are_shown_in_their_order(clinic: Provider) -> None:
    assert [row.slug for row in Provider.objects.all()] == ["clinic", "psc"]
    Provider.objects.filter(slug="psc").update(sort_order=5)
    assert [row.slug for row in Provider.objects.all()] == ["psc", "clinic"]
