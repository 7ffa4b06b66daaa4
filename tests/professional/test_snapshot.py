"""The professional data as a row keeps them, and what changed between two logins."""

from __future__ import annotations

import json

import pytest

from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import VERSION, Change, changes, from_snapshot, to_snapshot
from psc_connect.professional.userinfo import read_userinfo
from tests.professional.payloads import PAYLOADS


@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_is_lost_on_the_way_through_a_row(name):
    professional = read_userinfo(PAYLOADS[name])
    assert from_snapshot(json.loads(json.dumps(to_snapshot(professional)))) == professional


def test_what_is_unknown_and_what_was_odd_come_back_too():
    claims = {"otherIds": [{"identifiant": 12, "origine": "X", "new": {"a": [1]}}], "SubjectRole": ["10^1.2", "99"]}
    claims |= {"email_verified": False, "SubjectRefPro": {"exercices": [{"activities": [{"numeroSiretSite": [1]}]}]}}
    professional = read_userinfo(claims)
    assert professional.warnings
    assert from_snapshot(json.loads(json.dumps(to_snapshot(professional)))) == professional


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_snapshot_is_plain_json_that_does_not_change_on_the_way(name):
    snapshot = to_snapshot(read_userinfo(PAYLOADS[name]))
    assert json.loads(json.dumps(snapshot)) == snapshot
    assert snapshot["version"] == VERSION


@pytest.mark.parametrize("snapshot", [{}, {"version": 0}, {"version": VERSION + 1, "given_name": "A"}])
def test_another_version_is_as_if_there_were_none(snapshot):
    assert from_snapshot(snapshot) is None


def test_the_same_data_in_another_order_have_not_changed():
    claims = PAYLOADS["doctor-five-activities"]
    turned = json.loads(json.dumps(claims))
    turned["SubjectRefPro"]["exercices"][0]["activities"].reverse()
    assert changes(read_userinfo(claims), read_userinfo(turned)) == ()


def test_what_changed_is_named():
    claims = PAYLOADS["podiatrist"]
    after = json.loads(json.dumps(claims))
    after["family_name"] = "DURAND"
    after["SubjectRefPro"]["exercices"][0]["codeSavoirFaire"] = "SM54"
    after["SubjectRefPro"]["exercices"][0]["activities"][0]["telephone"] = "0102030405"
    before = read_userinfo(claims)
    found = {each.name: (each.before, each.after) for each in changes(before, read_userinfo(after))}
    assert found["family_name"] == (claims["family_name"], "DURAND")
    assert found["practices.80C.skill"] == (None, "SM54")
    assert any(name.endswith(".phone") and values[1] == "0102030405" for name, values in found.items())


def test_an_activity_that_is_gone_takes_its_lines_with_it():
    claims = PAYLOADS["doctor-two-activities"]
    after = json.loads(json.dumps(claims))
    gone = after["SubjectRefPro"]["exercices"][0]["activities"].pop()
    found = changes(read_userinfo(claims), read_userinfo(after))
    assert found
    assert all(each.name.startswith("activities.") and each.after is None for each in found)
    assert gone["raisonSocialeSite"] in {each.before for each in found}


def test_the_first_time_everything_is_new():
    found = changes(None, Professional(given_name="A"))
    assert Change("given_name", None, "A") in found
