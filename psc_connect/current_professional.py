"""``request.psc``: the professional signed in with Pro Santé Connect, for a site's views and templates."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from psc_connect.access.rules import decide, rules_of
from psc_connect.login.session import SessionLogin, current_session_login
from psc_connect.models import Account, AskActivity, Provider
from psc_connect.professional.conditions import Situation
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psc_connect.professional.conditions import Condition
    from psc_connect.professional.identifiers import NationalIdentifier
    from psc_connect.professional.professional import Activity, ActivityChoice, Practice

__all__ = ["CurrentProfessional", "PSCRequest", "current_professional"]


class CurrentProfessional:
    """The professional of one request. False unless the user is signed in with Pro Santé Connect.

    Nothing is loaded until an attribute is read; then the session, and the account with one SQL query.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __bool__(self) -> bool:
        return self.account is not None

    async def aload(self) -> None:
        """Load everything. An asynchronous view must await this before it reads an attribute."""
        await sync_to_async(bool)(self)

    @cached_property
    def account(self) -> Account | None:
        try:
            return self._load_account()
        except SynchronousOnlyOperation:
            raise SynchronousOnlyOperation("In an asynchronous view, await request.psc.aload() first.") from None

    def _load_account(self) -> Account | None:
        user, pk = self._request.user, self._session_login.account
        if pk is None or not user.is_authenticated:
            return None
        # Filtered by user: an administrator may have linked the account to another one.
        account = Account.objects.filter(pk=pk, user=user.pk).select_related("provider").first()
        if account is not None:
            account.user = user
            if account.provider.slug != self._session_login.provider:
                # Another provider of the same issuer was used since: the one that opened this session decides.
                session_provider = Provider.objects.filter(slug=self._session_login.provider).first()
                if session_provider is not None and session_provider.issuer == account.issuer:
                    account.provider = session_provider
        return account

    @cached_property
    def professional(self) -> Professional:
        """What Pro Santé Connect sent at this person's last login; empty if it sent nothing.

        ``means`` is that of this session, since the last login may be that of another session.
        """
        stored = from_snapshot(self.account.professional) if self.account else None
        return replace(stored or Professional(), means=self._session_login.means)

    @cached_property
    def activity_choice(self) -> ActivityChoice | None:
        """The chosen activity and its practice, or the only ones."""
        return self.professional.activity_choice_of(self._session_login.activity_choice)

    @property
    def practice(self) -> Practice | None:
        """The practice (*exercice*) of the chosen activity."""
        return self.activity_choice.practice if self.activity_choice else None

    @property
    def activity(self) -> Activity | None:
        """The chosen activity; None also for a practice without activities."""
        return self.activity_choice.activity if self.activity_choice else None

    @property
    def must_choose(self) -> bool:
        """Whether the person must choose an activity: none is chosen yet, or the chosen one no longer exists."""
        return self.may_choose and self.activity_choice is None

    @property
    def may_choose(self) -> bool:
        """Whether the person may choose an activity. If the provider never asks, only in a session that has asked."""
        if self.account is None or not self.professional.activity_choices:
            return False
        # Also in a session that was opened when the person had one activity.
        is_asked = self.account.provider.ask_activity != AskActivity.NEVER
        return is_asked or self._session_login.must_choose or bool(self._session_login.activity_choice)

    @property
    def rpps(self) -> str:
        """The RPPS number, 11 digits, or ""."""
        return self.professional.rpps

    @property
    def identifiers(self) -> tuple[NationalIdentifier, ...]:
        return self.professional.national_identifiers

    @property
    def means(self) -> str:
        """How the person identified: ``CARD``, ``MOBILE``, or ""."""
        return self.professional.means

    @property
    def acr(self) -> str:
        """The level of this login, as in the ID token, or ""."""
        return self._session_login.acr if self else ""

    def meets(self, conditions: Iterable[Condition]) -> bool:
        """Return whether all conditions hold for the chosen activity.

        If the provider never asks, for one of the allowed activities. False while the person must choose.
        """
        return _one_meets(self._situations(), conditions)

    def could_meet(self, conditions: Iterable[Condition]) -> bool:
        """Return whether all conditions hold for one of the allowed activities, chosen or not."""
        return _one_meets(self._allowed_situations(), conditions)

    def _situations(self) -> Iterable[Situation]:
        if self.account is None or self.must_choose:
            return []
        if self.activity_choice is not None or not self.professional.activity_choices:
            return [self._situation(self.activity_choice)]
        return self._allowed_situations()

    def _allowed_situations(self) -> list[Situation]:
        if self.account is None:
            return []
        provider, situations = self.account.provider, map(self._situation, self.professional.activity_choices)
        rules = rules_of(provider)
        return [situation for situation in situations if decide(provider, rules, situation).allowed]

    def _situation(self, activity_choice: ActivityChoice | None) -> Situation:
        return Situation(self.professional, activity_choice, self.acr)

    @cached_property
    def _session_login(self) -> SessionLogin:
        return current_session_login(self._request)


def _one_meets(situations: Iterable[Situation], conditions: Iterable[Condition]) -> bool:
    required = tuple(conditions)
    return any(all(condition.holds(situation) for condition in required) for situation in situations)


class PSCRequest(HttpRequest):
    """A request with ``psc``, for the type annotations of a site's views."""

    psc: CurrentProfessional


def current_professional(request: HttpRequest) -> CurrentProfessional:
    """Return ``request.psc``. Works without the middleware too."""
    current = getattr(request, "psc", None)
    return current if isinstance(current, CurrentProfessional) else CurrentProfessional(request)


def reset_current_professional(request: HttpRequest | None, **_kwargs: Any) -> None:
    """Replace ``request.psc`` after a login or logout in the same request (also a receiver of Django's signals)."""
    if isinstance(getattr(request, "psc", None), CurrentProfessional):
        request.psc = CurrentProfessional(request)  # type: ignore[union-attr,arg-type]
