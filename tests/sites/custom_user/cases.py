"""A site with another user model, without ``username``, names or e-mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.accounts.merging import link, merge, plan_link, plan_merger
from psc_connect.models import Account, ExportedAttribute
from psc_connect.models.user_fields import assignable_fields, linkable_fields
from psc_connect.providers.validation import add_default_attributes
from tests.conftest import make_provider
from tests.support.access_rules import PODIATRISTS, allow, give_group, refuse, set_rules
from tests.support.browser_session import BrowserSession
from tests.support.people import PSI, RPPS, make_person, other_id, sign_in
from tests.support.refusals import assert_sign_in_is_refused

Agent = get_user_model()


@pytest.fixture
def provider(db: None, simulator: Any) -> Any:
    provider = make_provider(simulator)
    provider.exported_attributes.all().delete()
    add_default_attributes(provider)
    export(provider, "SubjectNameID", "matricule", when="creation")
    return provider


def export(provider: Any, claim: str, user_field: str, **options: Any) -> None:
    ExportedAttribute.objects.create(provider=provider, claim=claim, user_field=user_field, **options)


def test_no_default_attribute_is_created_for_a_missing_field(provider):
    assert list(provider.exported_attributes.values_list("user_field", flat=True)) == ["matricule"]


def test_editable_fields_except_relations_and_rights_can_be_assigned():
    names = {"matricule", "full_name", "practices", "palier", "since"}
    assert {field.name for field in assignable_fields()} == names


def test_the_username_is_fitted_to_the_field_of_the_site(provider, simulator, person):
    Agent.objects.create(matricule="ans202311221")
    person.sign_in()
    assert Agent.objects.exclude(matricule="ans202311221").get().matricule == "ans2023112-2"


def test_claims_of_every_type_fill_the_fields_that_take_them(provider, simulator, person):
    export(provider, "join(' ', [given_name, family_name])", "full_name")
    export(provider, "SubjectRefPro.exercices[*].codeProfession", "practices")
    export(provider, "palier", "palier")
    export(provider, "since", "since")
    simulator.faults.set("userinfo_claims", claims={"palier": 3, "since": "2026-01-31"})
    person.sign_in()
    agent = Agent.objects.get()
    assert (agent.full_name, agent.practices, agent.palier) == ("Fistinien Grominoch", ["80"], 3)
    assert agent.since.isoformat() == "2026-01-31"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "x" * 21),
        ("palier", "three"),
        ("palier", [3]),
        ("palier", {"a": 1}),
        ("since", "2026-02-31"),
        ("since", 20260131),
        ("since", True),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(provider, simulator, person, field, value):
    export(provider, "value", field)
    simulator.faults.set("userinfo_claims", claims={"value": value})
    assert_sign_in_is_refused("attribute_rejected", person=person, simulator=simulator)


@pytest.mark.case("AL12")
@pytest.mark.parametrize("field", ["service", "is_staff", "internal", "groups", "id", "is_active"])
def test_an_attribute_of_another_field_refuses_the_login(provider, simulator, person, field):
    Group.objects.create(name="administrators")
    row = ExportedAttribute(provider=provider, claim="palier", user_field=field)
    row.save(force_insert=True)
    simulator.faults.set("userinfo_claims", claims={"palier": 1})
    assert_sign_in_is_refused("attribute_field_forbidden", person=person, simulator=simulator)


def test_a_first_login_is_linked_by_a_field_of_the_site(provider, simulator, person):
    assert {field.name for field in linkable_fields()} == {"matricule", "full_name", "internal"}
    provider.link_user_field = "full_name"
    provider.full_clean(exclude=["client_secret"])
    provider.save()
    known = Agent.objects.create(matricule="known", full_name=RPPS)
    simulator.sign_in(make_person("1", other_id("RPPS", RPPS)))
    person.sign_in()
    assert Account.objects.get().user == known


def test_two_accounts_are_merged_and_one_goes_to_another_user(provider, simulator):
    with_psi = make_person("2", other_id("PSI", PSI), SubjectNameID="2-x")
    kept, other = (sign_in(simulator, person) for person in (make_person("1", SubjectNameID="1-x"), with_psi))
    merge(plan_merger(kept, other), by=None, deactivate=True)
    assert not Agent.objects.get(pk=other.user_id).is_active
    right = Agent.objects.create(matricule="right")
    link(plan_link(Account.objects.get(), right), by=None)
    assert sign_in(simulator, with_psi).user == right


def test_the_session_and_the_pages_work_with_it(provider, simulator, person):
    response = person.sign_in("/page/one/")
    assert person.browser.get(response["Location"]).status_code == 200
    assert person.browser.get("/psc/psc/login/?next=/page/one/").status_code == 403


def test_access_rules_apply_and_give_groups(provider, simulator, person):
    group = Group.objects.create(name="Podiatrists")
    set_rules(provider, give_group(group, PODIATRISTS), allow(PODIATRISTS), others_may_sign_in=False)
    assert person.sign_in("/page/one/").status_code == 302
    assert list(Agent.objects.get().groups.all()) == [group]
    set_rules(provider, refuse(PODIATRISTS))
    assert BrowserSession().sign_in().status_code == 403
    assert not Agent.objects.get().groups.exists()
