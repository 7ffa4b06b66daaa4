"""Evaluation of a provider's access rules: who may sign in, and in which groups. The first deciding rule wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final

from django.db import transaction

from psc_connect.access.activity_choice import Choice, choice_at_login
from psc_connect.access.groups import RULE, update_groups
from psc_connect.claims.budget import TooSlow, current_budget
from psc_connect.exceptions import LoginRefused
from psc_connect.models import AccessRule, AskActivity
from psc_connect.professional.conditions import ConditionError, Situation

if TYPE_CHECKING:
    from psc_connect.claims.budget import Budget
    from psc_connect.models import Account, Provider
    from psc_connect.professional.conditions import Condition
    from psc_connect.professional.professional import ActivityChoice, Professional

Outcome = AccessRule.Outcome
TOO_SLOW: Final = "access_rules_too_slow"
# A condition with one value, and how many more values count as one step.
_CONDITION_STEPS: Final = 2
_VALUES_PER_STEP: Final = 64


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of the rules for one activity, or for a login.

    ``rule``: the row that decided, or None if no row did. ``groups``: primary keys. ``message``: shown to a refused
    person. ``code``: ``access_refused``, ``access_rule_malformed``, ``access_rules_too_slow``, or "".
    """

    allowed: bool
    rule: AccessRule | None = None
    message: str = ""
    groups: frozenset[int] = frozenset()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """The activity of a login, and the decision of the rules."""

    choice: Choice
    decision: Decision
    # The activity whose values the mapping reads: the chosen one, the last chosen one, or the first allowed one.
    claims_activity: ActivityChoice | None = None


def rules_of(provider: Provider) -> list[AccessRule]:
    return list(provider.access_rules.all())


def decide(provider: Provider, rules: Iterable[AccessRule], situation: Situation) -> Decision:
    """Evaluate the rows in their order. A row applies if all its conditions hold. A refused person gets no groups.

    A malformed row, which no form can save, refuses: it may have been meant to keep this person out. So does a row
    that exceeds the budget.
    """
    groups: set[int] = set()
    budget = current_budget()
    for rule in rules:
        try:
            applies = all(_holds(condition, situation, budget) for condition in rule.parsed_conditions)
        except (ConditionError, TooSlow) as exc:
            code = TOO_SLOW if isinstance(exc, TooSlow) else "access_rule_malformed"
            return Decision(allowed=False, rule=rule, code=code)
        if not applies:
            continue
        if rule.outcome == Outcome.ALLOW:
            return Decision(allowed=True, rule=rule, groups=frozenset(groups))
        if rule.outcome == Outcome.REFUSE:
            return Decision(allowed=False, rule=rule, message=rule.message, code="access_refused")
        if rule.outcome != Outcome.GROUP:
            return Decision(allowed=False, rule=rule, code="access_rule_malformed")
        # None if the group has been deleted.
        if rule.group_id is not None:
            groups.add(rule.group_id)
    if provider.others_may_sign_in:
        return Decision(allowed=True, groups=frozenset(groups))
    return Decision(allowed=False, message=provider.refusal_message, code="access_refused")


def _holds(condition: Condition, situation: Situation, budget: Budget) -> bool:
    budget.spend(_CONDITION_STEPS + len(condition.values) // _VALUES_PER_STEP)
    return condition.holds(situation)


def decide_each(
    provider: Provider, rules: Iterable[AccessRule], professional: Professional, *, acr: str
) -> list[tuple[ActivityChoice, Decision]]:
    """Return each activity with the decision for it."""
    choices = professional.activity_choices
    return [(choice, decide(provider, rules, Situation(professional, choice, acr))) for choice in choices]


def decide_login(
    provider: Provider, rules: Sequence[AccessRule], professional: Professional, *, choice: Choice, acr: str
) -> Decision:
    """Decide for the chosen activity, or without one if there is nothing to choose.

    Before the choice, or if the provider never asks, one allowed activity is enough. The groups are then those that all
    allowed activities grant (before the choice), or that any of them grants (never asked).
    """
    if choice.activity_choice is not None or not professional.activity_choices:
        return decide(provider, rules, Situation(professional, choice.activity_choice, acr))
    decisions = [decision for _choice, decision in decide_each(provider, rules, professional, acr=acr)]
    if too_slow := [decision for decision in decisions if decision.code == TOO_SLOW]:
        return too_slow[0]
    allowed = [decision for decision in decisions if decision.allowed]
    if not allowed:
        return decisions[0]
    combine = frozenset.intersection if choice.must_ask else frozenset.union
    groups = reduce(combine, (decision.groups for decision in allowed))
    return Decision(allowed=True, rule=allowed[0].rule, groups=groups)


def admit(
    provider: Provider, rules: Sequence[AccessRule], professional: Professional, *, chosen_last: str, acr: str
) -> Admission:
    """Return the activity of a login, and whether the rules allow it.

    If the rules refuse the activity chosen last time but allow another one, the person is asked again.
    """
    choice = choice_at_login(provider, professional, chosen_last=chosen_last)
    decision = decide_login(provider, rules, professional, choice=choice, acr=acr)
    if not decision.allowed and choice.activity_choice is not None:
        ask_again = Choice(must_ask=True)
        other_decision = decide_login(provider, rules, professional, choice=ask_again, acr=acr)
        if other_decision.allowed:
            choice, decision = ask_again, other_decision
    if choice.activity_choice is not None or not decision.allowed:
        return Admission(choice, decision, choice.activity_choice)
    allowed = [each for each, decided in decide_each(provider, rules, professional, acr=acr) if decided.allowed]
    # Where the provider never asks, a choice of earlier must not decide either.
    is_asked = provider.ask_activity != AskActivity.NEVER
    last = professional.activity_choice_of(chosen_last) if is_asked else None
    return Admission(choice, decision, last if last in allowed else next(iter(allowed), None))


def refusal(provider: Provider, decision: Decision) -> LoginRefused:
    return LoginRefused(decision.code, message=decision.message, contact=provider.contact)


def apply_activity_rules(
    account: Account,
    provider: Provider,
    *,
    professional: Professional,
    activity_choice: ActivityChoice | None,
    acr: str,
) -> Decision:
    """Evaluate the rules for an activity, and update the groups they grant, unless they refuse.

    The groups that the mapping grants are unchanged.
    """
    decision = decide(provider, rules_of(provider), Situation(professional, activity_choice, acr))
    if decision.allowed:
        with transaction.atomic():
            update_groups(account, {RULE: decision.groups})
    return decision


def denies_everyone(provider: Provider, rules: Iterable[AccessRule]) -> bool:
    """Return whether the rules refuse every person."""
    for rule in rules:
        try:
            applies_to_everyone = not rule.parsed_conditions
        except ConditionError:
            return True
        if rule.outcome == Outcome.ALLOW:
            return False
        if applies_to_everyone and rule.outcome != Outcome.GROUP:
            return True
    return not provider.others_may_sign_in
