"""The page that moves the accounts of a provider to another one, when its issuer changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.base import ProviderPage, administrator
from psc_connect.admin.reauthentication import why_not
from psc_connect.admin.rights import (
    PERMISSIONS_BEYOND,
    SUPERUSERS_ALONE,
    may_change_sign_ins,
    may_decide_who_signs_in_as,
)
from psc_connect.admin.signed_payloads import PayloadExpired, read_signed_payload, sign_payload, tell_expired
from psc_connect.configuration.issuer_move import IssuerMove, MoveRefused, can_move, carry_out, plan_move
from psc_connect.models import DeclarationChange, Provider

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

MAX_SHOWN = 20


class MoveForm(forms.Form):
    """The provider that gets the accounts. A valid form has a ``move``."""

    new = forms.ModelChoiceField(Provider.objects.none(), label=_("The new provider"))
    move: IssuerMove

    def __init__(self, *args: Any, provider: Provider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        new: Any = self.fields["new"]
        new.queryset = Provider.objects.exclude(pk=provider.pk)
        # What else is sent gets the reason of the refusal.
        self.offered = [each for each in new.queryset if can_move(provider, each)]
        new.widget.choices = [("", new.empty_label), *((each.pk, str(each)) for each in self.offered)]

    def clean_new(self) -> Provider:
        new: Provider = self.cleaned_data["new"]
        try:
            self.move = plan_move(self.provider, new)
        except MoveRefused as exc:
            raise ValidationError(exc.text, code=exc.code) from None
        return new


class MoveAccountsPage(ProviderPage):
    """Shows the effects of a move, and moves the accounts once that is confirmed.

    A move decides who the site trusts, as replacing keys does, and needs the same right and recent authentication.
    """

    name = "move_accounts"
    title = _("Move the accounts to another issuer")
    template_name = "admin/psc_connect/provider/move_accounts.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, MoveForm(provider=self.provider))

    def post(self, request: HttpRequest) -> HttpResponse:
        if reason := _why_not(request):
            messages.error(request, reason)
            return self.to(self.name)
        if "payload" in request.POST:
            return self._accept(request)
        return self._show(request, MoveForm(request.POST, provider=self.provider))

    def _show(self, request: HttpRequest, form: MoveForm) -> HttpResponse:
        move = form.move if form.is_valid() else None
        context: dict[str, Any] = {
            "form": form,
            "move": move,
            "has_others": bool(form.offered),
            "may_add": self.model_admin.has_add_permission(request),
            "why_not": _why_not(request),
            "why_not_move": "",
            "conflicts": (),
            "payload": "",
        }
        if move is not None:
            context["why_not_move"] = self._why_not_move(request, move)
            context["conflicts"] = move.conflicts[:MAX_SHOWN]
            payload = {"new": move.new.pk, "fingerprint": move.fingerprint}
            context["payload"] = sign_payload(self._kind_of_payload(request), payload)
        return self.render(request, **context)

    def _why_not_move(self, request: HttpRequest, move: IssuerMove) -> str:
        """Explain why this administrator cannot move these accounts, or return ""."""
        if not self.model_admin.has_change_permission(request, move.new):
            return gettext("You do not have permission to change the new provider.")
        by, users = administrator(request), [account.user for account in move.found.of_administrators]
        if not may_change_sign_ins(by, *users):
            return str(SUPERUSERS_ALONE)
        if not all(may_decide_who_signs_in_as(by, user) for user in users):
            return str(PERMISSIONS_BEYOND)
        return MoveRefused("move_conflicts").text if move.conflicts else ""

    def _kind_of_payload(self, request: HttpRequest) -> str:
        """Return a name of this page for this administrator: only they can confirm what it has shown."""
        return f"move of {self.provider.pk} by {request.user.pk}"

    def _accept(self, request: HttpRequest) -> HttpResponse:
        try:
            form = self._confirmed_form(request)
            if self._why_not_move(request, form.move):
                return self._show(request, form)
            move = carry_out(form.move, source=DeclarationChange.Source.ADMIN, by=administrator(request))
        except PayloadExpired:
            tell_expired(request)
        except MoveRefused as exc:
            messages.error(request, exc.text)
        else:
            return self._moved(request, move)
        return self.to(self.name)

    def _confirmed_form(self, request: HttpRequest) -> MoveForm:
        """Return the form of the plan that the page has shown. Raises PayloadExpired; MoveRefused if it has changed."""
        payload = read_signed_payload(self._kind_of_payload(request), request.POST["payload"])
        form = MoveForm({"new": payload["new"]}, provider=self.provider)
        if not form.is_valid() or form.move.fingerprint != payload["fingerprint"]:
            raise MoveRefused("move_changed")
        return form

    def _moved(self, request: HttpRequest, move: IssuerMove) -> HttpResponse:
        for provider in (move.old, move.new):
            self.model_admin.log_change(request, provider, [{"changed": {"fields": ["accounts"]}}])
        text = gettext("Accounts moved to “%(slug)s”: %(count)s.")
        messages.success(request, text % {"slug": move.new.slug, "count": move.count})
        if move.advice:
            messages.warning(request, move.advice)
        return HttpResponseRedirect(self.url("change", move.old.pk))


def _why_not(request: HttpRequest) -> SafeString | str:
    reason = why_not(request)
    text = gettext("Moving accounts decides whom this site trusts, as replacing signing keys does.")
    return format_html("{} {}", text, reason) if reason else ""
