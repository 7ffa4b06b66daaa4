"""Parsing the userinfo: no value is lost, and no value makes it fail."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psc_connect.professional.identifiers import Kind
from psc_connect.professional.professional import ReadingWarning, unknown_codes
from psc_connect.professional.userinfo import read_userinfo
from tests.professional.payloads import (
    INVENTED,
    PAYLOADS,
    PUBLISHED,
    Place,
    at,
    changed,
    leaves,
    objects,
    path_of,
    to_claims,
    without,
)

DOCTOR = PUBLISHED["doctor-two-exercices-2022"]
CARD = PUBLISHED["doctor-card-two-activities-2023"]
# The place of codeCivilite until 2023; the parser moves it to the top level.
FORMER: Place = ("SubjectRefPro", "codeCivilite")
RIGHT: dict[str | int, tuple[Any, ...]] = {"qualite": (7,), "email_verified": (True,), "SubjectRole": ([], ["x"])}
WRONG: tuple[Any, ...] = (7, True, 1.5, [], ["x"], {}, {"a": "b"}, 10**30, -1)


def warnings_of(claims: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.code, each.path) for each in read_userinfo(claims).warnings]


def current_place(place: Place) -> Place:
    return ("codeCivilite",) if place == FORMER else place


def is_right(place: Place, value: Any) -> bool:
    return any(value == each for each in RIGHT.get(place[-1], ()) if type(value) is type(each))


def branches(payload: dict[str, Any]) -> list[Place]:
    """Return the place of every list and object below the top level."""
    above = {place[:length] for place, _value in leaves(payload) for length in range(1, len(place))}
    return sorted(above, key=str)


def leaves_to_change() -> Iterator[Any]:
    """Yield each payload with its leaves: all of the published ones, of the invented ones the first of each list."""
    for name, payload in PUBLISHED.items():
        yield pytest.param(payload, [place for place, _value in leaves(payload)], id=name)
    for name, payload in INVENTED.items():
        # Some of the invented people use the published payloads.
        if payload not in PUBLISHED.values():
            places = [place for place, _value in leaves(payload)]
            first = [place for place in places if all(key == 0 for key in place if isinstance(key, int))]
            yield pytest.param(payload, first, id=name)


LEAVES_TO_CHANGE = list(leaves_to_change())


def test_all_shipped_payloads_are_tested() -> None:
    assert len(PUBLISHED) == 5
    assert len(INVENTED) >= 10


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_every_leaf_is_kept_at_its_place(payload: dict[str, Any]) -> None:
    again = to_claims(read_userinfo(payload))
    filled = [(place, value) for place, value in leaves(payload) if value not in ("", [])]
    assert filled
    assert [(place, value) for place, value in filled if at(again, current_place(place)) != value] == []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_every_leaf_of_a_shipped_payload_has_a_field(payload: dict[str, Any]) -> None:
    professional = read_userinfo(payload)
    assert dict(professional.extra) == {}
    assert [practice.extra for practice in professional.practices if practice.extra] == []
    assert [identifier.extra for identifier in professional.identifiers if identifier.extra] == []
    assert [each.extra for practice in professional.practices for each in practice.activities if each.extra] == []
    assert professional.warnings == ()


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_the_payload_itself_is_not_changed(payload: dict[str, Any]) -> None:
    before = copy.deepcopy(payload)
    read_userinfo(MappingProxyType(payload))
    assert payload == before


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_unknown_leaves_of_every_level_are_kept(payload: dict[str, Any]) -> None:
    known = read_userinfo(payload)
    places = list(objects(payload))
    for place in places:
        for unknown in ("new", {"deep": ["er", None]}, 5, None):
            professional = read_userinfo(changed(payload, (*place, "nouveauChamp"), unknown))
            assert at(to_claims(professional), (*place, "nouveauChamp")) == unknown
            assert professional.warnings == known.warnings


def errors_with_a_wrong_leaf(payload: dict[str, Any], place: Place) -> Iterator[tuple[str, Any, str]]:
    """Yield the path, the value and the error for each value of another type that is not read as it should be."""
    path = path_of(current_place(place))
    others = to_claims(read_userinfo(without(payload, place)))
    for wrong in [value for value in WRONG if not is_right(place, value)]:
        professional = read_userinfo(changed(payload, place, wrong))
        warnings = [(warning.code, warning.path) for warning in professional.warnings]
        again = to_claims(professional)
        if ("type_unexpected", path) not in warnings:
            yield path, wrong, "no warning"
        if {warned for _code, warned in warnings} != {path}:
            yield path, wrong, f"other warnings: {warnings}"
        if at(again, current_place(place)) not in (wrong, str(wrong)):
            yield path, wrong, "not kept"
        if without(again, current_place(place)) != others:
            yield path, wrong, "another leaf changed"


@pytest.mark.parametrize(("payload", "places"), LEAVES_TO_CHANGE)
def test_a_leaf_of_another_type_is_kept_with_a_warning(payload: dict[str, Any], places: list[Place]) -> None:
    assert len(places) > 5
    assert [error for place in places for error in errors_with_a_wrong_leaf(payload, place)] == []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_an_empty_leaf_counts_as_missing(payload: dict[str, Any]) -> None:
    for place, _value in leaves(payload):
        missing = read_userinfo(without(payload, place))
        assert missing.warnings == ()
        for nothing in (None, ""):
            assert read_userinfo(changed(payload, place, nothing)) == missing, path_of(place)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_branch_of_another_type_is_kept_with_a_warning(payload: dict[str, Any]) -> None:
    for place in branches(payload):
        for wrong in [each for each in WRONG if not isinstance(each, type(at(payload, place)))]:
            professional = read_userinfo(changed(payload, place, wrong))
            warnings = [(each.code, each.path) for each in professional.warnings]
            assert warnings == [("type_unexpected", path_of(place))]
            assert wrong in (at(to_claims(professional), place), at(to_claims(professional), (*place[:-1], -1)))


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_an_empty_branch_counts_as_missing(payload: dict[str, Any]) -> None:
    for place in branches(payload):
        missing = read_userinfo(without(payload, place))
        assert missing.warnings == ()
        assert read_userinfo(changed(payload, place, None)) == missing
        if isinstance(place[-1], str):
            assert read_userinfo(changed(payload, place, "")) == missing
            assert read_userinfo(changed(payload, place, type(at(payload, place))())) == missing


def test_a_person_without_professional_data_has_no_practice() -> None:
    without_data: list[dict[str, Any]] = [{}, {"SubjectRefPro": {}}, {"SubjectRefPro": None}]
    for claims in (*without_data, PUBLISHED["no-professional-data-2023"]):
        professional = read_userinfo(claims)
        assert (professional.practices, professional.activity_choices, professional.warnings) == ((), (), ())


def test_the_civility_is_read_at_its_former_and_current_place() -> None:
    former = without(CARD, FORMER)
    former["SubjectRefPro"]["codeCivilite"] = "MME"
    present = {**without(CARD, FORMER), "codeCivilite": "MME"}
    both = {**former, "codeCivilite": "MME"}
    for claims in (former, present, both, {**former, "codeCivilite": ""}, {**former, "codeCivilite": None}):
        professional = read_userinfo(claims)
        assert professional.civility.label == "Madame"
        assert (dict(professional.extra), professional.warnings) == ({}, ())
    present["SubjectRefPro"]["codeCivilite"] = ""
    assert read_userinfo(present).warnings == ()


def test_of_two_civilities_the_current_one_counts_with_a_warning() -> None:
    professional = read_userinfo({**CARD, "codeCivilite": "MME"})
    assert professional.civility.code == "MME"
    assert professional.extra == {"SubjectRefPro": {"codeCivilite": "M"}}
    assert professional.warnings == (ReadingWarning("value_twice", "SubjectRefPro.codeCivilite"),)


def test_a_civility_of_another_type_is_not_overwritten_by_the_former_one() -> None:
    professional = read_userinfo({**CARD, "codeCivilite": False})
    assert professional.extra == {"codeCivilite": False, "SubjectRefPro": {"codeCivilite": "M"}}


def test_identifiers_are_read_under_both_names() -> None:
    psi = {"identifiant": "0F8FAD5B-D9CB-469F-A165-70867728950E", "origine": "PSI", "qualite": 2}
    rpps = CARD["otherIds"][0]
    renamed = without(CARD, ("otherIds",))
    assert read_userinfo({**renamed, "otherIDs": [rpps]}).identifiers == read_userinfo(CARD).identifiers
    together = read_userinfo({**CARD, "otherIDs": [rpps, psi]})
    assert [each.identifier.kind for each in together.identifiers] == [Kind.RPPS, Kind.PSI]
    assert [each.quality for each in together.identifiers] == [1, 2]
    assert (dict(together.extra), together.warnings) == ({}, ())


def test_an_identifier_of_unknown_format_is_kept_with_a_warning() -> None:
    professional = read_userinfo({"otherIds": [{"identifiant": "X-1", "origine": "AUTRE", "nouveau": 1}]})
    [other] = professional.identifiers
    assert (other.identifier.kind, other.sent, other.origin, other.quality) == (Kind.UNKNOWN, "X-1", "AUTRE", 0)
    assert other.extra == {"nouveau": 1}
    assert professional.warnings == (ReadingWarning("identifier_unknown", "otherIds[0].identifiant"),)


def test_codes_are_read_with_and_without_the_oid_of_their_table() -> None:
    with_oid, without_oid = (
        read_userinfo({"SubjectRole": [role], "Secteur_Activite": sector})
        for role, sector in (
            ("10^1.2.250.1.213.1.1.5.5", "SA07^1.2.250.1.71.4.2.4"),
            ("10", "SA07"),
        )
    )
    assert [each.label for each in (*with_oid.roles, *without_oid.roles)] == ["Médecin", "Médecin"]
    assert with_oid.sector.label == without_oid.sector.label == "Cabinet individuel"
    assert (with_oid.sector.system, without_oid.sector.system) == ("1.2.250.1.71.4.2.4", "")


@pytest.mark.parametrize("role", ["10^1.2.250.1.213.1.1.5.5", "10", ["10", ""], ["10", None]])
def test_a_role_is_read_alone_and_in_a_list(role: Any) -> None:
    professional = read_userinfo({"SubjectRole": role})
    assert [each.code for each in professional.roles] == ["10"]
    assert professional.warnings == ()


def test_unexpected_members_of_a_list_are_kept() -> None:
    claims = changed(DOCTOR, ("SubjectRefPro", "exercices", 0, "activities", 0), "no activity")
    claims["SubjectRole"] = ["10", 5, "60"]
    professional = read_userinfo(claims)
    assert [each.code for each in professional.roles] == ["10", "60"]
    assert len(professional.practices[0].activities) == 1
    assert professional.extra == {"SubjectRole": [5]}
    assert professional.practices[0].extra == {"activities": ["no activity"]}
    assert warnings_of(claims) == [
        ("type_unexpected", "SubjectRole[1]"),
        ("type_unexpected", "SubjectRefPro.exercices[0].activities[0]"),
    ]


def test_unknown_codes_are_kept_and_can_be_listed() -> None:
    claims = changed(CARD, ("SubjectRefPro", "exercices", 0, "codeProfession"), "999")
    claims["SubjectRefPro"]["exercices"][0]["activities"][0]["codeModeExercice"] = "Z"
    claims["SubjectRefPro"]["exercices"][0]["activities"][0]["codeSectionPharmacien"] = "A"
    claims["Secteur_Activite"] = "empty"
    professional = read_userinfo(claims)
    assert professional.warnings == ()
    assert str(professional.practices[0].profession) == "999"
    assert sorted(unknown_codes(professional)) == [
        ("TRE_G15-ProfessionSante", "999"),
        ("TRE_R02-SecteurActivite", "empty"),
        ("TRE_R23-ModeExercice", "Z"),
    ]


@pytest.mark.parametrize("odd", ["\x00", "\ud800", " ", "\u0661\u0662", "x" * 100_000, "^", "^^^", "10^"])
def test_odd_text_in_every_leaf_is_read(odd: str) -> None:
    claims = DOCTOR
    for place, _value in leaves(DOCTOR):
        claims = changed(claims, place, odd)
    professional = read_userinfo(claims)
    assert professional.subject == odd
    # Computed properties do not fail either.
    assert len(professional.activity_choices) == 1
    assert professional.rpps == ""
    assert [each.department for each in professional.practices[0].activities] == [odd, odd]


NAMES = st.sampled_from(
    sorted({str(key) for payload in PAYLOADS.values() for place, _ in leaves(payload) for key in place})
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_no_value_of_a_known_name_makes_parsing_fail(claims: dict[str, Any]) -> None:
    professional = read_userinfo(claims)
    assert professional == read_userinfo(copy.deepcopy(claims))
    assert hash(professional) == hash(read_userinfo(claims))
    assert len(professional.activity_choices) <= sum(len(each.activities) or 1 for each in professional.practices)
    assert professional.rpps == ""
