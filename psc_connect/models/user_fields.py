"""The fields of the user model that a claim may fill, and those that may hold an RPPS number."""

from __future__ import annotations

from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

# Permissions, account status and credentials never come from a claim.
NEVER_ASSIGNED = {"is_staff", "is_superuser", "is_active", "password", "last_login"}
UsersField: TypeAlias = "models.Field[Any, Any]"


def assignable_fields() -> list[UsersField]:
    """Return the fields of the user model that an exported attribute may fill: no relations, so no permissions."""
    return [
        field
        for field in get_user_model()._meta.concrete_fields
        if field.editable and not field.primary_key and not field.is_relation and field.name not in NEVER_ASSIGNED
    ]


def validate_user_field(name: str) -> None:
    if name not in {field.name for field in assignable_fields()}:
        raise ValidationError(
            _("The user model has no field of this name that a claim may fill."), code="attribute_field_unknown"
        )


def linkable_fields() -> list[UsersField]:
    """Return the fields of the user model that may hold an RPPS number: texts, filled by a claim or not."""
    return [
        field
        for field in get_user_model()._meta.concrete_fields
        if isinstance(field, (models.CharField, models.TextField))
        and not isinstance(field, models.EmailField)
        and field.name not in NEVER_ASSIGNED
    ]


def validate_link_field(name: str) -> None:
    if name not in {field.name for field in linkable_fields()}:
        raise ValidationError(_("The user model has no text field of this name."), code="link_field_unknown")
