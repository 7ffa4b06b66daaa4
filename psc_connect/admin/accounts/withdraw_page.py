"""The page that withdraws former identifiers from an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.accounts.withdrawal import former_identifiers, withdraw
from psc_connect.admin.accounts.account_page import AccountPage
from psc_connect.admin.accounts.details import identifier_as_text
from psc_connect.admin.base import administrator
from psc_connect.admin.people import is_revealed
from psc_connect.admin.rights import SUPERUSERS_ALONE, may_change_sign_ins
from psc_connect.login.session import has_recent_authentication

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import Account


class WithdrawForm(forms.Form):
    """The former identifiers of an account, to be selected."""

    identifiers = forms.TypedMultipleChoiceField(
        label=_("Identifiers to withdraw"), coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, account: Account, *args: Any, is_revealed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = former_identifiers(account)
        self.fields["identifiers"].choices = [  # type: ignore[attr-defined]
            (row.pk, identifier_as_text(row, is_revealed=is_revealed)) for row in rows
        ]


class WithdrawPage(AccountPage):
    """Withdraws identifiers that another person has received, so that this person can sign in."""

    name = "withdraw"
    title = _("Withdraw identifiers")
    template_name = "admin/psc_connect/account/withdraw.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, self._form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request, request.POST)
        if not form.is_valid() or not has_recent_authentication(request):
            return self._show(request, form)
        if not may_change_sign_ins(administrator(request), self.account.user):
            messages.error(request, SUPERUSERS_ALONE)
            return HttpResponseRedirect(self.url("change", self.account.pk))
        with transaction.atomic():
            withdraw(self.account, form.cleaned_data["identifiers"], by=administrator(request))
            self.model_admin.log_change(request, self.account, [{"changed": {"fields": ["identifiers"]}}])
        messages.success(request, gettext("The identifiers have been withdrawn."))
        return HttpResponseRedirect(self.url("change", self.account.pk))

    def _show(self, request: HttpRequest, form: WithdrawForm) -> HttpResponse:
        is_open = may_change_sign_ins(administrator(request), self.account.user)
        return self.render(
            request,
            form=form,
            why_not=self.why_not(request) if is_open else SUPERUSERS_ALONE,
            is_open=is_open,
            may_unlink=self.model_admin.has_delete_permission(request, self.account),
        )

    def _form(self, request: HttpRequest, *args: Any) -> WithdrawForm:
        return WithdrawForm(self.account, *args, is_revealed=is_revealed(request))
