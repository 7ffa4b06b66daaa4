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
from psc_connect.current_professional import current, renew
from psc_connect.login.failures import with_addresses
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.session import keep_capacity
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
        if not who.professional.capacities:
            return HttpResponseRedirect(landing_page(self.next_page))
        return self._ask(request, who)

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        self.next_page = safe_next(request.POST.get("next"))
        who = current(request)
        if who.account is None or who.account.provider.slug != provider:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        chosen = who.professional.capacity_of(request.POST.get("capacity", ""))
        if chosen is None:
            # The page is older than the data: what is there now is shown.
            return self._ask(request, who, status=409)
        account = who.account
        try:
            decision = apply_groups(
                account, account.provider, professional=who.professional, capacity=chosen, acr=who.acr
            )
        except AccountMoved:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not decision.allowed:
            logger.warning("capacity.refused code=%s provider=%s account=%s", decision.code, provider, account.pk)
            return self._ask(request, who, status=403)
        if account.capacity != chosen.key:
            account.capacity = chosen.key
            account.save(update_fields=["capacity"])
        keep_capacity(request, chosen.key)
        renew(request)
        logger.info("capacity.chosen provider=%s account=%s", provider, account.pk)
        return HttpResponseRedirect(landing_page(self.next_page))

    def _ask(self, request: HttpRequest, who: Current, *, status: int = 200) -> HttpResponse:
        account = cast("Account", who.account)
        chosen_last = who.professional.capacity_of(account.capacity)
        proposed = who.capacity or chosen_last
        rules = rules_of(account.provider)
        decisions = {
            capacity: decide(account.provider, rules, Situation(who.professional, capacity, who.acr))
            for capacity in who.professional.capacities
        }
        context = {
            "cards": decisions.items(),
            "proposed": proposed.key if proposed else "",
            "is_gone": status == 409 or bool(account.capacity and chosen_last is None),
            "some_are_open": any(decision.allowed for decision in decisions.values()),
            "some_are_closed": not all(decision.allowed for decision in decisions.values()),
            "back_url": "" if who.must_choose else self.next_page or home_url(),
            "contact": with_addresses(account.provider.contact),
            "next": self.next_page,
        }
        return render(request, "psc_connect/activity.html", context, status=status)
