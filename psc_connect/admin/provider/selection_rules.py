"""The page of a provider's selection rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.formset_page import NO_PROBLEM, RowFormSet, RowsPage, formset_of
from psc_connect.models import ProviderSelectionRule

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    _RuleModelForm = forms.ModelForm[ProviderSelectionRule]
else:
    _RuleModelForm = forms.ModelForm

RULES = "selection_rules"


class RuleForm(_RuleModelForm):
    class Meta:
        model = ProviderSelectionRule
        fields = ("kind", "header", "value")


class _RuleFormSet(RowFormSet):
    unique = ("kind", "header", "value")


RuleFormSet = formset_of(RuleForm, _RuleFormSet, extra=3, can_delete=True)


class RulesPage(RowsPage):
    name = "rules"
    title = _("Provider selection rules")
    template_name = "admin/psc_connect/provider/rules.html"
    lists = (RULES,)
    saved = _("The rules are saved: they apply from the next sign-in on.")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, RuleFormSet(initial=self.present()[RULES]))

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        rules = RuleFormSet(request.POST)
        if not rules.is_valid():
            return self._show(request, rules)
        problem = self.save(request, {RULES: rules.rows})
        return self._show(request, rules, **problem) if problem else self.to(self.name)

    def _show(self, request: HttpRequest, rules: Any, **context: Any) -> HttpResponse:
        return self.render(request, rules=rules, **{**NO_PROBLEM, **context})
