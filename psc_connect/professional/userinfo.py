"""The claims as Pro Santé Connect sends them → a ``Professional``. Reading never fails."""

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
# Of each dataclass its leaves: the field, PSC's name, and the tables of its code, or None where it is text.
_LEAVES: Mapping[type[Any], tuple[tuple[str, str, tuple[str, ...] | None], ...]] = {
    kind: tuple(
        (each.name, each.metadata["psc"], each.metadata["tables"]) for each in fields(kind) if "psc" in each.metadata
    )
    for kind in (Professional, Practice, Activity)
}
# What says nothing, whatever was expected.
_NOTHING = (None, "")
# It is kept in a column of two bytes.
MAX_QUALITY = 32767
# Of all practices together: several times what anybody has, and still read in milliseconds.
MAX_ACTIVITIES = 500


def count_activities(claims: Mapping[str, Any]) -> int:
    """Return how many practices and activities there are to read: whoever calls may refuse what is too much."""
    register = claims.get("SubjectRefPro")
    practices = register.get("exercices") if isinstance(register, dict) else None
    if not isinstance(practices, list):
        return 0
    activities = (each.get("activities") for each in practices if isinstance(each, dict))
    return len(practices) + sum(len(each) for each in activities if isinstance(each, list))


def read_userinfo(claims: Mapping[str, Any]) -> Professional:
    """Return who these claims are about. Never fails: what is not as expected is in ``warnings``."""
    return _Reader().professional(claims)


class _Reader:
    def __init__(self) -> None:
        self.warnings: list[ReadingWarning] = []

    def professional(self, claims: Mapping[str, Any]) -> Professional:
        top = dict(claims)
        register = self._object(top, "SubjectRefPro", "")
        self._move_civility(top, register)
        practices = self._objects(register, "exercices", "SubjectRefPro.")
        # The second is the name in a specification of ANS's.
        identifiers = [*self._objects(top, "otherIds", ""), *self._objects(top, "otherIDs", "")]
        roles = self._roles(top)
        verified = self._take_truth(top, "email_verified", "")
        values = self._leaves(Professional, top, "")
        extra = {**top, **({"SubjectRefPro": register} if register else {})}
        return Professional(
            **values,
            roles=roles,
            identifiers=tuple(dict.fromkeys(self._identifier(each, path) for each, path in identifiers)),
            practices=tuple(self._practice(each, path) for each, path in practices),
            email_verified=verified,
            extra=MappingProxyType(extra),
            warnings=tuple(self.warnings),
        )

    def _move_civility(self, top: dict[str, Any], register: dict[str, Any]) -> None:
        """It stood in SubjectRefPro until 2023, and stands at the top since."""
        former = register.get("codeCivilite")
        if former in _NOTHING or former == top.get("codeCivilite"):
            register.pop("codeCivilite", None)
        elif top.get("codeCivilite") in _NOTHING:
            top["codeCivilite"] = register.pop("codeCivilite")
        else:
            self._warn("value_twice", "SubjectRefPro.codeCivilite")

    def _practice(self, given: dict[str, Any], path: str) -> Practice:
        activities = self._objects(given, "activities", path)
        values = self._leaves(Practice, given, path)
        read = tuple(self._activity(each, place) for each, place in activities)
        return Practice(**values, activities=read, extra=MappingProxyType(given))

    def _activity(self, given: dict[str, Any], path: str) -> Activity:
        return Activity(**self._leaves(Activity, given, path), extra=MappingProxyType(given))

    def _identifier(self, given: dict[str, Any], path: str) -> OtherIdentifier:
        text, origin = self._take_text(given, "identifiant", path), self._take_text(given, "origine", path)
        identifier = NationalIdentifier.read(text, origin)
        if text and identifier.kind is Kind.UNKNOWN:
            self._warn("identifier_unknown", f"{path}identifiant")
        return OtherIdentifier(
            identifier,
            origin=origin,
            quality=self._quality(given, path),
            sent=text,
            extra=MappingProxyType(given),
        )

    def _quality(self, given: dict[str, Any], path: str) -> int:
        value = given.get("qualite")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_QUALITY:
            del given["qualite"]
            return value
        self._leave(given, "qualite", path)
        return 0

    def _roles(self, top: dict[str, Any]) -> tuple[Code, ...]:
        if isinstance(top.get("SubjectRole"), str):
            top["SubjectRole"] = [top["SubjectRole"]]
        found = self._items(top, "SubjectRole", "", str)
        return tuple(Code.read(text, *tables_of("profession")) for text, _path in found if text)

    def _leaves(self, kind: type[Any], given: dict[str, Any], path: str) -> dict[str, Any]:
        """Take out of an object every leaf that the dataclass names: those that say something."""
        values: dict[str, Any] = {}
        for field, name, tables in _LEAVES[kind]:
            value = given.pop(name, "")
            if not isinstance(value, str):
                given[name] = value
                value = self._take_text(given, name, path)
            if value:
                values[field] = value if tables is None else Code.read(value, *tables)
        return values

    def _take_text(self, given: dict[str, Any], name: str, path: str) -> str:
        value = given.get(name)
        if isinstance(value, str):
            return str(given.pop(name))
        self._leave(given, name, path)
        # Never of more digits than Python writes.
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
            return str(given.pop(name))
        return ""

    def _take_truth(self, given: dict[str, Any], name: str, path: str) -> bool | None:
        if isinstance(given.get(name), bool):
            return bool(given.pop(name))
        self._leave(given, name, path)
        return None

    def _object(self, given: dict[str, Any], name: str, path: str) -> dict[str, Any]:
        if isinstance(given.get(name), dict):
            return dict(given.pop(name))
        self._leave(given, name, path)
        return {}

    def _objects(self, given: dict[str, Any], name: str, path: str) -> list[tuple[dict[str, Any], str]]:
        return [(dict(each), f"{place}.") for each, place in self._items(given, name, path, dict)]

    def _items(self, given: dict[str, Any], name: str, path: str, kind: type[T]) -> list[tuple[T, str]]:
        """Take out of a list what is of a kind, each with its place; the rest stays."""
        if not isinstance(given.get(name), list):
            self._leave(given, name, path)
            return []
        placed = [(each, f"{path}{name}[{number}]") for number, each in enumerate(given.pop(name))]
        if rest := [(each, place) for each, place in placed if each is not None and not isinstance(each, kind)]:
            given[name] = [each for each, _place in rest]
            for _each, place in rest:
                self._warn("type_unexpected", place)
        return [(each, place) for each, place in placed if isinstance(each, kind)]

    def _leave(self, given: dict[str, Any], name: str, path: str) -> None:
        """What is not of the type expected stays, for `extra`, and is told; what says nothing goes."""
        if given.get(name) in _NOTHING:
            given.pop(name, None)
        else:
            self._warn("type_unexpected", path + name)

    def _warn(self, code: str, path: str) -> None:
        self.warnings.append(ReadingWarning(code, path))
