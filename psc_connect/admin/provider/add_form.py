"""The form that adds a provider, and what it shares with the change form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.admin.json_field import DocumentField
from psc_connect.admin.provider.secret_field import SecretInput
from psc_connect.admin.widgets import SuggestingInput
from psc_connect.administrator_messages import explain, form_errors_of
from psc_connect.models import Environment, Provider
from psc_connect.oidc.errors import MetadataError, OIDCError, ProviderUnavailable
from psc_connect.providers import validation
from psc_connect.providers.metadata import fetch_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    _ModelForm = forms.ModelForm[Provider]
else:
    _ModelForm = forms.ModelForm

SUGGESTED_ACR = ("eidas1", "eidas2", "eidas3")
ACR_NOTE = _(
    "eidas1, eidas2, eidas3 or another value that ANS gave you. Since 2022 the documentation of Pro Santé Connect "
    "asks for eidas1 and says that another value may be refused. If it is refused, the error page of the sign-in "
    "says so: then write eidas1 here."
)


class FetchedDocuments:
    """Documents fetched during one request: each provider is asked once, before a transaction begins."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Any] | ProviderUnavailable | MetadataError] = {}

    def get(self, name: str, fetch: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the document of a name, fetched once with ``fetch``. Raises ProviderUnavailable, MetadataError."""
        if name not in self._answers:
            try:
                self._answers[name] = fetch()
            except (ProviderUnavailable, MetadataError) as exc:
                self._answers[name] = exc
        answer = self._answers[name]
        if isinstance(answer, (ProviderUnavailable, MetadataError)):
            raise answer
        return answer


def fetched_documents(request: HttpRequest) -> FetchedDocuments:
    if not hasattr(request, "psc_connect_fetched"):
        request.psc_connect_fetched = FetchedDocuments()  # type: ignore[attr-defined]
    return request.psc_connect_fetched  # type: ignore[attr-defined, no-any-return]


class ProviderForm(_ModelForm):
    """What both forms validate: the metadata is usable, and the secret is not sent to another recipient."""

    # Set by ProviderAdmin.get_form(): why the user may not replace secrets and keys, or "".
    why_not: str = ""
    fetched: FetchedDocuments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "acr_values" in self.fields:
            self.fields["acr_values"].widget = SuggestingInput(SUGGESTED_ACR)
            self.fields["acr_values"].help_text = ACR_NOTE

    @override
    def clean(self) -> dict[str, Any]:
        super().clean()
        if "environment" not in self.errors and "metadata" not in self.errors:
            try:
                self._clean_metadata()
            except OIDCError as exc:
                self.add_error("metadata", form_errors_of(exc))
        return self.cleaned_data

    def _clean_metadata(self) -> None:
        document = self._wanted_metadata()
        if document is None:
            return
        wanted = validation.Wanted(self.cleaned_data["environment"], document, self._new_secret())
        for name, error in validation.problems(self._present(), wanted):
            self.add_error(name, error)
        self.cleaned_data["metadata"] = document
        if document != self.instance.metadata and "metadata" not in self.changed_data:
            # Saved and audited like typed metadata.
            self.changed_data.append("metadata")

    def _present(self) -> Provider | None:
        return self.instance if self.instance.pk else None

    def _new_secret(self) -> Any:
        return self.cleaned_data.get("client_secret") if "client_secret" in self.changed_data else None

    def _wanted_metadata(self) -> object:
        """Return the metadata to save, or None after adding an error."""
        environment = self.cleaned_data["environment"]
        try:
            return self.fetched.get(environment, lambda: validation.environment_metadata(environment))
        except (ProviderUnavailable, MetadataError) as exc:
            message = _(
                "The simulator does not answer at %(url)s: start it with “manage.py psc_simulator”. (%(reason)s)"
            )
            params = {"url": conf.simulator_url(), "reason": explain(exc.code)}
            self.add_error("environment", ValidationError(message, code=exc.code, params=params))
            return None


class DeclarationForm(ProviderForm):
    """The form that adds a provider: five fields, and those for a provider other than Pro Santé Connect."""

    client_secret = SecretInput(label=_("Client secret"))
    discovery_url = forms.URLField(
        label=_("Discovery URL"),
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )
    metadata = DocumentField(label=_("Provider metadata"), required=False)
    like = forms.ModelChoiceField(
        Provider.objects.all(),
        label=pgettext_lazy("admin", "Copy settings from"),
        required=False,
        help_text=_("Copies its options, its mapping and its rules, for example from the sandbox to production."),
    )

    class Meta:
        model = Provider
        fields = ()  # The fieldsets of the page name them.

    @override
    def _clean_metadata(self) -> None:
        super()._clean_metadata()
        document = self.cleaned_data.get("metadata")
        if not self.why_not or not isinstance(document, dict):
            return
        # A provider with the issuer of another one could sign in the people of that one.
        if any(each.issuer == document.get("issuer") for each in Provider.objects.all()):
            self.add_error("environment", ValidationError(self.why_not, code="issuer_is_declared"))
        elif not validation.is_well_known(str(document.get("issuer"))):
            text = gettext(
                "Declaring another issuer than those of Pro Santé Connect and of the simulator decides whom this "
                "site trusts."
            )
            message = format_html("{} {}", text, self.why_not)
            self.add_error("environment", ValidationError(message, code="issuer_needs_the_right"))

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
            return self.fetched.get(url, lambda: fetch_document(url))
        except (ProviderUnavailable, MetadataError) as exc:
            self.add_error("discovery_url", form_errors_of(exc))
            return None
