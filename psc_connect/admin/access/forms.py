"""What is typed on the page of the access rules: sentences of selects, the line for everybody else, whom to try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.access.groups import users_have_groups
from psc_connect.admin.access.code_search import Suggestions, typed_values
from psc_connect.admin.access.form_state import PREFIX, answer_of, condition_prefixes, ticks_of
from psc_connect.admin.formset_page import RowFormSet
from psc_connect.admin.json_field import JSON_ATTRIBUTES
from psc_connect.admin.mapping.forms import userinfo_object
from psc_connect.admin.sentences import CHOSEN, OPERATOR_LABELS, SUBJECT_LABELS, code_in_words, is_closed
from psc_connect.admin.widgets import name_inputs
from psc_connect.models import AccessRule, Provider
from psc_connect.models.access import MAX_CONDITIONS, MAX_RULES, condition_error
from psc_connect.professional.conditions import Condition, ConditionError

if TYPE_CHECKING:
    _RuleModelForm = forms.ModelForm[AccessRule]
    _ProviderModelForm = forms.ModelForm[Provider]
else:
    _RuleModelForm = _ProviderModelForm = forms.ModelForm

NOTHING_CHOSEN = ("", "---------")
Outcome = AccessRule.Outcome


class ChosenCodes(forms.MultipleChoiceField):
    """Ticks of the codes that were chosen, each ``subject code``: those of another subject are no longer meant."""

    @override
    def valid_value(self, value: str) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Near:
    """Codes that are offered for a text, none of them ticked yet."""

    subject: str
    text: str
    codes: list[str]

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """Return what each tick sends, and its label."""
        return [(answer_of(self.subject, code, self.text), code_in_words(self.subject, code)) for code in self.codes]


class ConditionForm(forms.Form):
    """One condition; empty as long as no subject is chosen. ``typed``: a search, or values where none are chosen."""

    subject = forms.ChoiceField(choices=[NOTHING_CHOSEN, *SUBJECT_LABELS.items()], label=_("Who"), required=False)
    operator = forms.ChoiceField(choices=list(OPERATOR_LABELS.items()), label=_("Comparison"), required=False)
    codes = ChosenCodes(label=_("Values"), required=False, widget=forms.CheckboxSelectMultiple)
    typed = forms.CharField(label=_("Value"), required=False, max_length=10_000)

    def __init__(self, *args: Any, suggestions: Suggestions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggestions = suggestions
        name_inputs(self)
        # Each tick has the label of its code.
        del self.fields["codes"].widget.attrs["aria-label"]
        self.fields["codes"].choices = [(each, _tick(each)) for each in self["codes"].value() or ()]  # type: ignore[attr-defined]
        subject = self.chosen_subject
        is_typed = subject and subject not in CHOSEN
        self.fields["typed"].widget.attrs |= {
            "list": "" if is_typed else f"psc-codes-{subject}".rstrip("-"),
            "placeholder": _placeholder(subject),
            "class": "psc-search",
            "autocomplete": "off",
            "spellcheck": "false",
        }

    @property
    def chosen_subject(self) -> str:
        return str(self["subject"].value() or "")

    @cached_property
    def near(self) -> list[Near]:
        """What is near to each text that was searched and means no code, or several."""
        found = [
            Near(self.chosen_subject, each, self.suggestions.near(self.chosen_subject, each)) for each in self._searched
        ]
        return [each for each in found if each.codes]

    @cached_property
    def unclear(self) -> list[str]:
        """The texts that were searched and have nothing near to them."""
        return [each for each in self._searched if each not in {near.text for near in self.near}]

    @property
    def _searched(self) -> list[str]:
        if not self.is_bound or self.chosen_subject not in CHOSEN:
            return []
        return [text for each in str(self["typed"].value() or "").split(";") if (text := each.strip())]

    @property
    def is_filled(self) -> bool:
        return bool(self.chosen_subject or self["typed"].value())

    @override
    def clean(self) -> dict[str, Any]:
        subject, typed = self.cleaned_data.get("subject", ""), self.cleaned_data.get("typed", "")
        if not self.is_filled or self.errors:
            return self.cleaned_data
        if not subject:
            self.add_error("subject", ValidationError(_("Choose what is compared."), code="required"))
        elif subject in CHOSEN and typed:
            # What was understood of it is ticked already.
            message = _("“%(text)s” is no code and no label of one.")
            text = "; ".join(self.unclear) or typed
            self.add_error("typed", ValidationError(message, "access_code_unknown", {"text": text}))
        else:
            chosen = self.cleaned_data["codes"] if subject in CHOSEN else typed_values(subject, typed)
            self._read(subject, [each.rpartition(" ")[2] if subject in CHOSEN else each for each in chosen])
        return self.cleaned_data

    def _read(self, subject: str, values: list[str]) -> None:
        try:
            self.cleaned_data["condition"] = Condition.of(subject, self.cleaned_data["operator"] or "in", values)
        except ConditionError as exc:
            self.add_error("typed", condition_error(exc))


def _tick(value: str) -> str:
    subject, _space, code = value.rpartition(" ")
    words = code_in_words(subject, code)
    return str(_("%(code)s, no longer given out") % {"code": words}) if is_closed(subject, code) else words


def _placeholder(subject: str) -> Any:
    if not subject:
        return _("Value, or label to search")
    return _("Search by name") if subject in CHOSEN else _("Values, with commas between them")


class RuleForm(_RuleModelForm):
    """One row. It has as many conditions as were sent or are stored, and room for another."""

    # A row whose group has been deleted since stays as it is until an administrator chooses another.
    lost_group = forms.BooleanField(required=False, widget=forms.HiddenInput)
    # One that came by another way than a form and refuses everybody: nobody shall let them in by saving the page.
    unreadable = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = AccessRule
        fields = ("outcome", "message", "group")

    def __init__(self, *args: Any, groups: list[tuple[Any, str]], suggestions: Suggestions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggestions = suggestions
        self.fields["group"].choices = groups  # type: ignore[attr-defined]
        if not users_have_groups():
            outcome: Any = self.fields["outcome"]
            outcome.choices = [each for each in outcome.choices if each[0] != Outcome.GROUP]

    @cached_property
    def conditions(self) -> list[ConditionForm]:
        if self.is_bound:
            prefixes = condition_prefixes(self.data, self.prefix or "")
            return [ConditionForm(self.data, prefix=each, suggestions=self.suggestions) for each in prefixes]
        stored = [] if self.initial.get("unreadable") else self.initial.get("conditions", [])
        shown = [_initial_of(Condition.read(each)) for each in stored] + [{}] * (1 if stored else 2)
        return [
            ConditionForm(initial=each, prefix=f"{self.prefix}-{number}", suggestions=self.suggestions)
            for number, each in enumerate(shown[:MAX_CONDITIONS])
        ]

    @override
    def has_changed(self) -> bool:
        return super().has_changed() or any(each.is_filled for each in self.conditions)

    @override
    def is_valid(self) -> bool:
        return all([super().is_valid(), *(each.is_valid() for each in self.conditions)])

    @override
    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, outcome in (("message", Outcome.REFUSE), ("group", Outcome.GROUP)):
            # Without scripts the inputs of every outcome are there: what is typed for another one is not meant.
            if self.cleaned_data.get("outcome") != outcome and name in self.cleaned_data:
                self.cleaned_data[name] = None if name == "group" else ""
        has_group = "group" in self.errors or self.cleaned_data.get("group") or self.cleaned_data.get("lost_group")
        if self.cleaned_data.get("outcome") == Outcome.GROUP and not has_group:
            self.add_error("group", ValidationError(_("Choose the group."), code="access_group_missing"))
        found = [each.cleaned_data["condition"] for each in self.conditions if each.is_valid() and each.is_filled]
        self.instance.conditions = [each.as_json() for each in found]
        return self.cleaned_data


def initial_of(rule: AccessRule) -> dict[str, Any]:
    """Return what a page shows of a row of the database."""
    shown = {"message": rule.message, "group": rule.group_id, "lost_group": rule.has_lost_its_group}
    if not rule.is_well_formed:
        return {**shown, "unreadable": True, "outcome": ""}
    return {**shown, "conditions": [each.as_json() for each in rule.parsed_conditions], "outcome": rule.outcome}


def _initial_of(condition: Condition) -> dict[str, Any]:
    shown = {"subject": condition.subject, "operator": condition.operator}
    if condition.subject in CHOSEN:
        return {**shown, "codes": ticks_of(condition.subject, condition.values)}
    return {**shown, "typed": ", ".join(condition.values)}


class _RuleFormSet(RowFormSet):
    @override
    def clean(self) -> None:
        """Two rows may say the same: what stands between them makes the difference."""


def rule_form_set(*args: Any, **kwargs: Any) -> Any:
    """Return the rows; the groups of the site are read once for all of them."""
    groups = [NOTHING_CHOSEN, *Group.objects.order_by("name").values_list("pk", "name")]
    given = {"groups": groups, "suggestions": Suggestions()}
    return _rule_form_set_class(*args, prefix=PREFIX, form_kwargs=given, **kwargs)


_rule_form_set_class: Any = forms.formset_factory(
    RuleForm, formset=_RuleFormSet, extra=1, can_delete=True, max_num=MAX_RULES, validate_max=True
)


class OthersForm(_ProviderModelForm):
    """The last line, and whom the refused write to."""

    # Never taken to be a refusal because it is missing.
    others_may_sign_in = forms.TypedChoiceField(
        choices=[("True", _("may sign in")), ("False", _("is refused"))],
        coerce=lambda value: value == "True",
        label=_("Everybody else"),
    )

    class Meta:
        model = Provider
        fields = ("others_may_sign_in", "refusal_message", "contact")
        widgets = {"refusal_message": AdminTextInputWidget, "contact": AdminTextInputWidget}  # noqa: RUF012


class PreviewForm(forms.Form):
    """Whom the rules are tried on, beside the samples; at what level."""

    acr = forms.CharField(label=_("Level (acr)"), required=False, max_length=255)
    pasted = forms.CharField(
        label=_("Userinfo in JSON"),
        required=False,
        widget=AdminTextareaWidget(attrs={**JSON_ATTRIBUTES, "rows": 6}),
        help_text=_("Such as “essaie ta e-CPS” shows. It is used on this page only, and kept nowhere."),
    )

    def clean_pasted(self) -> dict[str, Any] | None:
        text = self.cleaned_data["pasted"]
        return userinfo_object(text) if text else None
