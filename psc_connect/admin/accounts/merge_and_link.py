"""Two accounts are merged, one is linked to another user: looked at first, and then done as it was looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts import merging
from psc_connect.accounts.matching import is_privileged
from psc_connect.accounts.merging import Link, Merger, PlanRefused, can_be_deactivated, plan_link, plan_merger
from psc_connect.admin.accounts.details import named, names_differ, owner_of, shown
from psc_connect.admin.accounts.forms import REFUSED, LinkForm, MergeForm, PlanForm, error_of
from psc_connect.admin.base import AdminPage, administrator, may_link
from psc_connect.admin.reauthentication import ask_to_confirm
from psc_connect.admin.signed_payloads import PayloadExpired, seal, tell_expired, unseal
from psc_connect.login.session import has_recent_authentication
from psc_connect.models import Account

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.utils.functional import _StrPromise


def is_beyond(request: HttpRequest, plan: Merger | Link) -> bool:
    """Whether the plan lets somebody sign in as a superuser, or a superuser no longer: superusers alone decide it."""
    concerned = any(getattr(user, "is_superuser", False) for user in (plan.user, plan.former_user))
    return concerned and not administrator(request).is_superuser


# Once more, since the mark of the base class's dispatch() is not inherited by one that overrides it.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class AccountPage(AdminPage, ABC):
    """Asks what to do, shows what that would do, and does it once that is confirmed; no GET changes anything."""

    name: ClassVar[str]
    form: ClassVar[type[PlanForm]]
    done: ClassVar[_StrPromise | str]
    account: Account

    @override
    def dispatch(self, request: HttpRequest, *args: Any, object_id: str = "", **kwargs: Any) -> HttpResponseBase:
        account = self.model_admin.get_object(request, unquote(object_id))
        if account is None:
            raise Http404
        if not may_link(request):
            raise PermissionDenied
        self.account = account
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {name: request.GET.get(name, "") for name in self.form.base_fields}
        return self._show(request, form=self.form(account=self.account, initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        if "offer" in request.POST:
            return self._confirmed(request)
        form = self.form(request.POST, account=self.account)
        if form.is_valid() and is_beyond(request, form.plan):
            form.add_error(next(iter(form.fields)), error_of("superusers_alone"))
        return self._show(request, plan=form.plan) if form.is_valid() else self._show(request, form=form)

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        try:
            plan = self._offered(request)
            if not has_recent_authentication(request):
                return self._show(request, plan=plan)
            if self.demanded(request, plan) - {*request.POST}:
                return self._show(request, plan=plan, must_tick=True)
            with transaction.atomic():
                self.carry_out(request, plan)
        except PayloadExpired:
            tell_expired(request)
        except PlanRefused as exc:
            messages.error(request, REFUSED[exc.code])
        else:
            messages.success(request, self.done)
            return HttpResponseRedirect(self.url("change", self.account.pk))
        return HttpResponseRedirect(self.url(self.name, self.account.pk))

    def _offered(self, request: HttpRequest) -> Merger | Link:
        """Return the plan that was looked at. Raises OfferExpired; PlanRefused where it would be another one now."""
        offered = unseal(self._kind_of_offer(request), request.POST["offer"])
        plan = self.plan(offered["chosen"])
        if plan.fingerprint != offered["fingerprint"]:
            raise PlanRefused("plan_changed")
        if is_beyond(request, plan):
            raise PlanRefused("superusers_alone")
        return plan

    def _kind_of_offer(self, request: HttpRequest) -> str:
        """What is confirmed was looked at on this page, by the same administrator."""
        return f"{self.name} of account {self.account.pk} by {request.user.pk}"

    def _show(
        self, request: HttpRequest, *, plan: Any = None, form: Any = None, must_tick: bool = False
    ) -> HttpResponse:
        context = {
            "form": form,
            "plan": plan,
            "owner": owner_of(self.account),
            "must_tick": must_tick,
            "why_not": "",
            "loses_privileged": False,
        }
        if not has_recent_authentication(request):
            confirm = reverse("admin:psc_connect_provider_confirm", current_app=self.model_admin.admin_site.name)
            text = gettext("You signed in some time ago: to merge or link accounts,")
            context["why_not"] = ask_to_confirm(request, confirm, text)
        if plan is not None:
            payload = {"chosen": str(self.chosen(plan).pk), "fingerprint": plan.fingerprint}
            context["offer"] = seal(self._kind_of_offer(request), payload)
            context["is_privileged"] = is_privileged(plan.user)
            context |= {"becomes": named(plan.user), "was": named(plan.former_user)}
            context["groups"] = Group.objects.filter(pk__in={group for _source, group in plan.groups}).order_by("name")
        return self.render(request, original=self.account, **context)

    def demanded(self, request: HttpRequest, plan: Any) -> set[str]:  # noqa: ARG002 - MergePage asks for it
        """Which boxes must be ticked: ``privileged`` where a user who administers the site is concerned."""
        return {"privileged"} if is_privileged(plan.user) else set()

    @override
    def url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:psc_connect_account_{name}", args=args, current_app=self.model_admin.admin_site.name)

    @abstractmethod
    def chosen(self, plan: Any) -> Model:
        """Return what the form asked for."""

    @abstractmethod
    def plan(self, chosen: str) -> Merger | Link:
        """Plan it anew. Raises PlanRefused."""

    @abstractmethod
    def carry_out(self, request: HttpRequest, plan: Any) -> None:
        """Do it and note it in the admin's log. Raises PlanRefused."""


