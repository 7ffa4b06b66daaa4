"""Form fields for JSON documents and key sets, with errors that administrators can act on."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.administrator_messages import explain, form_errors_of, load_json
from psc_connect.oidc.errors import JWKSError
from psc_connect.oidc.jwks import parse_jwks, strip_private_members

MAX_JWKS_BYTES = 512 * 1024
# Metadata, or a key set.
MAX_CHARACTERS = 512 * 1024
JSON_ATTRIBUTES = {
    "rows": 16,
    "spellcheck": "false",
    "autocomplete": "off",
    "class": "vLargeTextField psc-document",
}


class DocumentField(forms.JSONField):
    """A JSON document in a text area, indented; None if blank. After an error it is shown exactly as it was typed."""

    widget = AdminTextareaWidget(attrs=JSON_ATTRIBUTES)

    @override
    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value or None
        if len(value) > MAX_CHARACTERS:
            raise ValidationError(_("This is longer than 512 kB."), code="json_too_large")
        return load_json(value) if value.strip() else None

    @override
    def bound_data(self, data: Any, initial: Any) -> Any:
        return None if data is None else InvalidJSONInput(data)

    @override
    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return "" if value in (None, {}) else json.dumps(value, ensure_ascii=False, indent=2)


class KeySetField(DocumentField):
    """A pasted key set. Private parts of keys are removed here."""

    @override
    @sensitive_variables()
    def clean(self, value: Any) -> Any:
        document = super().clean(value)
        return None if document is None else public_key_set(document)


class KeySetFileField(forms.FileField):
    """An uploaded key set."""

    @override
    @sensitive_variables()
    def clean(self, data: Any, initial: Any = None) -> Any:
        uploaded = super().clean(data, initial)
        if not uploaded:
            return None
        if uploaded.size > MAX_JWKS_BYTES:
            raise ValidationError(_("The file is larger than 512 kB: it is not a key set."), code="jwks_file_too_large")
        try:
            text = uploaded.read().decode()
        except UnicodeDecodeError:
            raise ValidationError(explain("jwks_not_json"), code="jwks_not_json") from None
        return public_key_set(load_json(text))


@sensitive_variables()
def public_key_set(document: object) -> dict[str, Any]:
    """Return the public part of a key set with at least one usable key. Raises ValidationError."""
    try:
        public = strip_private_members(document)
        keys = parse_jwks(public)
    except JWKSError as exc:
        raise ValidationError(form_errors_of(exc)) from None
    if not keys.keys:
        codes = ("jwks_no_usable_key", *dict.fromkeys(key.reason for key in keys.ignored))
        raise ValidationError([ValidationError(explain(code), code=code) for code in codes])
    return public
