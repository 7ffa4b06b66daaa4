"""Rights that an administrator may hand on: only those that they have."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.accounts.matching import is_privileged, is_superuser

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from django.contrib.auth.models import User
    from django.forms import BaseForm

WHY_NOT_LINKING = _("This setting decides which user a person signs in as: only a superuser can change it.")
WHY_NOT_GIVING = _("Giving groups takes the permission to change users: ask a colleague who has it.")
WHY_NOT_RULES = _(
    "As long as a rule gives a group, the rules, their order and the last line change only with the permission to "
    "change users: ask a colleague who has it."
)
SUPERUSERS_ALONE = _("One of these accounts is a superuser's: ask a superuser to do this.")
PERMISSIONS_BEYOND = _(
    "This concerns a user who administers this site and has permissions that you do not have: only someone who has "
    "them, such as a superuser, can change who signs in as this user."
)


def may_change_sign_ins(by: User, *users: User) -> bool:
    """Return whether ``by`` may change who signs in as these users: only a superuser changes those of superusers."""
    return is_superuser(by) or not any(map(is_superuser, users))


def has_all_permissions_of(by: User, user: User) -> bool:
    """Return whether ``by`` has every permission of the user. A custom user model may not name them."""
    # Django gives an inactive user no permissions, but somebody may activate the user again.
    active = copy(user)
    active.is_active = True
    get_all_permissions: Callable[[], set[str]] = getattr(active, "get_all_permissions", set)
    return all(map(by.has_perm, get_all_permissions()))


def may_decide_who_signs_in_as(by: User, user: User) -> bool:
    """Return whether ``by`` may let another person sign in as the user, who may administer the site."""
    return not is_privileged(user) or has_all_permissions_of(by, user)


def groups_beyond(by: User, names: Collection[str] | None = None) -> list[str]:
    """Return the names of the groups with a permission that ``by`` lacks, of these groups or of all."""
    if is_superuser(by):
        return []
    permissions = Permission.objects.order_by().exclude(group=None)
    if names is not None:
        permissions = permissions.filter(group__name__in=names)
    rows = permissions.values_list("group__name", "content_type__app_label", "codename")
    return sorted({str(name) for name, app_label, codename in rows if not by.has_perm(f"{app_label}.{codename}")})


def why_not_groups(by: User, names: Collection[str] | None = None) -> str:
    """Explain which of these groups, or of all, ``by`` may not let people join; "" if there are none."""
    return _beyond_in_words(groups_beyond(by, names))


def _beyond_in_words(groups: Collection[str]) -> str:
    if not groups:
        return ""
    text = gettext(
        "You do not have all permissions of these groups: %(groups)s. Only someone who has them, such as a superuser, "
        "can let people join these groups or change who joins them."
    )
    return text % {"groups": ", ".join(groups)}


def disable_groups(by: User, forms: Iterable[BaseForm]) -> str:
    """Disable the groups that ``by`` may not let people join in the inputs of these rows; return the reason or ""."""
    beyond = groups_beyond(by)
    for form in forms:
        select: Any = form.fields["group"].widget
        select.disabled_groups = beyond
    return _beyond_in_words(beyond)
