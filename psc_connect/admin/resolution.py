"""The resolution rules of a provider, as rows of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.text import capfirst
from typing_extensions import override

from psc_connect.models import Provider, ResolutionRule

if TYPE_CHECKING:
    _InlineFormSet = forms.BaseInlineFormSet[ResolutionRule, Provider, forms.ModelForm[ResolutionRule]]
    _TabularInline = admin.TabularInline[ResolutionRule, Provider]
else:
    _InlineFormSet = forms.BaseInlineFormSet
    _TabularInline = admin.TabularInline


def name_inputs(form: forms.BaseForm) -> None:
    """Give each input its name for screen readers: Django's tables leave it to the head of the column."""
    for name, field in form.fields.items():
        field.widget.attrs["aria-label"] = capfirst(str(field.label or name))


class ResolutionRuleFormSet(_InlineFormSet):
    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form)


class ResolutionRuleInline(_TabularInline):
    model = ResolutionRule
    formset = ResolutionRuleFormSet
    fields = ("kind", "header", "value")
    extra = 0
