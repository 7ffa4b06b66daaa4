"""What was sent of the access rules, arranged as the page shows it again: it works without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psc_connect.admin.access.code_search import codes_meant
from psc_connect.admin.sentences import CHOSEN
from psc_connect.models.access import MAX_CONDITIONS, MAX_RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import QueryDict

PREFIX: Final = "rules"
# On one page, with a comma or a semicolon between them: each is compared with every label. The rest stays as typed.
MAX_SEARCHES: Final = 300


@dataclass
class _Searches:
    left: int = MAX_SEARCHES

    def codes_meant(self, subject: str, text: str) -> list[str]:
        self.left -= 1
        return codes_meant(subject, text) if self.left >= 0 else []

    def parts(self, text: str, separator: str) -> list[str]:
        return [part for each in text.split(separator, max(self.left, 0)) if (part := each.strip())]


def ticks_of(subject: str, codes: Iterable[str]) -> list[str]:
    """Return what the ticks of a condition send: the subject with each code, since another has other codes."""
    return [f"{subject} {code}" for code in codes]


def answer_of(subject: str, code: str, text: str) -> str:
    """Return what the tick of a code sends that is offered as near to a text."""
    return f"{subject} {code} {text}"


def _answers(sent: Iterable[str], subject: str) -> Iterator[tuple[str, str]]:
    """Yield (code, text) of these ticks; those of another subject are no longer meant."""
    for each in sent:
        about, _space, answer = each.partition(" ")
        code, _space, text = answer.partition(" ")
        if about == subject:
            yield code, text


def condition_prefixes(data: Any, rule: str) -> Iterator[str]:
    for number in range(MAX_CONDITIONS):
        prefix = f"{rule}-{number}"
        if f"{prefix}-subject" not in data:
            return
        yield prefix


def rebuild_formset_data(sent: QueryDict) -> QueryDict:
    """Return what was sent as the page shows it again.

    What was found of each search is ticked, rows that were moved stand in their places, those that were to be deleted
    are gone, and there is room for more.
    """
    data = sent.copy()
    try:
        total = int(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
    except ValueError:
        total = -1
    if not 0 <= total <= MAX_RULES:
        # The form set says so itself; it would take a negative number for an empty list.
        data[f"{PREFIX}-TOTAL_FORMS"] = str(MAX_RULES + 1) if total > 0 else ""
        return data
    searches = _Searches()
    filled = [number for number in range(total) if _settle_rule(data, f"{PREFIX}-{number}", searches)]
    order = _moved([each for each in filled if f"{PREFIX}-{each}-DELETE" not in data], data)
    _renumber(data, total, order)
    room = len(order) + (2 if "_add" in data else 1)
    for number in range(len(order), min(room, MAX_RULES)):
        data[f"{PREFIX}-{number}-0-subject"] = data[f"{PREFIX}-{number}-1-subject"] = ""
    data[f"{PREFIX}-TOTAL_FORMS"] = str(min(room, MAX_RULES))
    # All of it was typed: a row that was emptied is none.
    data[f"{PREFIX}-INITIAL_FORMS"] = "0"
    return data


def _moved(rows: list[int], data: QueryDict) -> list[int]:
    """Let the row whose button was pressed change places with the one above it, or below."""
    for button, step in (("_up", -1), ("_down", 1)):
        for place in [place for place, number in enumerate(rows) if str(number) == data.get(button)]:
            if 0 <= place + step < len(rows):
                rows[place], rows[place + step] = rows[place + step], rows[place]
    return rows


def _renumber(data: QueryDict, total: int, order: list[int]) -> None:
    """Leave these rows of those that were sent, in this order."""
    rows: dict[int, dict[str, list[str]]] = {}
    for number in range(total):
        start = f"{PREFIX}-{number}-"
        rows[number] = {name.removeprefix(start): data.pop(name) for name in list(data) if name.startswith(start)}
    for place, number in enumerate(order):
        for name, values in rows[number].items():
            data.setlist(f"{PREFIX}-{place}-{name}", values)


def _settle_rule(data: QueryDict, rule: str, searches: _Searches) -> bool:
    """Tick what is found in each condition of a rule, and leave room for another; return whether it is filled."""
    prefixes = list(condition_prefixes(data, rule))
    is_filled = [_settle_condition(data, each, searches) for each in prefixes]
    if prefixes and all(is_filled) and len(prefixes) < MAX_CONDITIONS:
        data[f"{rule}-{len(prefixes)}-subject"] = ""
    return any(is_filled) or bool(data.get(f"{rule}-outcome")) or data.get(f"{rule}-unreadable") == "True"


def _settle_condition(data: QueryDict, prefix: str, searches: _Searches) -> bool:
    subject, typed = data.get(f"{prefix}-subject", ""), data.get(f"{prefix}-typed", "")
    if subject not in CHOSEN:
        data.setlist(f"{prefix}-codes", [])
        return bool(subject or typed)
    ticked = [each for each in data.getlist(f"{prefix}-codes") if each.startswith(f"{subject} ")]
    answered = set()
    for code, text in _answers(data.getlist(f"{prefix}-near"), subject):
        ticked += ticks_of(subject, [code])
        answered.add(text)
    found, rest = _searched(searches, subject, typed, answered)
    data.setlist(f"{prefix}-near", [])
    data.setlist(f"{prefix}-codes", list(dict.fromkeys((*ticked, *ticks_of(subject, found)))))
    data[f"{prefix}-typed"] = "; ".join(rest)
    return True


def _searched(searches: _Searches, subject: str, typed: str, answered: set[str]) -> tuple[list[str], list[str]]:
    """Return the codes that are meant by what is typed, and the texts that mean none or several.

    ``answered``: texts for which one of those near to it was ticked. A label may have commas of its own.
    """
    found: list[str] = []
    rest: list[str] = []
    for text in searches.parts(typed, ";"):
        meant = {text: searches.codes_meant(subject, text)}
        if len(meant[text]) != 1 and "," in text:
            apart = {part: searches.codes_meant(subject, part) for part in searches.parts(text, ",")}
            if not apart.keys().isdisjoint(answered) or any(len(each) == 1 for each in apart.values()):
                meant = apart
        for part, codes in meant.items():
            if len(codes) == 1:
                found += codes
            elif part not in answered:
                rest.append(part)
    return found, rest
