"""The choice of an activity: one card for each, after a login, or later to change it without signing in again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator

from psc_connect.access.groups import AccountMoved
from psc_connect.access.rules import apply_activity_rules, decide_each, rules_of
from psc_connect.claims.budget import LOGIN_STEPS, shared_budget
from psc_connect.current_professional import current_professional, reset_current_professional
from psc_connect.login.failures import split_email_addresses
from psc_connect.login.redirects import landing_page, safe_next
from psc_connect.login.session import store_activity_choice
from psc_connect.login.site_urls import home_url, login_url
from psc_connect.views.csrf import CSRFProtectedView

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.current_professional import CurrentProfessional
    from psc_connect.models import Account

logger = logging.getLogger("psc_connect")


@method_decorator(shared_budget(LOGIN_STEPS), name="dispatch")
class ActivityView(CSRFProtectedView):
    """Asks for the activity, and stores it in the session and as the default of the next login."""

    http_method_names = ("get", "head", "post")

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        # In the form, if its token was refused.
        self.next_page = safe_next(request.POST.get("next") or request.GET.get("next"))
        current = current_professional(request)
        if current.account is None or current.account.provider.slug != provider:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not current.may_choose:
            return HttpResponseRedirect(landing_page(self.next_page))
        return self._show_cards(request, current)

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        self.next_page = safe_next(request.POST.get("next"))
        current = current_professional(request)
        if current.account is None or current.account.provider.slug != provider:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not current.may_choose:
            return HttpResponseRedirect(landing_page(self.next_page))
        chosen = current.professional.activity_choice_of(request.POST.get("activity_choice", ""))
        if chosen is None:
            # The data have changed since the page was shown: show the current activities.
            return self._show_cards(request, current, status=409)
        account = current.account
        try:
            decision = apply_activity_rules(
                account, account.provider, professional=current.professional, activity_choice=chosen, acr=current.acr
            )
        except AccountMoved:
            return HttpResponseRedirect(login_url(provider, self.next_page))
        if not decision.allowed:
            logger.warning("activity.refused code=%s provider=%s account=%s", decision.code, provider, account.pk)
            return self._show_cards(request, current, status=403)
        if account.activity_choice != chosen.key:
            account.activity_choice = chosen.key
            account.save(update_fields=["activity_choice"])
        store_activity_choice(request, chosen.key)
        reset_current_professional(request)
        logger.info("activity.chosen provider=%s account=%s", provider, account.pk)
        return HttpResponseRedirect(landing_page(self.next_page))

    def _show_cards(self, request: HttpRequest, current: CurrentProfessional, *, status: int = 200) -> HttpResponse:
        account = cast("Account", current.account)
        chosen_last = current.professional.activity_choice_of(account.activity_choice)
        proposed = current.activity_choice or chosen_last
        provider, professional = account.provider, current.professional
        cards = decide_each(provider, rules_of(provider), professional, acr=current.acr)
        allowed = [decision.allowed for _choice, decision in cards]
        context = {
            "cards": cards,
            "proposed_key": proposed.key if proposed else "",
            "chosen_is_gone": status == 409 or bool(account.activity_choice and chosen_last is None),
            "any_allowed": any(allowed),
            "any_refused": not all(allowed),
            "back_url": "" if current.must_choose else self.next_page or home_url(),
            "contact": split_email_addresses(provider.contact),
            "next": self.next_page,
            "form_is_stale": self.form_is_stale,
        }
        return render(request, "psc_connect/activity.html", context, status=status)
