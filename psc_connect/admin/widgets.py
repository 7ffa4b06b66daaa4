"""Form fields and widgets: text with suggestions, and dictionaries typed as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.utils.safestring import SafeString

    from psc_connect.models.user_fields import UsersField


def name_inputs(form: forms.BaseForm) -> None:
    """Name each input for screen readers: in a table only the heading of the column names it.

    Help texts are removed: the table does not show them, and an input must not refer to one that is missing.
    """
    for name, field in form.fields.items():
        field.widget.attrs["aria-label"] = capfirst(str(field.label or name))
        field.help_text = ""


def field_choices(fields: Iterable[UsersField], stored: str) -> list[tuple[str, str]]:
    """Return the choices of fields of the user model, with a stored field that no longer exists."""
    choices = [("", "---------"), *((field.name, f"{field.verbose_name} ({field.name})") for field in fields)]
    if stored and stored not in dict(choices):
        choices.append((stored, gettext("%(field)s (no longer usable)") % {"field": stored}))
    return choices


class SuggestingInput(AdminTextInputWidget):
    """Free text with suggestions."""

    def __init__(self, suggestions: Iterable[str], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions = tuple(suggestions)

    @override
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        list_id = f"{name}_suggestions"
        text_input = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.suggestions))
        return format_html('{}<datalist id="{}">{}</datalist>', text_input, list_id, options)


class GroupSelect(forms.Select):
    """The groups of the site. Those in ``disabled_groups`` cannot be chosen, but a row that has one keeps it."""

    disabled_groups: Collection[str] = ()

    @override
    def create_option(self, name: str, value: Any, label: Any, selected: bool, *args: Any, **kwargs: Any) -> Any:
        option = super().create_option(name, value, label, selected, *args, **kwargs)
        if not selected and str(label) in self.disabled_groups:
            option["attrs"]["disabled"] = True
        return option


class PairsField(forms.CharField):
    """A dictionary of texts, typed as lines ``name = value``. After an error it is shown as it was typed."""

    def __init__(self, *, placeholder: str = "", **kwargs: Any) -> None:
        attributes = {
            "rows": 3,
            "spellcheck": "false",
            "class": "vLargeTextField psc-pairs",
            "placeholder": placeholder,
        }
        super().__init__(widget=AdminTextareaWidget(attrs=attributes), required=False, **kwargs)

    @override
    def to_python(self, value: Any) -> Any:
        ProhibitNullCharactersValidator()(value or "")
        pairs: dict[str, str] = {}
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            name, separator, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not separator or not name or not text:
                message = _("Line %(line)s is not written name = value.")
                raise ValidationError(message, code="pairs_malformed", params={"line": number})
            if name in pairs:
                message = _("Line %(line)s gives “%(name)s” a second time.")
                raise ValidationError(message, code="pairs_twice", params={"line": number, "name": name})
            pairs[name] = text
        return pairs

    @override
    def validate(self, value: Any) -> None:
        """Leave the validation to the validators of the model."""

    @override
    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {text}" for name, text in value.items()) if isinstance(value, dict) else value

    @override
    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except ValidationError:
            return True
