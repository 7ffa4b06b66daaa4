"""Access rules at a login: who may sign in, what refused people see, and the groups that rules grant."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.utils.html import escape

from psc_connect.access import rules
from psc_connect.models import Account, GroupGrant, Provider
from psc_connect.professional.snapshot import from_snapshot
from psc_connect.signals import login_refused
from psc_connect.simulator import Simulator
from tests.conftest import make_provider
from tests.login.test_costs import statements
from tests.support.access_rules import DOCTORS, HOSPITAL, PODIATRISTS, allow, give_group, refuse, set_rules
from tests.support.browser_session import PAGE, BrowserSession, error_code_of
from tests.support.refusals import assert_sign_in_is_refused

pytestmark = pytest.mark.django_db
PROFESSION = "SubjectRefPro.exercices[].codeProfession"
MESSAGE = "Seuls les médecins de l’hôpital entrent <ici>."


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="Podiatrists")


def sign_in() -> set[str]:
    """Sign in with a new browser; return the groups of the only user."""
    person = BrowserSession()
    # A person with several activities is asked first.
    assert PAGE in unquote(person.sign_in(PAGE)["Location"])
    person.close()
    return groups()


def be_refused() -> Any:
    person = BrowserSession()
    response = person.sign_in(PAGE)
    person.close()
    assert not person.is_signed_in
    return response


def groups() -> set[str]:
    return set(get_user_model().objects.get().groups.values_list("name", flat=True))


def grants() -> set[tuple[str, str]]:
    return set(GroupGrant.objects.values_list("group__name", "source"))


def test_person_allowed_by_a_rule_signs_in(provider: Provider, person: BrowserSession) -> None:
    set_rules(provider, allow(PODIATRISTS), others_may_sign_in=False)
    assert person.sign_in(PAGE)["Location"] == PAGE
    assert person.is_signed_in


def test_refused_first_login_saves_nothing(provider: Provider, simulator: Simulator, person: BrowserSession) -> None:
    set_rules(provider, refuse(PODIATRISTS, message=MESSAGE))
    response = assert_sign_in_is_refused("access_refused", person=person, simulator=simulator)
    assert response.status_code == 403
    assert not get_user_model().objects.exists()
    assert not Account.objects.exists()


def test_known_person_is_refused_at_the_next_login_and_is_unchanged(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    sign_in()
    set_rules(provider, refuse(PODIATRISTS))
    assert_sign_in_is_refused("access_refused", person=person, simulator=simulator)


def test_only_the_professional_data_of_a_refused_known_person_are_saved(
    provider: Provider, simulator: Simulator, person: BrowserSession
) -> None:
    sign_in()
    simulator.faults.set("userinfo_claims", claims={"given_name": "Another"})
    set_rules(provider, refuse(PODIATRISTS))
    assert error_code_of(person.sign_in(PAGE)) == "access_refused"
    assert Account.objects.get().professional["given_name"] == "Another"
    assert get_user_model().objects.get().first_name != "Another"


def test_refused_person_sees_the_reason_and_the_contact(provider: Provider) -> None:
    set_rules(provider, refuse(PODIATRISTS, message=MESSAGE), contact="dsi+psc@hopital.example ou le <poste> 12")
    response = be_refused()
    page = response.content.decode()
    assert error_code_of(response) == "access_refused"
    assert f"<dd>{response.context['reference']}</dd>" in page
    assert escape(MESSAGE) in page
    assert MESSAGE not in page
    assert '<a href="mailto:dsi+psc@hopital.example">dsi+psc@hopital.example</a> ou le &lt;poste&gt; 12' in page


def test_person_that_no_rule_matches_sees_the_default_message(provider: Provider) -> None:
    set_rules(provider, allow(DOCTORS), others_may_sign_in=False, refusal_message=MESSAGE)
    page = be_refused().content.decode()
    assert escape(MESSAGE) in page
    assert "mailto:" not in page
    assert "psc-contact" not in page


def test_refusal_without_a_message_shows_a_default_text(provider: Provider) -> None:
    set_rules(provider, refuse())
    response = be_refused()
    assert error_code_of(response) == "access_refused"
    assert "psc-message" not in response.content.decode()


def test_refusal_is_logged_and_signalled_with_its_code_and_no_personal_data(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[dict[str, Any]] = []

    def listen(sender: Any, **kwargs: Any) -> None:
        received.append(kwargs)

    login_refused.connect(listen)
    set_rules(provider, refuse(PODIATRISTS, message=MESSAGE))
    with caplog.at_level(logging.WARNING, logger="psc_connect"):
        response = be_refused()
    login_refused.disconnect(listen)
    reference = response.context["reference"]
    assert [(kwargs["code"], kwargs["provider"], kwargs["reference"]) for kwargs in received] == [
        ("access_refused", "psc", reference)
    ]
    [line] = [record.getMessage() for record in caplog.records if record.name == "psc_connect"]
    assert line == f"login.refused code=access_refused provider=psc reference={reference}"


def test_malformed_rule_refuses_with_its_own_code(provider: Provider, person: BrowserSession) -> None:
    set_rules(provider, allow())
    # Saved without the form's validation.
    provider.access_rules.update(conditions={"profession": "80"})
    response = person.sign_in(PAGE)
    assert error_code_of(response) == "access_rule_malformed"
    assert not person.is_signed_in


@pytest.mark.parametrize("is_refused", [False, True])
def test_person_is_not_locked_out_by_the_activity_of_last_time(
    provider: Provider, simulator: Simulator, *, is_refused: bool
) -> None:
    simulator.sign_in("doctor-two-activities")
    BrowserSession().sign_in(PAGE)
    account = Account.objects.get()
    person = from_snapshot(account.professional)
    assert person is not None
    at_practice, at_hospital = person.activity_choices
    account.activity_choice = (at_hospital if is_refused else at_practice).key
    account.save()
    set_rules(provider, refuse(HOSPITAL))
    visitor = BrowserSession()
    assert visitor.sign_in(PAGE).status_code == 302
    kept = visitor.browser.session["psc_connect"]
    assert (kept["activity_choice"], kept["must_choose"]) == (("", True) if is_refused else (at_practice.key, False))


def test_rule_compares_the_level_of_this_login(provider: Provider, simulator: Simulator) -> None:
    set_rules(provider, allow("acr in eidas3"), others_may_sign_in=False)
    assert error_code_of(be_refused()) == "access_refused"
    simulator.faults.set("id_token_claims", claims={"acr": "eidas3"})
    sign_in()


def test_group_is_granted_while_its_rule_applies_and_removed_afterwards(provider: Provider, group: Group) -> None:
    set_rules(provider, give_group(group, PODIATRISTS))
    assert sign_in() == {"Podiatrists"}
    assert sign_in() == {"Podiatrists"}
    assert grants() == {("Podiatrists", "rule")}
    set_rules(provider, give_group(group, DOCTORS))
    assert sign_in() == set()
    assert grants() == set()


def test_group_is_removed_with_its_rule(provider: Provider, group: Group) -> None:
    set_rules(provider, give_group(group))
    assert sign_in() == {"Podiatrists"}
    set_rules(provider)
    assert sign_in() == set()


def test_group_is_removed_when_the_professional_data_change(
    provider: Provider, simulator: Simulator, group: Group
) -> None:
    set_rules(provider, give_group(group, PODIATRISTS))
    assert sign_in() == {"Podiatrists"}
    simulator.faults.set("userinfo_claims", claims={"SubjectRefPro": {"exercices": []}})
    assert sign_in() == set()


@pytest.mark.parametrize("given", ["before", "after"])
def test_group_given_by_hand_is_never_changed(provider: Provider, group: Group, given: str) -> None:
    sign_in()
    user = get_user_model().objects.get()
    if given == "before":
        user.groups.add(group)
    set_rules(provider, give_group(group, PODIATRISTS))
    assert sign_in() == {"Podiatrists"}
    set_rules(provider, give_group(group, DOCTORS))
    if given == "after":
        assert sign_in() == set()
        user.groups.add(group)
    assert sign_in() == {"Podiatrists"}
    set_rules(provider, refuse())
    be_refused()
    assert groups() == {"Podiatrists"}


def test_refused_person_loses_the_groups_of_rules_only(provider: Provider, simulator: Simulator, group: Group) -> None:
    by_hand, by_mapping = Group.objects.create(name="By hand"), Group.objects.create(name="By the mapping")
    provider.exported_groups.create(claim=PROFESSION, equals="80", group=by_mapping)
    set_rules(provider, give_group(group, PODIATRISTS))
    sign_in()
    get_user_model().objects.get().groups.add(by_hand)
    set_rules(provider, give_group(group, PODIATRISTS), refuse(PODIATRISTS))
    assert error_code_of(be_refused()) == "access_refused"
    assert groups() == {"By hand", "By the mapping"}
    assert grants() == {("By the mapping", "mapping")}


def test_group_granted_by_mapping_and_rule_is_kept_until_neither_grants_it(provider: Provider, group: Group) -> None:
    provider.exported_groups.create(claim=PROFESSION, equals="80", group=group)
    set_rules(provider, give_group(group, PODIATRISTS))
    assert sign_in() == {"Podiatrists"}
    assert grants() == {("Podiatrists", "mapping"), ("Podiatrists", "rule")}
    set_rules(provider)
    assert sign_in() == {"Podiatrists"}
    provider.exported_groups.all().delete()
    assert sign_in() == set()


def test_group_granted_by_one_account_of_a_user_is_not_removed_by_another(
    simulator: Simulator, provider: Provider, group: Group
) -> None:
    set_rules(provider, give_group(group, PODIATRISTS))
    sign_in()
    user = get_user_model().objects.get()
    other = make_provider(simulator, "other", metadata={**simulator.metadata, "issuer": f"{simulator.issuer}-other"})
    set_rules(other, give_group(group, PODIATRISTS))
    second = Account.objects.create(provider=other, issuer=other.issuer, subject="s", user=user)
    person = from_snapshot(Account.objects.get(provider=provider).professional)
    assert person is not None
    rules.apply_activity_rules(second, other, professional=person, activity_choice=person.activity_choices[0], acr="")
    assert GroupGrant.objects.count() == 2
    set_rules(provider)
    assert sign_in() == {"Podiatrists"}
    set_rules(other)
    rules.apply_activity_rules(second, other, professional=person, activity_choice=person.activity_choices[0], acr="")
    assert groups() == set()


def test_rule_of_a_deleted_group_grants_nothing(provider: Provider, group: Group) -> None:
    set_rules(provider, give_group(group, PODIATRISTS), allow(PODIATRISTS), others_may_sign_in=False)
    sign_in()
    group.delete()
    assert provider.access_rules.count() == 2
    assert sign_in() == set()


def test_another_activity_changes_the_groups_of_rules_and_not_of_the_mapping(
    provider: Provider, simulator: Simulator, group: Group
) -> None:
    by_mapping, hospital = Group.objects.create(name="By the mapping"), Group.objects.create(name="Hospital")
    provider.exported_groups.create(claim=PROFESSION, equals="10", group=by_mapping)
    set_rules(provider, give_group(group, "mode in L"), give_group(hospital, HOSPITAL), refuse("sector in SA43"))
    simulator.sign_in("doctor-five-activities")
    # Before the choice: the groups of all allowed activities.
    assert sign_in() == {"By the mapping"}
    account = Account.objects.get()
    person = from_snapshot(account.professional)
    assert person is not None
    at_practice, at_hospital, elsewhere = (
        person.activity_choices[0],
        person.activity_choices[2],
        person.activity_choices[3],
    )
    for activity_choice, expected in ((at_practice, "Podiatrists"), (at_hospital, "Hospital")):
        decision = rules.apply_activity_rules(
            account, provider, professional=person, activity_choice=activity_choice, acr=""
        )
        assert decision.allowed
        assert groups() == {"By the mapping", expected}
    # A refused activity cannot be chosen.
    assert not rules.apply_activity_rules(
        account, provider, professional=person, activity_choice=elsewhere, acr=""
    ).allowed
    assert groups() == {"By the mapping", "Hospital"}


def test_unlinking_removes_the_groups_of_rules(provider: Provider, group: Group) -> None:
    from psc_connect.accounts.unlinking import unlink

    set_rules(provider, give_group(group, PODIATRISTS))
    sign_in()
    unlink(Account.objects.get(), by=None)
    assert groups() == set()


def statements_of_a_login() -> list[str]:
    person = BrowserSession()
    callback = person.authorize(person.begin(PAGE))
    with statements() as queries:
        assert person.come_back(callback)["Location"] == PAGE
    person.close()
    return queries


@pytest.mark.django_db(transaction=True)
def test_rules_cost_a_login_one_query(simulator: Simulator) -> None:
    assert connection.vendor == "sqlite"
    provider = make_provider(simulator)
    sign_in()
    without = statements_of_a_login()
    assert len([sql for sql in without if "psc_connect_accessrule" in sql]) == 1
    set_rules(provider, *[refuse(DOCTORS, "department in 69") for _number in range(20)], allow(PODIATRISTS))
    assert statements_of_a_login() == without


@pytest.mark.django_db(transaction=True)
def test_rule_that_grants_no_group_to_this_person_costs_no_other_query(simulator: Simulator) -> None:
    provider, group = make_provider(simulator), Group.objects.create(name="Doctors")
    sign_in()
    without = statements_of_a_login()
    set_rules(provider, give_group(group, DOCTORS))
    assert statements_of_a_login() == without
