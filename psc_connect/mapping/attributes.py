"""The exported attributes of a provider, applied to a user without saving."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models

from psc_connect.claims.budget import TooSlow
from psc_connect.claims.claims import Claims
from psc_connect.claims.paths import claim_value
from psc_connect.exceptions import LoginRefused
from psc_connect.models.user_fields import UsersField, assignable_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.contrib.auth.models import User

    from psc_connect.models import ExportedAttribute

logger = logging.getLogger("psc_connect")


@dataclass(frozen=True, slots=True)
class AttributeResult:
    """What one row of the mapping does to one user.

    ``found``: the claim's value, or None. ``accepted``: the value for the field, which is set if ``is_due``.
    ``problem``: an error code, or ""; a ``fatal`` one refuses the login.
    """

    found: Any = field(default=None, repr=False)
    accepted: Any = field(default=None, repr=False)
    is_due: bool = False
    problem: str = ""
    fatal: bool = False


def evaluate_attributes(
    user: User, rows: Iterable[ExportedAttribute], claims: Mapping[str, Any], *, creating: bool
) -> Iterator[tuple[ExportedAttribute, AttributeResult]]:
    """Yield each row with what it would do to the user, without changing it."""
    parsed = Claims.wrap(claims)
    for row in rows:
        yield row, evaluate_attribute(row, user, parsed, creating=creating)


def apply_results(
    user: User, results: Iterable[tuple[ExportedAttribute, AttributeResult]], *, creating: bool
) -> set[str]:
    """Set the user's fields, without saving; return the names of those that changed.

    Raises LoginRefused: ``attribute_missing``, ``attribute_rejected``, ``attribute_not_unique``,
    ``attribute_field_forbidden``, ``attribute_field_unknown``, ``attribute_claim_too_slow``; and
    ``account_username_missing`` where a new user has no username then.
    """
    changed = set()
    for row, result in results:
        if result.fatal:
            raise LoginRefused(result.problem, field=row.user_field)
        if result.problem:
            event = result.problem.replace("_", ".", 1)
            logger.warning("%s provider=%s field=%s", event, row.provider_id, row.user_field)
        elif result.is_due and getattr(user, row.user_field) != result.accepted:
            setattr(user, row.user_field, result.accepted)
            changed.add(row.user_field)
    if creating and not user.get_username():
        raise LoginRefused("account_username_missing", field=user.USERNAME_FIELD)
    return changed


def evaluate_attribute(
    row: ExportedAttribute,
    user: User,
    claims: Mapping[str, Any],
    *,
    creating: bool,
    others: models.QuerySet[User] | None = None,
) -> AttributeResult:
    """Return what a row would do to a user, without changing it.

    ``others``: the users that a unique value is compared with, if not all others.
    """
    try:
        found = claim_value(row.claim, claims)
    except TooSlow:
        return AttributeResult(problem="attribute_claim_too_slow", fatal=row.required)
    if found is None:
        return AttributeResult(problem="attribute_missing", fatal=True) if row.required else AttributeResult()
    if others is None:
        others = get_user_model()._default_manager.exclude(pk=user.pk)
    return _evaluate_value(row, user, found, creating=creating, others=others)


def _evaluate_value(
    row: ExportedAttribute, user: User, found: Any, *, creating: bool, others: models.QuerySet[User]
) -> AttributeResult:
    try:
        users_field = get_user_model()._meta.get_field(row.user_field)
    except FieldDoesNotExist:
        return AttributeResult(found, problem="attribute_field_unknown", fatal=row.required)
    # Checked again: a row may have been saved without the form's validation.
    if users_field not in assignable_fields():
        return AttributeResult(found, problem="attribute_field_forbidden", fatal=True)
    if not _is_due(row, user, creating=creating):
        return AttributeResult(found)
    try:
        return AttributeResult(found, _accepted(users_field, user, found, others=others), is_due=True)
    except LoginRefused as exc:
        return AttributeResult(found, problem=exc.code, fatal=True)


def _is_due(row: ExportedAttribute, user: User, *, creating: bool) -> bool:
    if row.when == row.When.EMPTY:
        return getattr(user, row.user_field) in (None, "")
    return creating or row.when == row.When.LOGIN


def _accepted(field: UsersField, user: User, value: Any, *, others: models.QuerySet[User]) -> Any:
    if isinstance(value, (dict, list)) and not isinstance(field, models.JSONField):
        raise LoginRefused("attribute_rejected")
    if field.name == user.USERNAME_FIELD and not isinstance(field, models.EmailField):
        return acceptable_username(field, user, str(value), others=others)
    try:
        accepted = field.clean(value, user)
    # Fields that parse text raise Python's own errors when they get a number.
    except (ValidationError, TypeError, ValueError, ArithmeticError) as exc:
        raise LoginRefused("attribute_rejected") from exc
    if field.unique and others.filter(**{field.name: accepted}).exists():
        raise LoginRefused("attribute_not_unique")
    return accepted


def acceptable_username(field: UsersField, user: User, requested: str, *, others: models.QuerySet[User]) -> str:
    """Return ``requested``, changed to fit the field's characters, length and uniqueness.

    A national identifier such as ``500000001815646/CPAT00045`` cannot be corrected by the person: it is adapted to the
    site, never refused.
    """
    length = field.max_length or 150
    base = user.normalize_username(re.sub(r"[^\w.@+-]", "-", requested))[:length]
    try:
        field.clean(base, user)
    except ValidationError:
        base = re.sub(r"[^a-z0-9]", "", base.lower())[:length] or "psc"
    username, number = base, 1
    while others.filter(**{field.name: username}).exists():
        number += 1
        suffix = f"-{number}"
        username = base[: length - len(suffix)] + suffix
    return username
