"""Pages that merge two accounts or link an account to another user, after a preview of the effects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts import merging
from psc_connect.accounts.matching import is_privileged
from psc_connect.accounts.merging import Link, Merger, PlanRefused, can_be_deactivated
from psc_connect.admin.accounts.account_page import AccountPage
from psc_connect.admin.accounts.details import have_different_names, masked_identifier
from psc_connect.admin.accounts.forms import REFUSED, LinkForm, MergeForm, PlanForm
from psc_connect.admin.base import administrator
from psc_connect.admin.people import is_revealed, shown_owner, shown_person
from psc_connect.admin.signed_payloads import PayloadExpired, read_signed_payload, sign_payload, tell_expired
from psc_connect.login.session import has_recent_authentication
from psc_connect.models import Account

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise


class PlanPage(AccountPage, ABC):
    """Asks for the other account or user, shows the effects, and changes the account once that is confirmed."""

    form: ClassVar[type[PlanForm]]
    done: ClassVar[_StrPromise | str]

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {name: request.GET.get(name, "") for name in self.form.base_fields}
        return self._show(request, self._form(request, initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        if "payload" in request.POST:
            return self._confirmed(request)
        return self._show(request, self._form(request, request.POST))

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            form = self._confirmed_form(request)
            if not has_recent_authentication(request):
                return self._show(request, form)
            if self.required_boxes(request, form.plan) - {*request.POST}:
                return self._show(request, form, must_tick=True)
            with transaction.atomic():
                self.carry_out(request, form.plan)
        except PayloadExpired:
            tell_expired(request)
        except PlanRefused as exc:
            messages.error(request, REFUSED[exc.code])
        else:
            messages.success(request, self.done)
            return HttpResponseRedirect(self.url("change", self.account.pk))
        return HttpResponseRedirect(self.url(self.name, self.account.pk))

    def _confirmed_form(self, request: HttpRequest) -> PlanForm:
        """Return the form whose plan the page has shown. Raises PayloadExpired; PlanRefused where it has changed."""
        payload = read_signed_payload(self._kind_of_payload(request), request.POST["payload"])
        form = self._form(request, dict.fromkeys(self.form.base_fields, f"#{payload['chosen']}"))
        if not form.is_valid():
            [error] = form.errors.as_data()[form.field_name]
            raise PlanRefused(str(error.code))
        if form.plan.fingerprint != payload["fingerprint"]:
            raise PlanRefused("plan_changed")
        return form

    def _form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PlanForm:
        return self.form(*args, account=self.account, by=administrator(request), **kwargs)

    def _kind_of_payload(self, request: HttpRequest) -> str:
        """Return a name of this page for this administrator: only they can confirm what it has shown."""
        return f"{self.name} of account {self.account.pk} by {request.user.pk}"

    def _show(self, request: HttpRequest, form: PlanForm, *, must_tick: bool = False) -> HttpResponse:
        plan = form.plan if form.is_valid() else None
        context: dict[str, Any] = {"form": form, "plan": plan, "must_tick": must_tick, "loses_privileged": False}
        if plan is not None:
            payload = {"chosen": str(form.chosen.pk), "fingerprint": plan.fingerprint}
            context["payload"] = sign_payload(self._kind_of_payload(request), payload)
            context["is_privileged"] = is_privileged(plan.user)
            context["new_user"] = shown_person(plan.user, revealed=is_revealed(request))
            context["former_user"] = shown_person(plan.former_user, revealed=is_revealed(request))
            context["groups"] = Group.objects.filter(pk__in={group for _source, group in plan.groups}).order_by("name")
        return self.render(request, **context)

    def required_boxes(self, request: HttpRequest, plan: Any) -> set[str]:  # noqa: ARG002 - MergePage needs it
        """Return the checkboxes to tick: ``privileged`` where the new user administers the site."""
        return {"privileged"} if is_privileged(plan.user) else set()

    @abstractmethod
    def carry_out(self, request: HttpRequest, plan: Any) -> None:
        """Change the account, and log it in the admin's log. Raises PlanRefused."""


class MergePage(PlanPage):
    """Merges another account into the account of the page."""

    name = "merge"
    title = _("Merge with another account")
    template_name = "admin/psc_connect/account/merge.html"
    form = MergeForm
    done = _("The two accounts have been merged.")

    @override
    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
        if merger := context["plan"]:
            may_deactivate = self._may_deactivate(request, merger)
            context["may_deactivate"] = may_deactivate
            context["loses_privileged"] = may_deactivate and is_privileged(merger.former_user)
            context["identifiers"] = list(map(masked_identifier, merger.identifiers))
            context["new_user"] = shown_owner(merger.kept, revealed=is_revealed(request))
            context["former_user"] = shown_owner(merger.other, revealed=is_revealed(request))
            context["have_different_names"] = have_different_names(merger.kept, merger.other)
        return super().render(request, **context)

    @override
    def carry_out(self, request: HttpRequest, plan: Merger) -> None:
        by, other = administrator(request), plan.other
        deactivate = self._is_to_deactivate(request, plan)
        self.model_admin.log_deletions(request, Account.objects.filter(pk=other.pk))
        merging.merge(plan, by=by, deactivate=deactivate)
        self.model_admin.log_change(request, self.account, [{"changed": {"fields": ["identifiers"]}}])

    @override
    def required_boxes(self, request: HttpRequest, plan: Merger) -> set[str]:
        """Add ``privileged`` where a deactivated user administers the site, ``different_names`` and ``refused_sub``."""
        boxes = super().required_boxes(request, plan)
        if self._is_to_deactivate(request, plan) and is_privileged(plan.former_user):
            boxes.add("privileged")
        if have_different_names(plan.kept, plan.other):
            boxes.add("different_names")
        if plan.refuses_other_sub:
            boxes.add("refused_sub")
        return boxes

    def _is_to_deactivate(self, request: HttpRequest, plan: Merger) -> bool:
        return "deactivate" in request.POST and self._may_deactivate(request, plan)

    def _may_deactivate(self, request: HttpRequest, plan: Merger) -> bool:
        user = plan.former_user
        return plan.is_of_two_users and can_be_deactivated(user) and user.pk != request.user.pk


class LinkPage(PlanPage):
    name = "link"
    title = _("Link to another user")
    template_name = "admin/psc_connect/account/link.html"
    form = LinkForm
    done = _("The account has been linked to the other user.")

    @override
    def carry_out(self, request: HttpRequest, plan: Link) -> None:
        merging.link(plan, by=administrator(request))
        self.model_admin.log_change(request, self.account, [{"changed": {"fields": ["user"]}}])
