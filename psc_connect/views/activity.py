"""In what capacity do you sign in? One card for each practice and activity; changed later without signing in again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from psc_connect.access.groups import AccountMoved
from psc_connect.access.rules import apply_groups, decide, rules_of
from psc_connect.current_professional import current, reset_current_professional
from psc_connect.login.failures import with_addresses
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.session import keep_activity_choice
from psc_connect.login.site_urls import home_url, login_url
from psc_connect.professional.conditions import Situation
from psc_connect.views.base import ProviderView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.current_professional import Current
    from psc_connect.models import Account

logger = logging.getLogger("psc_connect")


@method_decorator(csrf_protect, name="dispatch")
class ActivityView(ProviderView):
    """Asks, and keeps the answer in the session and as the proposal of the next login."""

    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        self.next_page = safe_next(request.GET.get("next"))
        who = current(request)
        if who.account is None or who.account.provider.slug != provider:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not who.professional.activity_choices:
            return HttpResponseRedirect(landing_page(self.next_page))
        return self._ask(request, who)

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        self.next_page = safe_next(request.POST.get("next"))
        who = current(request)
        if who.account is None or who.account.provider.slug != provider:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        chosen = who.professional.activity_choice_of(request.POST.get("activity_choice", ""))
        if chosen is None:
            # The page is older than the data: what is there now is shown.
            return self._ask(request, who, status=409)
        account = who.account
        try:
            decision = apply_groups(
                account, account.provider, professional=who.professional, activity_choice=chosen, acr=who.acr
            )
        except AccountMoved:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not decision.allowed:
            logger.warning("activity.refused code=%s provider=%s account=%s", decision.code, provider, account.pk)
            return self._ask(request, who, status=403)
        if account.activity_choice != chosen.key:
            account.activity_choice = chosen.key
            account.save(update_fields=["activity_choice"])
        keep_activity_choice(request, chosen.key)
        reset_current_professional(request)
        logger.info("activity.chosen provider=%s account=%s", provider, account.pk)
        return HttpResponseRedirect(landing_page(self.next_page))

    def _ask(self, request: HttpRequest, who: Current, *, status: int = 200) -> HttpResponse:
        account = cast("Account", who.account)
        chosen_last = who.professional.activity_choice_of(account.activity_choice)
        proposed = who.activity_choice or chosen_last
        rules = rules_of(account.provider)
        decisions = {
            activity_choice: decide(account.provider, rules, Situation(who.professional, activity_choice, who.acr))
            for activity_choice in who.professional.activity_choices
        }
        context = {
            "cards": decisions.items(),
            "proposed": proposed.key if proposed else "",
            "is_gone": status == 409 or bool(account.activity_choice and chosen_last is None),
            "some_are_open": any(decision.allowed for decision in decisions.values()),
            "some_are_closed": not all(decision.allowed for decision in decisions.values()),
            "back_url": "" if who.must_choose else self.next_page or home_url(),
            "contact": with_addresses(account.provider.contact),
            "next": self.next_page,
        }
        return render(request, "psc_connect/activity.html", context, status=status)
