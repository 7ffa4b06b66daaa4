"""The base class of the pages that change an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext
from typing_extensions import override

from psc_connect.admin.base import OBJECT_ROUTE, VIEW_CLAIMS, AdminPage, may_link
from psc_connect.admin.people import is_revealed, shown_owner
from psc_connect.admin.reauthentication import ask_to_confirm
from psc_connect.login.session import has_recent_authentication

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from psc_connect.models import Account


class AccountPage(AdminPage):
    """A page of one account, for administrators who may link accounts."""

    route = OBJECT_ROUTE
    account: Account

    @override
    def dispatch(self, request: HttpRequest, *args: Any, object_id: str = "", **kwargs: Any) -> HttpResponseBase:
        account = self.object_or_404(request, object_id)
        if not (self.model_admin.has_view_permission(request, account) and may_link(request)):
            raise PermissionDenied
        self.account = account
        return super().dispatch(request, *args, **kwargs)

    @override
    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
        revealed = is_revealed(request)
        shown = {
            "original": self.account,
            "owner": shown_owner(self.account, revealed=revealed),
            "why_not": self.why_not(request),
            "may_reveal": request.user.has_perm(VIEW_CLAIMS),
            "revealed": revealed,
        }
        return super().render(request, **{**shown, **context})

    def why_not(self, request: HttpRequest) -> str:
        """Return why the account cannot be changed now, or ""."""
        if has_recent_authentication(request):
            return ""
        return ask_to_confirm(request, gettext("You signed in some time ago: to merge, link or change accounts,"))
