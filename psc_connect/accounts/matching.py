"""A first login is linked to a user whom the site knew before: by the field that holds their RPPS number."""

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
    """Return the users whose field has exactly the person's RPPS number; nobody where the provider names no field.

    Raises LoginRefused: ``account_link_field_unknown``, ``account_link_privileged``, ``account_already_linked``.
    """
    users, name = get_user_model()._default_manager, provider.link_user_field
    number = rpps_of(identifiers_of(Claims.wrap(claims).professional)) if name else ""
    if not number:
        return users.none()
    if name not in {field.name for field in linkable_fields()}:
        raise LoginRefused("account_link_field_unknown")
    # Exactly, whatever the database's collation finds alike.
    found = [user for user in users.filter(**{name: number}) if getattr(user, name) == number]
    if len(found) == 1:
        _check(found[0], provider)
    return users.filter(pk__in=[user.pk for user in found])


def _check(user: User, provider: Provider) -> None:
    if is_privileged(user) and not provider.link_privileged_users:
        raise LoginRefused("account_link_privileged")
    # Of whatever issuer: a number that one vouches for proves nothing to another, whose mapping may have written it.
    if Account.objects.filter(user=user).exists():
        raise LoginRefused("account_already_linked")


def is_privileged(user: User) -> bool:
    """Whether whoever signs in as this user administers the site; a site's own user model need not know of it."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))
