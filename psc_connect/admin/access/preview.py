"""The rules tried before they are saved: on the samples, on a person, on everybody whom the site knows."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from psc_connect.access.rules import admit, decide, denies_everyone
from psc_connect.admin.accounts.details import name_of_person
from psc_connect.admin.sentences import SUBJECT_LABELS, activity_choice_in_words, refused_in_words
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.models import Account
from psc_connect.professional.conditions import Situation
from psc_connect.professional.snapshot import from_snapshot
from psc_connect.professional.userinfo import read_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psc_connect.access.rules import Decision
    from psc_connect.admin.outcomes import Shown
    from psc_connect.models import AccessRule, Provider
    from psc_connect.professional.professional import Professional

# The newest accounts, and of one person the first capacities.
MAX_ACCOUNTS: Final = 1000
MAX_ACTIVITY_CHOICES: Final = 30
MAX_REFUSED_SHOWN: Final = 20
# A known person may have hundreds of capacities, and each is tried by every row.
MAX_SECONDS: Final = 2.0
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class ActivityPreview:
    """What becomes of a person in one capacity. ``row``: the number of the row that decides, "" for the last line."""

    activity_choice: str
    row: str
    allowed: bool
    result: str


@dataclass(frozen=True, slots=True)
class PersonPreview:
    name: str
    activity_choices: tuple[ActivityPreview, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class RefusedAccount:
    """``name``: of the person, else the username. ``row``: the number of the row that decides, "" for the last line."""

    name: str
    row: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Of the accounts whose professional data are known: how many there are, and how many would be refused.

    ``shown``: the first of the refused. ``is_partial``: time was over before all had been tried.
    """

    known: int
    refused: int
    denies_everyone: bool
    shown: tuple[RefusedAccount, ...] = ()
    is_partial: bool = False

    @property
    def shuts_everybody_out(self) -> bool:
        return self.denies_everyone or 0 < self.known == self.refused


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules as they are, or as they are typed; ``provider`` has the last line of them."""

    provider: Provider
    rules: Sequence[AccessRule]

    @classmethod
    def typed(cls, provider: Provider, rules: Sequence[AccessRule], values: Mapping[str, Any]) -> RuleSet:
        changed = copy.copy(provider)
        for name, value in values.items():
            setattr(changed, name, value)
        return cls(changed, rules)

    def samples(self, acr: str) -> Iterator[PersonPreview]:
        for name, label in SAMPLES.items():
            yield self.person(str(label), read_userinfo(load_sample(name)), acr=acr)

    @sensitive_variables()
    def person(
        self, name: str, professional: Professional, *, acr: str, shown: Shown = lambda value: value
    ) -> PersonPreview:
        activity_choices = professional.activity_choices or (None,)
        tried = [
            (activity_choice_in_words(each), decide(self.provider, self.rules, Situation(professional, each, acr)))
            for each in activity_choices[:MAX_ACTIVITY_CHOICES]
        ]
        return PersonPreview(
            name,
            tuple(
                ActivityPreview(shown(words), self.row_of(decision), decision.allowed, self.in_words(decision))
                for words, decision in tried
            ),
            left_out=max(len(activity_choices) - MAX_ACTIVITY_CHOICES, 0),
        )

    def row_of(self, decision: Decision) -> str:
        """Return the number of the row that decided, as the page counts them, or "" for the last line."""
        return next((str(number) for number, each in enumerate(self.rules, start=1) if each is decision.rule), "")

    def in_words(self, decision: Decision) -> str:
        if decision.code == "access_rule_malformed":
            return gettext("is refused: the row cannot be read")
        if not decision.allowed:
            return refused_in_words(decision.message)
        rows = [each for each in self.rules if each.group_id in decision.groups]
        names = ", ".join(sorted({each.group.name for each in rows if each.group is not None}))
        text = gettext("may sign in, in the groups: %(groups)s") if names else gettext("may sign in")
        return text % {"groups": names}

    def tally(self, acr: str, *, seconds: float = MAX_SECONDS) -> Tally:
        """Try the newest accounts, each in the capacity that its next sign-in would have, as long as there is time."""
        known = refused = 0
        shown: list[RefusedAccount] = []
        is_partial, until = False, time.monotonic() + seconds
        # Of the issuer: whoever signed in by another declaration of it may sign in by this one next.
        newest = Account.objects.filter(issuer=self.provider.issuer).order_by("-pk").select_related("user")
        for account in newest[:MAX_ACCOUNTS].iterator(chunk_size=_AT_ONCE):
            professional = from_snapshot(account.professional)
            if professional is None:
                continue
            if is_partial := known > 0 and time.monotonic() > until:
                break
            known += 1
            decision = admit(
                self.provider, self.rules, professional, chosen_last=account.activity_choice, acr=acr
            ).decision
            refused += not decision.allowed
            if not decision.allowed and len(shown) < MAX_REFUSED_SHOWN:
                name = name_of_person(account) or account.user.get_username()
                shown.append(RefusedAccount(name, self.row_of(decision)))
        return Tally(known, refused, denies_everyone(self.provider, self.rules), tuple(shown), is_partial)

    def remarks(self) -> Iterator[str]:
        """Yield what may be a mistake, though it can be saved: codes of no table, groups that are gone."""
        for number, rule in enumerate(self.rules, start=1):
            if not rule.is_well_formed:
                yield gettext("Row %(row)s cannot be read: whoever comes to it is refused.") % {"row": number}
                continue
            for condition in rule.parsed_conditions:
                for code in condition.unknown_codes:
                    text = gettext("Row %(row)s: no table here has the code %(code)s. It may be newer than the tables.")
                    yield text % {"row": number, "code": code}
                for value in condition.odd_values:
                    subject = SUBJECT_LABELS[condition.subject]
                    text = gettext("Row %(row)s: “%(value)s” has not the form of “%(subject)s”. Is a comma missing?")
                    yield text % {"row": number, "value": value, "subject": subject}
            if rule.has_lost_its_group:
                text = gettext("Row %(row)s: its group has been deleted, and it gives nothing. Choose another one.")
                yield text % {"row": number}
