"""The form that adds a provider, and what it shares with the change form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import conf
from psc_connect.accounts.matching import is_superuser
from psc_connect.admin.base import ModelAdmin, ModelForm, administrator, may_change_users
from psc_connect.admin.json_field import DocumentField
from psc_connect.admin.provider.same_issuer import explain_disagreements, is_confirmed
from psc_connect.admin.provider.secret_field import SecretInput
from psc_connect.admin.reauthentication import why_not
from psc_connect.admin.rights import groups_beyond, why_not_groups
from psc_connect.admin.widgets import SuggestingInput
from psc_connect.administrator_messages import explain, form_errors_of
from psc_connect.models import Environment, Provider
from psc_connect.oidc.errors import MetadataError, OIDCError, ProviderUnavailable
from psc_connect.providers import validation
from psc_connect.providers.metadata import fetch_document
from psc_connect.providers.same_issuer import disagreements
from psc_connect.providers.serialization import serialize_provider, stored_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest

    from psc_connect.providers.same_issuer import Disagreement

SUGGESTED_ACR = ("eidas1", "eidas2", "eidas3")
ACR_NOTE = _(
    "eidas1, eidas2, eidas3 or another value that ANS gave you. Since 2022 the documentation of Pro Santé Connect "
    "asks for eidas1 and says that another value may be refused. If it is refused, the error page of the sign-in "
    "says so: then write eidas1 here."
)


class ProviderForm(ModelForm[Provider]):
    """What both forms validate: the metadata is usable, and the secret is not sent to another recipient."""

    # Set by ProviderAdmin.get_form().
    request: HttpRequest
    # What a superuser must confirm before this form is saved, or has confirmed.
    disagreements: Sequence[Disagreement] = ()

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
        for name, error in validation.problems(
            self.instance if self.instance.pk else None,
            environment=self.cleaned_data["environment"],
            metadata=document,
            secret=self.cleaned_data.get("client_secret") if "client_secret" in self.changed_data else None,
        ):
            self.add_error(name, error)
        self._compare_with_same_issuer(document)
        self.cleaned_data["metadata"] = document
        if document != self.instance.metadata and "metadata" not in self.changed_data:
            # Saved and audited like typed metadata.
            self.changed_data.append("metadata")

    def _compare_with_same_issuer(self, document: object) -> None:
        # Without the right to replace keys, what differs is refused anyway.
        if self.why_not:
            return
        present = self.instance if self.instance.pk else None
        self.disagreements = disagreements(present, document, Provider.objects.exclude(pk=self.instance.pk))
        if not is_confirmed(self.request, self.disagreements):
            text = explain_disagreements(self.request, self.disagreements)
            self.add_error(None, ValidationError(text, code="issuer_declared_differently"))

    @cached_property
    def why_not(self) -> str:
        """Why the user may not replace secrets and keys, or ""."""
        return why_not(self.request)

    def _fetched(self, name: str, fetch: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """Return the document of this name, which is fetched once: before Django opens a transaction.

        Raises ProviderUnavailable, MetadataError.
        """
        fetched = self.request.__dict__.setdefault("psc_connect_fetched", {})
        if name not in fetched:
            try:
                fetched[name] = fetch(name)
            except (ProviderUnavailable, MetadataError) as exc:
                fetched[name] = exc
        document: dict[str, Any] | OIDCError = fetched[name]
        if isinstance(document, OIDCError):
            raise document
        return document

    def _wanted_metadata(self) -> object:
        """Return the metadata to save, or None after adding an error."""
        try:
            return self._fetched(self.cleaned_data["environment"], validation.environment_metadata)
        except MetadataError as exc:
            self.add_error("environment", form_errors_of(exc))
            return None
        except ProviderUnavailable as exc:
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
        label=_("Discovery URL or issuer"),
        required=False,
        help_text=_("Such as https://sso.example.org/realms/hospital. The address of its metadata is completed."),
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
        issuer, code = str(document.get("issuer")), "issuer_is_declared"
        # A provider with the issuer of another one, or of accounts, could sign in the people of that one.
        if Provider.of_issuer(issuer):
            text = gettext("This issuer is already declared here: declaring it again replaces its keys.")
        elif validation.is_in_use(issuer):
            text = gettext("This issuer has accounts here: declaring it decides who signs in with them.")
        elif not validation.is_well_known(issuer):
            code = "issuer_needs_the_right"
            text = gettext(
                "Declaring another issuer than those of Pro Santé Connect and of the simulator decides whom this "
                "site trusts."
            )
        else:
            return
        self.add_error("environment", ValidationError(format_html("{} {}", text, self.why_not), code=code))

    @override
    def _wanted_metadata(self) -> object:
        if self.cleaned_data["metadata"] is not None:
            return self.cleaned_data["metadata"]
        if url := self.cleaned_data.get("discovery_url"):
            try:
                return self._fetched(url, fetch_document)
            except (ProviderUnavailable, MetadataError) as exc:
                self.add_error("discovery_url", form_errors_of(exc))
                return None
        if self.cleaned_data["environment"] == Environment.CUSTOM:
            message = _("A custom provider needs its discovery URL, or its metadata.")
            self.add_error("discovery_url", ValidationError(message, code="metadata_required"))
            return None
        return super()._wanted_metadata()


def copy_settings(provider: Provider, like: Provider, model_admin: ModelAdmin[Provider], request: HttpRequest) -> None:
    """Copy options and rows to a new provider, and show messages about what was left out."""
    by = administrator(request)
    with_mapping, with_linking = may_change_users(request), is_superuser(by)
    with_selection_rules = model_admin.has_change_permission(request)
    given = validation.groups_given({}, serialize_provider(like)) if with_mapping else set()
    validation.copy_options(
        provider,
        like,
        with_mapping=with_mapping,
        with_linking=with_linking,
        with_selection_rules=with_selection_rules,
        without_groups=groups_beyond(by, given),
    )
    mapping = {name: stored_rows(like, name) for name in validation.default_mapping()}
    if not with_mapping and mapping != validation.default_mapping():
        text = gettext(
            "The mapping of %(slug)s has not been copied, since you may not change users: the provider has the "
            "default rows."
        )
        messages.warning(request, text % {"slug": like.slug})
    if why := why_not_groups(by, given):
        text = gettext("The rows of %(slug)s that give these groups have not been copied. %(reason)s")
        messages.warning(request, text % {"slug": like.slug, "reason": why})
    if not with_linking and any(getattr(like, name) for name in validation.LINKING):
        text = gettext(
            "How %(slug)s links first sign-ins to users has not been copied: only a superuser can decide this."
        )
        messages.warning(request, text % {"slug": like.slug})
    if not with_selection_rules and like.selection_rules.exists():
        text = gettext(
            "The provider selection rules and the sort order of %(slug)s have not been copied, since you may not "
            "change providers."
        )
        messages.warning(request, text % {"slug": like.slug})
