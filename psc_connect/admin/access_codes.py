"""Codes chosen by their labels: what is offered, and what a text that was typed or chosen means."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Final

from psc_connect.admin.access_words import CHOSEN, labels_of

# What may be a code that is newer than the tables here.
_LIKE_A_CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z._-]{0,31}")
_WITH_CODE: Final = re.compile(r".*\(([^()]+)\)")
MAX_SUGGESTED: Final = 5
MAX_COMPARED: Final = 100


def offered(subject: str) -> list[str]:
    """Return ``label (code)`` of every code of a subject, by the alphabet."""
    by_label = sorted(labels_of(subject).items(), key=lambda each: _folded(each[1]))
    return [f"{label} ({code})" for code, label in by_label]


def all_offered() -> dict[str, list[str]]:
    return {subject: offered(subject) for subject in CHOSEN}


def codes_meant(subject: str, text: str) -> list[str]:
    """Return the codes that a text may mean: a code, a label with its code, a label in any spelling of its accents.

    One is what was meant; several have the same label; none is known of that name.
    """
    labels, text = labels_of(subject), " ".join(text.split())
    chosen = _WITH_CODE.fullmatch(text)
    for code in (text, chosen[1] if chosen else ""):
        if code in labels:
            return [code]
    wanted = _folded(text)
    if found := [code for code, label in labels.items() if _folded(label) == wanted]:
        return found
    return [text] if _LIKE_A_CODE.fullmatch(text) else []


def suggested(subject: str, text: str) -> list[str]:
    """Return the offers that are nearest to a text."""
    wanted = _folded(text[:MAX_COMPARED])
    folded = {_folded(each): each for each in offered(subject)}
    containing = [each for name, each in folded.items() if wanted in name]
    nearest = difflib.get_close_matches(wanted, folded, n=MAX_SUGGESTED, cutoff=0.5)
    return list(dict.fromkeys((*containing, *(folded[name] for name in nearest))))[:MAX_SUGGESTED]


def typed_values(text: str) -> list[str]:
    """Return the values of a subject that is typed: numbers, with a comma between them."""
    return [each for each in re.split(r"[,;\n]", text) if each.strip()]


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()
