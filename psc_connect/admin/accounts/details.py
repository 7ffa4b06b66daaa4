"""Details of an account on its page: identifiers, masked until an administrator reveals them, and its audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.accounts.withdrawal import former_identifiers
from psc_connect.admin.base import STYLE, VIEW_CLAIMS, DateFilter, DeclaredFilters, ModelAdmin
from psc_connect.admin.masking import masked, masker
from psc_connect.models import AccountChange
from psc_connect.professional.identifiers import Kind, NationalIdentifier
from psc_connect.professional.nomenclatures import folded
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
# Values of such an entry that identify a person.
IDENTIFYING_BEFORE = ("sub", "number")


class ReadOnlyMixin:
    """Rows that only the package writes. Their pages reveal identifiers on request, with the right to view claims."""

    class Media:
        css = STYLE

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

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


def full_name(user: User) -> str:
    """Return the full name, or "" where the site's user model has none."""
    name: Callable[[], str] | None = getattr(user, "get_full_name", None)
    return name() if name else ""


def username_with_name(user: User, name: str = "") -> str:
    """Return the username, which may be a mere number, with the full name, or with ``name`` where there is none."""
    name = full_name(user) or name
    return f"{user.get_username()} ({name})" if name else user.get_username()


def name_of_person(account: Account) -> str:
    """Return the full name of the user, else the name of the last sign-in, else ""."""
    return full_name(account.user) or " ".join(filter(None, _names_of_sign_in(account)))


def owner_of(account: Account) -> str:
    """Return the username of an account, with the name of the person."""
    return username_with_name(account.user, name_of_person(account))


def have_different_names(one: Account, other: Account) -> bool:
    """Return whether two accounts have different names, ignoring case, accents and missing names."""
    pairs = zip(_names(one), _names(other), strict=True)
    return any(first and second and folded(first) != folded(second) for first, second in pairs)


def _names(account: Account) -> tuple[str, str]:
    """Return the given and family name of the user, else of the last sign-in."""
    of_user = (getattr(account.user, "first_name", ""), getattr(account.user, "last_name", ""))
    return of_user if any(of_user) else _names_of_sign_in(account)


def _names_of_sign_in(account: Account) -> tuple[str, str]:
    person = from_snapshot(account.professional) or Professional()
    return person.given_name, person.family_name


def masked_username(username: str, numbers: Iterable[str]) -> str:
    """Return a username with every identifier in it masked: these numbers, and what has the form of one."""
    # The account with this number may have been deleted.
    is_identifier = NationalIdentifier.read(username).kind is not Kind.UNKNOWN
    text: str = masker([{"sub": number} for number in (*numbers, *([username] if is_identifier else []))])(username)
    return text


def numbers_of(account: Account) -> list[str]:
    """Return every identifier of an account."""
    return [account.subject, account.subject_name_id, *(row.number for row in account.identifiers.all())]


def is_revealed(request: HttpRequest) -> bool:
    """Return whether the administrator may see identifiers and has asked for them."""
    return request.user.has_perm(VIEW_CLAIMS) and "reveal" in request.GET


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
    return f"{KINDS.get(row.kind, row.kind)} {row.number if is_revealed else masked(row.number)}"


def _shown_before(change: AccountChange, request: HttpRequest) -> list[tuple[_StrPromise | str, str]]:
    """Return (label, value) of what an entry of the audit log keeps from before the change."""
    values = {name: str(value) for name, value in change.before.items()}
    if "kind" in values:
        values["kind"] = str(KINDS.get(values["kind"], values["kind"]))
    if not is_revealed(request):
        values |= {name: masked(values[name]) for name in IDENTIFYING_BEFORE if name in values}
        if "username" in values:
            values["username"] = masked_username(values["username"], _numbers_of(change))
    return [(BEFORE.get(name, name), value) for name, value in values.items()]


def _numbers_of(change: AccountChange) -> list[str]:
    known = numbers_of(change.account) if change.account else []
    return [*known, *(str(change.before.get(name, "")) for name in IDENTIFYING_BEFORE)]


@admin.register(AccountChange)
class AccountChangeAdmin(AuditLogMixin, DeclaredFilters, ModelAdmin[AccountChange]):
    list_display = ("made_at", "masked_username", "provider", "action", "made_by_name")
    list_filter = ("action", "provider", ("made_at", DateFilter))
    search_fields = ("username",)
    list_select_related = ("account",)
    readonly_fields = ("masked_username",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountChange]:
        return super().get_queryset(request).prefetch_related("account__identifiers")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        username = "username" if is_revealed(request) else "masked_username"
        return ("made_at", "action", "account", "provider", username, "made_by_name")

    @admin.display(description=_("username"), ordering="username")
    def masked_username(self, change: AccountChange) -> str:
        return masked_username(change.username, _numbers_of(change))

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["before"] = _shown_before(context["original"], request)
        return super().render_change_form(request, context, *args, **kwargs)
