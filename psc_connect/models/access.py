"""Access rules: who may sign in, and which groups they join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.declaration import DeclarationRow
from psc_connect.models.provider import Provider
from psc_connect.professional.conditions import MAX_VALUES, OPERATORS, SUBJECTS, Condition, ConditionError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Per provider, and per rule.
MAX_RULES = 50
MAX_CONDITIONS = 10
CONDITION_PROBLEMS = {
    "condition_malformed": _("A condition is an object with a subject, an operator and values (a list of texts)."),
    "condition_subject_unknown": _("Unknown subject. Choose one of: %(subjects)s."),
    "condition_operator_unknown": _("Unknown operator. Choose one of: %(operators)s."),
    "condition_values_missing": _("A condition needs at least one value."),
    "condition_values_too_many": _("A condition has at most %(max)s values."),
    "condition_value_malformed": _("This value is not valid for the subject."),
}
_PARAMS = {"subjects": ", ".join(SUBJECTS), "operators": ", ".join(OPERATORS), "max": MAX_VALUES}


def condition_error(exc: ConditionError, place: str = "") -> ValidationError:
    """Return the error of a condition; ``place`` is its position in a list."""
    return ValidationError(CONDITION_PROBLEMS[exc.code], exc.code, {**_PARAMS, "place": place})


def validate_conditions(value: Any) -> None:
    """Validate that value is a list of conditions (``professional.conditions``)."""
    if not isinstance(value, list):
        raise ValidationError(_("A list of conditions is expected here."), "conditions_malformed")
    if len(value) > MAX_CONDITIONS:
        raise ValidationError(
            _("A rule has at most %(max)s conditions."), "conditions_too_many", {"max": MAX_CONDITIONS}
        )
    if errors := [error for number, each in enumerate(value) for error in _errors_of(each, f"[{number}]")]:
        raise ValidationError(errors)


def _errors_of(condition: Any, place: str) -> Iterator[ValidationError]:
    try:
        Condition.read(condition)
    except ConditionError as exc:
        yield condition_error(exc, ".".join(part for part in (place, exc.member) if part))


class AccessRule(DeclarationRow):
    """One rule: people who meet all its conditions may sign in, are refused, or join a group."""

    class Outcome(models.TextChoices):
        ALLOW = "allow", _("may sign in")
        REFUSE = "refuse", _("is refused")
        GROUP = "group", _("joins the group; the next rules still apply")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="access_rules", verbose_name=_("provider"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    # All of them must hold; an empty list always holds.
    conditions = models.JSONField(_("conditions"), default=list, blank=True, validators=[validate_conditions])
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    message = models.CharField(
        _("message shown on refusal"), max_length=500, blank=True, help_text=_("For a refusal only.")
    )
    # Null for the other outcomes, or if the group was deleted: the rule then gives nothing.
    group = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("group"))

    class Meta(DeclarationRow.Meta):
        verbose_name = _("access rule")
        verbose_name_plural = _("access rules")
        ordering = ("position", "pk")

    @override
    def __str__(self) -> str:
        return f"{self.position} · {self.outcome}"

    @override
    def clean(self) -> None:
        super().clean()
        if self.is_well_formed:
            self.conditions = [each.as_json() for each in self.parsed_conditions]
        if self.message and self.outcome != self.Outcome.REFUSE:
            message = _("Only a refusal has a message.")
            raise ValidationError({"message": ValidationError(message, code="access_message_unexpected")})
        if self.group_id is not None and self.outcome != self.Outcome.GROUP:
            message = _("Only a rule whose outcome is a group has a group.")
            raise ValidationError({"group": ValidationError(message, code="access_group_unexpected")})

    @cached_property
    def parsed_conditions(self) -> tuple[Condition, ...]:
        """Raises ConditionError if the row was not written by a form."""
        if not isinstance(self.conditions, list):
            raise ConditionError("condition_malformed")
        return tuple(Condition.read(each) for each in self.conditions)

    @property
    def is_well_formed(self) -> bool:
        """Return whether the rule can be read; one that cannot refuses the people it is applied to."""
        try:
            self.parsed_conditions  # noqa: B018 - it is read here
        except ConditionError:
            return False
        return self.outcome in self.Outcome.values

    @property
    def has_lost_its_group(self) -> bool:
        return self.outcome == self.Outcome.GROUP and self.group_id is None
