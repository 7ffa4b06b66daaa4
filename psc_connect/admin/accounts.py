"""Who has signed in: to be looked up and unlinked, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from typing_extensions import override

from psc_connect.models import Account

if TYPE_CHECKING:
    from django.http import HttpRequest

    _ModelAdmin = admin.ModelAdmin[Account]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Account)
class AccountAdmin(_ModelAdmin):
    """An editable link would let an administrator hand one professional's account to another."""

    list_display = ("user", "provider", "subject_name_id", "created_at")
    list_filter = ("provider", "created_at")
    list_select_related = ("user", "provider")
    fields = ("user", "provider", "issuer", "subject", "subject_name_id", "other_ids", "created_at")
    ordering = ("-created_at",)

    @override
    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}", "subject_name_id")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
