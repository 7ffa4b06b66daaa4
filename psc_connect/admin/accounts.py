"""Who has signed in: to be looked up and unlinked, never edited; and who has been unlinked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.contrib.auth import get_user_model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.admin.page import administrator
from psc_connect.models import Account, UnlinkedAccount
from psc_connect.unlinking import unlink

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    _AccountAdmin = admin.ModelAdmin[Account]
    _UnlinkedAccountAdmin = admin.ModelAdmin[UnlinkedAccount]
else:
    _AccountAdmin = _UnlinkedAccountAdmin = admin.ModelAdmin


@admin.register(Account)
class AccountAdmin(_AccountAdmin):
    """An editable link would let an administrator hand one professional's account to another."""

    list_display = ("user", "provider", "subject_name_id", "created_at")
    list_filter = ("provider", "created_at")
    list_select_related = ("user", "provider")
    fields = ("user", "provider", "issuer", "subject", "subject_name_id", "other_ids", "created_at")
    ordering = ("-created_at",)
    actions = ("delete_selected",)
    delete_confirmation_template = "admin/psc_connect/account/unlink.html"
    delete_selected_confirmation_template = "admin/psc_connect/account/unlink_selected.html"

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}", "subject_name_id")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(permissions=("delete",), description=_("Unlink the selected accounts"))
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> Any:
        """Django's own, under the name of what it does here."""
        return delete_selected(self, request, queryset)

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return super().delete_view(request, object_id, {"title": gettext("Unlink an account"), **(extra_context or {})})

    @override
    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        unlink(obj, by=administrator(request))

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        for account in queryset.select_related("user", "provider"):
            unlink(account, by=administrator(request))


@admin.register(UnlinkedAccount)
class UnlinkedAccountAdmin(_UnlinkedAccountAdmin):
    """The trail: nobody adds to it, edits it or shortens it here."""

    list_display = ("username", "provider", "subject_name_id", "created_at", "unlinked_at", "unlinked_by")
    list_filter = ("provider", "unlinked_at")
    search_fields = ("username", "subject_name_id")
    list_select_related = ("unlinked_by",)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
