"""What a page asks of a professional, ``{"profession": "10"}``; a mistake is told with what was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from psc_connect.professional.conditions import CODED, SUBJECTS, Condition, ConditionError, tables_with
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import Concept, folded, table

# What a site asks for: a code, or several of which one suffices.
Wanted: TypeAlias = str | Iterable[str]

MAX_NEAR: Final = 3
_SEARCH: Final = 'See "manage.py psc_nomenclatures search".'


def conditions_of(who: Mapping[str, Wanted]) -> tuple[Condition, ...]:
    """Return ``{"profession": ("10", "40")}`` as conditions. Raises ConditionError, with a hint, for what is none."""
    return tuple(_condition_of(subject, values) for subject, values in who.items())


def warnings_for(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield a sentence for each value that may be misspelt; a code that no table has may be a newer one."""
    for condition in conditions:
        for code in condition.unknown_codes:
            yield f'{condition.subject}="{code}": no table here has that code. {_meant(condition.subject, code)}'
        for value in condition.odd_values:
            yield f'{condition.subject}="{value}": no {condition.subject} is written like that.'


def _condition_of(subject: str, values: Wanted) -> Condition:
    is_one = isinstance(values, str) or not isinstance(values, Iterable)
    listed: list[Any] = [values] if is_one else list(values)
    try:
        return Condition.of(subject, "in", listed)
    except ConditionError as exc:
        given = f"{subject}={(listed[0] if is_one else listed)!r}"
        raise ConditionError(exc.code, exc.member, _hint(exc.code, subject, listed, given=given)) from None


def _hint(code: str, subject: str, values: list[str], *, given: str) -> str:
    if code == "condition_subject_unknown":
        return f"{subject}. There are: {', '.join(SUBJECTS)}"
    if code == "condition_malformed":
        return f'{given}. Codes are strings, such as "10"'
    if code != "condition_value_malformed":
        return given
    if subject == "identifier_kind":
        return f"{given}. There are: {', '.join(each.value for each in Kind)}"
    if subject not in CODED:
        return given
    known = _concepts(subject)
    return " ".join((f"{given}.", *(_meant(subject, each) for each in values if each not in known)))


def _meant(subject: str, value: str) -> str:
    """Say what a value may mean that is no code of the tables."""
    known = _concepts(subject)
    if named := [each for each in known.values() if _letters(each.label) == _letters(value)]:
        return f"The code of “{named[0].label}” is {_quoted(named)}."
    parts = re.findall(r"[^\s,;]+", value)
    if len(parts) > 1 and all(each in known for each in parts):
        return f"Several codes are a list: [{_quoted(known[each] for each in parts)}]."
    if near := _near(value, known):
        return f"Near to it: {', '.join(_in_words(each) for each in near)}. {_SEARCH}"
    return f"Codes are such as {_in_words(next(iter(known.values())))}. {_SEARCH}"


def _near(value: str, known: Mapping[str, Concept]) -> list[Concept]:
    by_case = [each for code, each in known.items() if code.casefold() == value.casefold()]
    return by_case or [known[code] for code in difflib.get_close_matches(value, known, n=MAX_NEAR)]


def _concepts(subject: str) -> Mapping[str, Concept]:
    """Every code of a subject, as the first of its tables that has it names it."""
    found: dict[str, Concept] = {}
    for name in tables_with(subject):
        found |= {code: each for code, each in table(name).concepts.items() if code not in found}
    return found


def _letters(text: str) -> str:
    """The letters and digits alone: a condition has lost the spaces of what was typed."""
    return "".join(re.findall(r"\w+", folded(text)))


def _quoted(concepts: Iterable[Concept]) -> str:
    return ", ".join(f'"{each.code}"' for each in concepts)


def _in_words(concept: Concept) -> str:
    return f'"{concept.code}" ({concept.label})'
