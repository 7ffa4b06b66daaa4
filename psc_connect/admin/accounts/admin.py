"""The admin of accounts: search, view, unlink and merge them, never edit them; and the unlinked accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.access.groups import AccountMoved
from psc_connect.accounts.unlinking import unlink
from psc_connect.accounts.withdrawal import former_identifiers
from psc_connect.admin.accounts.details import (
    AuditLogMixin,
    ReadOnlyMixin,
    shown_identifiers,
)
from psc_connect.admin.accounts.forms import REFUSED
from psc_connect.admin.accounts.merge_and_link import LinkPage, MergePage
from psc_connect.admin.accounts.withdraw_page import WithdrawPage
from psc_connect.admin.base import (
    VIEW_CLAIMS,
    DateFilter,
    DeclaredFilters,
    ModelAdmin,
    administrator,
    may_link,
    page_url,
    urls_with_pages,
)
from psc_connect.admin.masking import masked
from psc_connect.admin.people import identifiers_of, is_revealed, name_of_person, shown_owner, shown_person
from psc_connect.admin.rights import SUPERUSERS_ALONE, may_change_sign_ins
from psc_connect.models import Account, UnlinkedAccount
from psc_connect.professional.identifiers import Kind, NationalIdentifier
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import from_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from psc_connect.models import AccountChange


@admin.register(Account)
class AccountAdmin(ReadOnlyMixin, DeclaredFilters, ModelAdmin[Account]):
    """Read-only: an editable link would let an administrator give one professional's account to another."""

    list_display = ("masked_user", "full_name", "of_provider", "masked_number", "created_at")
    list_filter = ("provider", ("created_at", DateFilter))
    list_select_related = ("user", "provider")
    readonly_fields = ("full_name", "masked_user")
    prefetched = identifiers_of("user")
    ordering = ("-created_at",)
    actions = ("delete_selected", "merge_selected")
    delete_confirmation_template = "admin/psc_connect/account/unlink.html"

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        user = get_user_model()
        # A site's own user model need not have names.
        names = {"first_name", "last_name"} & {field.name for field in user._meta.concrete_fields}
        # A search for parts would reveal identifiers, which any of these fields may contain: without the right to see
        # them, only whole values are found.
        may_see = request.user.has_perm(VIEW_CLAIMS)
        numbers = (f"user__{user.USERNAME_FIELD}", "subject_name_id", "identifiers__number")
        of_names, of_numbers = ("", "") if may_see else ("__iexact", "__exact")
        return (*(f"user__{name}{of_names}" for name in sorted(names)), *(f"{name}{of_numbers}" for name in numbers))

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("full_name", "user" if is_revealed(request) else "masked_user", "provider", "issuer", "created_at")

    @override
    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        identifier = NationalIdentifier.read(search_term)
        if identifier.kind is Kind.UNKNOWN:
            return found, may_have_duplicates
        # Rows have numbers without the digit of their kind; a username may have it.
        by_number, _may = super().get_search_results(request, queryset, identifier.number)
        return found | by_number, True

    @admin.display(description=_("provider"), ordering="provider__slug")
    def of_provider(self, account: Account) -> str:
        return account.provider.slug

    @admin.display(description=_("national identifier"))
    def masked_number(self, account: Account) -> str:
        return masked(account.subject_name_id)

    # No column that may be masked can be sorted: the order would reveal what the mask hides.
    @admin.display(description=_("user"))
    def masked_user(self, account: Account) -> str:
        return shown_person(account.user, account.user.get_username())

    @admin.display(description=_("full name"))
    def full_name(self, account: Account) -> str:
        return shown_person(account.user, name_of_person(account))

    @admin.action(permissions=("delete",), description=_("Unlink the selected accounts"))
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> TemplateResponse | None:
        """Replace Django's action of that name: unlink each account."""
        if not may_change_sign_ins(administrator(request), *(each.user for each in queryset.select_related("user"))):
            messages.error(request, SUPERUSERS_ALONE)
            return None
        if request.POST.get("post"):
            accounts = queryset.select_related("user", "provider")
            count = sum(self._unlink(request, account) for account in accounts)
            text = ngettext("%(count)s account has been unlinked.", "%(count)s accounts have been unlinked.", count)
            if count:
                messages.success(request, text % {"count": count})
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Unlink accounts"),
            "subtitle": "",
            "opts": self.opts,
            "media": self.media,
            "queryset": queryset,
            "accounts": [(shown_owner(account), account.provider) for account in queryset],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/psc_connect/account/unlink_selected.html", context)

    @admin.action(permissions=("link",), description=_("Merge the two selected accounts"))
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponseRedirect | None:
        """Open the page that merges two accounts; the older one is kept."""
        pks = list(queryset.order_by("created_at", "pk").values_list("pk", flat=True)[:3])
        if len(pks) != 2:
            messages.error(request, gettext("Select two accounts: one is kept, and the other is merged into it."))
            return None
        kept, other = pks
        return HttpResponseRedirect(f"{page_url(self, 'merge', kept)}?{urlencode({'other': f'#{other}'})}")

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether accounts may be unlinked. Django asks too, before a user is deleted with its accounts."""
        may_unlink = obj is None or may_change_sign_ins(administrator(request), obj.user)
        return may_unlink and super().has_delete_permission(request, obj)

    def has_link_permission(self, request: HttpRequest) -> bool:
        return may_link(request)

    @override
    def get_urls(self) -> list[URLPattern]:
        return urls_with_pages(self, (MergePage, LinkPage, WithdrawPage), super().get_urls())

    @override
    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        account = context["original"]
        is_open = may_change_sign_ins(administrator(request), account.user)
        could_change = may_link(request) or self.has_delete_permission(request)
        context |= {
            "why_not": SUPERUSERS_ALONE if could_change and not is_open else "",
            "may_link": is_open and may_link(request),
            "identifiers": list(shown_identifiers(account, request)),
            "has_former_identifiers": bool(former_identifiers(account)),
            "activity_choices": (from_snapshot(account.professional) or Professional()).activity_choices,
            "changes": list(_shown_changes(account)),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _unlink(self, request: HttpRequest, account: Account) -> bool:
        try:
            with transaction.atomic():
                self.log_deletions(request, type(account).objects.filter(pk=account.pk))
                unlink(account, by=administrator(request))
        except AccountMoved:
            self._tell_moved(request)
            return False
        return True

    def _tell_moved(self, request: HttpRequest) -> None:
        """Say that the account has been linked to another user, or unlinked, since the page was opened."""
        messages.error(request, str(REFUSED["plan_changed"]))

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        account = self.get_object(request, unquote(object_id))
        revealed = is_revealed(request)
        context = {
            "title": gettext("Unlink an account"),
            "owner": shown_owner(account, revealed=revealed) if account else "",
            "may_reveal": request.user.has_perm(VIEW_CLAIMS),
            "revealed": revealed,
        }
        try:
            return super().delete_view(request, object_id, {**context, **(extra_context or {})})
        except AccountMoved:
            self._tell_moved(request)
            return HttpResponseRedirect(request.path)

    @override
    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        unlink(obj, by=administrator(request))

    @override
    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponseRedirect:
        messages.success(request, gettext("The account has been unlinked."))
        return HttpResponseRedirect(page_url(self, "changelist"))


def _shown_changes(account: Account) -> Iterator[tuple[AccountChange, str]]:
    """Yield each entry of the audit log of the account, and who made the change."""
    for change in account.changes.select_related("made_by").prefetch_related(*identifiers_of("made_by")):
        yield change, shown_person(change.made_by, change.made_by_name)


@admin.register(UnlinkedAccount)
class UnlinkedAccountAdmin(AuditLogMixin, DeclaredFilters, ModelAdmin[UnlinkedAccount]):
    list_display = ("masked_username", "provider", "masked_number", "created_at", "unlinked_at", "unlinked_by_person")
    list_filter = ("provider", ("unlinked_at", DateFilter))
    list_select_related = ("user", "unlinked_by")
    readonly_fields = ("masked_username", "unlinked_by_person", "masked_subject", "masked_number")
    prefetched = (*identifiers_of("user"), *identifiers_of("unlinked_by"))

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        lookup = "" if request.user.has_perm(VIEW_CLAIMS) else "__exact"
        return (f"username{lookup}", f"subject_name_id{lookup}")

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        revealed = ("username", "unlinked_by_name", "subject", "subject_name_id")
        username, unlinked_by, *numbers = revealed if is_revealed(request) else self.readonly_fields
        return (username, "provider", "issuer", *numbers, "created_at", "unlinked_at", unlinked_by)

    @admin.display(description=_("username"))
    def masked_username(self, account: UnlinkedAccount) -> str:
        return shown_person(account.user, account.username, kept=(account.subject, account.subject_name_id))

    @admin.display(description=_("unlinked by"))
    def unlinked_by_person(self, account: UnlinkedAccount) -> str:
        return shown_person(account.unlinked_by, account.unlinked_by_name)

    @admin.display(description="sub")
    def masked_subject(self, account: UnlinkedAccount) -> str:
        return masked(account.subject)

    @admin.display(description=_("national identifier"))
    def masked_number(self, account: UnlinkedAccount) -> str:
        return masked(account.subject_name_id)
