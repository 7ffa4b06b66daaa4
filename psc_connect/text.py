"""Texts of others on one line of a page, a log or a terminal: nothing in them steers it."""

from __future__ import annotations

import json
import unicodedata
from typing import Any


def to_single_line(value: Any, limit: int = 200) -> str:
    """Return a value as one line of text, cut where it is long: text as it is, anything else as JSON."""
    text = escaped(value[: limit + 1] if isinstance(value, str) else _beginning_of_json(value, limit))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _beginning_of_json(value: Any, limit: int) -> str:
    """Write no more than somebody reads: a value that has itself as its parts may be endless to write."""
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        text += piece
        if len(text) > limit:
            break
    return text


def escaped(text: str) -> str:
    """Return a text with what steers a terminal, breaks a line or turns its direction written as JSON writes it.

    So are halves of characters, which nothing could show. The joiners of scripts and signs stay.
    """
    return "".join(json.dumps(letter)[1:-1] if _steers(letter) else letter for letter in text)


def _steers(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"} and letter not in "\u200c\u200d"
