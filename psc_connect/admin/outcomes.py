"""Descriptions of what a row of the mapping finds in claims, and of its effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from psc_connect.mapping.attributes import AttributeResult
    from psc_connect.models import ExportedAttribute

# A function that returns a value to show, unchanged or with its identifiers masked.
Shown: TypeAlias = Callable[[Any], Any]
PROBLEMS = {
    "attribute_missing": _("Required, but there is no value: the sign-in is refused."),
    "attribute_rejected": _("The field does not accept this value: the sign-in is refused."),
    "attribute_not_unique": _("Another user has this value, which must be unique: the sign-in is refused."),
    "attribute_field_unknown": _(
        "The user model no longer has this field, and the row is required: the sign-in is refused."
    ),
    "attribute_claim_too_slow": _(
        "Evaluating the expression takes too long, and the row is required: the sign-in is refused."
    ),
    "attribute_field_forbidden": _("No claim may fill this field: the sign-in is refused."),
}
# For rows that are not required.
HARMLESS = {
    "attribute_field_unknown": _("The user model no longer has this field: nothing is filled."),
    "attribute_claim_too_slow": _("Evaluating the expression takes too long: the field is left unchanged."),
}
KINDS: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.EmailField, _("an e-mail address")),
    (models.URLField, _("an address (URL)")),
    (models.JSONField, _("JSON of any kind")),
    (models.BooleanField, _("true or false")),
    (models.IntegerField, _("a whole number")),
    (models.DecimalField, _("a number")),
    (models.FloatField, _("a number")),
    (models.DateTimeField, _("a date and a time (ISO 8601)")),
    (models.DateField, _("a date (ISO 8601)")),
    (models.CharField, _("text")),
    (models.TextField, _("text")),
)


@dataclass(frozen=True, slots=True)
class ShownAttribute:
    """What a row finds, what its field accepts, and the effect."""

    claim: str
    field: str
    found: str
    takes: str
    result: str
    is_problem: bool


def indented(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def takes(name: str) -> str:
    """Describe the values that a field of the user accepts."""
    try:
        field: Any = get_user_model()._meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    parts = [str(next((text for kind, text in KINDS if isinstance(field, kind)), _("another kind of value")))]
    if getattr(field, "max_length", None):
        parts.append(gettext("at most %(count)s characters") % {"count": field.max_length})
    if getattr(field, "unique", False):
        parts.append(gettext("unique"))
    if choices := getattr(field, "choices", None):
        parts.append(gettext("one of: %(choices)s") % {"choices": ", ".join(str(value) for value, _label in choices)})
    return ", ".join(parts)


def shown_attribute(row: ExportedAttribute, verdict: AttributeResult, shown: Shown) -> ShownAttribute:
    return ShownAttribute(
        claim=row.claim,
        field=row.user_field,
        found="" if verdict.found is None else to_single_line(shown(verdict.found)),
        takes=takes(row.user_field),
        result=_result(row, verdict, shown),
        is_problem=bool(verdict.problem),
    )


def _result(row: ExportedAttribute, verdict: AttributeResult, shown: Shown) -> str:
    if verdict.problem:
        return str((PROBLEMS if verdict.fatal else HARMLESS)[verdict.problem])
    if verdict.found is None:
        return gettext("No value: the field is left unchanged.")
    if not verdict.is_due:
        return gettext("The field is left unchanged: it is filled %(when)s.") % {"when": row.get_when_display()}
    return gettext("The field becomes “%(value)s”.") % {"value": to_single_line(shown(verdict.accepted))}
