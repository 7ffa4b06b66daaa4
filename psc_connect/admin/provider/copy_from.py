"""Copies settings of another provider to a new one, as far as the user's permissions allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.utils.translation import gettext

from psc_connect.admin.base import may_change_users
from psc_connect.providers import validation
from psc_connect.providers.serialization import stored_rows

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from psc_connect.models import Provider


def copy_settings(provider: Provider, like: Provider, model_admin: ModelAdmin[Provider], request: HttpRequest) -> None:
    """Copy options and rows to a new provider, and show messages about what was left out."""
    with_mapping = may_change_users(request)
    with_selection_rules = model_admin.has_change_permission(request)
    validation.copy_options(provider, like, with_mapping=with_mapping, with_selection_rules=with_selection_rules)
    mapping = {name: stored_rows(like, name) for name in validation.default_mapping()}
    if not with_mapping and mapping != validation.default_mapping():
        text = gettext(
            "The mapping of %(slug)s has not been copied, since you may not change users: the provider has the "
            "default rows."
        )
        messages.warning(request, text % {"slug": like.slug})
    if not with_mapping and any(getattr(like, name) for name in validation.LINKING):
        text = gettext(
            "How %(slug)s links first sign-ins to users has not been copied, since you may not change users."
        )
        messages.warning(request, text % {"slug": like.slug})
    if not with_selection_rules and like.selection_rules.exists():
        text = gettext(
            "The provider selection rules and the sort order of %(slug)s have not been copied, since you may not "
            "change providers."
        )
        messages.warning(request, text % {"slug": like.slug})
