"""Declaring a provider with five answers, and changing it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf, declaration
from psc_connect.admin.documents import (
    JSON_ATTRIBUTES,
    DocumentField,
    KeySetField,
    KeySetFileField,
    explain,
    problems_of,
)
from psc_connect.admin.secret import SecretInput, secret_state
from psc_connect.models import Environment, Provider, may_go_to
from psc_connect.oidc.errors import MetadataError, OIDCError, ProviderUnavailable

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    from psc_connect.oidc.metadata import ProviderMetadata

    _ModelForm = forms.ModelForm[Provider]
else:
    _ModelForm = forms.ModelForm

SUGGESTED_ACR = ("eidas1", "eidas2", "eidas3")
ACR_NOTE = _(
    "eidas1, eidas2, eidas3 or another value that ANS gave you. Since 2022 the documentation of Pro Santé Connect "
    "asks for eidas1 and says that another value may be refused; if it is, a login says so: write eidas1 here then."
)


class SuggestingInput(AdminTextInputWidget):
    """Free text with suggestions."""

    @override
    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        list_id = f"{name}_suggestions"
        text_input = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in SUGGESTED_ACR))
        return format_html('{}<datalist id="{}">{}</datalist>', text_input, list_id, options)


class _ProviderForm(_ModelForm):
    """What both pages hold true at every save: the metadata is usable, and the secret goes nowhere unseen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "acr_values" in self.fields:
            self.fields["acr_values"].widget = SuggestingInput()
            self.fields["acr_values"].help_text = ACR_NOTE

    @override
    def clean(self) -> dict[str, Any]:
        super().clean()
        if "environment" not in self.errors and "metadata" not in self.errors:
            try:
                self._clean_metadata()
            except OIDCError as exc:
                self.add_error("metadata", problems_of(exc))
        return self.cleaned_data

    def _clean_metadata(self) -> None:
        document = self._wanted_metadata()
        if document is None:
            return
        metadata = declaration.check_metadata(document)
        self._check(document, metadata)
        self.cleaned_data["metadata"] = document
        if document != self.instance.metadata and "metadata" not in self.changed_data:
            # Saved, and told in the history, as what an administrator types is.
            self.changed_data.append("metadata")

    def _wanted_metadata(self) -> object:
        """Return the document that the row is to have, or None where an error says why there is none."""
        environment = self.cleaned_data["environment"]
        try:
            return declaration.environment_metadata(environment)
        except (ProviderUnavailable, MetadataError) as exc:
            message = _(
                "The simulator does not answer at %(url)s: start it with “manage.py psc_simulator”. (%(reason)s)"
            )
            params = {"url": conf.simulator_url(), "reason": explain(exc.code)}
            self.add_error("environment", ValidationError(message, code=exc.code, params=params))
            return None

    def _check(self, document: object, metadata: ProviderMetadata) -> None:  # noqa: ARG002 - the change page's reads it
        chosen = self.cleaned_data["environment"]
        published = declaration.environment_of_issuer(metadata.issuer)
        if published and chosen in declaration.PUBLISHED.values() and chosen != published:
            message = _("The issuer of this metadata is that of another environment: %(environment)s.")
            params = {"environment": published.label}
            self.add_error("environment", ValidationError(message, code="environment_mismatch", params=params))
        secret = self.cleaned_data.get("client_secret")
        if secret and not may_go_to(metadata.issuer, secret):
            message = _("The setting PSC_CONNECT_SECRET_ISSUERS does not give this name to the issuer.")
            self.add_error("client_secret", ValidationError(message, code="secret_reference_not_for_issuer"))


