"""The read-only page of a provider: words and indents where Django would show raw values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.outcomes import indented
from psc_connect.admin.provider.secret_field import secret_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.safestring import SafeString

    from psc_connect.models import Provider

# The replacement of each input; "" if another field shows its value.
READONLY_FIELDS = {
    "button_texts": "translations_to_read",
    "button_tooltips": "",
    "client_secret": "secret_status",
    "extra_parameters": "extra_parameters_to_read",
    "metadata": "metadata_to_read",
}


def read_only_names(fields: Iterable[str]) -> list[str]:
    shown = (READONLY_FIELDS.get(name, name) for name in fields)
    return [name for name in shown if name]


def _indented(value: object) -> SafeString:
    return format_html('<pre class="psc-claims">{}</pre>', indented(value) if value else "–")


class ReadOnlyFieldsMixin:
    """The read-only fields that ``READONLY_FIELDS`` names."""

    shown = tuple(name for name in READONLY_FIELDS.values() if name)

    @admin.display(description=_("client secret"))
    def secret_status(self, provider: Provider) -> str:
        return str(secret_state(provider, may_replace=False))

    @admin.display(description=_("provider metadata"))
    def metadata_to_read(self, provider: Provider) -> SafeString:
        return _indented(provider.metadata)

    @admin.display(description=_("extra parameters"))
    def extra_parameters_to_read(self, provider: Provider) -> SafeString:
        return _indented(provider.extra_parameters)

    @admin.display(description=_("in other languages"))
    def translations_to_read(self, provider: Provider) -> SafeString:
        return _indented(provider.translations)
