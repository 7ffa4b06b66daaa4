"""Who is this? Find the account of (issuer, ``sub``), or link or create it, in one transaction with its user."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from psc_connect.capacities import at_login
from psc_connect.claims import Claims
from psc_connect.exceptions import LoginRefused
from psc_connect.groups import bring_groups_up_to_date, concern
from psc_connect.models import Account
from psc_connect.professional.snapshot import from_snapshot, to_snapshot
from psc_connect.unlinking import STAMP, stamp_of_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.models import User

    from psc_connect.capacities import Choice
    from psc_connect.models import Provider
    from psc_connect.professional.person import Professional

# Parallel logins of one person, or of two whose usernames collide: all but one begin again and find what it wrote.
ATTEMPTS = 5
PAUSE_SECONDS = 0.05


class Hooks(Protocol):
    """What a site overrides on the backend, under the names of mozilla-django-oidc."""

    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> Iterable[User]: ...

    def create_user(self, claims: Mapping[str, Any]) -> User: ...

    def update_user(self, user: User, claims: Mapping[str, Any]) -> User: ...

    def user_can_authenticate(self, user: User) -> bool: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider vouches for: ``subject`` at its issuer, the userinfo as it came and as it was read."""

    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    professional: Professional = field(repr=False)
    acr: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The account that a login ended at, and how it came to be.

    ``before`` is what the last login knew of the person, where that is not what this one says.
    """

    user: User
    account: Account
    choice: Choice
    created: bool = False
    linked: bool = False
    before: Professional | None = None


def resolve(provider: Provider, person: Person, *, hooks: Hooks) -> Resolution:
    """Return the account of the person at the provider's issuer (OpenID Connect Core 5.7).

    Nothing else identifies anybody: no e-mail, no username. Nothing is saved where it raises LoginRefused:
    ``account_inactive``, ``account_unknown``, ``account_ambiguous``, ``account_conflict``, ``attribute_…``;
    or OperationalError, where the database itself goes on failing.
    """
    problem: DatabaseError | None = None
    for attempt in range(ATTEMPTS):
        account = find(provider, person.subject)
        try:
            # A site's hooks may write more than the user: all of it is kept, or nothing.
            with transaction.atomic():
                if account is not None:
                    return _returning(account, provider, person, hooks=hooks)
                return _first_login(provider, person, hooks=hooks)
        # SQLite answers "locked" at once where two transactions that have read both want to write.
        except (IntegrityError, OperationalError, InterfaceError) as exc:
            problem = exc
            time.sleep(PAUSE_SECONDS * attempt)
    if isinstance(problem, (OperationalError, InterfaceError)):
        raise problem
    raise LoginRefused("account_conflict") from problem


def find(provider: Provider, subject: str) -> Account | None:
    """Return the account whose issuer and ``sub`` are these, compared exactly whatever the database's collation.

    It comes with what a login asks next, in one statement: whether groups are concerned, and its user's stamp.
    """
    found = Account.objects.select_related("user").filter(issuer=provider.issuer, subject=subject)
    rows = found.annotate(concerns_groups=concern(provider), stamp=stamp_of_user())
    account = next((row for row in rows if (row.issuer, row.subject) == (provider.issuer, subject)), None)
    if account is not None:
        setattr(account.user, STAMP, account.stamp)
    return account


def _returning(account: Account, provider: Provider, person: Person, *, hooks: Hooks) -> Resolution:
    if not hooks.user_can_authenticate(account.user):
        raise LoginRefused("account_inactive")
    claims = Claims(person.claims, person.professional, chosen=account.capacity)
    try:
        user = hooks.update_user(account.user, claims)
    except IntegrityError as exc:
        raise LoginRefused("attribute_not_unique") from exc
    choice = at_login(provider, person.professional, chosen_last=account.capacity)
    if account.concerns_groups:  # type: ignore[attr-defined]
        bring_groups_up_to_date(account, provider.exported_groups.all(), claims)
    known = account.professional
    described = _describe(account, person)
    if described:
        account.save(update_fields=described)
    before = from_snapshot(known) if "professional" in described else None
    return Resolution(user=user, account=account, choice=choice, before=before)


def _first_login(provider: Provider, person: Person, *, hooks: Hooks) -> Resolution:
    known = candidate(provider, person.claims, hooks=hooks)
    claims = Claims(person.claims, person.professional)
    user = hooks.update_user(known, claims) if known is not None else hooks.create_user(claims)
    account = Account(provider=provider, issuer=provider.issuer, subject=person.subject, user=user)
    _describe(account, person)
    account.save(force_insert=True)
    choice = at_login(provider, person.professional, chosen_last="")
    if rows := list(provider.exported_groups.all()):
        bring_groups_up_to_date(account, rows, claims)
    return Resolution(user=user, account=account, choice=choice, created=known is None, linked=known is not None)


def _describe(account: Account, person: Person) -> list[str]:
    """Put what the provider says of the person on the account, unsaved; return the fields that are others now."""
    said = {
        "professional": to_snapshot(person.professional),
        "subject_name_id": _text(person.professional.national_identifier_sent),
    }
    changed = [name for name, value in said.items() if getattr(account, name) != value]
    for name in changed:
        setattr(account, name, said[name])
    return changed


def candidate(provider: Provider, claims: Mapping[str, Any], *, hooks: Hooks) -> User | None:
    """Return the user to whom a first login is linked, or None where one is to be created; nothing is saved.

    Raises LoginRefused: ``account_ambiguous``, ``account_unknown``, ``account_inactive``.
    """
    users = list(hooks.filter_users_by_claims(claims))
    if len(users) > 1:
        raise LoginRefused("account_ambiguous")
    if not users and not provider.create_unknown_users:
        raise LoginRefused("account_unknown")
    if users and not hooks.user_can_authenticate(users[0]):
        raise LoginRefused("account_inactive")
    return users[0] if users else None


def _text(value: str) -> str:
    return value if len(value) <= 255 else ""
