"""The mapping from claims to fields of the user and to groups."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.claims.paths import validate_claim_path
from psc_connect.models.declaration import DeclarationRow
from psc_connect.models.provider import Provider
from psc_connect.models.user_fields import validate_user_field


class ExportedAttribute(DeclarationRow):
    """One row of the mapping: the path of a claim, and the field of the user that it fills."""

    class When(models.TextChoices):
        CREATION = "creation", _("at creation")
        LOGIN = "login", _("at each sign-in")
        EMPTY = "empty", _("if the field is empty")

    provider = models.ForeignKey(
        Provider, models.CASCADE, related_name="exported_attributes", verbose_name=_("provider")
    )
    claim = models.CharField(
        _("claim"),
        max_length=255,
        validators=[validate_claim_path],
        help_text=_("A JMESPath expression, such as given_name or otherIds[0].identifiant."),
    )
    user_field = models.CharField(_("field of the user"), max_length=100, validators=[validate_user_field])
    when = models.CharField(_("when"), max_length=16, choices=When, default=When.LOGIN)
    required = models.BooleanField(
        _("required"), default=False, help_text=_("A sign-in without this claim is refused.")
    )

    class Meta(DeclarationRow.Meta):
        verbose_name = _("exported attribute")
        verbose_name_plural = _("exported attributes")
        constraints = (
            models.UniqueConstraint(fields=("provider", "user_field"), name="psc_connect_one_claim_per_field"),
        )

    @override
    def __str__(self) -> str:
        return f"{self.claim} → {self.user_field}"


class ExportedGroup(DeclarationRow):
    """One row of the mapping: users are in the group as long as the claim has the value."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="exported_groups", verbose_name=_("provider"))
    claim = models.CharField(
        _("claim"),
        max_length=255,
        validators=[validate_claim_path],
        help_text=_("A JMESPath expression, such as SubjectRefPro.exercices[].codeProfession."),
    )
    equals = models.CharField(
        _("equals"),
        max_length=255,
        blank=True,
        help_text=_("The value, or one of the values if the claim is a list. Empty: the expression must be true."),
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+", verbose_name=_("group"))

    class Meta(DeclarationRow.Meta):
        verbose_name = _("exported group")
        verbose_name_plural = _("exported groups")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "claim", "equals", "group"), name="psc_connect_one_row_per_condition"
            ),
        )

    @override
    def __str__(self) -> str:
        condition = f"{self.claim} = {self.equals}" if self.equals else self.claim
        return f"{condition} → {self.group}"
