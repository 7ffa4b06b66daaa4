"""A ``Professional`` as JSON to store in the database, and the changes between two of them."""

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

__all__ = ["Change"]

# Version of the format. A snapshot of another version is ignored; the next login stores a new one.
VERSION: Final = 1
T = TypeVar("T")


def to_snapshot(professional: Professional) -> dict[str, Any]:
    """Return the professional as JSON-compatible data, without empty values."""
    return {
        "version": VERSION,
        **_plain(professional),
        "roles": [role.sent for role in professional.roles],
        "identifiers": [
            {**_plain(other), "kind": other.identifier.kind.value, "number": other.identifier.number}
            for other in professional.identifiers
        ],
        "practices": [
            {**_plain(practice), "activities": [_plain(activity) for activity in practice.activities]}
            for practice in professional.practices
        ],
        "warnings": [asdict(warning) for warning in professional.warnings],
    }


def from_snapshot(snapshot: Mapping[str, Any]) -> Professional | None:
    """Return the professional of a snapshot, or None if it is empty or of another version."""
    if snapshot.get("version") != VERSION:
        return None
    return _build(
        Professional,
        snapshot,
        roles=tuple(Code.read(role, *tables_of("profession")) for role in snapshot["roles"]),
        identifiers=tuple(
            _build(OtherIdentifier, other, identifier=NationalIdentifier(Kind(other["kind"]), other["number"]))
            for other in snapshot["identifiers"]
        ),
        practices=tuple(
            _build(
                Practice, practice, activities=tuple(_build(Activity, activity) for activity in practice["activities"])
            )
            for practice in snapshot["practices"]
        ),
        warnings=tuple(ReadingWarning(**warning) for warning in snapshot["warnings"]),
    )


def _is_leaf(declared: Field[Any]) -> bool:
    return declared.name not in {"roles", "identifiers", "identifier", "practices", "activities", "warnings"}


def _plain(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are neither empty nor dataclasses themselves."""
    leaves = {declared.name: getattr(value, declared.name) for declared in fields(value) if _is_leaf(declared)}
    return {name: _as_json(leaf) for name, leaf in leaves.items() if leaf or leaf is False}


def _as_json(value: Any) -> Any:
    if isinstance(value, Code):
        return value.sent
    return dict(value) if isinstance(value, Mapping) else value


def _build(kind: type[T], stored: Mapping[str, Any], **parts: Any) -> T:
    """Build a dataclass from the result of ``_plain`` and the fields that are dataclasses."""
    values: dict[str, Any] = {}
    for declared in fields(kind):  # type: ignore[arg-type]
        if not _is_leaf(declared) or declared.name not in stored:
            continue
        value, tables = stored[declared.name], declared.metadata.get("tables")
        if isinstance(value, dict):
            values[declared.name] = MappingProxyType(value)
        else:
            values[declared.name] = value if tables is None else Code.read(value, *tables)
    return kind(**values, **parts)


@dataclass(frozen=True, slots=True)
class Change:
    """A changed value. ``before`` is None if it was added, ``after`` is None if it was removed.

    ``name`` is a field of ``Professional``, or ``practices.10C.skill``, ``activities.<key>.siret``,
    ``identifiers.rpps``.
    """

    name: str
    before: Any
    after: Any


def changes(before: Professional | None, after: Professional) -> tuple[Change, ...]:
    """Return the changes between two professionals.

    Practices are matched by profession and category, activities by ``ActivityChoice.key``. Their order is ignored.
    """
    old, new = dict(_flat(before)) if before else {}, dict(_flat(after))
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )


def _flat(professional: Professional) -> Iterator[tuple[str, Any]]:
    yield from _plain(professional).items()
    yield "roles", [role.sent for role in professional.roles]
    for other in professional.identifiers:
        yield f"identifiers.{other.identifier.kind.value}", other.identifier.number
    for practice in professional.practices:
        name = f"{practice.profession.code}{practice.category.code}"
        yield from ((f"practices.{name}.{leaf}", value) for leaf, value in _plain(practice).items())
        for activity in practice.activities:
            key = ActivityChoice(practice, activity).key
            yield from ((f"activities.{key}.{leaf}", value) for leaf, value in _plain(activity).items())
