"""Preview of a mapping before it is saved: what each row finds in a sample, and the effect of a sign-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.admin.outcomes import shown_attribute
from psc_connect.administrator_messages import labelled
from psc_connect.claims.budget import TooSlow, current_budget
from psc_connect.claims.paths import claim_value, explain_path, value_matches
from psc_connect.mapping.attributes import evaluate_attribute
from psc_connect.models import ExportedAttribute, ExportedGroup
from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from psc_connect.admin.outcomes import Shown
    from psc_connect.claims.claims import Claims
    from psc_connect.claims.paths import Step

STEP_KINDS = {
    "object": _("an object with %(names)s"),
    "value": _("a value"),
    "empty": _("empty"),
    "nothing": _("nothing"),
    "too_slow": _("takes too long to evaluate"),
}
# The last steps of a path are enough to find a mistake in it.
MAX_STEPS = 10
MAX_NAMES = 20
MAX_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class RowPreview:
    """What a row finds in the sample, and its effect; ``steps`` where its path finds nothing."""

    found: str
    result: str
    takes: str = ""
    is_problem: bool = False
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """A sample for the rows of the page; ``user`` is the user who would be signed in, or None for a new one."""

    claims: Claims = field(repr=False)
    shown: Shown
    user: User | None = None

    @sensitive_variables()
    def attribute(self, form: Any) -> RowPreview | None:
        """Return the preview of an attribute's row, or None where the row is empty or wrong."""
        row = _row_of(form, ExportedAttribute)
        if row is None or current_budget().is_used_up:
            return None if row is None else _not_evaluated()
        model = get_user_model()
        user, creating = self.user or model(), self.user is None
        # Compared with no other user: who writes a row or pastes claims must not learn whether a username exists.
        others = model._default_manager.none()
        verdict = evaluate_attribute(row, user, self.claims, creating=creating, others=others)
        steps = self._steps(row.claim) if verdict.found is None else ()
        attribute = shown_attribute(row, verdict, self.shown)
        if not row.user_field:
            text = gettext("Choose the field that it fills, or delete the row.")
            return RowPreview(attribute.found, text, steps=steps)
        result = attribute.result
        if verdict.is_due and getattr(model._meta.get_field(row.user_field), "unique", False):
            text = gettext("Whether another user has this value is checked at the sign-in and in a dry run only.")
            result = f"{result} {text}"
        return RowPreview(attribute.found, result, attribute.takes, verdict.fatal, steps)

    @sensitive_variables()
    def group(self, form: Any) -> RowPreview | None:
        """Return the preview of a group's row, or None where the row is empty or wrong."""
        row = _row_of(form, ExportedGroup)
        if row is None or current_budget().is_used_up:
            return None if row is None else _not_evaluated()
        try:
            found = claim_value(row.claim, self.claims)
            is_member = value_matches(found, row.equals)
        except TooSlow:
            text = gettext("Evaluating the expression takes too long: this row adds no one to the group.")
            return RowPreview("", text, is_problem=True, steps=self._steps(row.claim))
        result = gettext("This person is in the group.") if is_member else gettext("This person is not in the group.")
        text = "" if found is None else to_single_line(self.shown(found))
        return RowPreview(text, result, steps=self._steps(row.claim) if found is None else ())

    def _steps(self, path: str) -> tuple[str, ...]:
        steps = explain_path(path, self.claims)
        left_out = ("…",) if len(steps) > MAX_STEPS else ()
        return (*left_out, *(_step_in_words(step) for step in steps[-MAX_STEPS:]))


def _not_evaluated() -> RowPreview:
    return RowPreview("", gettext("Not evaluated: this page has reached its limit of work."), is_problem=True)


def _step_in_words(step: Step) -> str:
    if step.kind == "list":
        text = ngettext("a list of %(size)s element", "a list of %(size)s elements", step.size) % {"size": step.size}
    else:
        names = [*step.names[:MAX_NAMES], *(["…"] if len(step.names) > MAX_NAMES else [])]
        text = STEP_KINDS[step.kind] % {"names": to_single_line(", ".join(names), MAX_CHARACTERS)}
    nearest = gettext("did you mean %(name)s?") % {"name": step.nearest} if step.nearest else ""
    return " – ".join(part for part in (labelled(step.path, text), nearest) if part)


def _row_of(form: Any, model: type[Any]) -> Any:
    """Return the unsaved row of a form, or None where the form is empty or wrong."""
    if form.is_bound:
        return form.instance if form.has_changed() and form.is_valid() else None
    values = {**form.initial}
    if "group" in values:
        values["group_id"] = values.pop("group")
    return model(**values) if values.get("claim") else None
