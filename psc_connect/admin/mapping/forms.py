"""Forms of the mapping page: rows, presets, and the sample of the preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.admin.base import ModelForm
from psc_connect.admin.formset_page import RowFormSet, formset_of
from psc_connect.admin.json_field import JSON_ATTRIBUTES
from psc_connect.admin.widgets import GroupSelect, field_choices
from psc_connect.administrator_messages import load_json
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.mapping.presets import PRESET_NAMES
from psc_connect.models import ExportedAttribute, ExportedGroup
from psc_connect.models.user_fields import assignable_fields
from psc_connect.professional.userinfo import MAX_ACTIVITIES, count_activities
from psc_connect.text import cut_control_characters

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST_RUN = "dry-run"
PASTED = "pasted"
MAX_PASTED = 256 * 1024
NO_OBJECT = _("The userinfo is one JSON object: { … }.")


class AttributeForm(ModelForm[ExportedAttribute]):
    class Meta:
        model = ExportedAttribute
        fields = ("claim", "user_field", "when", "required")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.initial.get("user_field") or (
            self.data.get(self.add_prefix("user_field")) if self.is_bound else ""
        )
        # A row whose field no longer exists is shown unchanged, and refused when it is saved.
        choices = field_choices(assignable_fields(), stored or "")
        self.fields["user_field"].widget = forms.Select(choices=choices)


class GroupForm(ModelForm[ExportedGroup]):
    class Meta:
        model = ExportedGroup
        fields = ("claim", "equals", "group")
        widgets = {"group": GroupSelect}  # noqa: RUF012


class _PathFormSet(RowFormSet):
    """Rows with proposals from the sample for their claim."""

    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["claim"].widget.attrs |= {
            "list": "psc-paths",
            "class": "psc-path",
            "size": 40,
            "spellcheck": "false",
        }


class _AttributeFormSet(_PathFormSet):
    unique = ("user_field",)
    twice = ("attribute_field_twice", _("Two rows fill the field “%(name)s”."))

    @property
    def typed_rows(self) -> list[dict[str, Any]]:
        """The rows as they are typed, right or wrong, without those to delete."""
        names = AttributeForm.Meta.fields
        return [
            {name: form[name].value() for name in names}
            for form in self.forms
            if form.has_changed() and not form["DELETE"].value()
        ]


class _GroupFormSet(_PathFormSet):
    unique = ("claim", "equals", "group")


AttributeFormSet = formset_of(AttributeForm, _AttributeFormSet, extra=3, can_delete=True)
GroupFormSet = formset_of(GroupForm, _GroupFormSet, extra=3, can_delete=True)


class PresetForm(forms.Form):
    """The preset with which to fill in rows."""

    preset = forms.ChoiceField(label=_("Preset"), choices=list(PRESET_NAMES.items()))


class UserinfoField(forms.CharField):
    """A pasted userinfo, cleaned to the claims that a login would read, or None where nothing is pasted."""

    def __init__(self, **kwargs: Any) -> None:
        widget = AdminTextareaWidget(attrs={**JSON_ATTRIBUTES, "rows": 6})
        super().__init__(label=_("Userinfo in JSON"), required=False, widget=widget, **kwargs)

    @override
    @sensitive_variables()
    def clean(self, value: Any) -> dict[str, Any] | None:
        text = super().clean(value)
        return _userinfo_claims(text) if text else None


class SampleForm(forms.Form):
    """The claims for the preview of the rows."""

    sample = forms.ChoiceField(label=_("Sample"))
    pasted = UserinfoField(
        help_text=_(
            "Such as “essaie ta e-CPS” shows. It replaces the sample above, is used on this page only, and is not "
            "stored."
        )
    )

    def __init__(self, *args: Any, dry_run_claims: Mapping[str, Any] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dry_run_claims = dry_run_claims
        dry_run = [(LAST_RUN, _("My last dry run"))] if dry_run_claims else []
        choices = [*dry_run, *SAMPLES.items(), (PASTED, _("The userinfo pasted below"))]
        self.fields["sample"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("sample", choices[0][0])

    @override
    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("pasted") is not None or "pasted" in self.errors:
            # A pasted userinfo replaces the choice, and the page shows that it does.
            self.cleaned_data["sample"] = PASTED
            self.data = {**dict(self.data.items()), "sample": PASTED}
        elif self.cleaned_data.get("sample") == PASTED:
            self.add_error("pasted", ValidationError(NO_OBJECT, code="sample_not_an_object"))
        return self.cleaned_data

    @property
    def claims(self) -> Mapping[str, Any]:
        is_chosen = self.is_bound and self.is_valid()
        chosen = self.cleaned_data["sample"] if is_chosen else self.initial["sample"]
        if chosen == PASTED:
            claims: dict[str, Any] = self.cleaned_data["pasted"]
            return claims
        return (self.dry_run_claims or {}) if chosen == LAST_RUN else load_sample(chosen)


def _userinfo_claims(text: str) -> dict[str, Any]:
    if len(text.encode()) > MAX_PASTED:
        raise ValidationError(_("This is longer than 256 kB: it is not a userinfo."), code="sample_too_large")
    document = load_json(text)
    if not isinstance(document, dict):
        raise ValidationError(NO_OBJECT, code="sample_not_an_object")
    if count_activities(document) > MAX_ACTIVITIES:
        message = _("This userinfo has more practices and activities than a sign-in accepts (%(most)s).")
        raise ValidationError(message, code="sample_activities_too_many", params={"most": MAX_ACTIVITIES})
    claims: dict[str, Any] = cut_control_characters(document)
    return claims
