"""Text from outside, made safe for one line of a page, a log or a terminal."""

from __future__ import annotations

import json
import unicodedata
from typing import Any


def to_single_line(value: Any, limit: int = 200) -> str:
    """Return a value as one line of at most ``limit`` characters: a text unchanged, anything else as JSON."""
    text = escape_control_characters(value[: limit + 1] if isinstance(value, str) else _start_of_json(value, limit))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _start_of_json(value: Any, limit: int) -> str:
    """Stop encoding after ``limit`` characters: a value whose parts repeat each other may be very long as JSON."""
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        text += piece
        if len(text) > limit:
            break
    return text


def escape_control_characters(text: str) -> str:
    """Return a text in which control, line-breaking and direction characters are written as in JSON (``\\u202e``).

    Lone surrogates and unassigned characters are escaped too. The joiners that scripts and emoji need are kept.
    """
    return "".join(json.dumps(letter)[1:-1] if _is_control(letter) else letter for letter in text)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"} and letter not in "\u200c\u200d"
