"""Codes chosen by their labels: what is offered, and what a text that was typed or chosen means."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from psc_connect.admin.sentences import CHOSEN, labels_of
from psc_connect.professional.conditions import SHAPES
from psc_connect.professional.nomenclatures import folded

# What may be a code that is newer than the tables here.
_LIKE_A_CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z._-]{0,31}")
_WITH_CODE: Final = re.compile(r".*\(([^()]+)\)")
MAX_SUGGESTED: Final = 5
# Longer than any label.
MAX_COMPARED: Final = 255
# To compare a text with every label takes 40 ms.
MAX_TEXTS_COMPARED: Final = 20
# Labels only, since what somebody types comes once.
_folded_label = lru_cache(maxsize=8192)(folded)


def offered(subject: str) -> list[str]:
    """Return ``label (code)`` of every code of a subject, by the alphabet."""
    by_label = sorted(labels_of(subject).items(), key=lambda each: _folded_label(each[1]))
    return [_in_words(code, label) for code, label in by_label]


def all_offered() -> dict[str, list[str]]:
    return {subject: offered(subject) for subject in CHOSEN}


def codes_meant(subject: str, text: str) -> list[str]:
    """Return the codes that a text may mean: a code, a label with its code, a label or what only one label has.

    One is what was meant; several have the same label, or have it in theirs; none is known of that name.
    """
    labels, text = labels_of(subject), " ".join(text[: MAX_COMPARED + 1].split())
    if not 0 < len(text) <= MAX_COMPARED:
        return []
    chosen = _WITH_CODE.fullmatch(text)
    for code in (text, chosen[1] if chosen else ""):
        if code in labels:
            return [code]
    wanted = folded(text)
    if found := [code for code, label in labels.items() if _folded_label(label) == wanted]:
        return found
    return [text] if _LIKE_A_CODE.fullmatch(text) else _with_words(subject, wanted)


def _with_words(subject: str, wanted: str) -> list[str]:
    words = re.findall(r"\w+", wanted)
    if max(map(len, words), default=0) < 3:
        return []
    return [code for code, label in labels_of(subject).items() if all(word in _folded_label(label) for word in words)]


@dataclass
class Suggestions:
    """What is near to the texts of one page that mean no code: for the first of them only."""

    left: int = MAX_TEXTS_COMPARED

    def near(self, subject: str, text: str) -> list[str]:
        """Return the codes whose labels are nearest to a text."""
        self.left -= 1
        wanted = folded(text[:MAX_COMPARED]).strip()
        if self.left < 0 or not wanted:
            return []
        names = {_folded_label(_in_words(code, label)): code for code, label in labels_of(subject).items()}
        containing = [code for name, code in sorted(names.items()) if wanted in name]
        nearest = difflib.get_close_matches(wanted, names, n=MAX_SUGGESTED, cutoff=0.5)
        return list(dict.fromkeys((*containing, *(names[name] for name in nearest))))[:MAX_SUGGESTED]


def _in_words(code: str, label: str) -> str:
    return f"{label} ({code})"


def typed_values(subject: str, text: str) -> list[str]:
    """Return the values of a subject that is typed, with a comma between them.

    A number is often written with spaces in it: they part values only where each part is one.
    """
    return [value for each in re.split(r"[,;\n]", text) if each.strip() for value in _parted(subject, each)]


def _parted(subject: str, text: str) -> list[str]:
    parts = text.split()
    shape = SHAPES.get(subject)
    return parts if shape is not None and all(shape.fullmatch(each.upper()) for each in parts) else [text]
