"""The account of a login: found or created with its user, and saved in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from psc_connect.access.groups import MAPPING, RULE, AccountMoved, mapped_groups, update_groups
from psc_connect.accounts import audit, identifiers
from psc_connect.accounts.decision import decide_access, find_account, with_known_user
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account, AccountChange
from psc_connect.professional.snapshot import from_snapshot, to_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import User

    from psc_connect.access.activity_choice import Choice
    from psc_connect.accounts.decision import Hooks, LoginDecision
    from psc_connect.accounts.verified_identity import VerifiedIdentity
    from psc_connect.models import Provider
    from psc_connect.professional.professional import Professional

# Of parallel logins of one person, or of two people with one username, all but one start again and find what it saved.
ATTEMPTS = 5
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The account and the user of a login, and how they were found.

    ``before``: what the account said of the person until now, if this login says something else.
    """

    user: User
    account: Account
    choice: Choice
    created: bool = False
    linked: bool = False
    before: Professional | None = None


def find_or_create_account(provider: Provider, identity: VerifiedIdentity, *, hooks: Hooks) -> LoginResult:
    """Return the account of the identity at the provider's issuer (OpenID Connect Core 5.7), saved.

    It is found by its ``sub`` or by a trusted identifier, never by an e-mail address or a username. Raises
    LoginRefused: the refusals of a decision, ``account_conflict``, ``attribute_…``, ``account_username_missing``; or
    OperationalError if the database keeps failing. Nothing is saved then, except that a person that the access rules
    refuse loses the groups that rules gave.
    """
    problem: DatabaseError | AccountMoved | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS * max(attempt - 1, 0))
        try:
            # Read before the transaction: on SQLite one that has read for long is refused when it writes.
            decision = decide_access(provider, identity)
            # A site's hooks may write more than the user: all of it is kept, or nothing.
            with transaction.atomic():
                decision = with_known_user(decision, hooks=hooks)
                if decision.refusal is None:
                    if decision.account is None:
                        return _first_login(decision, hooks=hooks)
                    return _returning(decision, decision.account, hooks=hooks)
                transaction.set_rollback(True)
            _update_refused_account(decision)
            raise decision.refusal
        except LoginRefused as exc:
            # Another login of the same person may have linked the user since the account was looked for.
            if exc.code != "account_already_linked" or find_account(provider, identity) is None:
                raise
        # SQLite answers "locked" at once where two transactions that have read both want to write.
        except (IntegrityError, OperationalError, InterfaceError, AccountMoved) as exc:
            problem = exc
    if isinstance(problem, (OperationalError, InterfaceError)):
        raise problem
    raise LoginRefused("account_conflict") from problem


def _update_refused_account(decision: LoginDecision) -> None:
    """Save what a refusal by the access rules changes of a known account.

    Its user leaves the groups of rules that no longer hold. Open sessions read the person's current activities.
    """
    account = decision.account
    if account is None or decision.admission.decision.allowed:
        return
    with transaction.atomic():
        if account.concerns_groups:  # type: ignore[attr-defined]
            update_groups(account, {RULE: ()})
        if described := _describe(account, decision.identity):
            account.save(update_fields=described)


def _returning(decision: LoginDecision, account: Account, *, hooks: Hooks) -> LoginResult:
    provider, identity, admission = decision.provider, decision.identity, decision.admission
    try:
        user = hooks.update_user(account.user, decision.claims)
    except IntegrityError as exc:
        raise LoginRefused("attribute_not_unique") from exc
    _check_session_can_open(user, hooks=hooks)
    if account.concerns_groups or admission.decision.groups:  # type: ignore[attr-defined]
        update_groups(account, _groups(decision))
    snapshot = account.professional
    changed = _describe(account, identity)
    if account.provider_id != provider.pk:
        # The account follows the provider that is used: several can have the same issuer.
        account.provider = provider
        changed.append("provider")
    if former := identifiers.update_rows(account, identity.identifiers, subject=identity.subject):
        audit.record(account, AccountChange.Action.SUBJECT, provider=provider, before={"sub": former})
        changed.append("subject")
    if changed:
        account.save(update_fields=changed)
    before = from_snapshot(snapshot) if "professional" in changed else None
    return LoginResult(user, account, admission.choice, before=before)


def _first_login(decision: LoginDecision, *, hooks: Hooks) -> LoginResult:
    provider, identity, known, claims = decision.provider, decision.identity, decision.user, decision.claims
    user = hooks.create_user(claims) if known is None else hooks.update_user(known, claims)
    _check_session_can_open(user, hooks=hooks)
    account = Account(provider=provider, issuer=provider.issuer, subject=identity.subject, user=user)
    _describe(account, identity)
    account.save(force_insert=True)
    identifiers.update_rows(account, identity.identifiers, subject=identity.subject)
    if known is not None:
        audit.record(account, AccountChange.Action.MATCHED, provider=provider)
    groups = _groups(decision)
    if any(groups.values()):
        update_groups(account, groups)
    is_created = known is None
    return LoginResult(user, account, decision.admission.choice, created=is_created, linked=not is_created)


def _check_session_can_open(user: User, *, hooks: Hooks) -> None:
    """Raise LoginRefused ``account_inactive``. A site's hooks may make users that an administrator has to activate."""
    if not hooks.can_open_session(user):
        raise LoginRefused("account_inactive")


def _groups(decision: LoginDecision) -> dict[str, Collection[int]]:
    mapped = mapped_groups(decision.provider.exported_groups.all(), decision.claims)
    return {MAPPING: mapped, RULE: decision.admission.decision.groups}


def _describe(account: Account, identity: VerifiedIdentity) -> list[str]:
    """Set what the provider says of the person on the account, without saving; return the fields that changed."""
    sent = identity.professional.national_identifier_sent
    values = {
        "professional": to_snapshot(identity.professional),
        "subject_name_id": sent if len(sent) <= 255 else "",
    }
    changed = [name for name, value in values.items() if getattr(account, name) != value]
    for name in changed:
        setattr(account, name, values[name])
    return changed