class MergePage(AccountPage):
    """The account of the page is kept."""

    name = "merge"
    title = _("Merge with another account")
    template_name = "admin/psc_connect/account/merge.html"
    form = MergeForm
    done = _("The two accounts are one now.")

    @override
    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
        if merger := context["plan"]:
            may_deactivate = self._may_deactivate(request, merger)
            context["may_deactivate"] = may_deactivate
            context["loses_privileged"] = may_deactivate and is_privileged(merger.former_user)
            context["identifiers"] = [shown(each) for each in merger.identifiers]
            context |= {"becomes": owner_of(merger.kept), "was": owner_of(merger.other)}
            context["names_differ"] = names_differ(merger.kept, merger.other)
        return super().render(request, **context)

    @override
    def chosen(self, plan: Merger) -> Account:
        return plan.other

    @override
    def plan(self, chosen: str) -> Merger:
        for other in Account.objects.select_related("user", "provider").filter(pk=chosen):
            return plan_merger(self.account, other)
        raise PlanRefused("plan_changed")

    @override
    def carry_out(self, request: HttpRequest, plan: Merger) -> None:
        by, other = administrator(request), plan.other
        deactivate = self._deactivates(request, plan)
        self.model_admin.log_deletions(request, Account.objects.filter(pk=other.pk))
        merging.merge(plan, by=by, deactivate=deactivate)
        self.model_admin.log_change(request, self.account, [{"changed": {"fields": ["identifiers"]}}])

    @override
    def demanded(self, request: HttpRequest, plan: Merger) -> set[str]:
        """``named_otherwise`` where the two accounts have not one person's name."""
        boxes = super().demanded(request, plan)
        if self._deactivates(request, plan) and is_privileged(plan.former_user):
            boxes.add("privileged")
        if names_differ(plan.kept, plan.other):
            boxes.add("named_otherwise")
        return boxes

    def _deactivates(self, request: HttpRequest, plan: Merger) -> bool:
        return "deactivate" in request.POST and self._may_deactivate(request, plan)

    def _may_deactivate(self, request: HttpRequest, plan: Merger) -> bool:
        user = plan.former_user
        return plan.is_of_two_users and can_be_deactivated(user) and user.pk != request.user.pk


class LinkPage(AccountPage):
    name = "link"
    title = _("Link to another user")
    template_name = "admin/psc_connect/account/link.html"
    form = LinkForm
    done = _("The account is linked to the other user now.")

    @override
    def chosen(self, plan: Link) -> User:
        return plan.user

    @override
    def plan(self, chosen: str) -> Link:
        for user in get_user_model()._default_manager.filter(pk=chosen):
            return plan_link(self.account, user)
        raise PlanRefused("plan_changed")

    @override
    def carry_out(self, request: HttpRequest, plan: Link) -> None:
        merging.link(plan, by=administrator(request))
        self.model_admin.log_change(request, self.account, [{"changed": {"fields": ["user"]}}])
