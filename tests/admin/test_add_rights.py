"""Permissions to add a provider: another issuer or a copied mapping needs more than the add permission."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import ADD, Administrator, administrator, codes, messages_of, signed_in_long_ago, texts
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db
ADDER = ("add_provider",)
KEEPER = ("add_provider", "replace_provider_secrets")
ANSWERS = {"client_id": "c", "client_secret": CLIENT_SECRET}


def declare(admin: Administrator, environment: str = "custom", **answers: Any) -> Any:
    return admin.submit(ADD, environment=environment, **{**ANSWERS, **answers})


@pytest.mark.case("AD01", "AD02")
@pytest.mark.parametrize("environment", ["custom", "simulator"])
@pytest.mark.parametrize("way", ["metadata", "discovery_url"])
def test_an_issuer_of_somebody_elses_is_not_declared_without_the_right(
    simulator: Simulator, environment: str, way: str
) -> None:
    """Whatever it says of people would be believed, and a site's own code would link them to its users."""
    given = {"metadata": json.dumps(simulator.metadata), "discovery_url": simulator.discovery_url}
    refused = declare(administrator(*ADDER), environment, **{way: given[way]})
    assert codes(refused) == {("environment", "issuer_needs_the_right")}
    assert not Provider.objects.exists()
    assert declare(administrator(*KEEPER), environment, **{way: given[way]}).status_code == 302


@pytest.mark.case("AD01")
def test_a_sign_in_of_some_time_ago_is_asked_to_confirm_itself_for_such_an_issuer(
    simulator: Simulator, english: None
) -> None:
    late = signed_in_long_ago(administrator(*KEEPER))
    refused = declare(late, metadata=json.dumps(simulator.metadata))
    assert codes(refused) == {("environment", "issuer_needs_the_right")}
    said = texts(refused, "environment")
    assert "decides whom this site trusts" in said
    assert "/admin/psc_connect/provider/confirm/?next=" in refused.content.decode()


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_pro_sante_connect_is_declared_with_the_right_to_declare(no_way_out: None, environment: str) -> None:
    late = signed_in_long_ago(administrator(*ADDER))
    assert declare(late, environment).status_code == 302
    assert Provider.objects.get().metadata == load_metadata(environment)


def test_an_issuer_that_is_declared_already_takes_the_right_to_replace_its_keys(
    no_way_out: None, english: None
) -> None:
    adder = administrator(*ADDER)
    assert declare(adder, "production").status_code == 302
    refused = declare(adder, "production")
    assert codes(refused) == {("environment", "issuer_is_declared")}
    said = texts(refused, "environment")
    assert said.startswith("This issuer is already declared here: declaring it again replaces its keys.")
    assert Provider.objects.count() == 1
    assert declare(administrator(*KEEPER), "production").status_code == 302


def test_simulator_is_added_with_the_add_permission(simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.issuer.removesuffix("/auth/realms/esante-wallet")
    assert declare(administrator(*ADDER), "simulator").status_code == 302


# What "Like" takes over.


def taken_over(admin: Administrator, like: Provider, environment: str) -> tuple[Provider, str]:
    """Return the new provider, and what was told of it as a warning."""
    response = declare(admin, environment, like=str(like.pk))
    assert response.status_code == 302
    told = [text for level, text in messages_of(response) if level == "warning"]
    return Provider.objects.get(environment=environment), " ".join(told)


@pytest.mark.case("AD01")
def test_where_visitors_are_sent_is_not_taken_over_by_who_may_only_declare(
    provider: Provider, no_way_out: None, english: None
) -> None:
    provider.selection_rules.create(kind="host", value="a.example")
    Provider.objects.update(sort_order=3)
    copy, told = taken_over(administrator(*ADDER), provider, "sandbox")
    assert (copy.sort_order, list(copy.selection_rules.all())) == (100, [])
    assert "provider selection rules" in told
    copy, told = taken_over(administrator(*ADDER, "change_provider"), provider, "production")
    assert (copy.sort_order, copy.selection_rules.get().value) == (3, "a.example")
    assert told == ""


@pytest.mark.case("AD02", "AD03", "NW03")
@pytest.mark.parametrize("rights", [ADDER, (*ADDER, "change_user")])
def test_how_first_sign_ins_are_linked_is_only_taken_over_by_superusers(
    provider: Provider, no_way_out: None, english: None, rights: tuple[str, ...]
) -> None:
    Provider.objects.update(link_user_field="last_name", link_privileged_users=True)
    copy, told = taken_over(administrator(*rights), provider, "sandbox")
    assert (copy.link_user_field, copy.link_privileged_users) == ("", False)
    assert "links first sign-ins" in told
    copy, told = taken_over(administrator(), provider, "production")
    assert (copy.link_user_field, copy.link_privileged_users) == ("last_name", True)
    assert told == ""


@pytest.mark.case("AL12", "AD03")
def test_what_is_written_into_users_is_not_taken_over_by_who_may_not_change_them(
    provider: Provider, no_way_out: None, english: None
) -> None:
    provider.exported_attributes.create(claim="'boss@example.org'", user_field="email")
    provider.exported_groups.create(claim="given_name", equals="x", group=Group.objects.create(name="Doctors"))
    copy, told = taken_over(administrator(*ADDER), provider, "sandbox")
    assert set(copy.exported_attributes.values_list("user_field", flat=True)) == {"first_name", "last_name", "username"}
    assert not copy.exported_groups.exists()
    assert "change users" in told
    copy, told = taken_over(administrator(*ADDER, "change_user"), provider, "production")
    assert copy.exported_attributes.count() == 4
    assert copy.exported_groups.get().group.name == "Doctors"
    assert told == ""
