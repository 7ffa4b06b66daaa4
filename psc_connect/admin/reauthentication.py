"""Recent authentication, required before secrets, keys or the user of an account are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from psc_connect.admin.base import REPLACE_SECRETS, AdminPage, administrator
from psc_connect.login.session import has_recent_authentication, record_authentication_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString


def may_replace(request: HttpRequest) -> bool:
    """Return whether this request may replace secrets and keys: by permission and recent authentication."""
    return request.user.has_perm(REPLACE_SECRETS) and has_recent_authentication(request)


def why_not(request: HttpRequest, *, page: str = "") -> SafeString | str:
    """Explain what the administrator lacks to replace secrets and keys now, or return "".

    ``page``: the page to return to after the confirmation; by default the current one.
    """
    if may_replace(request):
        return ""
    if not request.user.has_perm(REPLACE_SECRETS):
        return gettext(
            "You do not have permission to replace secrets, signing keys or their address: ask a colleague who has it."
        )
    text = gettext("You signed in some time ago: to replace secrets, signing keys or their address,")
    return ask_to_confirm(request, text, page=page)


def ask_to_confirm(request: HttpRequest, text: str, *, page: str = "") -> SafeString:
    """Return a text that says what the confirmation is for, with a link to the page of the confirmation."""
    admin_site: Any = request.resolver_match
    confirm_url = reverse("admin:psc_connect_provider_confirm", current_app=admin_site.namespace)
    url = f"{confirm_url}?{urlencode({'next': page or request.get_full_path()})}"
    return format_html('{} <a href="{}" target="_blank">{}</a>.', text, url, gettext("confirm that it is you"))


class PasswordForm(forms.Form):
    """The password of the signed-in user."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.request = request

    @sensitive_variables()
    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        user = administrator(self.request)
        credentials = {user.USERNAME_FIELD: user.get_username(), "password": password}
        # By every backend, so that packages that count failed attempts are notified.
        authenticated = auth.authenticate(self.request, **credentials)
        if authenticated is None or authenticated.pk != user.pk:
            raise ValidationError(_("This is not your password."), code="password_wrong")
        return ""


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class ConfirmPage(AdminPage):
    """Asks for the password. The confirmation is valid for a quarter of an hour."""

    name = "confirm"
    template_name = "admin/psc_connect/provider/confirm.html"
    title = _("Confirm that it is you")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, PasswordForm(request))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request, request.POST)
        if not form.is_valid():
            return self._show(request, form)
        record_authentication_time(request)
        messages.success(request, gettext("Thank you. You will not be asked again for a quarter of an hour."))
        return HttpResponseRedirect(self._next(request))

    def _show(self, request: HttpRequest, form: PasswordForm) -> HttpResponse:
        return self.render(request, form=form, next=self._next(request))

    def _next(self, request: HttpRequest) -> str:
        url = request.POST.get("next") or request.GET.get("next") or ""
        is_ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
        return url if is_ours else self.url("changelist")
