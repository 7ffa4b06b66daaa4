"""What is kept of an account besides its user: its identifiers, masked, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.admin.page import STYLE, VIEW_CLAIMS, DeclaredFilters
from psc_connect.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.masking import masked
from psc_connect.models import AccountChange
from psc_connect.professional.identifiers import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from psc_connect.models import Account

    _AccountChangeAdmin = admin.ModelAdmin[AccountChange]
else:
    _AccountChangeAdmin = admin.ModelAdmin

KINDS: dict[str, _StrPromise | str] = {
    Kind.RPPS.value: "RPPS",
    Kind.ADELI.value: "ADELI",
    Kind.FINESS_STAFF.value: _("staff of a structure (FINESS)"),
    Kind.SIRET_STAFF.value: _("staff of a structure (SIRET)"),
    Kind.EDIT.value: _("identity of the tests (EDIT)"),
    Kind.PSI.value: "PSI",
    Kind.UNKNOWN.value: _("unknown"),
    SUB: _("former sub"),
}
BEFORE = {
    "sub": "sub",
    "account": _("number of the account"),
    "user": _("number of the user"),
    "username": _("username"),
}


class ReadOnly:
    """Rows that only the package writes."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ShownIdentifier:
    """``leads_here``: whether the account is found again by it."""

    kind: _StrPromise | str
    number: str
    origin: str = ""
    quality: int = 0
    leads_here: bool = False
    since: datetime | None = None


def named(user: User) -> str:
    """A user by the username, which may be a mere number, and the full name, where the site's user model has one."""
    full_name: Callable[[], str] | None = getattr(user, "get_full_name", None)
    name = full_name() if full_name else ""
    return f"{user.get_username()} ({name})" if name else user.get_username()


def reveals(request: HttpRequest) -> bool:
    """Whether the administrator may see identifiers, and has asked to."""
    return request.user.has_perm(VIEW_CLAIMS) and "reveal" in request.GET


def shown(identifier: Identifier) -> ShownIdentifier:
    """An identifier of a page that reveals none."""
    return ShownIdentifier(KINDS.get(identifier.kind, identifier.kind), masked(identifier.number))


def identifiers_shown(account: Account, request: HttpRequest) -> Iterator[ShownIdentifier]:
    """Yield the ``sub``, and the rows."""
    show: Callable[[str], str] = str if reveals(request) else masked
    yield ShownIdentifier("sub", show(account.subject), leads_here=True, since=account.created_at)
    for row in account.identifiers.all():
        leads_here = row.match_key == shared_key(account.issuer, as_identifier(row))
        kind = KINDS.get(row.kind, row.kind)
        yield ShownIdentifier(kind, show(row.number), row.origin, row.quality, leads_here, row.created_at)


def before_shown(change: AccountChange, request: HttpRequest) -> list[tuple[_StrPromise | str, str]]:
    """Return what there was before a change, by name."""
    show: Callable[[str], str] = str if reveals(request) else masked
    told = ((name, str(value)) for name, value in change.before.items())
    return [(BEFORE.get(name, name), show(value) if name == "sub" else value) for name, value in told]


@admin.register(AccountChange)
class AccountChangeAdmin(ReadOnly, DeclaredFilters, _AccountChangeAdmin):
    """The trail: nobody adds to it, edits it or shortens it here."""

    list_display = ("made_at", "username", "provider", "action", "made_by_name")
    list_filter = ("action", "provider", "made_at")
    search_fields = ("username",)
    fields = ("made_at", "action", "account", "provider", "username", "made_by_name")

    class Media:
        css = STYLE

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context |= {
            "before": before_shown(context["original"], request),
            "may_reveal": request.user.has_perm(VIEW_CLAIMS),
            "revealed": reveals(request),
        }
        return super().render_change_form(request, context, *args, **kwargs)
