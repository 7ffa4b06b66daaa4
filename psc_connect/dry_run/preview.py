"""Whom a login would sign in with these claims, and what it would write: only looked at, nothing comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from psc_connect.access.groups import row_holds
from psc_connect.access.rules import rules_of
from psc_connect.accounts import linking
from psc_connect.backends import ProSanteConnectBackend, prepared_backend
from psc_connect.exceptions import LoginRefused
from psc_connect.mapping.attributes import AttributeResult, evaluate_attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from psc_connect.access.rules import Admission, Decision
    from psc_connect.accounts.linking import VerifiedIdentity
    from psc_connect.models import AccessRule, Account, ExportedAttribute, ExportedGroup, Provider
    from psc_connect.professional.professional import Professional


@dataclass(frozen=True, slots=True)
class AccessPreview:
    """What the access rules make of the person: the rules, and what they decide of the whole login."""

    professional: Professional = field(repr=False)
    rules: tuple[AccessRule, ...]
    admission: Admission

    @property
    def decision(self) -> Decision:
        return self.admission.decision


@dataclass(frozen=True, slots=True)
class LoginPreview:
    """Whom a login with these claims would sign in.

    ``outcome``: ``returning``; ``found_again``, under another ``sub``; ``matched``, by the number that a user has;
    ``linked``, by the site's own code; ``created``; ``refused``.
    ``code`` says why it would be refused; ``own_hooks`` are the site's own methods, which would decide instead of ours
    and are not called.
    """

    outcome: str
    user: User | None = None
    code: str = ""
    own_hooks: tuple[str, ...] = ()
    attributes: tuple[tuple[ExportedAttribute, AttributeResult], ...] = ()
    groups: tuple[tuple[ExportedGroup, bool], ...] = ()
    access: AccessPreview | None = None


@sensitive_variables()
def preview_login(
    request: HttpRequest,
    provider: Provider,
    subject: str,
    *,
    claims: Mapping[str, Any],
    id_token_claims: Mapping[str, Any],
) -> LoginPreview:
    """Say what a login would make of these claims, by today's mapping, and make nothing of them."""
    # What a site's own hooks may write, though they should only read, is taken back.
    with transaction.atomic():
        try:
            backend = prepared_backend(request, provider)
            return _preview(backend, backend.person_of(subject, claims, id_token_claims=id_token_claims))
        except LoginRefused as exc:
            return LoginPreview("refused", code=exc.code)
        finally:
            transaction.set_rollback(True)


@sensitive_variables()
def _preview(backend: ProSanteConnectBackend, person: VerifiedIdentity) -> LoginPreview:
    account = linking.find(backend.provider, person.subject, person.identifiers)
    access = _access(backend.provider, account, person)
    if not access.decision.allowed:
        return LoginPreview("refused", code=access.decision.code, access=access)
    try:
        return replace(_preview_user(backend, account, person, access.admission), access=access)
    except LoginRefused as exc:
        return LoginPreview("refused", code=exc.code, access=access)


@sensitive_variables()
def _access(provider: Provider, account: Account | None, person: VerifiedIdentity) -> AccessPreview:
    rules = rules_of(provider)
    return AccessPreview(person.professional, tuple(rules), linking.admission_of(provider, rules, person, account))


@sensitive_variables()
def _preview_user(
    backend: ProSanteConnectBackend, account: Account | None, person: VerifiedIdentity, admission: Admission
) -> LoginPreview:
    provider, seen = backend.provider, linking.claims_for(person, admission)
    if account is not None and not backend.user_can_authenticate(account.user):
        raise LoginRefused("account_inactive")
    known = account.user if account is not None else linking.candidate(provider, seen, hooks=backend)
    creating = known is None
    user, rows = known or backend.UserModel(), provider.exported_attributes.all()
    verdicts = tuple((row, evaluate_attribute(row, user, seen, creating=creating)) for row in rows)
    code = next((verdict.problem for _row, verdict in verdicts if verdict.fatal), "")
    if not code and creating and not _names_the_user(backend, verdicts):
        code = "account_username_missing"
    hook = "create_user" if creating else "update_user"
    own_hooks = () if _is_ours(backend, hook) else (f"{type(backend).__qualname__}.{hook}",)
    outcome = "created" if creating else "matched" if _is_ours(backend, "filter_users_by_claims") else "linked"
    if account is not None:
        outcome = "returning" if account.subject == person.subject else "found_again"
    return LoginPreview(
        # A hook of the site's decides for itself.
        outcome if own_hooks or not code else "refused",
        user=known,
        code="" if own_hooks else code,
        own_hooks=own_hooks,
        attributes=verdicts,
        groups=tuple((row, row_holds(row, seen)) for row in provider.exported_groups.select_related("group")),
    )


def _is_ours(backend: ProSanteConnectBackend, hook: str) -> bool:
    return getattr(type(backend), hook) is getattr(ProSanteConnectBackend, hook)


def _names_the_user(
    backend: ProSanteConnectBackend, verdicts: Iterable[tuple[ExportedAttribute, AttributeResult]]
) -> bool:
    name = backend.UserModel.USERNAME_FIELD
    return any(row.user_field == name and verdict.is_due and verdict.accepted for row, verdict in verdicts)
