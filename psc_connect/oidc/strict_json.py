"""JSON that means one thing only (RFC 8259 4, RFC 7493 I-JSON): what two parsers could read differently is refused."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 50


class StrictJSONError(ValueError):
    """The text is not strict JSON. Holds nothing of the text: it may be a token."""


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


def _check(document: object, *, refuse_nul: bool) -> None:
    """No text that UTF-8 cannot hold, no nesting over MAX_DEPTH; a loop: recursion is what is guarded against."""
    pending: list[tuple[object, int]] = [(document, 1)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise StrictJSONError("nested too deeply")
        if isinstance(value, str):
            value.encode()
            if refuse_nul and "\0" in value:
                raise StrictJSONError("NUL in a text")
        elif isinstance(value, dict):
            pending += [(each, depth + 1) for pair in value.items() for each in pair]
        elif isinstance(value, list):
            pending += [(each, depth + 1) for each in value]


def loads_strict(text: str | bytes, *, refuse_nul: bool = False) -> object:
    """Plain JSON types; StrictJSONError for duplicate keys, NaN, a BOM, wrong UTF-8, lone surrogates, depth.

    `refuse_nul`: for NUL too, which PostgreSQL can hold in no text.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        document: object = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
        _check(document, refuse_nul=refuse_nul)
    except StrictJSONError:
        raise
    except (ValueError, RecursionError):
        # Not chained: JSONDecodeError and UnicodeError carry the whole text, tokens included.
        raise StrictJSONError("not strict JSON") from None
    return document
