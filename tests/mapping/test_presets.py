"""Presets: on the fields of the user model, added to rows that exist already."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.claims.paths import validate_claim_path
from psc_connect.mapping.presets import MINIMAL, PRESET_NAMES, PRESETS, MissingField, add_preset
from psc_connect.professional.computed import COMPUTED
from tests.directory_user import DirectoryUser

DEFAULT = [
    {"claim": "given_name", "user_field": "first_name", "when": "login", "required": False},
    {"claim": "family_name", "user_field": "last_name", "when": "login", "required": False},
    {"claim": "SubjectNameID", "user_field": "username", "when": "creation", "required": False},
]


def pairs(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["claim"], row["user_field"]) for row in rows]


@pytest.fixture
def directory(settings: Any) -> None:
    settings.AUTH_USER_MODEL = f"tests.{DirectoryUser.__name__}"


def test_every_preset_has_a_name_and_valid_paths() -> None:
    assert list(PRESET_NAMES) == list(PRESETS)
    claims = {row.claim for rows in PRESETS.values() for row in rows}
    for claim in claims:
        validate_claim_path(claim)
    assert claims - {row.claim for row in MINIMAL} <= set(COMPUTED)


def test_minimal_preset_equals_the_rows_of_a_new_provider() -> None:
    assert add_preset([], "minimal") == (DEFAULT, [])
    assert add_preset(DEFAULT, "minimal") == (DEFAULT, [])


@pytest.mark.usefixtures("directory")
def test_preset_uses_the_fields_of_the_user_model() -> None:
    rows, missing = add_preset(DEFAULT, "directory")
    assert pairs(rows)[3:] == [("profession.label", "metier"), ("speciality.label", ""), ("rpps", "rpps")]
    assert missing == [MissingField("speciality.label", ("speciality", "specialty", "specialite"), "specialities")]


@pytest.mark.usefixtures("directory")
def test_preset_ignores_fields_that_no_claim_may_fill() -> None:
    rows, missing = add_preset([], "structure")
    assert {row["claim"] for row in rows if not row["user_field"]} == {each.claim for each in missing}
    assert {each.claim for each in missing} >= {"structure.name", "structure.siret"}
    assert not {"siret", "structure"} & {each.nearest for each in missing}


def test_preset_has_rows_without_a_field_if_the_user_model_lacks_it() -> None:
    rows, missing = add_preset(DEFAULT, "directory")
    assert pairs(rows)[3:] == [("profession.label", ""), ("speciality.label", ""), ("rpps", "")]
    assert [(each.claim, each.nearest) for each in missing] == [
        ("profession.label", ""),
        ("speciality.label", ""),
        ("rpps", ""),
    ]


@pytest.mark.usefixtures("directory")
def test_preset_replaces_rows_of_the_same_field_and_keeps_the_others() -> None:
    typed = [
        {"claim": "preferred_username", "user_field": "rpps", "when": "empty", "required": True},
        {"claim": "SubjectOrganization", "user_field": "specialities", "when": "login", "required": False},
    ]
    rows, (speciality,) = add_preset(typed, "directory")
    assert rows[0] == {"claim": "rpps", "user_field": "rpps", "when": "login", "required": False}
    assert rows[1] == typed[1]
    # The field is used already.
    assert speciality.nearest == ""
    assert len({row["user_field"] for row in rows if row["user_field"]}) == len(rows) - 1


@pytest.mark.usefixtures("directory")
def test_claim_that_already_has_a_field_keeps_it() -> None:
    typed = [{"claim": "speciality.label", "user_field": "specialities", "when": "empty", "required": True}]
    rows, missing = add_preset(typed, "directory")
    assert rows[0] == typed[0]
    assert missing == []
    assert [row["claim"] for row in rows].count("speciality.label") == 1


def test_preset_added_twice_is_there_once() -> None:
    once = add_preset(DEFAULT, "structure")
    assert add_preset(once[0], "structure") == once
