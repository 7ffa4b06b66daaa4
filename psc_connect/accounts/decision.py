"""What a login decides about an account, before it saves anything: a login and a preview share it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from django.views.decorators.debug import sensitive_variables

from psc_connect.access.groups import may_change_groups
from psc_connect.access.rules import admit, refusal, rules_of
from psc_connect.accounts.identifiers import as_identifier, contradict, find_accounts, is_same_person
from psc_connect.accounts.unlinking import STAMP, stamp_of_user
from psc_connect.claims.claims import Claims
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account, AccountIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.contrib.auth.models import User

    from psc_connect.access.rules import Admission
    from psc_connect.accounts.verified_identity import VerifiedIdentity
    from psc_connect.models import AccessRule, Provider

logger = logging.getLogger("psc_connect")


class Hooks(Protocol):
    """The methods that a site overrides on the backend, under the names of mozilla-django-oidc and Django."""

    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> Iterable[User]: ...

    def create_user(self, claims: Mapping[str, Any]) -> User: ...

    def update_user(self, user: User, claims: Mapping[str, Any]) -> User: ...

    def can_open_session(self, user: User) -> bool: ...


@dataclass(frozen=True, slots=True)
class LoginDecision:
    """What a login does with a verified identity.

    ``account``: the one that was found, or None at a first login. ``admission``: what the access rules, ``rules``,
    decide.
    ``claims``: the claims as exported attributes and groups read them, in the activity of the admission.
    ``user``: the known user who is signed in, or None where one is created. ``refusal``: why the login ends here.
    """

    provider: Provider
    identity: VerifiedIdentity
    account: Account | None
    rules: Sequence[AccessRule]
    admission: Admission = field(repr=False)
    claims: Claims = field(repr=False)
    user: User | None = None
    refusal: LoginRefused | None = None

    @property
    def outcome(self) -> str:
        """Return ``refused``, ``returning``, ``found_again`` (under another ``sub``), ``linked`` or ``created``."""
        if self.refusal is not None:
            return "refused"
        if self.account is not None:
            return "returning" if self.account.subject == self.identity.subject else "found_again"
        return "created" if self.user is None else "linked"


@sensitive_variables()
def decide(provider: Provider, identity: VerifiedIdentity, *, hooks: Hooks) -> LoginDecision:
    """Find the account, then apply the access rules, then find the user. Nothing is saved.

    The two halves are ``decide_access`` and ``with_known_user``: a login calls the site's hooks in its transaction.
    """
    return with_known_user(decide_access(provider, identity), hooks=hooks)


@sensitive_variables()
def decide_access(provider: Provider, identity: VerifiedIdentity) -> LoginDecision:
    """Find the account and apply the access rules. None of the site's hooks is called.

    The decision can be a refusal: ``access_refused``, ``access_rule_malformed``, ``access_rules_too_slow``. Raises
    LoginRefused ``account_identifiers_conflict``.
    """
    account = find_account(provider, identity)
    chosen_last = account.activity_choice if account is not None else ""
    rules = rules_of(provider)
    admission = admit(provider, rules, identity.professional, chosen_last=chosen_last, acr=identity.acr)
    chosen = admission.claims_activity.key if admission.claims_activity else ""
    claims = Claims(identity.claims, identity.professional, chosen=chosen)
    refused = None if admission.decision.allowed else refusal(provider, admission.decision)
    return LoginDecision(provider, identity, account, rules, admission, claims, refusal=refused)


@sensitive_variables()
def with_known_user(decision: LoginDecision, *, hooks: Hooks) -> LoginDecision:
    """Return the decision with the user of its account, or the user that a first login is linked to.

    It can become a refusal: ``account_inactive``, ``account_ambiguous``, ``account_unknown``, or what
    ``filter_users_by_claims`` raises.
    """
    if decision.refusal is not None:
        return decision
    try:
        return replace(decision, user=_known_user(decision, hooks=hooks))
    except LoginRefused as exc:
        return replace(decision, refusal=exc)


def find_account(provider: Provider, identity: VerifiedIdentity) -> Account | None:
    """Return the account at the provider's issuer with this ``sub`` or one of the trusted identifiers.

    One statement reads it with what a login needs next: whether groups are concerned, its user's stamp, its
    identifiers. Raises LoginRefused ``account_identifiers_conflict`` if there are several, or if the account may belong
    to another person.
    """
    rows = Account.objects.select_related("user").annotate(
        concerns_groups=may_change_groups(provider), stamp=stamp_of_user()
    )
    accounts = find_accounts(rows, provider.issuer, identity.subject, identity.identifiers)
    for account in accounts:
        if len(accounts) > 1 or not is_same_person(account, identity.identifiers, subject=identity.subject):
            raise conflict_of(provider, accounts)
        setattr(account.user, STAMP, account.stamp)  # type: ignore[attr-defined]
    return accounts[0] if accounts else None


def conflict_of(provider: Provider, accounts: Iterable[Account]) -> LoginRefused:
    """Log which accounts a login has found, and return the refusal."""
    pks = ",".join(str(account.pk) for account in accounts)
    logger.warning("account.identifiers_conflict provider=%s accounts=%s", provider.slug, pks)
    return LoginRefused("account_identifiers_conflict")


def _known_user(decision: LoginDecision, *, hooks: Hooks) -> User | None:
    """Return the user of the account or the user that a first login is linked to; None if a user is created."""
    if decision.account is not None:
        users = [decision.account.user]
    else:
        users = list(hooks.filter_users_by_claims(decision.claims))
    if len(users) > 1:
        raise LoginRefused("account_ambiguous")
    if users and decision.account is None:
        _check_other_accounts(users[0], decision)
    if not users and not decision.provider.create_unknown_users:
        raise LoginRefused("account_unknown")
    if users and not hooks.can_open_session(users[0]):
        raise LoginRefused("account_inactive")
    return users[0] if users else None


def _check_other_accounts(user: User, decision: LoginDecision) -> None:
    """Check that the user found for a first login has no account of another person at this issuer.

    A site may find users by a claim that changes hands, such as an e-mail address. Raises LoginRefused
    ``account_identifiers_conflict``.
    """
    rows = AccountIdentifier.objects.filter(account__user=user, account__issuer=decision.provider.issuer)
    known = [(row.account, as_identifier(row)) for row in rows.select_related("account")]
    if contradict((identifier for _account, identifier in known), decision.identity.identifiers):
        raise conflict_of(decision.provider, {account for account, _identifier in known})
