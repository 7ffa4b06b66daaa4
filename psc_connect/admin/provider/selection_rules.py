"""The page of a provider's selection rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.base import ModelForm
from psc_connect.admin.formset_page import RowFormSet, RowsPage, formset_of
from psc_connect.models import ProviderSelectionRule

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

RULES = "selection_rules"


class RuleForm(ModelForm[ProviderSelectionRule]):
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
        return self.render(request, rules=RuleFormSet(initial=self.present()[RULES]))

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.model_admin.has_change_permission(request, self.provider):
            raise PermissionDenied
        rules = RuleFormSet(request.POST)
        if not rules.is_valid():
            return self.render(request, rules=rules)
        problem = self.save(request, {RULES: rules.rows})
        return self.render(request, rules=rules, **problem) if problem else self.to(self.name)
