"""The form field of the client secret, which is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable, StoredSecret, validate_secret

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from psc_connect.models import Provider


@sensitive_variables()
def secret_state(provider: Provider, *, may_replace: bool = True) -> _StrPromise:
    """Return whether the secret can be used, in words, without any part of it."""
    try:
        provider.secret_for_its_issuer()
    except SecretUnavailable as exc:
        return SECRET_PROBLEMS[exc.code]
    if not may_replace:
        return _("A secret is stored.")
    if provider.client_secret.reference():
        return _("A reference (env:… or file:…) is stored and leads to a secret. Leave empty to keep it.")
    return _("A secret is stored and never shown. Leave empty to keep it.")


class SecretInput(forms.CharField):
    """A write-only field: ``cleaned_data`` holds a StoredSecret, never the typed text."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})
        super().__init__(widget=widget, max_length=4096, validators=[validate_secret], **kwargs)

    @override
    @sensitive_variables()
    def clean(self, value: Any) -> Any:
        return StoredSecret.encrypt(super().clean(value))

    @override
    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data and data.strip())
