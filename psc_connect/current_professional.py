"""Who is signed in with Pro Santé Connect, for the code and the templates of the site: ``request.psc``."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from psc_connect.access.rules import decide, rules_of
from psc_connect.login.session import KeptLogin, kept_login
from psc_connect.models import Account, AskActivity, Provider
from psc_connect.professional.conditions import Situation
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psc_connect.professional.conditions import Condition
    from psc_connect.professional.identifiers import NationalIdentifier
    from psc_connect.professional.professional import Activity, ActivityChoice, Practice


class Current:
    """The professional of one request; false where nobody is signed in with Pro Santé Connect.

    Costs nothing until something of it is read: then the session, and one SQL statement for the account.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __bool__(self) -> bool:
        return self.account is not None

    async def aload(self) -> None:
        """Read what there is to read; an asynchronous view awaits this before it looks at anything else."""
        await sync_to_async(bool)(self)

    @cached_property
    def account(self) -> Account | None:
        try:
            return self._read_account()
        except SynchronousOnlyOperation:
            raise SynchronousOnlyOperation("In an asynchronous view, await request.psc.aload() first.") from None

    def _read_account(self) -> Account | None:
        user, number = self._request.user, self._kept.account
        if number is None or not user.is_authenticated:
            return None
        # Of this user still: an administrator may have linked the account to another one since.
        account = Account.objects.filter(pk=number, user=user.pk).select_related("provider").first()
        if account is not None:
            account.user = user
            if account.provider.slug != self._kept.provider:
                # The declaration that signed this session in decides, whichever of the issuer's was used since.
                of_session = Provider.objects.filter(slug=self._kept.provider).first()
                if of_session is not None and of_session.issuer == account.issuer:
                    account.provider = of_session
        return account

    @cached_property
    def professional(self) -> Professional:
        """What Pro Santé Connect said at the last login of this person; empty where it said nothing.

        The means are those of this session: the last login may have been elsewhere.
        """
        known = from_snapshot(self.account.professional) if self.account else None
        return replace(known or Professional(), means=self._kept.means)

    @cached_property
    def activity_choice(self) -> ActivityChoice | None:
        """The practice and the activity chosen, or the only ones there are."""
        return self.professional.activity_choice_of(self._kept.activity_choice)

    @property
    def practice(self) -> Practice | None:
        """The *exercice* of the capacity."""
        return self.activity_choice.practice if self.activity_choice else None

    @property
    def activity(self) -> Activity | None:
        """The activity of the capacity; None too for a practice without any."""
        return self.activity_choice.activity if self.activity_choice else None

    @property
    def must_choose(self) -> bool:
        """Whether the person has yet to say in what capacity they act: at this login, or since theirs is gone."""
        if self.account is None or self.activity_choice is not None or not self.professional.activity_choices:
            return False
        # Also in a session that was opened before there was anything to choose.
        is_asked = self.account.provider.ask_activity != AskActivity.NEVER
        return is_asked or self._kept.must_choose or bool(self._kept.activity_choice)

    @property
    def rpps(self) -> str:
        """The RPPS number, 11 digits, or ""."""
        return self.professional.rpps

    @property
    def identifiers(self) -> tuple[NationalIdentifier, ...]:
        return self.professional.national_identifiers

    @property
    def means(self) -> str:
        """How they proved who they are: ``CARD``, ``MOBILE``, or ""."""
        return self.professional.means

    @property
    def acr(self) -> str:
        """The level of this login, as the ID token gave it, or ""."""
        return self._kept.acr if self else ""

    def meets(self, conditions: Iterable[Condition]) -> bool:
        """Whether all conditions hold: in the capacity chosen; where it is never asked, in one that may sign in.

        None holds while the person has yet to choose.
        """
        return _one_meets(self._situations(), conditions)

    def could_meet(self, conditions: Iterable[Condition]) -> bool:
        """Whether all conditions hold in one of the capacities that may sign in, whichever is chosen."""
        return _one_meets(self._in_each_that_may_sign_in(), conditions)

    def _situations(self) -> Iterable[Situation]:
        if self.account is None or self.must_choose:
            return []
        if self.activity_choice is not None or not self.professional.activity_choices:
            return [self._acting_in(self.activity_choice)]
        return self._in_each_that_may_sign_in()

    def _in_each_that_may_sign_in(self) -> list[Situation]:
        if self.account is None:
            return []
        provider, situations = self.account.provider, map(self._acting_in, self.professional.activity_choices)
        rules = rules_of(provider)
        return [each for each in situations if decide(provider, rules, each).allowed]

    def _acting_in(self, activity_choice: ActivityChoice | None) -> Situation:
        return Situation(self.professional, activity_choice, self.acr)

    @cached_property
    def _kept(self) -> KeptLogin:
        return kept_login(self._request)


def _one_meets(situations: Iterable[Situation], conditions: Iterable[Condition]) -> bool:
    wanted = tuple(conditions)
    return any(all(each.holds(situation) for each in wanted) for situation in situations)


class PSCRequest(HttpRequest):
    """A request as the middleware leaves it, for the annotations of a site's views."""

    psc: Current


def current(request: HttpRequest) -> Current:
    """Return ``request.psc``, without the middleware too."""
    known = getattr(request, "psc", None)
    return known if isinstance(known, Current) else Current(request)


def reset_current_professional(request: HttpRequest | None, **_said: Any) -> None:
    """Let ``request.psc`` tell of whoever is signed in now, in a request that looked at it before (a receiver, too)."""
    if isinstance(getattr(request, "psc", None), Current):
        request.psc = Current(request)  # type: ignore[union-attr,arg-type]
