"""Preview of access rules before they are saved: for the samples, for one person, for the known accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from psc_connect.access.rules import TOO_SLOW, admit, decide, denies_everyone
from psc_connect.admin.people import identifiers_of, name_of_person, shown_person
from psc_connect.admin.sentences import SUBJECT_LABELS, activity_choice_in_words, refused_in_words
from psc_connect.claims.budget import LOGIN_STEPS, TooSlow, current_budget, shared_budget
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.models import Account
from psc_connect.professional.conditions import Situation
from psc_connect.professional.snapshot import from_snapshot
from psc_connect.professional.userinfo import read_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psc_connect.access.rules import Decision
    from psc_connect.admin.outcomes import Shown
    from psc_connect.models import AccessRule, Provider
    from psc_connect.professional.professional import Professional

# The newest accounts.
MAX_ACCOUNTS: Final = 1000
# The first activities of one person.
MAX_ACTIVITY_CHOICES: Final = 30
MAX_REFUSED_SHOWN: Final = 20
# Reading an account, and each of its activities, besides comparing them with the rows.
_ACCOUNT_STEPS: Final = 200
_ACTIVITY_STEPS: Final = 30
_CHUNK_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class ActivityPreview:
    """The decision on one activity of a person. ``row``: the number of the deciding row, "" for the last line."""

    activity_choice: str
    row: str
    allowed: bool
    result: str


@dataclass(frozen=True, slots=True)
class PersonPreview:
    """The decisions on the activities of a person. ``left_out``: how many activities are not shown."""

    name: str
    activity_choices: tuple[ActivityPreview, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """How many accounts with known professional data there are, and how many of them the rules would refuse.

    ``shown``: of the first refused ones, the name of the person, else the username, and the deciding row.
    ``is_partial``: the budget of the page was used up before all accounts had been checked.
    """

    known: int
    refused: int
    denies_everyone: bool
    shown: tuple[tuple[str, str], ...] = ()
    is_partial: bool = False

    @property
    def refuses_all(self) -> bool:
        return self.denies_everyone or 0 < self.known == self.refused


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules, stored or typed; ``provider`` has the last line."""

    provider: Provider
    rules: Sequence[AccessRule]

    def samples(self, acr: str) -> Iterator[PersonPreview]:
        for name, label in SAMPLES.items():
            yield self.person(str(label), read_userinfo(load_sample(name)), acr=acr)

    @sensitive_variables()
    def person(
        self, name: str, professional: Professional, *, acr: str, shown: Shown = lambda value: value
    ) -> PersonPreview:
        """Preview a sign-in with each activity of a person; ``shown`` may mask identifiers in the activities."""
        choices = professional.activity_choices or (None,)
        previews = []
        for choice in choices[:MAX_ACTIVITY_CHOICES]:
            decision = decide(self.provider, self.rules, Situation(professional, choice, acr))
            words = shown(activity_choice_in_words(choice))
            previews.append(ActivityPreview(words, self.row_of(decision), decision.allowed, self.in_words(decision)))
        return PersonPreview(name, tuple(previews), left_out=max(len(choices) - MAX_ACTIVITY_CHOICES, 0))

    def row_of(self, decision: Decision) -> str:
        """Return the number of the deciding row, as the page counts rows, or "" for the last line."""
        return next((str(number) for number, rule in enumerate(self.rules, start=1) if rule is decision.rule), "")

    def in_words(self, decision: Decision) -> str:
        if decision.code == TOO_SLOW:
            return gettext("not evaluated: the rules take too long")
        if decision.code == "access_rule_malformed":
            return gettext("is refused: the row cannot be read")
        if not decision.allowed:
            return refused_in_words(decision.message)
        rules = [rule for rule in self.rules if rule.group_id in decision.groups]
        names = ", ".join(sorted({rule.group.name for rule in rules if rule.group is not None}))
        text = gettext("may sign in, in the groups: %(groups)s") if names else gettext("may sign in")
        return text % {"groups": names}

    def count_accounts(self, acr: str) -> AccountCounts:
        """Check the newest accounts, each with the activity of its next sign-in, until the budget is used up."""
        known = refused = 0
        refused_ones: list[tuple[Account, str]] = []
        is_partial = False
        # By issuer, since a person with an account at another provider of the issuer may sign in at this one next.
        newest = Account.objects.filter(issuer=self.provider.issuer).order_by("-pk").select_related("user")
        for account in newest[:MAX_ACCOUNTS].iterator(chunk_size=_CHUNK_SIZE):
            professional = from_snapshot(account.professional)
            if professional is None:
                continue
            try:
                decision = self._decision_at_login(account, professional, acr)
            except TooSlow:
                is_partial = True
                break
            known += 1
            refused += not decision.allowed
            if not decision.allowed and len(refused_ones) < MAX_REFUSED_SHOWN:
                refused_ones.append((account, self.row_of(decision)))
        shown = tuple(_shown_names(refused_ones))
        return AccountCounts(known, refused, denies_everyone(self.provider, self.rules), shown, is_partial)

    def _decision_at_login(self, account: Account, professional: Professional, acr: str) -> Decision:
        """Return the decision at the next sign-in of an account. Raises TooSlow if the page has no steps left."""
        budget = current_budget()
        budget.spend(_ACCOUNT_STEPS + _ACTIVITY_STEPS * len(professional.activity_choices))
        with shared_budget(LOGIN_STEPS):
            chosen_last = account.activity_choice
            admission = admit(self.provider, self.rules, professional, chosen_last=chosen_last, acr=acr)
        if budget.is_used_up:
            raise TooSlow
        return admission.decision

    def remarks(self) -> Iterator[str]:
        """Yield possible mistakes that can be saved: codes of no table, deleted groups."""
        for number, rule in enumerate(self.rules, start=1):
            if not rule.is_well_formed:
                yield gettext("Row %(row)s cannot be read: it refuses everyone who reaches it.") % {"row": number}
                continue
            for condition in rule.parsed_conditions:
                for code in condition.unknown_codes:
                    text = gettext("Row %(row)s: no table here has the code %(code)s. It may be newer than the tables.")
                    yield text % {"row": number, "code": code}
                for value in condition.odd_values:
                    subject = SUBJECT_LABELS[condition.subject]
                    text = gettext(
                        "Row %(row)s: “%(value)s” does not have the form of “%(subject)s”. Is a comma missing?"
                    )
                    yield text % {"row": number, "value": value, "subject": subject}
            if rule.has_lost_its_group:
                text = gettext(
                    "Row %(row)s: its group has been deleted, so that it has no effect. Choose another group."
                )
                yield text % {"row": number}


def _shown_names(refused: Sequence[tuple[Account, str]]) -> Iterator[tuple[str, str]]:
    prefetch_related_objects([account for account, _row in refused], *identifiers_of("user"))
    for account, row in refused:
        yield shown_person(account.user, name_of_person(account) or account.user.get_username()), row
