"""Details of an account on its page: identifiers, masked until an administrator reveals them, and its audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.accounts.withdrawal import former_identifiers
from psc_connect.admin.base import STYLE, VIEW_CLAIMS, DateFilter, DeclaredFilters, ModelAdmin
from psc_connect.admin.masking import masked
from psc_connect.admin.people import (
    NO_IDENTIFIERS,
    identifiers_of,
    is_revealed,
    names_of_sign_in,
    numbers_of_change,
    shown_person,
)
from psc_connect.administrator_messages import labelled
from psc_connect.models import AccountChange
from psc_connect.professional.identifiers import Kind
from psc_connect.professional.nomenclatures import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    from psc_connect.models import Account, AccountIdentifier

KINDS: dict[str, _StrPromise | str] = {
    Kind.RPPS.value: "RPPS",
    Kind.ADELI.value: "ADELI",
    Kind.FINESS_STAFF.value: _("staff of a structure (FINESS)"),
    Kind.SIRET_STAFF.value: _("staff of a structure (SIRET)"),
    Kind.EDIT.value: _("test identity (EDIT)"),
    Kind.PSI.value: "PSI",
    Kind.UNKNOWN.value: _("unknown"),
    SUB: _("former sub"),
}
# The labels of what an entry of the audit log keeps from before the change.
BEFORE = {
    "sub": "sub",
    "account": _("number of the account"),
    "user": _("number of the user"),
    "username": _("username"),
    "issuer": _("issuer"),
    "kind": _("kind"),
    "number": _("number"),
}


class ReadOnlyMixin:
    """Rows that only the package writes. Their pages reveal identifiers on request, with the right to view claims."""

    # What the list needs to show people.
    prefetched: ClassVar[tuple[str, ...]] = ()

    class Media:
        css = STYLE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        return queryset.prefetch_related(*self.prefetched)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Return Django's page, with the administrators on it as ``shown_person`` shows them."""
        response: HttpResponse = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        entries = [*getattr(response, "context_data", {}).get("action_list", ())]
        prefetch_related_objects(entries, *identifiers_of("user"))
        for entry in entries:
            shown = shown_person(entry.user)
            # On the instance, unsaved: Django's template shows the username and the full name.
            setattr(entry.user, entry.user.USERNAME_FIELD, shown)
            entry.user.get_full_name = str
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context |= {"may_reveal": request.user.has_perm(VIEW_CLAIMS), "revealed": is_revealed(request)}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response


class AuditLogMixin(ReadOnlyMixin):
    """Entries of an audit log: they are not deleted in the admin either."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ShownIdentifier:
    """An identifier as a page shows it; ``finds_account``: whether a sign-in finds the account by it."""

    kind: _StrPromise | str
    number: str
    origin: str = ""
    quality: int = 0
    finds_account: bool = False
    is_former: bool = False
    since: datetime | None = None


def have_different_names(one: Account, other: Account) -> bool:
    """Return whether two accounts have different names, ignoring case, accents and missing names."""
    pairs = zip(_names(one), _names(other), strict=True)
    return any(first and second and folded(first) != folded(second) for first, second in pairs)


def _names(account: Account) -> tuple[str, str]:
    """Return the given and family name of the user, else of the last sign-in."""
    of_user = (getattr(account.user, "first_name", ""), getattr(account.user, "last_name", ""))
    return of_user if any(of_user) else names_of_sign_in(account)


def masked_identifier(identifier: Identifier) -> ShownIdentifier:
    return ShownIdentifier(KINDS.get(identifier.kind, identifier.kind), masked(identifier.number))


def shown_identifiers(account: Account, request: HttpRequest) -> Iterator[ShownIdentifier]:
    """Yield the ``sub`` and the other identifiers of an account."""
    show: Callable[[str], str] = str if is_revealed(request) else masked
    yield ShownIdentifier("sub", show(account.subject), finds_account=True, since=account.created_at)
    former = former_identifiers(account)
    for row in account.identifiers.all():
        # A former `sub` finds it too, together with another number.
        finds_account = row.kind != SUB and row.match_key == shared_key(account.issuer, as_identifier(row))
        kind = KINDS.get(row.kind, row.kind)
        is_former = row in former and row.kind != SUB
        yield ShownIdentifier(kind, show(row.number), row.origin, row.quality, finds_account, is_former, row.created_at)


def identifier_as_text(row: AccountIdentifier, *, is_revealed: bool) -> str:
    """Return the kind and the number of an identifier, masked unless it is revealed."""
    return labelled(str(KINDS.get(row.kind, row.kind)), row.number if is_revealed else masked(row.number))


def _shown_before(change: AccountChange, request: HttpRequest) -> list[tuple[_StrPromise | str, str]]:
    """Return (label, value) of what an entry of the audit log keeps from before the change."""
    former_user = _former_user(change)
    kept = numbers_of_change(change)
    shown = []
    for name, value in change.before.items():
        text = str(KINDS.get(value, value)) if name == "kind" else str(value)
        if name not in NO_IDENTIFIERS:
            text = shown_person(former_user, text, kept=kept, revealed=is_revealed(request))
        shown.append((BEFORE.get(name, name), text))
    return shown


def _former_user(change: AccountChange) -> User | None:
    pk = change.before.get("user")
    return get_user_model()._default_manager.filter(pk=pk).first() if pk else None


@admin.register(AccountChange)
class AccountChangeAdmin(AuditLogMixin, DeclaredFilters, ModelAdmin[AccountChange]):
    list_display = ("made_at", "masked_username", "provider", "action", "made_by_person")
    list_filter = ("action", "provider", ("made_at", DateFilter))
    list_select_related = ("account__user", "made_by")
    readonly_fields = ("masked_username", "made_by_person")
    prefetched = (
        "account__identifiers",
        "account__changes",
        *identifiers_of("account__user"),
        *identifiers_of("made_by"),
    )

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("username" if request.user.has_perm(VIEW_CLAIMS) else "username__exact",)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        username, made_by = ("username", "made_by_name") if is_revealed(request) else self.readonly_fields
        return ("made_at", "action", "account", "provider", username, made_by)

    @admin.display(description=_("username"))
    def masked_username(self, change: AccountChange) -> str:
        user = change.account.user if change.account else None
        return shown_person(user, change.username, kept=numbers_of_change(change))

    @admin.display(description=_("made by"))
    def made_by_person(self, change: AccountChange) -> str:
        return shown_person(change.made_by, change.made_by_name)

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["before"] = _shown_before(context["original"], request)
        return super().render_change_form(request, context, *args, **kwargs)
