"""The claims as Pro Santé Connect sends them → a ``Professional``. Reading never fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from psc_connect.professional.codes import Code, code_of
from psc_connect.professional.identifiers import Kind, NationalIdentifier
from psc_connect.professional.person import (
    PROFESSIONS,
    Activity,
    OtherIdentifier,
    Practice,
    Professional,
    ReadingWarning,
)

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
        others = "otherIDs" if "otherIds" not in top and "otherIDs" in top else "otherIds"
        identifiers = self._objects(top, others, "")
        roles = self._roles(top)
        verified = top.pop("email_verified") if isinstance(top.get("email_verified"), bool) else None
        values = self._leaves(Professional, top, "")
        extra = {**top, **({"SubjectRefPro": register} if register else {})}
        return Professional(
            **values,
            roles=roles,
            identifiers=tuple(self._identifier(each, path) for each, path in identifiers),
            practices=tuple(self._practice(each, path) for each, path in practices),
            email_verified=verified,
            extra=MappingProxyType(extra),
            warnings=tuple(self.warnings),
        )

    def _move_civility(self, top: dict[str, Any], register: dict[str, Any]) -> None:
        """It stood in SubjectRefPro until 2023, and stands at the top since."""
        if "codeCivilite" not in register:
            return
        if not top.get("codeCivilite"):
            top["codeCivilite"] = register.pop("codeCivilite")
        elif top["codeCivilite"] == register["codeCivilite"]:
            del register["codeCivilite"]
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
        quality = given.get("qualite")
        if isinstance(quality, int) and not isinstance(quality, bool):
            del given["qualite"]
        else:
            if quality not in (None, ""):
                self._warn("type_unexpected", f"{path}qualite")
            quality = 0
        return OtherIdentifier(identifier, origin, quality, MappingProxyType(given))

    def _roles(self, top: dict[str, Any]) -> tuple[Code, ...]:
        given = top.get("SubjectRole")
        listed = [given] if isinstance(given, str) else given
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            if listed is not None:
                self._warn("type_unexpected", "SubjectRole")
            return ()
        del top["SubjectRole"]
        return tuple(code_of(each, PROFESSIONS) for each in listed if each)

    def _leaves(self, kind: type[Any], given: dict[str, Any], path: str) -> dict[str, Any]:
        """Take out of an object every leaf that the dataclass names."""
        values: dict[str, Any] = {}
        for each in fields(kind):
            name = each.metadata.get("psc")
            if name is None or name not in given:
                continue
            text = self._take_text(given, name, path)
            tables = each.metadata["tables"]
            values[each.name] = text if tables is None else code_of(text, tables)
        return values

    def _take_text(self, given: dict[str, Any], name: str, path: str) -> str:
        value = given.get(name)
        if value is None or isinstance(value, str):
            given.pop(name, None)
            return value or ""
        self._warn("type_unexpected", path + name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            del given[name]
            return str(value)
        # It stays in `extra`.
        return ""

    def _object(self, given: dict[str, Any], name: str, path: str) -> dict[str, Any]:
        value = given.get(name)
        if isinstance(value, dict):
            return dict(given.pop(name))
        if value is None:
            given.pop(name, None)
        elif value != "":
            self._warn("type_unexpected", path + name)
        return {}

    def _objects(self, given: dict[str, Any], name: str, path: str) -> list[tuple[dict[str, Any], str]]:
        """Take a list of objects out; what in it is none stays where it was."""
        value = given.get(name)
        if value is None:
            given.pop(name, None)
            return []
        if not isinstance(value, list):
            if value != "":
                self._warn("type_unexpected", path + name)
            return []
        found = [
            (dict(each), f"{path}{name}[{number}].") for number, each in enumerate(value) if isinstance(each, dict)
        ]
        rest = [each for each in value if not isinstance(each, dict)]
        del given[name]
        if rest:
            self._warn("type_unexpected", path + name)
            given[name] = rest
        return found

    def _warn(self, code: str, path: str) -> None:
        self.warnings.append(ReadingWarning(code, path))
