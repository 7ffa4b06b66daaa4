"""May they sign in, and in which groups are they? The access rules of a provider; the first that decides wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from django.db import transaction

from psc_connect.access.activity_choice import Choice, at_login
from psc_connect.access.groups import RULE, bring_groups_up_to_date
from psc_connect.exceptions import LoginRefused
from psc_connect.models import AccessRule
from psc_connect.professional.conditions import ConditionError, Situation

if TYPE_CHECKING:
    from psc_connect.models import Account, Provider
    from psc_connect.professional.professional import ActivityChoice, Professional

Outcome = AccessRule.Outcome


@dataclass(frozen=True, slots=True)
class Decision:
    """``rule`` is the row that decided, None where it was the line for everybody else; ``groups`` are primary keys.

    ``message``: what the refused person reads. ``code``: ``access_refused``, ``access_rule_malformed``, or "".
    """

    allowed: bool
    rule: AccessRule | None = None
    message: str = ""
    groups: frozenset[int] = frozenset()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a login makes of the rules: in what capacity, and what was decided of it."""

    choice: Choice
    decision: Decision
    # In what capacity the mapping reads the person: the one chosen, or chosen last, or the first that may sign in.
    acting: ActivityChoice | None = None


def rules_of(provider: Provider) -> list[AccessRule]:
    return list(provider.access_rules.all())


def decide(provider: Provider, rules: Iterable[AccessRule], situation: Situation) -> Decision:
    """Read the rows in their order; a row holds if all its conditions hold. Nobody refused is in a group by them.

    A row that cannot be read, which no form has made, refuses: nobody knows whom it was to keep out.
    """
    groups: set[int] = set()
    for rule in rules:
        try:
            holds = all(condition.holds(situation) for condition in rule.parsed_conditions)
        except ConditionError:
            return Decision(allowed=False, rule=rule, code="access_rule_malformed")
        if not holds:
            continue
        if rule.outcome == Outcome.ALLOW:
            return Decision(allowed=True, rule=rule, groups=frozenset(groups))
        if rule.outcome == Outcome.REFUSE:
            return Decision(allowed=False, rule=rule, message=rule.message, code="access_refused")
        if rule.outcome != Outcome.GROUP:
            return Decision(allowed=False, rule=rule, code="access_rule_malformed")
        # The group may have been deleted since.
        if rule.group_id is not None:
            groups.add(rule.group_id)
    if provider.others_may_sign_in:
        return Decision(allowed=True, groups=frozenset(groups))
    return Decision(allowed=False, message=provider.refusal_message, code="access_refused")


def decide_login(
    provider: Provider, rules: Sequence[AccessRule], professional: Professional, *, choice: Choice, acr: str
) -> Decision:
    """Decide in the capacity that is chosen, or in none where there is nothing to choose.

    While the choice is still to be made, and where it is never asked for, one capacity that may sign in suffices. The
    groups are then those that every such capacity gives, or, where none is asked for, all that any of them gives.
    """
    if choice.activity_choice is not None or not professional.activity_choices:
        return decide(provider, rules, Situation(professional, choice.activity_choice, acr))
    decisions = [decide(provider, rules, Situation(professional, each, acr)) for each in professional.activity_choices]
    allowed = [each for each in decisions if each.allowed]
    if not allowed:
        return decisions[0]
    join = frozenset.intersection if choice.must_ask else frozenset.union
    return Decision(allowed=True, rule=allowed[0].rule, groups=reduce(join, (each.groups for each in allowed)))


def admit(
    provider: Provider, rules: Sequence[AccessRule], professional: Professional, *, chosen_last: str, acr: str
) -> Admission:
    """Say what a login does: in what capacity, and whether it may.

    Nobody is refused for the capacity of last time while another of theirs may sign in: they are asked again.
    """
    choice = at_login(provider, professional, chosen_last=chosen_last)
    decision = decide_login(provider, rules, professional, choice=choice, acr=acr)
    if not decision.allowed and choice.activity_choice is not None:
        asked_again = Choice(must_ask=True)
        other = decide_login(provider, rules, professional, choice=asked_again, acr=acr)
        choice, decision = (asked_again, other) if other.allowed else (choice, decision)
    if choice.activity_choice is not None or not decision.allowed:
        return Admission(choice, decision, choice.activity_choice)
    last = professional.activity_choice_of(chosen_last)
    possible = (last, *professional.activity_choices) if last else professional.activity_choices
    allowed = (each for each in possible if decide(provider, rules, Situation(professional, each, acr)).allowed)
    return Admission(choice, decision, next(allowed, None))


def refusal(provider: Provider, decision: Decision) -> LoginRefused:
    return LoginRefused(decision.code, message=decision.message, contact=provider.contact)


def apply_groups(
    account: Account,
    provider: Provider,
    *,
    professional: Professional,
    activity_choice: ActivityChoice | None,
    acr: str,
) -> Decision:
    """Decide anew in a capacity, and bring what rules gave up to date; where it is refused, nothing changes.

    What the mapping gave stays as the login left it.
    """
    decision = decide(provider, rules_of(provider), Situation(professional, activity_choice, acr))
    if decision.allowed:
        with transaction.atomic():
            bring_groups_up_to_date(account, {RULE: decision.groups})
    return decision


def denies_everyone(provider: Provider, rules: Iterable[AccessRule]) -> bool:
    """Whether the rows refuse everybody, whoever it may be."""
    for rule in rules:
        try:
            is_for_everybody = not rule.parsed_conditions
        except ConditionError:
            return True
        if rule.outcome == Outcome.ALLOW:
            return False
        if is_for_everybody and rule.outcome != Outcome.GROUP:
            return True
    return not provider.others_may_sign_in
