"""Who may sign in, and in which groups they are while it holds."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.provider import Provider
from psc_connect.professional.conditions import Condition, ConditionError


def validate_conditions(value: Any) -> None:
    """Refuse what is no list of conditions (``professional.conditions``)."""
    try:
        for each in value if isinstance(value, list) else [None]:
            Condition.read(each)
    except ConditionError as exc:
        raise ValidationError(_("This is no list of conditions (%(code)s)."), exc.code, {"code": exc.code}) from exc


class AccessRule(models.Model):
    """One row: whoever meets all of its conditions may sign in, is refused, or is in a group while they do."""

    class Outcome(models.TextChoices):
        ALLOW = "allow", _("may sign in")
        REFUSE = "refuse", _("is refused")
        GROUP = "group", _("joins the group, and the rows below go on")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="access_rules", verbose_name=_("provider"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    # A list, all of which must hold; an empty one holds for everybody.
    conditions = models.JSONField(_("conditions"), default=list, blank=True, validators=[validate_conditions])
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome, default=Outcome.ALLOW)
    message = models.CharField(
        _("what the refused person reads"), max_length=500, blank=True, help_text=_("For a refusal only.")
    )
    # Null for the other outcomes, and where the group has been deleted since: the row then gives nothing.
    group = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("group"))

    class Meta:
        verbose_name = _("access rule")
        verbose_name_plural = _("access rules")
        ordering = ("position", "pk")

    @override
    def __str__(self) -> str:
        return f"{self.position} · {self.outcome}"

    @cached_property
    def parsed_conditions(self) -> tuple[Condition, ...]:
        """Raises ConditionError, where a row came by another way than a form."""
        return tuple(Condition.read(each) for each in self.conditions)
