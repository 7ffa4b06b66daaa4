"""Preview of access rules: for the samples, for the last dry run, for the known accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.admin.access import preview
from psc_connect.claims.budget import shared_budget
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


def test_the_preview_shows_every_activity_of_every_sample(admin: Administrator, provider: Provider) -> None:
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


def test_the_preview_uses_the_typed_level(admin: Administrator, provider: Provider) -> None:
    row = typed("allow", ("acr", "in", "eidas3"))
    for acr, allowed in (("eidas1", False), ("eidas3", True)):
        response = submit(admin, provider, row, others_may_sign_in="False", acr=acr, button="_preview")
        assert {activity[1] for person in decisions(response).values() for activity in person} == {allowed}


def test_the_preview_includes_a_pasted_userinfo(admin: Administrator, provider: Provider) -> None:
    pasted = {**load_sample("podiatrist-2023"), "authMode": "CARD"}
    row = typed("refuse", ("means", "in", "CARD"), ("profession", "in", "80"))
    response = submit(admin, provider, row, pasted=json.dumps(pasted), button="_preview")
    assert decisions(response)["The userinfo pasted below"] == [("1", False, "is refused")]
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
def test_a_wrong_pasted_userinfo_is_an_error(admin: Administrator, provider: Provider, pasted: str, code: str) -> None:
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=pasted, button="_preview")
    assert response.status_code == 200
    assert [error.code for error in response.context["preview"].errors.as_data()["pasted"]] == [code]
    assert response.context["people"] == []


def test_a_pasted_userinfo_of_wrong_types_is_previewed(admin: Administrator, provider: Provider) -> None:
    strange = {"SubjectRefPro": {"exercices": [{"codeProfession": 10, "activities": "none"}, 7]}, "otherIds": {}}
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=json.dumps(strange), button="_preview")
    assert decisions(response)["The userinfo pasted below"] == [("1", False, "is refused: “No doctors.”")]


def test_the_activities_of_one_person_are_limited_and_counted(admin: Administrator, provider: Provider) -> None:
    activities = [{"identifiantTechniqueDeLaStructure": f"R{number}"} for number in range(100)]
    pasted = {"SubjectRefPro": {"exercices": [{"codeProfession": "10", "activities": activities}]}}
    response = submit(admin, provider, DOCTORS_REFUSED, pasted=json.dumps(pasted), button="_preview")
    assert len(decisions(response)["The userinfo pasted below"]) == preview.MAX_ACTIVITY_CHOICES
    assert "and 70 more activities" in text_of(response)


def test_the_preview_includes_the_last_dry_run_with_its_level_and_masked_identifiers(
    admin_session: BrowserSession, admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    simulator.sign_in("doctor-two-activities")
    dry_run(admin_session, provider)
    row = typed("refuse", ("acr", "in", "eidas3"), ("mode", "in", "L"))
    response = submit(admin, provider, row, button="_preview", acr="eidas1")
    assert decisions(response)["My last dry run"] == [("1", False, "is refused"), ("", True, "may sign in")]
    assert decisions(response)[CARD] == [("", True, "may sign in"), ("", True, "may sign in")]
    assert "899700427885" not in response.content.decode()


def test_without_the_right_to_view_claims_the_dry_run_is_not_shown(
    admin_session: BrowserSession, admin: Administrator, provider: Provider
) -> None:
    dry_run(admin_session, provider)
    assert "My last dry run" in decisions(submit(admin, provider, DOCTORS_REFUSED, button="_preview"))
    get_user_model().objects.filter(is_superuser=True).update(is_superuser=False)
    user = get_user_model().objects.get(is_staff=True)
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.filter(codename__in=["view_provider", "change_provider"]))
    assert {*decisions(submit(admin, provider, DOCTORS_REFUSED, button="_preview"))} == {
        str(each) for each in SAMPLES.values()
    }


def test_the_preview_counts_the_known_accounts_that_would_be_refused(admin: Administrator, provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", "podiatrist-2023", "no-professional-data-2023")
    # An account without professional data is not counted.
    user = get_user_model().objects.create_user("unknown")
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="unknown", user=user)
    response = submit(admin, provider, DOCTORS_REFUSED, button="_preview")
    assert "1 of 3 known accounts would be refused." in text_of(response)
    response = submit(admin, provider, typed("refuse", ("profession", "in", "70")), button="_preview")
    assert "No known account would be refused (of 3)." in text_of(response)


def test_with_the_right_to_view_only_known_accounts_are_not_counted(provider: Provider) -> None:
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


def test_accounts_are_counted_until_the_budget_is_used_up(admin: Administrator, provider: Provider) -> None:
    know(provider, *["podiatrist-2023"] * 30)
    rules = preview.RuleSet(provider, [refuse(PODIATRISTS)])
    with shared_budget(300):
        counts = rules.count_accounts("")
    assert (counts.known, counts.refused, counts.is_partial) == (1, 1, True)
    whole = rules.count_accounts("")
    assert (whole.known, len(whole.shown), whole.is_partial) == (30, preview.MAX_REFUSED_SHOWN, False)


def test_a_known_account_is_checked_with_the_activity_of_its_next_sign_in(
    admin: Administrator, provider: Provider
) -> None:
    know(provider, "doctor-card-two-activities-2023", activity_choice=1)
    hospital = typed("refuse", ("mode", "in", "S"))
    # The next sign-in would ask for the activity again, since the other one is allowed.
    assert submit(admin, provider, hospital, button="_preview").context["counts"].refused == 0
    Provider.objects.update(ask_activity="never")
    both = typed("refuse", ("mode", "in", "S; L"))
    assert submit(admin, provider, both, button="_preview").context["counts"].refused == 1


def test_rules_that_refuse_every_known_account_must_be_confirmed(admin: Administrator, provider: Provider) -> None:
    know(provider, "doctor-card-two-activities-2023", "doctor-two-exercices-2022")
    assert "Every known account would be refused (2)." in text_of(
        submit(admin, provider, DOCTORS_REFUSED, button="_preview")
    )
    shown = shown_by(admin, provider)
    page = submit(admin, provider, DOCTORS_REFUSED, shown=shown)
    assert page.status_code == 200
    assert "Every known account would be refused (2). Nothing has been saved yet." in text_of(page)
    assert not AccessRule.objects.exists()
    confirmed = page.context["must_confirm"]
    # The confirmation is for these rules only.
    others = typed("refuse", ("profession", "in", "10"))
    assert submit(admin, provider, others, shown=shown, confirmed=confirmed).status_code == 200
    assert submit(admin, provider, DOCTORS_REFUSED, shown=shown, confirmed=confirmed).status_code == 302
    assert rules_of(provider) == ["refuse [profession in 10]"]


def test_rules_that_refuse_everyone_must_be_confirmed_without_known_accounts(
    admin: Administrator, provider: Provider
) -> None:
    page = submit(admin, provider, others_may_sign_in="False")
    assert "No one could sign in any longer." in text_of(page)
    assert Provider.objects.get().others_may_sign_in
    assert (
        submit(admin, provider, others_may_sign_in="False", confirmed=page.context["must_confirm"]).status_code == 302
    )
    assert not Provider.objects.get().others_may_sign_in


def test_a_thousand_accounts_are_counted_in_one_statement(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    person = to_snapshot(professional_of("podiatrist-2023"))
    users = get_user_model().objects.bulk_create(get_user_model()(username=f"u{number}") for number in range(1010))
    Account.objects.bulk_create(
        Account(provider=provider, issuer=provider.issuer, subject=str(number), user=user, professional=person)
        for number, user in enumerate(users)
    )
    fields = shown_by(admin, provider)
    with statements() as queries:
        response = press(admin, provider, fields, "_preview")
    assert response.context["counts"].known == preview.MAX_ACCOUNTS
    assert len([sql for sql in queries if "psc_connect_account" in sql]) == 1


def test_the_dry_run_shows_the_deciding_row_and_its_effect(
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


def test_the_dry_run_shows_an_unreadable_row(admin_session: BrowserSession, provider: Provider) -> None:
    set_rules(provider, allow())
    AccessRule.objects.update(conditions=7)
    page = dry_run(admin_session, provider)
    assert page.context["preview"].code == "access_rule_malformed"
    assert decisions(page) == {"": [("1", False, "is refused: the row cannot be read")]}


def test_the_dry_run_of_a_known_person_uses_the_activity_chosen_last(
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


def test_the_preview_needs_no_right_to_change(provider: Provider) -> None:
    viewer = administrator("view_provider")
    assert decisions(submit(viewer, provider, DOCTORS_REFUSED, button="_preview"))
    assert "_save" not in viewer.browser.get(page_of(provider)).content.decode()
