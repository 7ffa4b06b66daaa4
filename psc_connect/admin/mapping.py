"""The exported attributes of a provider, as rows of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.text import capfirst
from django.utils.translation import gettext
from typing_extensions import override

from psc_connect.attributes import assignable_fields
from psc_connect.backends import ProSanteConnectBackend, installed_class
from psc_connect.models import ExportedAttribute, Provider

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ExportedAttribute]
    _InlineFormSet = forms.BaseInlineFormSet[ExportedAttribute, Provider, forms.ModelForm[ExportedAttribute]]
    _TabularInline = admin.TabularInline[ExportedAttribute, Provider]
else:
    _ModelForm = forms.ModelForm
    _InlineFormSet = forms.BaseInlineFormSet
    _TabularInline = admin.TabularInline


class ExportedAttributeForm(_ModelForm):
    class Meta:
        model = ExportedAttribute
        fields = ("claim", "user_field", "when", "required")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "---------")]
        choices += [(field.name, f"{field.verbose_name} ({field.name})") for field in assignable_fields()]
        stored = self.instance.user_field
        if stored and stored not in dict(choices):
            # The field has gone from the user model: the row is shown as it is, and refused as it is.
            choices.append((stored, gettext("%(field)s (no longer usable)") % {"field": stored}))
        self.fields["user_field"].widget = forms.Select(choices=choices)


class ExportedAttributeFormSet(_InlineFormSet):
    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        # Django's tables give their inputs no label: a screen reader would say nothing of them.
        for name, field in form.fields.items():
            field.widget.attrs["aria-label"] = capfirst(field.label or name)


class ExportedAttributeInline(_TabularInline):
    model = ExportedAttribute
    form = ExportedAttributeForm
    formset = ExportedAttributeFormSet
    extra = 0


def creation_is_impossible(provider: Provider) -> bool:
    """Whether a first login would end in ``account_username_missing``: nothing gives a new user its username."""
    username_field = get_user_model().USERNAME_FIELD
    if not provider.create_unknown_users or provider.exported_attributes.filter(user_field=username_field).exists():
        return False
    installed = installed_class()
    return installed is None or installed[1].create_user is ProSanteConnectBackend.create_user
