"""Text from outside, made safe for one line of a page, a log or a terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final

# The control characters that separate words: tabs, line breaks, and the separators of lines and paragraphs (Zl, Zp).
_BREAKS: Final = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
# The other control characters (Cc), and those with the property Bidi_Control, which change the order of what is shown.
_INVISIBLE: Final = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def cut_control_characters(value: Any) -> Any:
    """Return a JSON value with each text in it as one line, without control and bidirectional characters.

    A line break or tab inside a text becomes a space. Letters, combining marks and joiners of every script stay, and
    so do the names of members.
    """
    if isinstance(value, str):
        text = _INVISIBLE.sub("", _BREAKS.sub(" ", value))
        return value if text == value else text.strip()
    if isinstance(value, dict):
        return {name: cut_control_characters(member) for name, member in value.items()}
    return list(map(cut_control_characters, value)) if isinstance(value, list) else value


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
