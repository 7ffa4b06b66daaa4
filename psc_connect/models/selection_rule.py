"""Provider selection rules: which provider a visitor is sent to, if a site has several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.models.declaration import DeclarationRow
from psc_connect.models.provider import Provider
from psc_connect.validators import validate_header_name, validate_host_name, validate_network

# By kind: the field whose form depends on it.
_VALIDATORS: Final[dict[str, tuple[str, Callable[[str], None]]]] = {
    "network": ("value", validate_network),
    "host": ("value", validate_host_name),
    "header": ("header", validate_header_name),
}


class ProviderSelectionRule(DeclarationRow):
    """One rule: visitors from this network, on this host or with this header are sent to the rule's provider."""

    class Kind(models.TextChoices):
        NETWORK = "network", _("address of the visitor (CIDR)")
        HOST = "host", _("host name of the site")
        HEADER = "header", _("header of the request")

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="selection_rules", verbose_name=_("provider"))
    kind = models.CharField(_("what is checked"), max_length=16, choices=Kind, default=Kind.NETWORK)
    header = models.CharField(
        _("name of the header"), max_length=100, blank=True, help_text=_("For a header only, such as X-Site.")
    )
    value = models.CharField(
        _("value"), max_length=255, help_text=_("Such as 10.20.0.0/16, records.example.org or the header's value.")
    )

    class Meta(DeclarationRow.Meta):
        verbose_name = _("provider selection rule")
        verbose_name_plural = _("provider selection rules")

    @override
    def __str__(self) -> str:
        name = f"{self.kind} {self.header}".strip()
        return f"{name} = {self.value}"

    @override
    def clean(self) -> None:
        super().clean()
        if self.header and self.kind != self.Kind.HEADER:
            message = _("Only a rule about a header has a header name.")
            raise ValidationError({"header": ValidationError(message, code="selection_header_unexpected")})
        if self.kind in _VALIDATORS:
            name, validate = _VALIDATORS[self.kind]
            try:
                validate(getattr(self, name))
            except ValidationError as exc:
                raise ValidationError({name: exc}) from exc
