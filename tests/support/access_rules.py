"""Access rules with conditions in a short form: ``"profession in 10 21"``, ``"department not_in 75"``."""

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
    return AccessRule(conditions=[condition(text) for text in conditions], outcome=outcome, **values)


def allow(*conditions: str) -> AccessRule:
    return make_rule("allow", *conditions)


def refuse(*conditions: str, message: str = "") -> AccessRule:
    return make_rule("refuse", *conditions, message=message)


def give_group(group: Any, *conditions: str) -> AccessRule:
    """Return a rule that gives a group. ``group`` may be an unknown primary key, or None for a deleted group."""
    pk = group if group is None or isinstance(group, int) else group.pk
    return make_rule("group", *conditions, group_id=pk)


def set_rules(provider: Provider, *rules: AccessRule, **provider_fields: Any) -> Provider:
    """Replace the rules of a provider, and update its fields for users no rule matches."""
    provider.access_rules.all().delete()
    for number, rule in enumerate(rules):
        rule.pk, rule.provider, rule.position = None, provider, number
        rule.save()
    Provider.objects.filter(pk=provider.pk).update(**provider_fields)
    provider.refresh_from_db()
    return provider


def professional_of(sample: str) -> Professional:
    return read_userinfo(load_sample(sample))


def situation_of(sample: str, number: int | None = None, acr: str = "eidas1") -> Situation:
    """Return the situation of a person of the samples, with one of their activity choices."""
    person = professional_of(sample)
    return Situation(person, None if number is None else person.activity_choices[number], acr)
