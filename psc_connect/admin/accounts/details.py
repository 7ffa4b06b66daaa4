"""What is kept of an account besides its user: its identifiers, masked, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts.identifiers import SUB, Identifier, as_identifier, shared_key
from psc_connect.admin.base import STYLE, VIEW_CLAIMS, ByDate, DeclaredFilters
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
    """Rows that only the package writes, whose pages reveal identifiers to whoever may see them and asks to."""

    class Media:
        css = STYLE

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context |= {"may_reveal": request.user.has_perm(VIEW_CLAIMS), "revealed": reveals(request)}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return response


class Trail(ReadOnly):
    """Rows that nobody adds to, edits or shortens here."""

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
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


def full_name(user: User) -> str:
    """Return "" where the site's user model has no name, or this user none."""
    name: Callable[[], str] | None = getattr(user, "get_full_name", None)
    return name() if name else ""


def named(user: User, name: str = "") -> str:
    """A user by the username, which may be a mere number, and the full name; ``name`` where the user has none."""
    name = full_name(user) or name
    return f"{user.get_username()} ({name})" if name else user.get_username()


def name_of_person(account: Account) -> str:
    """Return the full name of the user, else the one of the last sign-in; "" where there is none."""
    return full_name(account.user) or " ".join(filter(None, _names_given(account)))


def owner_of(account: Account) -> str:
    """Whose account it is: the user, with the person's name."""
    return named(account.user, name_of_person(account))


def names_differ(one: Account, other: Account) -> bool:
    """Whether two accounts have other names, case and accents apart; not where one has none: nothing is known then."""
    pairs = zip(_names(one), _names(other), strict=True)
    return any(mine and others and folded(mine) != folded(others) for mine, others in pairs)


def _names(account: Account) -> tuple[str, str]:
    """Return given name and family name, as the user has them, else as the provider gave them."""
    of_user = (getattr(account.user, "first_name", ""), getattr(account.user, "last_name", ""))
    return of_user if any(of_user) else _names_given(account)


def _names_given(account: Account) -> tuple[str, str]:
    person = from_snapshot(account.professional) or Professional()
    return person.given_name, person.family_name


def masked_username(username: str, numbers: Iterable[str]) -> str:
    """A username, masked as far as it is one of these identifiers or holds one, or has the form of one."""
    # The account whose number it was may be gone.
    has_its_form = NationalIdentifier.read(username).kind is not Kind.UNKNOWN
    text: str = masker([{"sub": each} for each in (*numbers, *([username] if has_its_form else []))])(username)
    return text


def numbers_of(account: Account) -> list[str]:
    """Return every identifier of an account."""
    return [account.subject, account.subject_name_id, *(each.number for each in account.identifiers.all())]


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
    told = {name: str(value) for name, value in change.before.items()}
    if not reveals(request):
        numbers = _numbers_of(change)
        told |= {name: masked(told[name]) for name in told.keys() & {"sub"}}
        told |= {name: masked_username(told[name], numbers) for name in told.keys() & {"username"}}
    return [(BEFORE.get(name, name), value) for name, value in told.items()]


def _numbers_of(change: AccountChange) -> list[str]:
    known = numbers_of(change.account) if change.account else []
    return [*known, str(change.before.get("sub", ""))]


@admin.register(AccountChange)
class AccountChangeAdmin(Trail, DeclaredFilters, _AccountChangeAdmin):
    list_display = ("made_at", "masked_username", "provider", "action", "made_by_name")
    list_filter = ("action", "provider", ("made_at", ByDate))
    search_fields = ("username",)
    list_select_related = ("account",)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountChange]:
        return super().get_queryset(request).prefetch_related("account__identifiers")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        username = "username" if reveals(request) else "masked_username"
        return ("made_at", "action", "account", "provider", username, "made_by_name")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description=_("username"), ordering="username")
    def masked_username(self, change: AccountChange) -> str:
        return masked_username(change.username, _numbers_of(change))

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["before"] = before_shown(context["original"], request)
        return super().render_change_form(request, context, *args, **kwargs)
