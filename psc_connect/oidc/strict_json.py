"""A JSON parser that refuses what two parsers could read differently (RFC 8259 section 4, RFC 7493 I-JSON)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 50


class StrictJSONError(ValueError):
    """The text is not strict JSON. The message contains none of it, because it may be a token."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJSONError("duplicate key")
    return members


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictJSONError("number out of range")
    return number


def _constant(_text: str) -> object:
    raise StrictJSONError("not a number")


def walk(value: object) -> Iterator[tuple[object, int]]:
    """Yield a JSON value and everything in it, keys included, with its depth. A loop: recursion could be too deep."""
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        part, depth = pending.pop()
        yield part, depth
        if isinstance(part, dict):
            pending += [(member, depth + 1) for pair in part.items() for member in pair]
        elif isinstance(part, list):
            pending += [(member, depth + 1) for member in part]


def _check(value: object, *, refuse_nul: bool) -> None:
    """Refuse lone surrogates and nesting deeper than MAX_DEPTH."""
    for part, depth in walk(value):
        if depth > MAX_DEPTH:
            raise StrictJSONError("nested too deeply")
        if isinstance(part, str):
            part.encode()
            if refuse_nul and "\0" in part:
                raise StrictJSONError("NUL in a text")


def loads_strict(text: str | bytes, *, refuse_nul: bool = False) -> object:
    """Parse JSON into plain Python types.

    Raises StrictJSONError for invalid JSON or UTF-8, duplicate keys, NaN, infinite numbers, a BOM, lone surrogates and
    deep nesting. With `refuse_nul` also for NUL characters, which PostgreSQL cannot store.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        value: object = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
        _check(value, refuse_nul=refuse_nul)
    except StrictJSONError:
        raise
    except (ValueError, RecursionError):
        # Not chained: JSONDecodeError and UnicodeError contain the whole text, which may be a token.
        raise StrictJSONError("not strict JSON") from None
    return value
