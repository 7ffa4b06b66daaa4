"""Access rules tried before they are saved: on the samples, on the last dry run, on everybody whom the site knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.admin.access import preview
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.models import AccessRule, Account, Provider
from psc_connect.professional.snapshot import to_snapshot
from psc_connect.simulator import Simulator
from tests.admin.access_page import decisions, page_of, press, rules_of, shown_by, submit, typed
from tests.admin.pages import Administrator, administrator, text_of
from tests.login.test_costs import statements
from tests.support.access_rules import DOCTORS, PODIATRISTS, allow, give_group, professional_of, refuse, set_rules
from tests.support.browser_session import BrowserSession
from tests.support.dry_runs import dry_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
DOCTORS_REFUSED = typed("refuse", ("profession", "in", "10"), message="No doctors.")
CARD = "A doctor with a card and two activities (2023)"


def know(provider: Provider, *samples: str, activity_choice: int | None = None) -> None:
    """Make an account of each of these people."""
    for number, sample in enumerate(samples, start=Account.objects.count()):
        person = professional_of(sample)
        user = get_user_model().objects.create_user(f"known-{number}")
        Account.objects.create(
            provider=provider,
            issuer=provider.issuer,
            subject=f"s{number}",
            user=user,
            professional=to_snapshot(person),
            activity_choice="" if activity_choice is None else person.activity_choices[activity_choice].key,
        )


def test_every_sample_is_tried_in_each_of_its_capacities(admin: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Hospital")
    response = submit(
        admin,
        provider,
        typed("group", ("mode", "in", "S"), group=str(group.pk)),
        typed("refuse", ("profession", "in", "80"), message="No podiatrists."),
        typed("allow", ("profession", "in", "10"), ("department", "in", "75")),
        others_may_sign_in="False",
        refusal_message="Nobody else.",
        button="_preview",
    )
    in_group, alone = ("3", True, "may sign in, in the groups: Hospital"), ("3", True, "may sign in")
    assert decisions(response) == {
        CARD: [alone, in_group],
        "A doctor with five activities (2021)": [alone, alone, in_group, in_group, in_group],
        "A doctor with two practices (2022)": [alone, in_group],
        "A podiatrist (2023)": [("2", False, "is refused: “No podiatrists.”")],
        "A person without professional data (2023)": [("", False, "is refused: “Nobody else.”")],
    }
    page = text_of(response)
    hospital = (
        "Médecin · Civil · Qualifié en Médecine générale (SM) · Salarié · HOPITAL GENERIQUE FIN VARI · 75009 PARIS"
    )
    assert f"{hospital} 3 may sign in, in the groups: Hospital" in page
    assert "without professional data last line" in page
    assert not AccessRule.objects.exists()


def test_a_rule_about_the_level_is_tried_at_the_level_that_is_typed(admin: Administrator, provider: Provider) -> None:
    row = typed("allow", ("acr", "in", "eidas3"))
    for acr, allowed in (("eidas1", False), ("eidas3", True)):
        response = submit(admin, provider, row, others_may_sign_in="False", acr=acr, button="_preview")
        assert {each[1] for person in decisions(response).values() for each in person} == {allowed}


def test_a_pasted_userinfo_is_tried_too(admin: Administrator, provider: Provider) -> None:
    pasted = {**load_sample("podiatrist-2023"), "authMode": "CARD"}
    row = typed("refuse", ("means", "in", "CARD"), ("profession", "in", "80"))
    response = submit(admin, provider, row, pasted=json.dumps(pasted), button="_preview")
    assert decisions(response)["The one pasted below"] == [("1", False, "is refused")]
    assert decisions(response)["A podiatrist (2023)"] == [("", True, "may sign in")]


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("{", "json_invalid"),
        ("[]", "sample_not_an_object"),
        ("x", "sample_not_an_object"),
        ('{"a": "' + "x" * 256 * 1024 + '"}', "sample_too_large"),
        (json.dumps({"SubjectRefPro": {"exercices": [{"activities": [{}] * 10_000}]}}), "sample_activities_too_many"),
    ],
    ids=["broken", "a list", "text", "too large", "ten thousand activities"],
)
def test_what_is_pasted_wrong_is_told(admin: Administrator, provider: Provider, pasted: str, code: str) -> None:
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=pasted, button="_preview")
    assert response.status_code == 200
    assert [error.code for error in response.context["preview"].errors.as_data()["pasted"]] == [code]
    assert response.context["people"] == []


def test_what_is_pasted_strangely_is_tried_all_the_same(admin: Administrator, provider: Provider) -> None:
    strange = {"SubjectRefPro": {"exercices": [{"codeProfession": 10, "activities": "none"}, 7]}, "otherIds": {}}
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=json.dumps(strange), button="_preview")
    assert decisions(response)["The one pasted below"] == [("1", False, "is refused: “No doctors.”")]


def test_the_many_capacities_of_one_person_are_counted_and_not_all_shown(
    admin: Administrator, provider: Provider
) -> None:
    activities = [{"identifiantTechniqueDeLaStructure": f"R{number}"} for number in range(100)]
    pasted = {"SubjectRefPro": {"exercices": [{"codeProfession": "10", "activities": activities}]}}
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=json.dumps(pasted), button="_preview")
    assert len(decisions(response)["The one pasted below"]) == preview.MAX_ACTIVITY_CHOICES
    assert "and 70 more activities" in text_of(response)


def test_the_last_dry_run_is_tried_with_its_level_and_its_identifiers_masked(
    admin_session: BrowserSession, admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    simulator.sign_in("doctor-two-activities")
    dry_run(admin_session, provider)
    row = typed("refuse", ("acr", "in", "eidas3"), ("mode", "in", "L"))
    response = submit(admin, provider, row, button="_preview", acr="eidas1")
    assert decisions(response)["My last dry run"] == [("1", False, "is refused"), ("", True, "may sign in")]
    assert decisions(response)[CARD] == [("", True, "may sign in"), ("", True, "may sign in")]
    assert "899700427885" not in response.content.decode()


def test_whoever_may_not_see_claims_is_shown_no_dry_run(
    admin_session: BrowserSession, admin: Administrator, provider: Provider
) -> None:
    rehearse(rehearsing, provider)
    assert "My last dry run" in decisions(submit(admin, provider, DOCTORS_REFUSED, button="_preview"))
    get_user_model().objects.filter(is_superuser=True).update(is_superuser=False)
    user = get_user_model().objects.get(is_staff=True)
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.filter(codename__in=["view_provider", "change_provider"]))
    assert {*decisions(submit(admin, provider, DOCTORS_REFUSED, button="_preview"))} == {
        str(each) for each in SAMPLES.values()
    }


def test_it_is_told_how_many_known_people_would_be_refused(admin: Administrator, provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", "podiatrist-2023", "no-professional-data-2023")
    # One whose professional data nobody knows yet.
    user = get_user_model().objects.create_user("unknown")
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="unknown", user=user)
    response = submit(admin, provider, DOCTORS_REFUSED, button="_preview")
    assert "1 of 3 known accounts would be refused." in text_of(response)
    response = submit(admin, provider, typed("refuse", ("profession", "in", "70")), button="_preview")
    assert "No known account would be refused (of 3)." in text_of(response)


def test_whoever_may_only_look_is_told_nothing_of_the_known_people(provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", "podiatrist-2023")
    for rights, counted, named in (
        (("view_provider",), False, False),
        (("view_provider", "change_provider"), True, False),
        (("view_provider", "view_claims"), True, True),
    ):
        response = submit(administrator(*rights), provider, DOCTORS_REFUSED, button="_preview")
        page = text_of(response)
        assert ("1 of 2 known accounts would be refused." in page, "KIT DOC0042788 – Row 1" in page) == (counted, named)
        assert decisions(response)


def test_the_accounts_are_tried_as_long_as_there_is_time(admin: Administrator, provider: Provider) -> None:
    know(provider, *["podiatrist-2023"] * 30)
    rules = preview.RuleSet(provider, [refuse(PODIATRISTS)])
    counts = rules.count_accounts("", seconds=0)
    assert (counts.known, counts.refused, counts.is_partial) == (1, 1, True)
    whole = rules.count_accounts("")
    assert (whole.known, len(whole.shown), whole.is_partial) == (30, preview.MAX_REFUSED_SHOWN, False)


def test_a_known_person_is_tried_as_their_next_sign_in_would_be(admin: Administrator, provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", activity_choice=1)
    hospital = typed("refuse", ("mode", "in", "S"))
    # They would be asked again, since they may come in their other capacity.
    assert submit(admin, provider, hospital, button="_preview").context["counts"].refused == 0
    Provider.objects.update(ask_activity="never")
    both = typed("refuse", ("mode", "in", "S; L"))
    assert submit(admin, provider, both, button="_preview").context["counts"].refused == 1


def test_rules_that_shut_everybody_out_are_told_before_they_are_saved(admin: Administrator, provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", "doctor-two-exercices-2022")
    assert "Every known account would be refused (2)." in text_of(
        submit(admin, provider, DOCTORS_REFUSED, button="_preview")
    )
    shown = shown_by(admin, provider)
    asked = submit(admin, provider, DOCTORS_REFUSED, shown=shown)
    assert asked.status_code == 200
    assert "Every known account would be refused (2). Nothing has been saved yet." in text_of(asked)
    assert not AccessRule.objects.exists()
    confirmed = asked.context["must_confirm"]
    # What was confirmed is this, and nothing else.
    others = typed("refuse", ("profession", "in", "10"))
    assert submit(admin, provider, others, shown=shown, confirmed=confirmed).status_code == 200
    assert submit(admin, provider, DOCTORS_REFUSED, shown=shown, confirmed=confirmed).status_code == 302
    assert rules_of(provider) == ["refuse [profession in 10]"]


def test_rules_by_which_nobody_at_all_could_sign_in_are_told_where_nobody_is_known(
    admin: Administrator, provider: Provider
) -> None:
    asked = submit(admin, provider, others_may_sign_in="False")
    assert "Nobody could sign in any longer, whoever it may be." in text_of(asked)
    assert Provider.objects.get().others_may_sign_in
    assert (
        submit(admin, provider, others_may_sign_in="False", confirmed=asked.context["must_confirm"]).status_code == 302
    )
    assert not Provider.objects.get().others_may_sign_in


def test_the_newest_thousand_are_tried_in_a_few_statements(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    person = to_snapshot(professional_of("podiatrist-2023"))
    users = get_user_model().objects.bulk_create(get_user_model()(username=f"u{number}") for number in range(1010))
    Account.objects.bulk_create(
        Account(provider=provider, issuer=provider.issuer, subject=str(number), user=user, professional=person)
        for number, user in enumerate(users)
    )
    fields = shown_by(admin, provider)
    with statements() as seen:
        response = press(admin, provider, fields, "_preview")
    assert response.context["counts"].known == preview.MAX_ACCOUNTS
    assert len([sql for sql in seen if "psc_connect_account" in sql]) == 1


def test_trying_on_the_page_of_the_dry_run_tells_the_row_and_what_follows(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    group = Group.objects.create(name="Hospital")
    set_rules(provider, give_group(group, "mode in S"), refuse(PODIATRISTS, message="No podiatrists."), allow(DOCTORS))
    simulator.sign_in("doctor-two-activities")
    page = dry_run(admin_session, provider)
    assert page.context["preview"].outcome == "created"
    assert page.context["access"] == "may sign in"
    assert decisions(page) == {"": [("3", True, "may sign in"), ("3", True, "may sign in, in the groups: Hospital")]}
    simulator.end_sessions()
    simulator.sign_in("podiatrist")
    page = dry_run(admin_session, provider)
    assert (page.context["preview"].outcome, page.context["preview"].code) == ("refused", "access_refused")
    assert "By the access rules this person is refused: “No podiatrists.”" in text_of(page)
    assert decisions(page) == {"": [("2", False, "is refused: “No podiatrists.”")]}
    assert not Account.objects.exists()


def test_the_dry_run_tells_of_a_row_that_cannot_be_read(admin_session: BrowserSession, provider: Provider) -> None:
    set_rules(provider, allow())
    AccessRule.objects.update(conditions=7)
    page = dry_run(admin_session, provider)
    assert page.context["preview"].code == "access_rule_malformed"
    assert decisions(page) == {"": [("1", False, "is refused: the row cannot be read")]}


def test_the_dry_run_of_somebody_known_takes_the_capacity_of_last_time_into_account(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    simulator.sign_in("doctor-two-activities")
    visitor = BrowserSession()
    visitor.sign_in()
    account = Account.objects.get()
    account.activity_choice = professional_of("doctor-card-two-activities-2023").activity_choices[1].key
    account.save()
    group = Group.objects.create(name="Hospital")
    set_rules(provider, give_group(group, "mode in S"))
    simulator.end_sessions()
    simulator.sign_in("doctor-two-activities")
    page = dry_run(admin_session, provider)
    assert page.context["access"] == "may sign in, in the groups: Hospital"


def test_trying_needs_no_right_to_change(provider: Provider) -> None:
    looker = administrator("view_provider")
    assert decisions(submit(looker, provider, DOCTORS_REFUSED, button="_preview"))
    assert "_save" not in looker.browser.get(page_of(provider)).content.decode()
