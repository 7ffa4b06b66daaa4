"""Access rules as sentences, with the labels of the codes."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.accounts.details import KINDS
from psc_connect.models import AccessRule
from psc_connect.professional.conditions import CODED, Condition, ConditionError, tables_with
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import Table, choices, concept, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.functional import _StrPromise

    from psc_connect.professional.professional import ActivityChoice

SUBJECT_LABELS: Final[Mapping[str, _StrPromise]] = {
    "profession": _("Profession"),
    "category": _("Professional category"),
    "speciality": _("Speciality or skill"),
    "mode": _("Mode of practice"),
    "sector": _("Sector of activity"),
    "structure": _("Structure (FINESS, SIRET, SIREN or identifier)"),
    "department": _("Department"),
    "role": _("Role in the structure"),
    "identifier_kind": _("Kind of identifier"),
    "acr": _("Level of the authentication (acr)"),
    "means": _("Means of authentication"),
}
OPERATOR_LABELS: Final[Mapping[str, _StrPromise]] = {
    "in": _("is one of"),
    "not_in": _("is none of"),
    "starts_with": _("begins with"),
}
_SENTENCES: Final = {
    "in": _("%(subject)s: %(values)s"),
    "not_in": _("%(subject)s other than %(values)s"),
    "starts_with": _("%(subject)s beginning with %(values)s"),
}
# Subjects with labels but without a table of ANS.
_OTHER_LABELS: Final[Mapping[str, Mapping[str, _StrPromise | str]]] = {
    "identifier_kind": {kind.value: KINDS[kind.value] for kind in Kind},
    "means": {"CARD": _("card of the CPS family"), "MOBILE": _("e-CPS, the mobile application")},
}
# Subjects with labels: their values are chosen. The values of other subjects are typed.
CHOSEN: Final = (*CODED, *_OTHER_LABELS)


def labels_of(subject: str) -> Mapping[str, str]:
    """Return the label of each code of a subject; no labels where its values are typed."""
    return _labels(subject, get_language(), tuple(map(table, tables_with(subject))))


# A search needs all labels of a subject. The tables and the language are arguments because labels depend on them.
@lru_cache(maxsize=64)
def _labels(subject: str, _language: str | None, tables: tuple[Table, ...]) -> Mapping[str, str]:
    found = {code: str(label) for code, label in _OTHER_LABELS.get(subject, {}).items()}
    return MappingProxyType(found | {item.code: item.label for item in (choices(CODED[subject]) if tables else ())})


def code_in_words(subject: str, value: str) -> str:
    """Return ``label (code)``, or the value alone where no table has it."""
    if subject in CODED:
        known = concept(value, *tables_with(subject))
        return f"{known.label} ({value})" if known else value
    label = _OTHER_LABELS.get(subject, {}).get(value)
    return f"{label} ({value})" if label else value


def is_closed(subject: str, value: str) -> bool:
    """Return whether ANS no longer assigns the code; old records may have it."""
    known = concept(value, *tables_with(subject))
    return known is not None and known.is_closed


def condition_in_words(condition: Condition) -> str:
    values = [code_in_words(condition.subject, value) for value in condition.values]
    last = gettext("%(list)s or %(last)s") % {"list": ", ".join(values[:-1]), "last": values[-1]}
    params = {"subject": SUBJECT_LABELS[condition.subject], "values": last if values[1:] else values[0]}
    return str(_SENTENCES[condition.operator]) % params


def rule_in_words(row: Mapping[str, Any]) -> str:
    """Return a row, as ``serialization.ROWS`` writes it, as a sentence."""
    try:
        given = row["conditions"]
        conditions = [Condition.read(item) for item in (given if isinstance(given, list) else [None])]
    except ConditionError:
        return gettext("a row that cannot be read: it refuses everyone who reaches it")
    who = gettext(" and ").join(map(condition_in_words, conditions)) if conditions else gettext("Everyone")
    return f"{who} → {_outcome_in_words(row)}"


def _outcome_in_words(row: Mapping[str, Any]) -> str:
    outcome, group, message = row["outcome"], row.get("group"), row.get("message", "")
    if outcome == AccessRule.Outcome.ALLOW:
        return gettext("may sign in")
    if outcome == AccessRule.Outcome.REFUSE:
        return refused_in_words(message)
    if outcome != AccessRule.Outcome.GROUP:
        return gettext("a row that cannot be read: it refuses everyone who reaches it")
    if not group:
        return gettext("joins a group that has been deleted: no effect")
    return gettext("joins the group “%(group)s”; the rows below still apply") % {"group": group}


def refused_in_words(message: str) -> str:
    return gettext("is refused: “%(message)s”") % {"message": message} if message else gettext("is refused")


def others_in_words(*, may_sign_in: bool, message: str) -> str:
    outcome = gettext("may sign in") if may_sign_in else refused_in_words(message)
    return gettext("Everyone else → %(outcome)s") % {"outcome": outcome}


def activity_choice_in_words(activity_choice: ActivityChoice | None) -> str:
    if activity_choice is None:
        return gettext("without professional data")
    practice, activity = activity_choice.practice, activity_choice.activity
    parts: Iterable[object] = (practice.profession, practice.category, practice.skill)
    if activity is not None:
        parts = (*parts, activity.mode, activity.structure_name, activity.place)
    return " · ".join(text for text in (str(part) for part in parts) if text)
