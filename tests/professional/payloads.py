"""The shipped userinfo payloads, functions on their leaves, and a ``Professional`` converted back to claims."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import psc_connect
from psc_connect.professional.coded_values import Code
from psc_connect.professional.professional import Activity, OtherIdentifier, Practice, Professional
from psc_connect.simulator.people import PEOPLE

PACKAGE = Path(psc_connect.__file__).parent
Place = tuple[str | int, ...]


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


PUBLISHED = _read(PACKAGE / "claims" / "samples")
INVENTED = {person.slug: person.claims() for person in PEOPLE}
PAYLOADS = {**PUBLISHED, **INVENTED}


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every leaf with its place. An empty list or object is a leaf."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from leaves(each, (*place, key))
    if not pairs:
        yield place, value


def objects(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every object, including the top level."""
    if isinstance(value, dict):
        yield place
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from objects(each, (*place, key))


def changed(payload: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """Return a copy with another value at one place."""
    copied = copy.deepcopy(payload)
    parent: Any = copied
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return copied


def without(payload: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return a copy without one place; it shares the rest with ``payload``."""
    copied, parent = _copied_down_to(payload, place)
    del parent[place[-1]]
    return copied


def _copied_down_to(payload: dict[str, Any], place: Place) -> tuple[dict[str, Any], Any]:
    """Return a copy in which every object and list above ``place`` is new, and the one that holds it."""
    copied = copy.copy(payload)
    parent: Any = copied
    for key in place[:-1]:
        parent[key] = copy.copy(parent[key])
        parent = parent[key]
    return copied, parent


def at(value: Any, place: Place) -> Any:
    """Return the value at a place, or None."""
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for key in place:
            value = value[key]
        return value
    return None


def path_of(place: Place) -> str:
    """Return a place in the format of warnings."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")


def to_claims(professional: Professional) -> dict[str, Any]:
    """Return the claims, rebuilt from the fields and ``extra``, without empty fields."""
    extra = dict(professional.extra)
    register = extra.pop("SubjectRefPro", {})
    if isinstance(register, dict):
        register = {**register, "exercices": _joined(map(_practice, professional.practices), register, "exercices")}
    verified = {} if professional.email_verified is None else {"email_verified": professional.email_verified}
    return {
        **_fields(professional),
        **verified,
        **extra,
        "otherIds": _joined(map(_identifier, professional.identifiers), extra, "otherIds"),
        "SubjectRole": _joined([each.sent for each in professional.roles], extra, "SubjectRole"),
        "SubjectRefPro": register,
    }


def _joined(found: Iterable[Any], extra: Mapping[str, Any], name: str) -> Any:
    """Return a list followed by its unparsed members, or the value that was sent instead of a list."""
    rest = extra.get(name, [])
    return [*found, *rest] if isinstance(rest, list) else rest


def _practice(practice: Practice) -> dict[str, Any]:
    activities = _joined(
        ({**_fields(each), **each.extra} for each in practice.activities), practice.extra, "activities"
    )
    return {**_fields(practice), **practice.extra, "activities": activities}


def _identifier(each: OtherIdentifier) -> dict[str, Any]:
    values = {"identifiant": each.sent, "origine": each.origin, "qualite": each.quality, **each.extra}
    return {name: value for name, value in values.items() if value not in ("", 0) or name in each.extra}


def _fields(value: Professional | Practice | Activity) -> dict[str, Any]:
    named = {each.metadata["psc"]: getattr(value, each.name) for each in fields(value) if "psc" in each.metadata}
    sent = {name: each.sent if isinstance(each, Code) else each for name, each in named.items()}
    return {name: each for name, each in sent.items() if each}
