"""Codes of a condition, found by what an administrator types: a code, a label, or a part of a label."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from psc_connect.admin.sentences import CHOSEN, labels_of
from psc_connect.claims.budget import Budget, TooSlow, current_budget
from psc_connect.professional.conditions import SHAPES
from psc_connect.professional.nomenclatures import folded

if TYPE_CHECKING:
    from collections.abc import Collection

# A text of this form may be a code that is newer than the tables here.
_CODE_SHAPE: Final = re.compile(r"[0-9A-Z][0-9A-Z._-]{0,31}")
_LABEL_WITH_CODE: Final = re.compile(r".*\(([^()]+)\)")
MAX_SUGGESTED: Final = 5
# Longer than any label.
MAX_TEXT_LENGTH: Final = 255
# Of a search, which compares a text with every label of a subject. A comparison by similarity takes much longer.
_SEARCH_STEPS: Final = 100
_STEPS_PER_LABEL: Final = 1
_STEPS_PER_SIMILAR_LABEL: Final = 100
# For labels only: a text that an administrator types comes once.
_folded_label = lru_cache(maxsize=8192)(folded)


def labels_with_codes() -> dict[str, list[str]]:
    """Return ``label (code)`` of every code of each subject, in alphabetical order."""
    return {subject: _labels_with_codes(subject) for subject in CHOSEN}


def _labels_with_codes(subject: str) -> list[str]:
    by_label = sorted(labels_of(subject).items(), key=lambda item: _folded_label(item[1]))
    return [_label_with_code(code, label) for code, label in by_label]


def matching_codes(subject: str, text: str) -> list[str]:
    """Return the codes that match a text: a code, a label with its code, a label or a part of labels.

    One code means that the text is clear; several that it is ambiguous; none that it is unknown.
    """
    labels, text = labels_of(subject), " ".join(text[: MAX_TEXT_LENGTH + 1].split())
    if not 0 < len(text) <= MAX_TEXT_LENGTH:
        return []
    label_with_code = _LABEL_WITH_CODE.fullmatch(text)
    for code in (text, label_with_code[1] if label_with_code else ""):
        if code in labels:
            return [code]
    folded_text = folded(text)
    if same_label := [code for code, label in labels.items() if _folded_label(label) == folded_text]:
        return same_label
    return [text] if _CODE_SHAPE.fullmatch(text) else _codes_with_words(subject, folded_text)


def _codes_with_words(subject: str, folded_text: str) -> list[str]:
    words = re.findall(r"\w+", folded_text)
    if max(map(len, words), default=0) < 3:
        return []
    return [code for code, label in labels_of(subject).items() if all(word in _folded_label(label) for word in words)]


@dataclass
class CodeSearch:
    """The searches of one page. They share the budget of its request; after it, texts are left as they are typed."""

    budget: Budget = field(default_factory=current_budget)

    def find(self, subject: str, typed: str, *, answered: Collection[str] = ()) -> tuple[list[str], list[str]]:
        """Return the codes that are clear from what is typed, and the texts that are not clear.

        ``answered``: texts for which the administrator has ticked a suggestion. Texts are separated by semicolons or
        commas; a comma may also be a part of a label.
        """
        codes: list[str] = []
        unclear: list[str] = []
        for text in _split(typed, ";"):
            matches = {text: self._matching_codes(subject, text)}
            if len(matches[text]) != 1 and "," in text:
                by_part = {part: self._matching_codes(subject, part) for part in _split(text, ",")}
                if not by_part.keys().isdisjoint(answered) or any(len(found) == 1 for found in by_part.values()):
                    matches = by_part
            for part, found in matches.items():
                if len(found) == 1:
                    codes += found
                elif part not in answered:
                    unclear.append(part)
        return codes, unclear

    def suggestions(self, subject: str, text: str) -> list[str]:
        """Return the codes with the most similar labels."""
        if not self._has_steps(subject, _STEPS_PER_SIMILAR_LABEL):
            return []
        folded_text = folded(text[:MAX_TEXT_LENGTH]).strip()
        if not folded_text:
            return []
        names = {_folded_label(_label_with_code(code, label)): code for code, label in labels_of(subject).items()}
        containing = [code for name, code in sorted(names.items()) if folded_text in name]
        similar = difflib.get_close_matches(folded_text, names, n=MAX_SUGGESTED, cutoff=0.5)
        return list(dict.fromkeys((*containing, *(names[name] for name in similar))))[:MAX_SUGGESTED]

    def _matching_codes(self, subject: str, text: str) -> list[str]:
        return matching_codes(subject, text) if self._has_steps(subject, _STEPS_PER_LABEL) else []

    def _has_steps(self, subject: str, steps_per_label: int) -> bool:
        """Spend the steps of a search and return True, or return False if too few are left."""
        if self.budget.is_used_up:
            return False
        try:
            self.budget.spend(_SEARCH_STEPS + steps_per_label * len(labels_of(subject)))
        except TooSlow:
            return False
        return True


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _label_with_code(code: str, label: str) -> str:
    return f"{label} ({code})"


def typed_values(subject: str, text: str) -> list[str]:
    """Return the values of a subject without labels, typed with commas between them.

    Numbers are often written with spaces inside: spaces separate values only where each part is a whole value.
    """
    return [value for part in re.split(r"[,;\n]", text) if part.strip() for value in _split_at_spaces(subject, part)]


def _split_at_spaces(subject: str, text: str) -> list[str]:
    parts = text.split()
    shape = SHAPES.get(subject)
    return parts if shape is not None and all(shape.fullmatch(part.upper()) for part in parts) else [text]
