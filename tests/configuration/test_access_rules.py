"""Access rules in a configuration: applied in order, and reported with their place if they are wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.models import AccessRule, DeclarationChange, Provider
from tests.configuration.commands import configure, export, write
from tests.configuration.test_configure_problems import problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english", "production")]
DOCTORS = {"subject": "profession", "operator": "in", "values": ["10"]}
ALLOW = {"conditions": [DOCTORS], "outcome": "allow"}


def declare(folder: Path, *rules: dict[str, Any], **values: Any) -> Any:
    return configure("--file", write(folder, {"slug": "psc", "access_rules": list(rules), **values}))


def stored() -> list[tuple[Any, ...]]:
    return list(AccessRule.objects.values_list("position", "outcome", "message", "group__name"))


def rows_and_changes() -> tuple[Any, ...]:
    return list(AccessRule.objects.values()), list(DeclarationChange.objects.values())


def test_rules_are_stored_in_the_order_of_the_list(tmp_path: Path) -> None:
    Group.objects.create(name="Doctors")
    called = declare(
        tmp_path,
        {"conditions": [DOCTORS], "outcome": "group", "group": "Doctors"},
        {"outcome": "refuse", "message": "No."},
        ALLOW,
        others_may_sign_in=False,
        refusal_message="Doctors only.",
        contact="dsi@hospital.example",
    )
    assert called.status == 0
    assert stored() == [(0, "group", "", "Doctors"), (1, "refuse", "No.", None), (2, "allow", "", None)]
    provider = Provider.objects.get()
    assert (provider.others_may_sign_in, provider.contact) == (False, "dsi@hospital.example")
    assert export()["providers"][0]["access_rules"][1] == {
        "conditions": [],
        "outcome": "refuse",
        "message": "No.",
        "group": None,
    }


def test_the_same_rules_in_another_notation_change_nothing(tmp_path: Path) -> None:
    rule = {"conditions": [{"subject": "structure", "operator": "in", "values": ["75 071 2184"]}], "outcome": "allow"}
    declare(tmp_path, rule)
    assert AccessRule.objects.get().conditions[0]["values"] == ["750712184"]
    before = rows_and_changes()
    called = declare(tmp_path, rule)
    assert (called.status, rows_and_changes()) == (0, before)
    assert "no changes" in called.text


def test_another_order_is_a_change_and_is_audited_row_by_row(tmp_path: Path) -> None:
    refuse = {"conditions": [], "outcome": "refuse"}
    declare(tmp_path, ALLOW, refuse)
    DeclarationChange.objects.all().delete()
    declare(tmp_path, refuse, ALLOW)
    changes = {name: (old["outcome"], new["outcome"]) for name, old, new in DeclarationChange.objects.get().changes}
    assert changes == {"access_rules.1": ("allow", "refuse"), "access_rules.2": ("refuse", "allow")}


def test_a_code_in_no_table_is_accepted(tmp_path: Path) -> None:
    unknown = {"subject": "profession", "operator": "in", "values": ["ZZ9"]}
    assert declare(tmp_path, {"conditions": [unknown], "outcome": "allow"}).status == 0
    assert AccessRule.objects.get().conditions == [unknown]


def with_condition(**changes: Any) -> dict[str, Any]:
    return {"conditions": [DOCTORS, {**DOCTORS, **changes}], "outcome": "allow"}


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (with_condition(subject="age"), "conditions[1].subject"),
        (with_condition(subject=["profession"]), "conditions[1].subject"),
        (with_condition(operator="is"), "conditions[1].operator"),
        (with_condition(operator=None), "conditions[1].operator"),
        (with_condition(values=[]), "conditions[1].values"),
        (with_condition(values="10"), "conditions[1].values"),
        (with_condition(values=[10]), "conditions[1].values"),
        (with_condition(values=[str(number) for number in range(501)]), "conditions[1].values"),
        (with_condition(values=["10", "Médecin"]), "conditions[1].values[1]"),
        (with_condition(subject="identifier_kind", values=["passport"]), "conditions[1].values[0]"),
        (with_condition(extra=1), "conditions[1]"),
        ({"conditions": ["profession"], "outcome": "allow"}, "conditions[0]"),
        ({"conditions": [DOCTORS] * 11, "outcome": "allow"}, "conditions"),
        ({"conditions": DOCTORS, "outcome": "allow"}, "conditions"),
        ({"conditions": [DOCTORS]}, "outcome"),
        ({"conditions": [DOCTORS], "outcome": "alow"}, "outcome"),
        ({"conditions": [DOCTORS], "outcome": True}, "outcome"),
        ({**ALLOW, "message": "No."}, "message"),
        ({**ALLOW, "message": 7}, "message"),
        ({**ALLOW, "outcome": "refuse", "message": "x" * 501}, "message"),
        ({**ALLOW, "group": "Doctors"}, "group"),
        ({**ALLOW, "outcome": "group"}, "group"),
        ({**ALLOW, "outcome": "group", "group": ""}, "group"),
        ({**ALLOW, "outcome": "group", "group": "Nobody's"}, "group"),
        ({**ALLOW, "outcome": "group", "group": ["Doctors"]}, "group"),
        ({"outcome": "refuse", "position": 1}, "position"),
        ({"outcome": "refuse", "condition": []}, "condition"),
    ],
    ids=str,
)
def test_a_wrong_rule_is_reported_with_its_place(tmp_path: Path, rule: dict[str, Any], place: str) -> None:
    Group.objects.create(name="Doctors")
    called = declare(tmp_path, ALLOW, rule)
    assert problems(called) == [f"access_rules[1].{place}"]
    assert not AccessRule.objects.exists()


def test_every_wrong_condition_is_reported_at_once(tmp_path: Path) -> None:
    called = declare(tmp_path, {"conditions": [{**DOCTORS, "subject": "age"}, {}, DOCTORS, 7], "outcome": "allow"})
    assert problems(called) == [f"access_rules[0].conditions{place}" for place in ("[0].subject", "[1]", "[3]")]
    assert re.search("Choose one of: profession, category", called.text)


def test_more_rules_than_a_page_can_show_are_refused(tmp_path: Path) -> None:
    rules = [{"conditions": [{**DOCTORS, "values": [str(number)]}], "outcome": "allow"} for number in range(51)]
    assert declare(tmp_path, *rules[:50]).status == 0
    assert problems(declare(tmp_path, *rules)) == ["access_rules"]


def test_a_deleted_group_is_exported_and_read_as_null(tmp_path: Path) -> None:
    group = Group.objects.create(name="Doctors")
    declare(tmp_path, {**ALLOW, "outcome": "group", "group": "Doctors"})
    group.delete()
    [written] = export()["providers"]
    assert written["access_rules"] == [{"conditions": [DOCTORS], "outcome": "group", "message": "", "group": None}]
    before = rows_and_changes()
    assert declare(tmp_path, *written["access_rules"]).status == 0
    assert rows_and_changes() == before


def test_rules_that_are_not_given_are_kept(tmp_path: Path) -> None:
    declare(tmp_path, ALLOW)
    assert configure("--slug=psc", "--scope=openid").status == 0
    assert stored() == [(0, "allow", "", None)]


def test_a_code_in_no_table_is_reported_and_accepted(tmp_path: Path) -> None:
    rule = {"conditions": [{"subject": "profession", "operator": "in", "values": ["10", "999"]}], "outcome": "allow"}
    called = declare(tmp_path, rule)
    assert called.status == 0
    assert "  access_rules: Row 1: no table here has the code 999. It may be newer than the tables.\n" in called.text
    assert "code 10." not in called.text
    assert AccessRule.objects.count() == 1
