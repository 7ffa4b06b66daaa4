"""Parsing of Pro Santé Connect's userinfo claims into a ``Professional``. It never fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar

from psc_connect.professional.coded_values import Code
from psc_connect.professional.identifiers import Kind, NationalIdentifier
from psc_connect.professional.nomenclatures import tables_of
from psc_connect.professional.professional import (
    Activity,
    OtherIdentifier,
    Practice,
    Professional,
    ReadingWarning,
)

T = TypeVar("T")
# Dataclass → its simple fields: name, PSC's name, and the tables of a code or None for text.
_LEAVES: Mapping[type[Any], tuple[tuple[str, str, tuple[str, ...] | None], ...]] = {
    kind: tuple(
        (declared.name, declared.metadata["psc"], declared.metadata["tables"])
        for declared in fields(kind)
        if "psc" in declared.metadata
    )
    for kind in (Professional, Practice, Activity)
}
# PSC sends these for "no value".
_NO_VALUE = (None, "")
# The maximum of the PositiveSmallIntegerField that stores it.
MAX_QUALITY = 32767
# For all practices together: several times the real maximum, and still parsed in milliseconds.
MAX_ACTIVITIES = 500


def count_activities(claims: Mapping[str, Any]) -> int:
    """Return the number of practices plus activities, so that a caller can refuse more than MAX_ACTIVITIES."""
    register = claims.get("SubjectRefPro")
    practices = register.get("exercices") if isinstance(register, dict) else None
    if not isinstance(practices, list):
        return 0
    lists = (practice.get("activities") for practice in practices if isinstance(practice, dict))
    return len(practices) + sum(len(activities) for activities in lists if isinstance(activities, list))


def read_userinfo(claims: Mapping[str, Any]) -> Professional:
    """Return the professional that these claims describe. Never fails: unexpected values are in ``warnings``."""
    return _Parser().professional(claims)


class _Parser:
    """Parses one userinfo and collects the warnings.

    Methods take values out of ``source``, a copy of a JSON object, so that the rest can be kept as ``extra``. ``path``
    is the place of that object, for warnings.
    """

    def __init__(self) -> None:
        self.warnings: list[ReadingWarning] = []

    def professional(self, claims: Mapping[str, Any]) -> Professional:
        top = dict(claims)
        register = dict(self._take(top, "SubjectRefPro", "", dict) or {})
        self._move_civility(top, register)
        practices = self._objects(register, "exercices", "SubjectRefPro.")
        # One specification of ANS writes otherIDs.
        identifiers = [*self._objects(top, "otherIds", ""), *self._objects(top, "otherIDs", "")]
        roles = self._roles(top)
        verified = self._take(top, "email_verified", "", bool)
        values = self._leaves(Professional, top, "")
        extra = {**top, **({"SubjectRefPro": register} if register else {})}
        return Professional(
            **values,
            roles=roles,
            identifiers=tuple(dict.fromkeys(self._identifier(source, path) for source, path in identifiers)),
            practices=tuple(self._practice(source, path) for source, path in practices),
            email_verified=verified,
            extra=MappingProxyType(extra),
            warnings=tuple(self.warnings),
        )

    def _move_civility(self, top: dict[str, Any], register: dict[str, Any]) -> None:
        """Move codeCivilite from SubjectRefPro, its place until 2023, to the top level."""
        former = register.get("codeCivilite")
        if former in _NO_VALUE or former == top.get("codeCivilite"):
            register.pop("codeCivilite", None)
        elif top.get("codeCivilite") in _NO_VALUE:
            top["codeCivilite"] = register.pop("codeCivilite")
        else:
            self._warn("value_twice", "SubjectRefPro.codeCivilite")

    def _practice(self, source: dict[str, Any], path: str) -> Practice:
        activities = self._objects(source, "activities", path)
        values = self._leaves(Practice, source, path)
        parsed = tuple(self._activity(source, place) for source, place in activities)
        return Practice(**values, activities=parsed, extra=MappingProxyType(source))

    def _activity(self, source: dict[str, Any], path: str) -> Activity:
        return Activity(**self._leaves(Activity, source, path), extra=MappingProxyType(source))

    def _identifier(self, source: dict[str, Any], path: str) -> OtherIdentifier:
        text, origin = self._take_text(source, "identifiant", path), self._take_text(source, "origine", path)
        identifier = NationalIdentifier.read(text, origin)
        if text and identifier.kind is Kind.UNKNOWN:
            self._warn("identifier_unknown", f"{path}identifiant")
        return OtherIdentifier(
            identifier,
            origin=origin,
            quality=self._quality(source, path),
            sent=text,
            extra=MappingProxyType(source),
        )

    def _quality(self, source: dict[str, Any], path: str) -> int:
        value = source.get("qualite")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_QUALITY:
            del source["qualite"]
            return value
        self._leave(source, "qualite", path)
        return 0

    def _roles(self, top: dict[str, Any]) -> tuple[Code, ...]:
        if isinstance(top.get("SubjectRole"), str):
            top["SubjectRole"] = [top["SubjectRole"]]
        roles = self._items(top, "SubjectRole", "", str)
        return tuple(Code.read(text, *tables_of("profession")) for text, _path in roles if text)

    def _leaves(self, kind: type[Any], source: dict[str, Any], path: str) -> dict[str, Any]:
        """Take the simple fields of a dataclass out of an object, without empty ones."""
        values: dict[str, Any] = {}
        for field, name, tables in _LEAVES[kind]:
            value = source.pop(name, "")
            if not isinstance(value, str):
                source[name] = value
                value = self._take_text(source, name, path)
            if value:
                values[field] = value if tables is None else Code.read(value, *tables)
        return values

    def _take(self, source: dict[str, Any], name: str, path: str, kind: type[T]) -> T | None:
        """Take a value of type ``kind`` out of ``source``. Leave another one there."""
        if isinstance(source.get(name), kind):
            taken: T = source.pop(name)
            return taken
        self._leave(source, name, path)
        return None

    def _take_text(self, source: dict[str, Any], name: str, path: str) -> str:
        text = self._take(source, name, path, str)
        if text is not None:
            return text
        value = source.get(name)
        # Python refuses to write very long integers.
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
            return str(source.pop(name))
        return ""

    def _objects(self, source: dict[str, Any], name: str, path: str) -> list[tuple[dict[str, Any], str]]:
        return [(dict(item), f"{place}.") for item, place in self._items(source, name, path, dict)]

    def _items(self, source: dict[str, Any], name: str, path: str, kind: type[T]) -> list[tuple[T, str]]:
        """Take the members of type ``kind`` out of a list, each with its path. Other members stay in ``source``."""
        members = self._take(source, name, path, list) or []
        items = [(item, f"{path}{name}[{number}]") for number, item in enumerate(members)]
        if rest := [(item, place) for item, place in items if item is not None and not isinstance(item, kind)]:
            source[name] = [item for item, _place in rest]
            for _item, place in rest:
                self._warn("type_unexpected", place)
        return [(item, place) for item, place in items if isinstance(item, kind)]

    def _leave(self, source: dict[str, Any], name: str, path: str) -> None:
        """Leave a value of another type in place, for `extra`, with a warning. Remove an empty one."""
        if source.get(name) in _NO_VALUE:
            source.pop(name, None)
        else:
            self._warn("type_unexpected", path + name)

    def _warn(self, code: str, path: str) -> None:
        self.warnings.append(ReadingWarning(code, path))
