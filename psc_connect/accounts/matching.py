"""Matching of a first login with an existing user, by the user's field that holds the RPPS number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from psc_connect.accounts.identifiers import identifiers_of, rpps_of
from psc_connect.claims.claims import Claims
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account
from psc_connect.models.user_fields import linkable_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from psc_connect.models import Provider


def users_with_number(provider: Provider, claims: Mapping[str, Any]) -> QuerySet[User]:
    """Return the users whose ``Provider.link_user_field`` equals the person's RPPS number; none without a field.

    Raises LoginRefused: ``account_link_field_unknown``, ``account_link_privileged``, ``account_already_linked``.
    """
    users, field_name = get_user_model()._default_manager, provider.link_user_field
    rpps = rpps_of(identifiers_of(Claims.wrap(claims).professional)) if field_name else ""
    if not rpps:
        return users.none()
    if field_name not in {field.name for field in linkable_fields()}:
        raise LoginRefused("account_link_field_unknown")
    # Compared in Python too: the database's collation may be less strict.
    matches = [user for user in users.filter(**{field_name: rpps}) if getattr(user, field_name) == rpps]
    if len(matches) == 1:
        _check_may_be_linked(matches[0], provider)
    return users.filter(pk__in=[user.pk for user in matches])


def _check_may_be_linked(user: User, provider: Provider) -> None:
    if is_privileged(user) and not provider.link_privileged_users:
        raise LoginRefused("account_link_privileged")
    # Of any issuer: the mapping of one provider may have written the number that another one would match.
    if Account.objects.filter(user=user).exists():
        raise LoginRefused("account_already_linked")


def is_superuser(user: Any) -> bool:
    # A custom user model may lack the field.
    return bool(getattr(user, "is_superuser", False))


def is_privileged(user: User) -> bool:
    """Return whether the user administers the site. A custom user model may lack both fields."""
    return bool(getattr(user, "is_staff", False)) or is_superuser(user)
