"""Who is this? Find the account of (issuer, ``sub``), or of a trusted identifier; or link or create it, with its user,
in one transaction."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.views.decorators.debug import sensitive_variables

from psc_connect.access.groups import MAPPING, RULE, AccountMoved, mapped_groups, may_change_groups, update_groups
from psc_connect.access.rules import admit, refusal, rules_of
from psc_connect.accounts import audit, identifiers
from psc_connect.accounts.unlinking import STAMP, stamp_of_user
from psc_connect.claims.claims import Claims
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account, AccountChange
from psc_connect.professional.snapshot import from_snapshot, to_snapshot
from psc_connect.professional.userinfo import MAX_ACTIVITIES, count_activities, read_userinfo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from django.contrib.auth.models import User

    from psc_connect.access.activity_choice import Choice
    from psc_connect.access.rules import Admission
    from psc_connect.accounts.identifiers import Identifier
    from psc_connect.models import AccessRule, Provider
    from psc_connect.professional.professional import Professional

logger = logging.getLogger("psc_connect")

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
class VerifiedIdentity:
    """Whom a provider vouches for: ``subject`` at its issuer, the userinfo as it came and as it was read."""

    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    professional: Professional = field(repr=False)
    acr: str = ""
    identifiers: tuple[Identifier, ...] = field(default=(), repr=False)

    @classmethod
    @sensitive_variables()
    def read(cls, subject: str, claims: Mapping[str, Any], *, id_token_claims: Mapping[str, Any]) -> VerifiedIdentity:
        """Read the two answers of a provider.

        Raises LoginRefused: ``userinfo_activities_too_many``, ``userinfo_identifier_mismatch``,
        ``userinfo_identifiers_contradict``.
        """
        if count_activities(claims) > MAX_ACTIVITIES:
            raise LoginRefused("userinfo_activities_too_many")
        identifiers.check_answers_agree(id_token_claims, claims)
        professional = read_userinfo(claims)
        if means := _text_of(id_token_claims, "authMode"):
            # The userinfo of some people does not say it.
            professional = replace(professional, means=means)
        given = identifiers.identifiers_of(professional)
        identifiers.check_one_rpps(id_token_claims, claims, given)
        acr = _text_of(id_token_claims, "acr")
        return cls(subject, claims, professional, acr, identifiers.limit(given))


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The account that a login ended at, and how it came to be.

    ``before`` is what the last login knew of the person, where that is not what this one says.
    """

    user: User
    account: Account
    choice: Choice
    created: bool = False
    linked: bool = False
    before: Professional | None = None


def resolve(provider: Provider, person: VerifiedIdentity, *, hooks: Hooks) -> LoginResult:
    """Return the account of the person at the provider's issuer (OpenID Connect Core 5.7).

    By its ``sub``, else by a trusted identifier: no e-mail, no username. Nothing is saved where it raises LoginRefused:
    ``account_inactive``, ``account_unknown``, ``account_ambiguous``, ``account_conflict``, ``account_link_…``,
    ``account_identifiers_conflict``, ``attribute_…``, ``access_…`` (what rules gave the person is taken back then);
    or OperationalError, where the database itself goes on failing.
    """
    problem: DatabaseError | AccountMoved | None = None
    for attempt in range(ATTEMPTS):
        account = find(provider, person.subject, person.identifiers)
        try:
            admission = _admitted(provider, person, account)
            # A site's hooks may write more than the user: all of it is kept, or nothing.
            with transaction.atomic():
                if account is not None:
                    return _returning(account, provider, person, admission, hooks=hooks)
                return _first_login(provider, person, admission, hooks=hooks)
        except LoginRefused as exc:
            # Another login of the same person may have linked the user since the account was looked for.
            if exc.code != "account_already_linked" or find(provider, person.subject, person.identifiers) is None:
                raise
        # SQLite answers "locked" at once where two transactions that have read both want to write.
        except (IntegrityError, OperationalError, InterfaceError, AccountMoved) as exc:
            problem = exc
            time.sleep(PAUSE_SECONDS * attempt)
    if isinstance(problem, (OperationalError, InterfaceError)):
        raise problem
    raise LoginRefused("account_conflict") from problem


def find(provider: Provider, subject: str, given: Iterable[Identifier] = ()) -> Account | None:
    """Return the account of the issuer to which the ``sub`` leads, or else one of these identifiers.

    It comes with what a login asks next, in one statement: whether groups are concerned, its user's stamp, its
    identifiers. Raises LoginRefused ``account_identifiers_conflict`` where they lead to several.
    """
    rows = Account.objects.select_related("user").annotate(
        concerns_groups=may_change_groups(provider), stamp=stamp_of_user()
    )
    found = identifiers.find_accounts(rows, provider.issuer, subject, given)
    if len(found) > 1:
        pks = ",".join(str(each.pk) for each in found)
        logger.warning("account.identifiers_conflict provider=%s accounts=%s", provider.slug, pks)
        raise LoginRefused("account_identifiers_conflict")
    for account in found:
        identifiers.check_same_person(account, given)
        setattr(account.user, STAMP, account.stamp)  # type: ignore[attr-defined]
    return found[0] if found else None


