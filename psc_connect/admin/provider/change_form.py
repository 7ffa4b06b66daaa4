"""The change form of a provider, which two administrators and logins may change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.accounts.matching import is_superuser
from psc_connect.admin import edit_conflicts
from psc_connect.admin.base import administrator, may_change_users
from psc_connect.admin.json_field import DocumentField
from psc_connect.admin.provider.add_form import ProviderForm
from psc_connect.admin.provider.secret_field import SecretInput, secret_state
from psc_connect.admin.rights import WHY_NOT_LINKING, why_not_groups
from psc_connect.admin.widgets import PairsField, SuggestingInput, field_choices
from psc_connect.models import Environment, Provider
from psc_connect.models.user_fields import linkable_fields
from psc_connect.oidc.metadata import secret_recipient
from psc_connect.providers import validation
from psc_connect.providers.serialization import stored_rows
from psc_connect.validators import validate_translations

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SUGGESTED_LOCALES = ("auto", "fr", "fr en")
# Inputs of the form, and the member of each translation that they edit.
TRANSLATIONS = (("button_texts", "button_text"), ("button_tooltips", "button_tooltip"))


WHY_NOT_ACTIVITIES = _(
    "While access rules or the mapping give groups, this setting decides who joins them. You need the permission to "
    "change users: ask a colleague who has it."
)


class ChangeForm(ProviderForm):
    """The change form of a provider. An empty secret keeps the stored one."""

    client_secret = SecretInput(label=_("Client secret"), required=False)
    metadata = DocumentField(
        label=_("Provider metadata"),
        required=False,
        help_text=_("Replaced when the environment changes. Empty: the metadata of the environment."),
    )
    extra_parameters = PairsField(
        label=_("Extra parameters"),
        placeholder="kc_idp_hint = my-hospital",
        help_text=_(
            "Sent with every authorization request, one per line. Names that the protocol reserves are refused."
        ),
    )
    button_texts = PairsField(
        label=_("Button text in other languages"),
        placeholder="en = Sign in with Pro Santé Connect",
        help_text=_("One language per line. Other languages show the button text."),
    )
    button_tooltips = PairsField(label=_("Tooltip in other languages"), placeholder="en = For health professionals")

    class Meta:
        model = Provider
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issuer_before = self.instance.issuer
        # Hidden in the page (`change_form.html`).
        self.shown_version = self.data.get("shown_version") or str(self.instance.version)
        for name, key in TRANSLATIONS:
            self.initial[name] = {
                language: texts[key] for language, texts in self.instance.translations.items() if key in texts
            }
        for name, field in self.fields.items():
            # What an administrator touched is what differs from the value shown, not from a newer one.
            field.show_hidden_initial = name != "client_secret"
        if "ui_locales" in self.fields:
            self.fields["ui_locales"].widget = SuggestingInput(SUGGESTED_LOCALES)
            self.fields["comment"].widget.attrs["rows"] = 3
            choices = field_choices(linkable_fields(), self.instance.link_user_field)
            self.fields["link_user_field"].widget = forms.Select(choices=choices)
        secret = self.fields["client_secret"]
        secret.help_text = secret_state(self.instance)
        if self.why_not:
            secret.help_text = self.why_not
            secret.widget.attrs["disabled"] = not self.is_bound
        for name, reason in self.read_only.items():
            # Django keeps the stored value, whatever is sent.
            self.fields[name].disabled = True
            self.fields[name].help_text = reason

    @cached_property
    def changed_meanwhile(self) -> set[str]:
        """The fields that were saved since this page was made."""
        changed = edit_conflicts.changed_since(self.instance, self.shown_version, {*self.fields, "translations"})
        if "translations" in changed:
            changed |= {name for name, _key in TRANSLATIONS}
        return {name for name in changed & {*self.fields} if name == "client_secret" or self._differs_from_shown(name)}

    def _differs_from_shown(self, name: str) -> bool:
        return self.fields[name].has_changed(self.initial.get(name), self.data.get(self[name].html_initial_name))

    @property
    def in_conflict(self) -> set[str]:
        """The fields that both have changed to different values."""
        both = {
            name
            for name in self.changed_meanwhile & {*self.changed_data}
            if name == "client_secret" or self.fields[name].has_changed(self.initial.get(name), self[name].data)
        }
        # A secret is typed for the issuer that the page showed.
        if "client_secret" in self.changed_data and self._recipient_has_changed():
            both.add("metadata")
        return both

    def _recipient_has_changed(self) -> bool:
        if "metadata" not in self.changed_meanwhile:
            return False
        try:
            shown = self.fields["metadata"].to_python(self.data.get(self["metadata"].html_initial_name))
        except ValidationError:
            return True
        return secret_recipient(shown) != secret_recipient(self.initial["metadata"])

    def clean_client_secret(self) -> Any:
        if "client_secret" in self.changed_data and self.why_not:
            raise ValidationError(self.why_not, code="secrets_not_allowed")
        return self.cleaned_data["client_secret"] or self.instance.client_secret

    @override
    def clean(self) -> dict[str, Any]:
        for name in {*self.cleaned_data} - {*self.changed_data, "client_secret"}:
            self.cleaned_data[name] = self.initial[name]
        super().clean()
        self._check_read_only()
        self._join_translations()
        if conflicts := self.in_conflict:
            self._tell_of_conflict(conflicts)
        return self.cleaned_data

    @cached_property
    def read_only(self) -> dict[str, _StrPromise | str]:
        """The fields that this administrator may not change, with the reasons."""
        by = administrator(self.request)
        reasons: dict[str, _StrPromise | str] = {}
        if not is_superuser(by):
            reasons |= dict.fromkeys(validation.LINKING, WHY_NOT_LINKING)
        for rows_name, deciding in validation.GROUPING.items():
            rows = stored_rows(self.instance, rows_name)
            if not validation.give_groups(rows):
                continue
            why = why_not_groups(by, validation.groups_given({}, {rows_name: rows}))
            why = why if may_change_users(self.request) else str(WHY_NOT_ACTIVITIES)
            reasons |= {name: reasons.get(name) or why for name in deciding}
        return {name: reason for name, reason in reasons.items() if reason and name in self.fields}

    def _check_read_only(self) -> None:
        """Refuse what no page of ours sends, rather than ignore it."""
        for name, reason in self.read_only.items():
            field, sent = self.fields[name], self[name].data
            if sent not in (None, False) and field.to_python(sent) != self.initial[name]:
                self.add_error(name, ValidationError(reason, code="users_not_allowed"))

    def _join_translations(self) -> None:
        joined: dict[str, dict[str, str]] = {}
        for name, key in TRANSLATIONS:
            for language, text in (self.cleaned_data.get(name) or {}).items():
                joined.setdefault(language.lower(), {})[key] = text
        try:
            validate_translations(joined)
        except ValidationError as exc:
            self.add_error("button_texts", exc)
        if {name for name, _key in TRANSLATIONS} & {*self.changed_data}:
            self.instance.translations = joined
            self.changed_data.append("translations")

    def _tell_of_conflict(self, names: set[str]) -> None:
        text = (
            edit_conflicts.who_changed(self.instance, names, request=self.request)
            + " "
            + gettext(
                "Nothing of yours has been saved yet, and nothing is lost: look at the fields below, and save again."
            )
        )
        self.add_error(None, ValidationError(text, code="changed_meanwhile"))
        for name in sorted(names):
            message = _("It has been changed to “%(value)s” meanwhile. Save again to replace it by what you typed.")
            shown = "…" if name == "client_secret" else str(self.initial[name])[:200]
            self.add_error(name, ValidationError(message, code="changed_meanwhile", params={"value": shown}))
        # The administrator has been told: the next save goes through.
        self.shown_version = str(self.instance.version)

    @override
    def _wanted_metadata(self) -> object:
        is_typed, is_elsewhere = ("metadata" in self.changed_data, "environment" in self.changed_data)
        if is_typed and self.cleaned_data["metadata"] is not None:
            return self.cleaned_data["metadata"]
        self.cleaned_data["metadata"] = self.instance.metadata
        has_own = self.cleaned_data["environment"] != Environment.CUSTOM
        if is_typed or (has_own and (is_elsewhere or not self.instance.metadata)):
            return super()._wanted_metadata()
        # Invalid metadata must not keep an administrator from disabling a provider.
        return self.instance.metadata if self.cleaned_data["enabled"] else None

    @override
    def _clean_metadata(self) -> None:
        super()._clean_metadata()
        document = self.cleaned_data.get("metadata")
        if self.why_not and validation.changes_trust(self.instance.metadata, document):
            self.add_error("metadata", ValidationError(self.why_not, code="secrets_not_allowed"))
