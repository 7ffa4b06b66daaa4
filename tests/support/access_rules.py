"""Access rules in a short form: conditions are written ``"profession in 10 21"``, ``"department not_in 75"``."""

from __future__ import annotations

from typing import Any

from psc_connect.claims.samples import load_sample
from psc_connect.models import AccessRule, Provider
from psc_connect.professional.conditions import Situation
from psc_connect.professional.professional import Professional
from psc_connect.professional.userinfo import read_userinfo

PODIATRISTS = "profession in 80"
DOCTORS = "profession in 10"
HOSPITAL = "mode in S"


def condition(text: str) -> dict[str, Any]:
    subject, operator, *values = text.split()
    return {"subject": subject, "operator": operator, "values": values}


def make_rule(outcome: str, *conditions: str, **values: Any) -> AccessRule:
    return AccessRule(conditions=[condition(each) for each in conditions], outcome=outcome, **values)


def allow(*conditions: str) -> AccessRule:
    return make_rule("allow", *conditions)


def refuse(*conditions: str, message: str = "") -> AccessRule:
    return make_rule("refuse", *conditions, message=message)


def give_group(group: Any, *conditions: str) -> AccessRule:
    """A row that gives a group, or a primary key of one that need not be there; None: it has been deleted since."""
    pk = group if group is None or isinstance(group, int) else group.pk
    return make_rule("group", *conditions, group_id=pk)


def set_rules(provider: Provider, *rules: AccessRule, **last_line: Any) -> Provider:
    """Save the rules, in the place of those before, and the last line."""
    provider.access_rules.all().delete()
    for number, rule in enumerate(rules):
        rule.pk, rule.provider, rule.position = None, provider, number
        rule.save()
    Provider.objects.filter(pk=provider.pk).update(**last_line)
    provider.refresh_from_db()
    return provider


def professional_of(sample: str) -> Professional:
    return read_userinfo(load_sample(sample))


def situation_of(sample: str, number: int | None = None, acr: str = "eidas1") -> Situation:
    """Somebody of the samples, in one of their capacities."""
    person = professional_of(sample)
    return Situation(person, None if number is None else person.activity_choices[number], acr)
