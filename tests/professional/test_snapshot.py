"""Snapshots of a professional, and the changes between two logins."""

from __future__ import annotations

import json

import pytest

from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import VERSION, Change, changes, from_snapshot, to_snapshot
from psc_connect.professional.userinfo import read_userinfo
from tests.professional.payloads import PAYLOADS


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_snapshot_keeps_everything(name):
    professional = read_userinfo(PAYLOADS[name])
    assert from_snapshot(json.loads(json.dumps(to_snapshot(professional)))) == professional


def test_a_snapshot_keeps_unknown_and_unexpected_values():
    claims = {"otherIds": [{"identifiant": 12, "origine": "X", "new": {"a": [1]}}], "SubjectRole": ["10^1.2", "99"]}
    claims |= {"email_verified": False, "SubjectRefPro": {"exercices": [{"activities": [{"numeroSiretSite": [1]}]}]}}
    professional = read_userinfo(claims)
    assert professional.warnings
    assert from_snapshot(json.loads(json.dumps(to_snapshot(professional)))) == professional


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_snapshot_is_plain_json(name):
    snapshot = to_snapshot(read_userinfo(PAYLOADS[name]))
    assert json.loads(json.dumps(snapshot)) == snapshot
    assert snapshot["version"] == VERSION


@pytest.mark.parametrize("snapshot", [{}, {"version": 0}, {"version": VERSION + 1, "given_name": "A"}])
def test_a_snapshot_of_another_version_is_ignored(snapshot):
    assert from_snapshot(snapshot) is None


def test_another_order_is_not_a_change():
    claims = PAYLOADS["doctor-five-activities"]
    turned = json.loads(json.dumps(claims))
    turned["SubjectRefPro"]["exercices"][0]["activities"].reverse()
    assert changes(read_userinfo(claims), read_userinfo(turned)) == ()


def test_changes_are_named():
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


def test_all_values_of_a_removed_activity_are_changes():
    claims = PAYLOADS["doctor-two-activities"]
    after = json.loads(json.dumps(claims))
    gone = after["SubjectRefPro"]["exercices"][0]["activities"].pop()
    found = changes(read_userinfo(claims), read_userinfo(after))
    assert found
    assert all(each.name.startswith("activities.") and each.after is None for each in found)
    assert gone["raisonSocialeSite"] in {each.before for each in found}


def test_without_an_earlier_snapshot_everything_is_new():
    found = changes(None, Professional(given_name="A"))
    assert Change("given_name", None, "A") in found
