"""A ``Professional`` as JSON that a row can keep, back again without reading it anew, and what changed between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, asdict, dataclass, fields
from types import MappingProxyType
from typing import Any, Final, TypeVar

from psc_connect.professional.coded_values import Code
from psc_connect.professional.identifiers import Kind, NationalIdentifier
from psc_connect.professional.nomenclatures import tables_of
from psc_connect.professional.professional import (
    Activity,
    ActivityChoice,
    OtherIdentifier,
    Practice,
    Professional,
    ReadingWarning,
)

# Of the shape below. A snapshot of another version is as if there were none: the next login makes one.
VERSION: Final = 1
T = TypeVar("T")


def to_snapshot(professional: Professional) -> dict[str, Any]:
    """Return the data as JSON, what is empty left out."""
    return {
        "version": VERSION,
        **_plain(professional),
        "roles": [each.sent for each in professional.roles],
        "identifiers": [
            {**_plain(each), "kind": each.identifier.kind.value, "number": each.identifier.number}
            for each in professional.identifiers
        ],
        "practices": [
            {**_plain(practice), "activities": [_plain(activity) for activity in practice.activities]}
            for practice in professional.practices
        ],
        "warnings": [asdict(each) for each in professional.warnings],
    }


def from_snapshot(snapshot: Mapping[str, Any]) -> Professional | None:
    """Return what ``to_snapshot`` was given; None for a snapshot of another version, or none at all."""
    if snapshot.get("version") != VERSION:
        return None
    return _made(
        Professional,
        snapshot,
        roles=tuple(Code.read(each, *tables_of("profession")) for each in snapshot["roles"]),
        identifiers=tuple(
            _made(OtherIdentifier, each, identifier=NationalIdentifier(Kind(each["kind"]), each["number"]))
            for each in snapshot["identifiers"]
        ),
        practices=tuple(
            _made(Practice, each, activities=tuple(_made(Activity, activity) for activity in each["activities"]))
            for each in snapshot["practices"]
        ),
        warnings=tuple(ReadingWarning(**each) for each in snapshot["warnings"]),
    )


def _is_leaf(each: Field[Any]) -> bool:
    return each.name not in {"roles", "identifiers", "identifier", "practices", "activities", "warnings"}


def _plain(value: Any) -> dict[str, Any]:
    found = {each.name: getattr(value, each.name) for each in fields(value) if _is_leaf(each)}
    return {name: _as_json(each) for name, each in found.items() if each or each is False}


def _as_json(value: Any) -> Any:
    if isinstance(value, Code):
        return value.sent
    return dict(value) if isinstance(value, Mapping) else value


def _made(kind: type[T], given: Mapping[str, Any], **parts: Any) -> T:
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]
        if not _is_leaf(each) or each.name not in given:
            continue
        value, tables = given[each.name], each.metadata.get("tables")
        if isinstance(value, dict):
            values[each.name] = MappingProxyType(value)
        else:
            values[each.name] = value if tables is None else Code.read(value, *tables)
    return kind(**values, **parts)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not what it was; None where it was not there before, or is not any longer.

    ``name``: a field of ``Professional``, or ``practices.10C.skill``, ``activities.<key>.siret``, ``identifiers.rpps``.
    """

    name: str
    before: Any
    after: Any


def changes(before: Professional | None, after: Professional) -> tuple[Change, ...]:
    """Compare two: practices by profession and category, activities by ``ActivityChoice.key``, whatever their order."""
    old, new = dict(_flat(before)) if before else {}, dict(_flat(after))
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )


def _flat(professional: Professional) -> Iterator[tuple[str, Any]]:
    yield from _plain(professional).items()
    yield "roles", [each.sent for each in professional.roles]
    for each in professional.identifiers:
        yield f"identifiers.{each.identifier.kind.value}", each.identifier.number
    for practice in professional.practices:
        name = f"{practice.profession.code}{practice.category.code}"
        yield from ((f"practices.{name}.{leaf}", value) for leaf, value in _plain(practice).items())
        for activity in practice.activities:
            key = ActivityChoice(practice, activity).key
            yield from ((f"activities.{key}.{leaf}", value) for leaf, value in _plain(activity).items())
