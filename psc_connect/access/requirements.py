"""The requirements of a page, such as ``{"profession": "10"}``, with suggestions for misspelt ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from psc_connect.professional.conditions import CODED, SUBJECTS, Condition, ConditionError
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import Concept, choices, folded

__all__ = ["conditions_of"]

# A code, or several of which one must match.
RequiredValues: TypeAlias = str | Iterable[str]

MAX_SUGGESTIONS: Final = 3
_SEARCH: Final = 'See "manage.py psc_nomenclatures search".'


def conditions_of(requirements: Mapping[str, RequiredValues]) -> tuple[Condition, ...]:
    """Convert ``{"profession": ("10", "40")}`` to conditions. Raises ConditionError, with a suggestion."""
    return tuple(_condition_of(subject, values) for subject, values in requirements.items())


def warnings_for(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield a warning for each value that may be misspelt. An unknown code may be newer than our tables."""
    for condition in conditions:
        for code in condition.unknown_codes:
            yield f'{condition.subject}="{code}": unknown code. {_suggestion(condition.subject, code)}'
        for value in condition.odd_values:
            yield f'{condition.subject}="{value}": this does not look like a value of {condition.subject}.'


def _condition_of(subject: str, values: RequiredValues) -> Condition:
    is_one = isinstance(values, str) or not isinstance(values, Iterable)
    value_list: list[Any] = [values] if is_one else list(values)
    try:
        return Condition.of(subject, "in", value_list)
    except ConditionError as exc:
        text = f"{subject}={(value_list[0] if is_one else value_list)!r}"
        raise ConditionError(exc.code, exc.member, _hint(exc.code, subject, value_list, text=text)) from None


def _hint(code: str, subject: str, values: list[str], *, text: str) -> str:
    if code == "condition_subject_unknown":
        return f"{subject}. Known subjects: {', '.join(SUBJECTS)}"
    if code == "condition_malformed":
        return f'{text}. Codes are strings, such as "10"'
    if code != "condition_value_malformed":
        return text
    if subject == "identifier_kind":
        return f"{text}. Known kinds: {', '.join(kind.value for kind in Kind)}"
    if subject not in CODED:
        return text
    known = _concepts(subject)
    return " ".join((f"{text}.", *(_suggestion(subject, value) for value in values if value not in known)))


def _suggestion(subject: str, value: str) -> str:
    """Suggest codes for a value that no table has."""
    known = _concepts(subject)
    if same_label := [concept for concept in known.values() if _letters(concept.label) == _letters(value)]:
        return f"The code of “{same_label[0].label}” is {_quoted(same_label)}."
    parts = re.findall(r"[^\s,;]+", value)
    if len(parts) > 1 and all(part in known for part in parts):
        return f"Write several codes as a list: [{_quoted(known[part] for part in parts)}]."
    if similar := _similar(value, known):
        return f"Similar: {', '.join(_with_label(concept) for concept in similar)}. {_SEARCH}"
    return f"A code looks like {_with_label(next(iter(known.values())))}. {_SEARCH}"


def _similar(value: str, known: Mapping[str, Concept]) -> list[Concept]:
    same_letters = [concept for code, concept in known.items() if code.casefold() == value.casefold()]
    return same_letters or [known[code] for code in difflib.get_close_matches(value, known, n=MAX_SUGGESTIONS)]


def _concepts(subject: str) -> Mapping[str, Concept]:
    """Return all codes of a subject, each with its concept in the first table that has it."""
    return {concept.code: concept for concept in choices(CODED[subject])}


def _letters(text: str) -> str:
    """Return the letters and digits alone: conditions remove spaces from values."""
    return "".join(re.findall(r"\w+", folded(text)))


def _quoted(concepts: Iterable[Concept]) -> str:
    return ", ".join(f'"{concept.code}"' for concept in concepts)


def _with_label(concept: Concept) -> str:
    return f'"{concept.code}" ({concept.label})'
