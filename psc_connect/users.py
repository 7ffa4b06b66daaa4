"""A user out of claims: the exported attributes, applied without saving."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import jmespath
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from jmespath.exceptions import JMESPathError

from psc_connect.attributes import UsersField, assignable_fields
from psc_connect.exceptions import LoginRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.models import User

    from psc_connect.models import ExportedAttribute

logger = logging.getLogger("psc_connect")


def claim_value(path: str, claims: Mapping[str, Any]) -> Any:
    """Return what ``path`` finds in the claims, or None; PSC writes what it does not know as ``""`` or ``[]``."""
    try:
        value = jmespath.search(path, dict(claims))
    # The library lets some errors of Python through, where claims have other types than the expression supposes.
    except (JMESPathError, TypeError, ValueError, ArithmeticError):
        return None
    return None if value in ("", [], {}) else value


def apply_exported_attributes(
    user: User, rows: Iterable[ExportedAttribute], claims: Mapping[str, Any], *, creating: bool
) -> set[str]:
    """Set the user's fields from the claims, without saving; return the names of those that changed.

    Raises LoginRefused: ``attribute_missing``, ``attribute_rejected``, ``attribute_not_unique``,
    ``attribute_field_forbidden``, ``attribute_field_unknown``.
    """
    changed = set()
    for row in rows:
        value = claim_value(row.claim, claims)
        if value is None:
            if row.required:
                raise LoginRefused("attribute_missing")
            continue
        field = _field(row)
        if field is None or not _is_due(row, user, creating=creating):
            continue
        accepted = _accepted(field, user, value)
        if getattr(user, field.attname) != accepted:
            setattr(user, field.attname, accepted)
            changed.add(field.name)
    return changed


def _field(row: ExportedAttribute) -> UsersField | None:
    try:
        field = get_user_model()._meta.get_field(row.user_field)
    except FieldDoesNotExist:
        logger.warning("attribute.field_unknown provider=%s field=%s", row.provider_id, row.user_field)
        if row.required:
            raise LoginRefused("attribute_field_unknown") from None
        return None
    # Checked when the row is saved, and again here: a row can come by another way than a form.
    if field not in assignable_fields():
        raise LoginRefused("attribute_field_forbidden")
    return field


def _is_due(row: ExportedAttribute, user: User, *, creating: bool) -> bool:
    if row.when == row.When.EMPTY:
        return getattr(user, row.user_field) in (None, "")
    return creating or row.when == row.When.LOGIN


def _accepted(field: UsersField, user: User, value: Any) -> Any:
    if isinstance(value, (dict, list)) and not isinstance(field, models.JSONField):
        raise LoginRefused("attribute_rejected")
    if field.name == user.USERNAME_FIELD and not isinstance(field, models.EmailField):
        return acceptable_username(field, user, str(value))
    try:
        accepted = field.clean(value, user)
    # A field that parses text raises what Python does where it is given a number.
    except (ValidationError, TypeError, ValueError, ArithmeticError) as exc:
        raise LoginRefused("attribute_rejected") from exc
    if field.unique and _others(user).filter(**{field.name: accepted}).exists():
        raise LoginRefused("attribute_not_unique")
    return accepted


def _others(user: User) -> models.QuerySet[User]:
    return get_user_model()._default_manager.exclude(pk=user.pk)


def acceptable_username(field: UsersField, user: User, wanted: str) -> str:
    """Return ``wanted`` with the characters, the length and the uniqueness that the field asks for.

    A national identifier such as ``500000001815646/CPAT00045`` is a fact: it is fitted to the site, never refused.
    """
    length = field.max_length or 150
    base = user.normalize_username(re.sub(r"[^\w.@+-]", "-", wanted))[:length]
    if _is_rejected(field, user, base):
        base = re.sub(r"[^a-z0-9]", "", base.lower())[:length] or "psc"
    username, number = base, 1
    while _others(user).filter(**{field.name: username}).exists():
        number += 1
        suffix = f"-{number}"
        username = base[: length - len(suffix)] + suffix
    return username


def _is_rejected(field: UsersField, user: User, username: str) -> bool:
    try:
        field.clean(username, user)
    except ValidationError:
        return True
    return False
