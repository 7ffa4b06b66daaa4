"""A preview of what a login does with these claims: the account, the attributes and the groups. Nothing is saved."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from psc_connect.access.groups import row_holds
from psc_connect.accounts.decision import decide
from psc_connect.backends import ProSanteConnectBackend, prepared_backend
from psc_connect.claims.budget import LOGIN_STEPS, shared_budget
from psc_connect.exceptions import LoginRefused
from psc_connect.mapping.attributes import apply_results, evaluate_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from psc_connect.accounts.decision import LoginDecision
    from psc_connect.mapping.attributes import AttributeResult
    from psc_connect.models import ExportedAttribute, ExportedGroup, Provider


@dataclass(frozen=True, slots=True)
class LoginPreview:
    """What a login with these claims would do.

    ``outcome``: that of the decision, or ``matched`` for a user who is found by their RPPS number, where ``linked``
    is a user that the site's own code finds. ``code``: why it would be refused. ``decision`` is None if the refusal
    comes before it. ``own_hooks``: the site's own methods that a login would call instead of ours.
    """

    outcome: str
    code: str = ""
    decision: LoginDecision | None = None
    attributes: tuple[tuple[ExportedAttribute, AttributeResult], ...] = ()
    groups: tuple[tuple[ExportedGroup, bool], ...] = ()
    own_hooks: tuple[str, ...] = ()

    @property
    def user(self) -> User | None:
        return self.decision.user if self.decision is not None else None


@sensitive_variables()
def preview_login(
    request: HttpRequest,
    provider: Provider,
    subject: str,
    *,
    claims: Mapping[str, Any],
    id_token_claims: Mapping[str, Any],
) -> LoginPreview:
    """Return what a login would do with these claims, by the mapping and the rules as they are now."""
    # A site's hooks should only read here. If they write, it is rolled back.
    with transaction.atomic(), shared_budget(LOGIN_STEPS):
        try:
            backend = prepared_backend(request, provider)
            identity = backend.verified_identity(subject, claims, id_token_claims=id_token_claims)
            return _preview(backend, decide(provider, identity, hooks=backend))
        except LoginRefused as exc:
            return LoginPreview("refused", code=exc.code)
        finally:
            transaction.set_rollback(True)


@sensitive_variables()
def _preview(backend: ProSanteConnectBackend, decision: LoginDecision) -> LoginPreview:
    if decision.refusal is not None:
        return LoginPreview("refused", code=decision.refusal.code, decision=decision)
    provider, claims, creating = decision.provider, decision.claims, decision.user is None
    user, rows = decision.user or backend.UserModel(), provider.exported_attributes.all()
    results = tuple(evaluate_attributes(user, rows, claims, creating=creating))
    hook = "create_user" if creating else "update_user"
    is_own = not _is_ours(backend, hook)
    # The site's own hook decides for itself whether a problem of a row is a refusal.
    code = "" if is_own else _refusal_code(user, results, creating=creating)
    is_matched = decision.outcome == "linked" and _is_ours(backend, "filter_users_by_claims")
    return LoginPreview(
        "refused" if code else "matched" if is_matched else decision.outcome,
        code=code,
        decision=decision,
        attributes=results,
        groups=tuple((row, row_holds(row, claims)) for row in provider.exported_groups.select_related("group")),
        own_hooks=tuple(
            f"{type(backend).__qualname__}.{name}" for name in ("authenticate", hook) if not _is_ours(backend, name)
        ),
    )


def _refusal_code(user: User, results: tuple[tuple[ExportedAttribute, AttributeResult], ...], *, creating: bool) -> str:
    try:
        # On a copy: the page shows the user as saved.
        apply_results(copy.copy(user), results, creating=creating)
    except LoginRefused as exc:
        return exc.code
    return ""


def _is_ours(backend: ProSanteConnectBackend, hook: str) -> bool:
    return getattr(type(backend), hook) is getattr(ProSanteConnectBackend, hook)
