"""The limits of practices and activities in a userinfo."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from psc_connect.professional.snapshot import changes, from_snapshot, to_snapshot
from psc_connect.professional.userinfo import MAX_ACTIVITIES, count_activities, read_userinfo
from psc_connect.simulator.people import Person, person_with_activities
from tests.support.browser_session import error_code_of


def claims_of(simulator, practices):
    claims = simulator.people["podiatrist"].claims()
    claims["SubjectRefPro"]["exercices"] = practices
    return claims


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("practices", "code"),
    [
        # 10,000: more than one list may have, and, over several lists, more than are read.
        ([{"codeProfession": "10", "activities": [{}] * 10_000}], "userinfo_list_too_long"),
        ([{"codeProfession": "10", "activities": [{}] * 1_000}] * 10, "userinfo_activities_too_many"),
        ([{"codeProfession": "10"}] * (MAX_ACTIVITIES + 1), "userinfo_activities_too_many"),
        ([{"codeProfession": "10", "activities": [{}] * 50}] * 10, "userinfo_activities_too_many"),
    ],
    ids=["one list", "ten lists", "practices", "both"],
)
def test_too_many_activities_are_refused_and_nothing_is_saved(provider, simulator, person, practices, code):
    simulator.sign_in(Person("busy", claims_of(simulator, practices)))
    response = person.sign_in()
    assert (response.status_code, error_code_of(response)) == (403, code)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_maximum_number_of_activities_is_accepted(provider, simulator, person):
    practices = [{"codeProfession": "10", "activities": [{}] * (MAX_ACTIVITIES - 1)}]
    simulator.sign_in(Person("busy", claims_of(simulator, practices)))
    assert person.sign_in().status_code == 302
    assert person.is_signed_in


@pytest.mark.parametrize(
    "claims",
    [{}, {"SubjectRefPro": None}, {"SubjectRefPro": {"exercices": "x"}}, {"SubjectRefPro": {"exercices": [1, {}]}}],
)
def test_all_lists_are_counted(claims):
    assert count_activities(claims) <= 2
    read_userinfo(claims)


def test_unchanged_userinfo_is_read_with_one_comparison():
    claims = person_with_activities(50).claims()
    kept = to_snapshot(read_userinfo(claims))
    assert to_snapshot(read_userinfo(claims)) == kept
    assert changes(from_snapshot(kept), read_userinfo(claims)) == ()
