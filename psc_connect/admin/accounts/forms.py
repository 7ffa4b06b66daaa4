"""Forms to merge an account with another or to link it to another user, and the errors of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts.merging import Link, Merger, PlanRefused, plan_link, plan_merger
from psc_connect.admin.rights import (
    PERMISSIONS_BEYOND,
    SUPERUSERS_ALONE,
    may_change_sign_ins,
    may_decide_who_signs_in_as,
)
from psc_connect.models import Account

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

REFUSED = {
    "merge_same": _("This is the account itself: choose another one."),
    "merge_other_issuer": _("This account is of another issuer: only accounts of the same issuer can be merged."),
    "merge_two_people": _("These two accounts have different RPPS numbers or PSI: they belong to two people."),
    "merge_third_account": _("A third account has an identifier of one of these two: merge it first."),
    "merge_account_unknown": _("There is no such account."),
    "merge_accounts_several": _("This user has several accounts: write # and the number of one."),
    "link_same": _("The account is already linked to this user."),
    "link_has_account": _("This user has an account of the same issuer: merge the two accounts instead."),
    "link_user_unknown": _("There is no such user."),
    "superusers_alone": SUPERUSERS_ALONE,
    "permissions_beyond": PERMISSIONS_BEYOND,
    "plan_changed": _(
        "Nothing has been done: something has changed since you opened this page. Please check it again."
    ),
}


class PlanForm(forms.Form):
    """The other account or user, its only field; a valid form has a ``plan`` of the effects."""

    plan: Merger | Link
    make_plan: ClassVar[Callable[[Account, Any], Merger | Link]]

    def __init__(self, *args: Any, account: Account, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account, self.by = account, by
        [self.field_name] = self.fields

    @property
    def chosen(self) -> Any:
        return self.cleaned_data[self.field_name]

    @override
    def clean(self) -> dict[str, Any]:
        if self.field_name in self.cleaned_data:
            try:
                self.plan = self._plan()
            except PlanRefused as exc:
                self.add_error(self.field_name, error_of(exc.code))
        return self.cleaned_data

    def _plan(self) -> Merger | Link:
        plan = type(self).make_plan(self.account, self.chosen)
        if not may_change_sign_ins(self.by, plan.user, plan.former_user):
            raise PlanRefused("superusers_alone")
        # The person who signs in gets the permissions of the user.
        if not may_decide_who_signs_in_as(self.by, plan.user):
            raise PlanRefused("permissions_beyond")
        return plan


class MergeForm(PlanForm):
    make_plan = plan_merger
    other = forms.CharField(
        label=_("The other account"),
        help_text=_("The username of its user, or # and the number of the account, such as #12."),
    )

    def clean_other(self) -> Account:
        accounts, text = Account.objects.select_related("user", "provider"), self.cleaned_data["other"]
        if text.startswith("#"):
            found = _by_number(accounts, text[1:])
        else:
            found = list(accounts.filter(user__in=_by_name(text), issuer=self.account.issuer))
        if len(found) != 1:
            raise error_of("merge_accounts_several" if found else "merge_account_unknown")
        return cast("Account", found[0])


class LinkForm(PlanForm):
    make_plan = plan_link
    user = forms.CharField(
        label=_("The other user"), help_text=_("The username, or # and the number of the user, such as #12.")
    )

    def clean_user(self) -> User:
        users, text = get_user_model()._default_manager.all(), self.cleaned_data["user"]
        found = _by_number(users, text[1:]) if text.startswith("#") else _by_name(text)
        if not found:
            raise error_of("link_user_unknown")
        return cast("User", found[0])


def error_of(code: str) -> ValidationError:
    return ValidationError(REFUSED[code], code=code)


def _by_number(rows: Any, number: str) -> list[Any]:
    try:
        return list(rows.filter(pk=number.strip()))
    # A site's own key may be a UUID.
    except (ValueError, ValidationError, OverflowError):
        return []


def _by_name(name: str) -> list[User]:
    model = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name})
    # The database's collation may ignore case or accents.
    return [user for user in found if user.get_username() == name]