class DeclarationForm(_ProviderForm):
    """The page that adds a provider: five answers, and what another provider than Pro Santé Connect needs."""

    client_secret = SecretInput(label=_("Client secret"))
    discovery_url = forms.URLField(
        label=_("Discovery URL"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )
    metadata = DocumentField(label=_("Provider metadata"), required=False)

    class Meta:
        model = Provider
        fields = ()  # The fieldsets of the page name them.

    @override
    def _wanted_metadata(self) -> object:
        if self.cleaned_data["metadata"] is not None:
            return self.cleaned_data["metadata"]
        if url := self.cleaned_data.get("discovery_url"):
            return self._discovered(url)
        if self.cleaned_data["environment"] == Environment.CUSTOM:
            message = _("A custom provider needs its discovery URL, or its metadata.")
            self.add_error("discovery_url", ValidationError(message, code="metadata_required"))
            return None
        return super()._wanted_metadata()

    def _discovered(self, url: str) -> dict[str, Any] | None:
        try:
            return declaration.fetch_document(url)
        except (ProviderUnavailable, MetadataError) as exc:
            self.add_error("discovery_url", problems_of(exc))
            return None


class ChangeForm(_ProviderForm):
    """The page that changes a provider. An empty secret or key set leaves the stored one as it is."""

    client_secret = SecretInput(label=_("Client secret"), required=False)
    # Compared with what the page was made with: a document fetched meanwhile is not put back to the old one.
    metadata = DocumentField(
        label=_("Provider metadata"),
        required=False,
        show_hidden_initial=True,
        help_text=_("Replaced when the environment changes. Empty: that of the environment again."),
    )
    jwks_document = KeySetField(
        widget=AdminTextareaWidget(attrs={**JSON_ATTRIBUTES, "rows": 5}),
        label=_("New key set (JWKS)"),
        required=False,
        help_text=_("Pasted here or in a file, it replaces all keys. Empty: the keys stay as they are."),
    )
    jwks_file = KeySetFileField(label=_("New key set (file)"), required=False)

    class Meta:
        model = Provider
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issuer_before = self.instance.issuer
        self.fields["client_secret"].help_text = secret_state(self.instance)

    def clean_client_secret(self) -> Any:
        return self.cleaned_data["client_secret"] or self.instance.client_secret

    @override
    def clean(self) -> dict[str, Any]:
        cleaned_data = super().clean()
        if cleaned_data.get("jwks_document") and cleaned_data.get("jwks_file"):
            message = _("Paste a key set or choose a file, not both.")
            self.add_error("jwks_file", ValidationError(message, code="jwks_given_twice"))
        return cleaned_data

    @property
    def given_keys(self) -> dict[str, Any] | None:
        given: dict[str, Any] | None = self.cleaned_data["jwks_document"] or self.cleaned_data["jwks_file"]
        return given

    @override
    def _wanted_metadata(self) -> object:
        is_typed, is_elsewhere = ("metadata" in self.changed_data, "environment" in self.changed_data)
        if is_typed and self.cleaned_data["metadata"] is not None:
            return self.cleaned_data["metadata"]
        self.cleaned_data["metadata"] = self.instance.metadata
        has_own = self.cleaned_data["environment"] != Environment.CUSTOM
        if is_typed or (has_own and (is_elsewhere or not self.instance.metadata)):
            return super()._wanted_metadata()
        # A provider that is off may keep what would no longer pass: one must be able to turn it off.
        return self.instance.metadata if self.cleaned_data["enabled"] else None

    @override
    def _check(self, document: object, metadata: ProviderMetadata) -> None:
        """A changed issuer or token endpoint would send the stored secret to somebody else."""
        super()._check(document, metadata)
        row = self.instance
        if declaration.secret_recipient(row.metadata) == declaration.secret_recipient(document):
            return
        if declaration.has_accounts_of_another_issuer(row, metadata.issuer):
            message = _("This provider has accounts of its present issuer: declare a second provider instead.")
            field = "environment" if "environment" in self.changed_data else "metadata"
            self.add_error(field, ValidationError(message, code="issuer_has_accounts"))
        elif row.client_secret and "client_secret" not in self.changed_data:
            message = _("The issuer or the host of the token endpoint changes: enter the client secret again.")
            self.add_error("client_secret", ValidationError(message, code="secret_required_again"))
