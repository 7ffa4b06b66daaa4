"""Forms of the access rules page: the rules, the last line, and what the preview needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.admin.access.code_search import CodeSearch
from psc_connect.admin.access.condition_forms import NO_CHOICE, ConditionFormSet, initial_condition
from psc_connect.admin.base import ModelForm
from psc_connect.admin.formset_page import RowFormSet, formset_of
from psc_connect.admin.mapping.forms import UserinfoField
from psc_connect.admin.widgets import GroupSelect
from psc_connect.models import AccessRule, Provider
from psc_connect.models.access import MAX_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms.boundfield import BoundField

Outcome = AccessRule.Outcome
# The buttons that move a row, with the number of places.
MOVES = (("_up", -1), ("_down", 1))


class RuleForm(ModelForm[AccessRule]):
    """One row: an outcome, and a formset of conditions with one more that is empty."""

    # A row whose group has been deleted is kept until an administrator chooses another group.
    lost_group = forms.BooleanField(required=False, widget=forms.HiddenInput)
    # A malformed row, not written by this form, refuses everyone. Saving the page must not turn it into a valid one.
    unreadable = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = AccessRule
        fields = ("outcome", "message", "group")
        widgets = {"group": GroupSelect}  # noqa: RUF012

    def __init__(self, *args: Any, groups: list[tuple[Any, str]], search: CodeSearch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.search = search
        self.fields["group"].choices = groups  # type: ignore[attr-defined]
        if not users_have_groups():
            outcome: Any = self.fields["outcome"]
            outcome.choices = [choice for choice in outcome.choices if choice[0] != Outcome.GROUP]

    @cached_property
    def conditions(self) -> Any:
        formset = ConditionFormSet(
            self.data if self.is_bound else None,
            initial=self.initial.get("conditions"),
            prefix=self.add_prefix("conditions"),
            form_kwargs={"search": self.search, "empty_permitted": True},
        )
        formset.extra = 1 if self.initial.get("conditions") else 2
        return formset

    @property
    def shown_values(self) -> dict[str, Any]:
        """The values as the page shows them, right or wrong."""
        conditions = [form.shown_values for form in self.conditions if form.has_changed()]
        return {**{name: self[name].value() for name in self.fields}, "conditions": conditions}

    @property
    def is_to_delete(self) -> bool:
        return bool(self["DELETE"].value())

    @override
    def has_changed(self) -> bool:
        return super().has_changed() or any(form.has_changed() for form in self.conditions)

    @override
    def is_valid(self) -> bool:
        return all([super().is_valid(), self.conditions.is_valid()])

    @override
    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, outcome in (("message", Outcome.REFUSE), ("group", Outcome.GROUP)):
            # Without scripts the inputs of all outcomes are visible: ignore those of another outcome.
            if self.cleaned_data.get("outcome") != outcome and name in self.cleaned_data:
                self.cleaned_data[name] = None if name == "group" else ""
        has_group = "group" in self.errors or self.cleaned_data.get("group") or self.cleaned_data.get("lost_group")
        if self.cleaned_data.get("outcome") == Outcome.GROUP and not has_group:
            self.add_error("group", ValidationError(_("Choose the group."), code="access_group_missing"))
        valid = [form.cleaned_data for form in self.conditions if form.is_valid()]
        self.instance.conditions = [data["condition"].as_json() for data in valid if data]
        return self.cleaned_data


def initial_rule(rule: AccessRule) -> dict[str, Any]:
    """Return the values that the page shows of a stored rule."""
    shown = {"message": rule.message, "group": rule.group_id, "lost_group": rule.has_lost_its_group}
    if not rule.is_well_formed:
        return {**shown, "unreadable": True, "outcome": ""}
    return {**shown, "conditions": list(map(initial_condition, rule.parsed_conditions)), "outcome": rule.outcome}


class _RuleFormSet(RowFormSet):
    """The rows of the page. Their order matters, so that two equal rows are no error."""

    def search_all(self) -> None:
        """Search the suggestions of every condition, which the forms then keep."""
        forms: list[Any] = self.forms
        for form in forms:
            for condition in form.conditions:
                condition.suggestions  # noqa: B018 - searched here

    @property
    def shown_rows(self) -> list[dict[str, Any]]:
        """The rows to show next: moved by the pressed button, without empty ones and those to delete."""
        forms: list[Any] = [form for form in self.forms if form.has_changed()]
        forms = [form for form in forms if not form.is_to_delete]
        for button, places in MOVES:
            row = next((row for row, form in enumerate(forms) if form.prefix == self.data.get(button)), None)
            if row is not None and 0 <= row + places < len(forms):
                forms[row], forms[row + places] = forms[row + places], forms[row]
        return [form.shown_values for form in forms]


def rule_formset(*args: Any, extra: int = 1, **kwargs: Any) -> Any:
    """Return the formset of the rules. The groups of the site are read once for all rows.

    A row or condition that an administrator has emptied is ignored, whether it was stored or not.
    """
    groups = [NO_CHOICE, *Group.objects.order_by("name").values_list("pk", "name")]
    form_kwargs = {"groups": groups, "search": CodeSearch(), "empty_permitted": True}
    formset = RuleFormSet(*args, prefix="rules", form_kwargs=form_kwargs, **kwargs)
    formset.extra = extra
    return formset


def fields_of(formset: Any) -> Iterator[BoundField]:
    """Yield every input of the rules: of the rows and of their conditions."""
    yield from formset.management_form
    for form in formset:
        yield from form
        yield from form.conditions.management_form
        for condition in form.conditions:
            yield from condition


RuleFormSet = formset_of(RuleForm, _RuleFormSet, max_num=MAX_RULES, can_delete=True)


class OthersForm(ModelForm[Provider]):
    """The last line, and the contact shown on refusal."""

    # A choice and not a checkbox: a missing value is an error, never a refusal.
    others_may_sign_in = forms.TypedChoiceField(
        choices=[("True", _("may sign in")), ("False", _("is refused"))],
        coerce=lambda value: value == "True",
        label=_("Everyone else"),
    )

    class Meta:
        model = Provider
        fields = ("others_may_sign_in", "refusal_message", "contact")
        widgets = {"refusal_message": AdminTextInputWidget, "contact": AdminTextInputWidget}  # noqa: RUF012


class PreviewForm(forms.Form):
    """The authentication level of the preview, and a pasted userinfo to preview beside the samples."""

    acr = forms.CharField(label=_("Level (acr)"), required=False, max_length=255)
    pasted = UserinfoField(
        help_text=_("Such as “essaie ta e-CPS” shows. It is used on this page only, and is not stored.")
    )