def admission_of(
    provider: Provider, rules: Sequence[AccessRule], person: VerifiedIdentity, account: Account | None
) -> Admission:
    """Return what these rules make of the person, who has this account, or none yet."""
    chosen_last = account.activity_choice if account is not None else ""
    return admit(provider, rules, person.professional, chosen_last=chosen_last, acr=person.acr)


def _admitted(provider: Provider, person: VerifiedIdentity, account: Account | None) -> Admission:
    """Raises LoginRefused: ``access_refused``, ``access_rule_malformed``."""
    admission = admission_of(provider, rules_of(provider), person, account)
    if admission.decision.allowed:
        return admission
    if account is not None:
        # Saved, where nothing else of a refused login is: nobody stays in a group whose rule no longer holds, and the
        # sessions that are open know what the person practises today.
        with transaction.atomic():
            if account.concerns_groups:  # type: ignore[attr-defined]
                update_groups(account, {RULE: ()})
            if described := _describe(account, person):
                account.save(update_fields=described)
    raise refusal(provider, admission.decision)


def _returning(
    account: Account, provider: Provider, person: VerifiedIdentity, admission: Admission, *, hooks: Hooks
) -> LoginResult:
    if not hooks.user_can_authenticate(account.user):
        raise LoginRefused("account_inactive")
    claims = claims_for(person, admission)
    try:
        user = hooks.update_user(account.user, claims)
    except IntegrityError as exc:
        raise LoginRefused("attribute_not_unique") from exc
    if account.concerns_groups or admission.decision.groups:  # type: ignore[attr-defined]
        update_groups(account, _groups(provider, claims, admission))
    known = account.professional
    described = _describe(account, person)
    if account.provider_id != provider.pk:
        # Another declaration of the same issuer: what is decided of the account follows the one that is used.
        account.provider = provider
        described.append("provider")
    if former := identifiers.update_rows(account, person.identifiers, subject=person.subject):
        audit.record(account, AccountChange.Action.SUBJECT, provider=provider, before={"sub": former})
        described.append("subject")
    if described:
        account.save(update_fields=described)
    before = from_snapshot(known) if "professional" in described else None
    return LoginResult(user=user, account=account, choice=admission.choice, before=before)


def _first_login(provider: Provider, person: VerifiedIdentity, admission: Admission, *, hooks: Hooks) -> LoginResult:
    claims = claims_for(person, admission)
    known = candidate(provider, claims, hooks=hooks)
    user = hooks.update_user(known, claims) if known is not None else hooks.create_user(claims)
    account = Account(provider=provider, issuer=provider.issuer, subject=person.subject, user=user)
    _describe(account, person)
    account.save(force_insert=True)
    identifiers.update_rows(account, person.identifiers, subject=person.subject)
    if known is not None:
        audit.record(account, AccountChange.Action.MATCHED, provider=provider)
    groups = _groups(provider, claims, admission)
    if any(groups.values()):
        update_groups(account, groups)
    is_created = known is None
    return LoginResult(user, account, admission.choice, created=is_created, linked=not is_created)


def claims_for(person: VerifiedIdentity, admission: Admission) -> Claims:
    """Return the claims as rows read them: in the capacity in which the person acts."""
    chosen = admission.claims_activity.key if admission.claims_activity else ""
    return Claims(person.claims, person.professional, chosen=chosen)


def _groups(provider: Provider, claims: Claims, admission: Admission) -> dict[str, Collection[int]]:
    by_mapping = mapped_groups(provider.exported_groups.all(), claims)
    return {MAPPING: by_mapping, RULE: admission.decision.groups}


def _describe(account: Account, person: VerifiedIdentity) -> list[str]:
    """Put what the provider says of the person on the account, unsaved; return the fields that are others now."""
    sent = person.professional.national_identifier_sent
    said = {
        "professional": to_snapshot(person.professional),
        "subject_name_id": sent if len(sent) <= 255 else "",
    }
    changed = [name for name, value in said.items() if getattr(account, name) != value]
    for name in changed:
        setattr(account, name, said[name])
    return changed


def candidate(provider: Provider, claims: Mapping[str, Any], *, hooks: Hooks) -> User | None:
    """Return the user to whom a first login is linked, or None where one is to be created; nothing is saved.

    Raises LoginRefused: ``account_ambiguous``, ``account_unknown``, ``account_inactive``, and what the hook raises.
    """
    users = list(hooks.filter_users_by_claims(claims))
    if len(users) > 1:
        raise LoginRefused("account_ambiguous")
    if not users and not provider.create_unknown_users:
        raise LoginRefused("account_unknown")
    if users and not hooks.user_can_authenticate(users[0]):
        raise LoginRefused("account_inactive")
    return users[0] if users else None


def _text_of(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
