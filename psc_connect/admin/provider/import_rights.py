"""Rights that a plan takes besides those of the import page: those that its parts take on their own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.accounts.matching import is_superuser
from psc_connect.admin.base import WHY_NOT_USERS, administrator, may_change_users
from psc_connect.admin.provider.same_issuer import explain_disagreements
from psc_connect.admin.rights import WHY_NOT_LINKING, why_not_groups
from psc_connect.configuration.problems import Problem
from psc_connect.providers import validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from psc_connect.configuration.plan import Plan

# The parts that let people join groups, with what decides who reaches them.
GIVING = {name: (name, *deciding) for name, deciding in validation.GROUPING.items()}


def problems_for(request: HttpRequest, plans: list[Plan]) -> list[Problem]:
    """Return what keeps these plans from being carried out by this administrator."""
    found = [
        Problem(f"{plan.provider.slug} {each.where}" if plan.has_slug else each.where, each.text)
        for plan in plans
        for each in plan.problems
    ]
    return found + [
        Problem(f"{plan.provider.slug} {name}", reason)
        for plan in plans
        for name, reason in _missing_rights(request, plan)
    ]


def _missing_rights(request: HttpRequest, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield (name, reason) of each part of the plan that this administrator may not carry out."""
    by = administrator(request)
    if not may_change_users(request):
        yield from ((name, str(WHY_NOT_USERS)) for name in _written_into_users(plan))
    if not is_superuser(by):
        if plan.disagreements:
            yield "metadata", explain_disagreements(request, plan.disagreements)
        yield from ((name, str(WHY_NOT_LINKING)) for name in validation.LINKING if _is_set(plan, name))
    for name, members in GIVING.items():
        old, new = ({member: each[member] for member in members if member in each} for each in (plan.old, plan.new))
        if why := why_not_groups(by, validation.groups_given(old, new)):
            yield name, why


def _is_set(plan: Plan, name: str) -> bool:
    """Return whether the plan changes an option; a new provider has an empty one before."""
    return (plan.old.get(name) or None) != (plan.new.get(name) or None)


def _written_into_users(plan: Plan) -> Iterator[str]:
    """Yield the names of what the plan writes into users, except a new provider's defaults."""
    usual = validation.default_mapping()
    for name, default in usual.items():
        if name in plan.rows and not (plan.is_new and plan.new[name] == default):
            yield name
    present, wanted = plan.old.get("access_rules", []), plan.new.get("access_rules", [])
    if validation.changes_group_grants(present, wanted):
        yield "access_rules"
    deciding = [
        each
        for name, names in validation.GROUPING.items()
        for each in names
        if validation.give_groups(plan.new.get(name, ())) and plan.old.get(each) != plan.new.get(each)
    ]
    yield from dict.fromkeys(deciding)
