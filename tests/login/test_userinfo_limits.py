"""A userinfo of more practices and activities than anybody has is refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from psc_connect.professional.snapshot import changes, from_snapshot, to_snapshot
from psc_connect.professional.userinfo import MAX_ACTIVITIES, count_activities, read_userinfo
from psc_connect.simulator.people import Person, person_with_activities
from tests.support.browser_session import code_on


def claims_of(simulator, practices):
    claims = simulator.people["podiatrist"].claims()
    claims["SubjectRefPro"]["exercices"] = practices
    return claims


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("practices", "code"),
    [
        # 10,000: in one list more than any list may have, in several more than are read.
        ([{"codeProfession": "10", "activities": [{}] * 10_000}], "userinfo_list_too_long"),
        ([{"codeProfession": "10", "activities": [{}] * 1_000}] * 10, "userinfo_activities_too_many"),
        ([{"codeProfession": "10"}] * (MAX_ACTIVITIES + 1), "userinfo_activities_too_many"),
        ([{"codeProfession": "10", "activities": [{}] * 50}] * 10, "userinfo_activities_too_many"),
    ],
    ids=["one list", "ten lists", "practices", "both"],
)
def test_too_many_are_refused_and_nothing_is_kept(provider, simulator, person, practices, code):
    simulator.sign_in(Person("busy", claims_of(simulator, practices)))
    response = person.sign_in()
    assert (response.status_code, code_on(response)) == (502, code)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_as_many_as_are_taken_are_taken(provider, simulator, person):
    practices = [{"codeProfession": "10", "activities": [{}] * (MAX_ACTIVITIES - 1)}]
    simulator.sign_in(Person("busy", claims_of(simulator, practices)))
    assert person.sign_in().status_code == 302
    assert person.is_signed_in


@pytest.mark.parametrize(
    "claims",
    [{}, {"SubjectRefPro": None}, {"SubjectRefPro": {"exercices": "x"}}, {"SubjectRefPro": {"exercices": [1, {}]}}],
)
def test_whatever_there_is_is_counted(claims):
    assert count_activities(claims) <= 2
    read_userinfo(claims)


def test_reading_again_what_has_not_changed_is_one_comparison():
    claims = person_with_activities(50).claims()
    kept = to_snapshot(read_userinfo(claims))
    assert to_snapshot(read_userinfo(claims)) == kept
    assert changes(from_snapshot(kept), read_userinfo(claims)) == ()
