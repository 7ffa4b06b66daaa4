"""Mapping rows that use computed values, in logins over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.backends import ProSanteConnectBackend
from psc_connect.claims.claims import Claims
from psc_connect.claims.paths import claim_matches, claim_value, explain_path, validate_claim_path
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.models import Account, ExportedGroup
from psc_connect.professional.computed import COMPUTED
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator.people import PEOPLE
from tests.mapping.test_attributes import export
from tests.professional.table_reads import counting_table_reads
from tests.support.backend_hooks import use_backend
from tests.support.browser_session import BrowserSession
from tests.support.refusals import assert_sign_in_is_refused

DOCTOR = load_sample("doctor-card-two-activities-2023")
RPPS = "99700427885"
# Within the budget on the shipped samples, over it with eighty activities.
SLOW_FOR_MANY = (
    "SubjectRefPro.exercices[].activities[]|[*].codePostal|"
    "[@,@,@,@,@,@,@,@][]|[@,@,@,@,@,@,@,@][]|[@,@,@,@,@,@,@,@][]|[@,@][] | [0]"
)


def sign_in(simulator: Any, slug: str = "doctor-two-activities", **claims: Any) -> User:
    someone = next(person for person in PEOPLE if person.slug == slug)
    simulator.sign_in(replace(someone, userinfo={**someone.userinfo, **claims}))
    person = BrowserSession()
    assert person.sign_in().status_code == 302
    person.close()
    return User.objects.get(pk=person.user_id)


# A path, an expression, and a claim of the same name.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("rpps", RPPS),
        ("rpps || SubjectNameID", RPPS),
        ("profession.label", "Médecin"),
        ("structure.name", "CABINET M DOC0042788"),
        ("activity.department", "75"),
        ("activity.mode.code", "L"),
        ("join(' ', [title.label, practice.family_name])", "Docteur DOC0042788"),
        ("@.profession.label", "Médecin"),
        ("profession | label", "Médecin"),
        ("[profession][0].label", "Médecin"),
        ("profession.*", ["10", "Médecin"]),
        ("profession.[code, label]", ["10", "Médecin"]),
        ("profession.{is: label}", {"is": "Médecin"}),
        ("values(profession)", ["10", "Médecin"]),
        ("not_null(nothing, profession).label", "Médecin"),
        ("map(&profession.label, [@])", ["Médecin"]),
        ("[@][?profession.code=='10'] | [0].given_name", "KIT"),
        ("activity.mode", {"code": "L", "label": "Libéral, indépendant, artisan, commerçant"}),
        ("activity.role.label", None),
        ("structure.siret", None),
        ("profession.nothing", None),
        ("SubjectRefPro.profession.label", None),
        ("'profession.label'", "profession.label"),
    ],
)
def test_a_path_selects_a_computed_value(path: str, expected: Any) -> None:
    validate_claim_path(path)
    assert claim_value(path, DOCTOR) == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_every_computed_name_can_be_requested_alone(name: str) -> None:
    claims = Claims(load_sample(name))
    whole = claims.with_computed([(path.partition(".")[0],) for path in COMPUTED])
    for path in COMPUTED:
        value: Any = whole
        for part in path.split("."):
            value = value[part]
        assert claim_value(path, claims) == (value or None)


def test_a_person_without_an_rpps_number_has_another_identifier() -> None:
    assert claim_value("rpps || SubjectNameID", load_sample("podiatrist-2023")) == "ANS20231122132732"


@pytest.mark.parametrize("sent", ["as sent", "", {"code": "as sent"}, None])
def test_a_claim_hides_the_computed_value_of_its_name(sent: Any) -> None:
    claims = {**DOCTOR, "profession": sent, "rpps": sent}
    assert claim_value("profession", claims) == (sent or None)
    assert claim_value("profession.label", claims) is None
    assert claim_value("rpps", claims) == (sent or None)
    assert claim_value("speciality.code", claims) == "SM26"


def test_claim_matches_uses_computed_values() -> None:
    assert claim_matches("profession.code", "10", DOCTOR)
    assert not claim_matches("profession.code", "80", DOCTOR)
    assert claim_matches("activity.mode.code == 'L' && structure.name != ''", "", DOCTOR)


def test_the_mapping_contains_only_the_userinfo() -> None:
    claims = Claims(DOCTOR, read_userinfo(DOCTOR))
    assert dict(claims) == DOCTOR
    assert len(claims) == len(DOCTOR)
    assert "profession" not in claims
    assert claims.get("rpps") is None
    assert claim_value("keys(@)", claims) == list(DOCTOR)
    assert RPPS not in repr(claims)


def test_a_wrong_step_below_a_computed_name_is_explained() -> None:
    first, second = explain_path("profession.lable", DOCTOR)
    assert (first.kind, first.names) == ("object", ("code", "label"))
    assert (second.kind, second.nearest) == ("nothing", "label")
    assert [step.kind for step in explain_path("activity.mode.label", DOCTOR)] == ["object", "object", "value"]
    assert [step.kind for step in explain_path("activity.role.label", DOCTOR)] == ["object", "object", "empty"]


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("rps", "rpps"), ("proffession.label", "profession"), ("give_name", "given_name")]
)
def test_the_nearest_first_name_is_proposed_whether_sent_or_computed(wrong: str, nearest: str) -> None:
    (step,) = explain_path(wrong, DOCTOR)
    assert step.nearest == nearest


@pytest.mark.parametrize("path", ["sum(given_name)", "SubjectSomethingElse", "x"])
def test_a_dissimilar_name_has_no_nearest_one(path: str) -> None:
    (step,) = explain_path(path, DOCTOR)
    assert step.nearest == ""


# The activity choice.


def test_the_first_activity_choice_is_used_until_another_is_chosen() -> None:
    professional = read_userinfo(DOCTOR)
    keys = [activity_choice.key for activity_choice in professional.activity_choices]
    names = [claim_value("structure.name", Claims(DOCTOR, professional, chosen=key)) for key in ("", *keys, "gone")]
    surgery, hospital = "CABINET M DOC0042788", "HOPITAL GENERIQUE  FIN VARI"
    assert names == [surgery, surgery, hospital, surgery]


def test_a_login_uses_the_activity_chosen_last(provider, simulator):
    export(provider, "structure.name", "last_name")
    assert sign_in(simulator).last_name == "CABINET M DOC0042788"
    hospital = read_userinfo(DOCTOR).activity_choices[1]
    Account.objects.update(activity_choice=hospital.key)
    assert sign_in(simulator).last_name == "HOPITAL GENERIQUE  FIN VARI"
    # A choice that the person no longer has.
    Account.objects.update(activity_choice="0123456789abcdef")
    assert sign_in(simulator).last_name == "CABINET M DOC0042788"


# Logins.


def test_a_row_fills_a_field_with_a_computed_value(provider, simulator):
    export(provider, "rpps || SubjectNameID", "username", when="creation")
    export(provider, "profession.label", "last_name")
    user = sign_in(simulator)
    assert (user.username, user.last_name) == (RPPS, "Médecin")


def test_an_empty_computed_value_counts_as_not_sent(provider, simulator, person):
    export(provider, "structure.siret", "first_name")
    assert sign_in(simulator).first_name == ""
    export(provider, "structure.siret", "first_name", required=True)
    simulator.sign_in("podiatrist")
    assert_sign_in_is_refused("attribute_missing", person=person, simulator=simulator)


def test_a_group_follows_a_computed_value(provider, simulator):
    doctors = Group.objects.create(name="Doctors")
    ExportedGroup.objects.create(provider=provider, claim="profession.code", equals="10", group=doctors)
    assert list(sign_in(simulator).groups.all()) == [doctors]
    assert list(sign_in(simulator, SubjectRefPro={}).groups.all()) == []


class AddsAClaim(ProSanteConnectBackend):
    """A backend whose hook adds a claim and returns a new dict, as hooks of mozilla-django-oidc do."""

    def create_user(self, claims: Any) -> Any:
        return super().create_user({**claims, "given_name": claims["given_name"].title()})

    def update_user(self, user: Any, claims: Any) -> Any:
        return super().update_user(user, {**claims, "speciality": {"label": "of the site"}})


def test_a_hook_may_return_another_mapping(provider, simulator, settings):
    use_backend(settings, AddsAClaim)
    export(provider, "profession.label", "last_name")
    user = sign_in(simulator)
    assert (user.first_name, user.last_name) == ("Kit", "Médecin")
    export(provider, "speciality.label", "first_name")
    assert sign_in(simulator).first_name == "of the site"


def test_a_table_is_opened_only_if_a_row_uses_a_label(provider, simulator):
    export(provider, "structure.name", "first_name")
    export(provider, "profession.code", "last_name")
    with counting_table_reads() as reads:
        assert sign_in(simulator).last_name == "10"
        assert reads == []
        export(provider, "profession.label", "last_name")
        assert sign_in(simulator).last_name == "Médecin"
        assert reads


# Slow rows: an administrator cannot know how much data a login will bring.


def many_activities() -> dict[str, Any]:
    (practice,) = DOCTOR["SubjectRefPro"]["exercices"]
    return {"exercices": [{**practice, "activities": practice["activities"] * 40}]}


def test_a_slow_row_selects_nothing_and_is_logged(provider, simulator, caplog):
    export(provider, SLOW_FOR_MANY, "first_name")
    assert sign_in(simulator).first_name == "75009"
    user = sign_in(simulator, SubjectRefPro=many_activities(), family_name="Changed")
    assert (user.first_name, user.last_name) == ("75009", "Changed")
    assert f"attribute.claim_too_slow provider={provider.pk} field=first_name" in caplog.messages


def test_a_slow_required_row_refuses_the_login(provider, simulator, person):
    export(provider, SLOW_FOR_MANY, "email", required=True)
    someone = next(each for each in PEOPLE if each.slug == "doctor-two-activities")
    simulator.sign_in(replace(someone, userinfo={**someone.userinfo, "SubjectRefPro": many_activities()}))
    assert_sign_in_is_refused("attribute_claim_too_slow", person=person, simulator=simulator)


# Each takes half of the steps of a login.
EXPLODING = ['`["",""]`' + "|[@,@,@,@][]" * count for count in (13, 14)]


def test_optional_row_after_the_budget_of_the_login_is_left_out_and_logged(provider, simulator, caplog):
    for path, field in zip(EXPLODING, ("first_name", "email"), strict=True):
        export(provider, path, field)
    provider.exported_attributes.filter(user_field="last_name").delete()
    export(provider, "family_name", "last_name")
    user = sign_in(simulator)
    assert (user.first_name, user.email, user.last_name) == ("", "", "")
    for field in ("first_name", "email", "last_name"):
        assert f"attribute.claim_too_slow provider={provider.pk} field={field}" in caplog.messages


def test_required_row_after_the_budget_of_the_login_refuses(provider, simulator, person):
    for path, field in zip(EXPLODING, ("first_name", "email"), strict=True):
        export(provider, path, field)
    export(provider, "family_name", "last_name", required=True)
    assert_sign_in_is_refused("attribute_claim_too_slow", person=person, simulator=simulator)


def test_a_group_with_a_slow_row_is_not_given_and_is_logged(provider, simulator, caplog):
    group = Group.objects.create(name="Ninth")
    ExportedGroup.objects.create(provider=provider, claim=SLOW_FOR_MANY, equals="75009", group=group)
    assert list(sign_in(simulator).groups.all()) == [group]
    assert list(sign_in(simulator, SubjectRefPro=many_activities()).groups.all()) == []
    assert f"group.claim_too_slow provider={provider.pk} group={group.pk}" in caplog.messages
