"""Forms for the conditions of an access rule: a subject, an operator, and codes found by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.admin.access.code_search import typed_values
from psc_connect.admin.formset_page import formset_of
from psc_connect.admin.sentences import CHOSEN, OPERATOR_LABELS, SUBJECT_LABELS, code_in_words, is_closed
from psc_connect.admin.widgets import name_inputs
from psc_connect.models.access import MAX_CONDITIONS, condition_error
from psc_connect.professional.conditions import Condition, ConditionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psc_connect.admin.access.code_search import CodeSearch

NO_CHOICE = ("", "---------")
_MAX_TYPED = 10_000


class ChosenCodes(forms.MultipleChoiceField):
    """Checkboxes of codes, each with the value ``subject code``: codes of another subject are ignored."""

    @override
    def valid_value(self, value: str) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Codes with labels similar to an unclear text."""

    subject: str
    text: str
    codes: list[str]

    @property
    def checkboxes(self) -> list[tuple[str, str]]:
        """Return the value and the label of each checkbox."""
        return [(f"{self.subject} {code} {self.text}", code_in_words(self.subject, code)) for code in self.codes]


class ConditionForm(forms.Form):
    """One condition; empty until a subject is chosen. ``typed``: a text to search, or values without labels."""

    subject = forms.ChoiceField(
        choices=[NO_CHOICE, *SUBJECT_LABELS.items()],
        label=_("Who"),
        error_messages={"required": _("Choose what is compared.")},
    )
    operator = forms.ChoiceField(choices=list(OPERATOR_LABELS.items()), label=_("Comparison"), required=False)
    codes = ChosenCodes(label=_("Values"), required=False, widget=forms.CheckboxSelectMultiple)
    # Each value is ``subject code text``: the text is the one that the ticked code answers.
    suggested = ChosenCodes(label=_("Values"), required=False, widget=forms.CheckboxSelectMultiple)
    typed = forms.CharField(label=_("Value"), required=False, max_length=_MAX_TYPED)

    def __init__(self, *args: Any, search: CodeSearch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.search = search
        self.chosen_subject = str(self["subject"].value() or "")
        self.has_labels = self.chosen_subject in CHOSEN
        if self.is_bound:
            self.data = self._data_with_found_codes()
        name_inputs(self)
        # Each checkbox has the label of its code.
        del self.fields["codes"].widget.attrs["aria-label"]
        self.fields["codes"].choices = [(value, _checkbox_label(value)) for value in self["codes"].value() or ()]  # type: ignore[attr-defined]
        is_searched = self.has_labels or not self.chosen_subject
        self.fields["typed"].widget.attrs |= {
            "list": f"psc-codes-{self.chosen_subject}".rstrip("-") if is_searched else "",
            "placeholder": _placeholder(self.chosen_subject),
            "class": "psc-search",
            "autocomplete": "off",
            "spellcheck": "false",
        }

    def _data_with_found_codes(self) -> dict[str, Any]:
        """Return the data with ticked codes in place of clear texts and of ticked suggestions.

        Without scripts this is the search. It is done before the form is validated: an unclear text is an error. A text
        that is too long is not searched.
        """
        subject, typed = self.chosen_subject, self["typed"].value() or ""
        codes: list[str] = []
        if self.has_labels:
            codes = [code for code, _text in self._answers("codes")]
            suggested = list(self._answers("suggested"))
            codes += [code for code, _text in suggested]
            if len(typed) <= _MAX_TYPED:
                found, unclear = self.search.find(subject, typed, answered={text for _code, text in suggested})
                codes += found
                typed = "; ".join(unclear)
        return {
            self.add_prefix("subject"): subject,
            self.add_prefix("operator"): self["operator"].value(),
            self.add_prefix("codes"): code_checkboxes(subject, dict.fromkeys(codes)),
            self.add_prefix("typed"): typed,
        }

    def _answers(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the code and the text of each ticked checkbox; those of another subject are ignored."""
        for value in self[name].value() or ():
            subject, _space, answer = value.partition(" ")
            code, _space, text = answer.partition(" ")
            if subject == self.chosen_subject:
                yield code, text

    @property
    def shown_values(self) -> dict[str, Any]:
        """The values as the page shows them, right or wrong."""
        return {name: self[name].value() for name in self.fields}

    @cached_property
    def suggestions(self) -> list[Suggestion]:
        subject = self.chosen_subject
        found = [Suggestion(subject, text, self.search.suggestions(subject, text)) for text in self._unclear_texts]
        return [suggestion for suggestion in found if suggestion.codes]

    @cached_property
    def texts_without_suggestion(self) -> list[str]:
        answered = {suggestion.text for suggestion in self.suggestions}
        return [text for text in self._unclear_texts if text not in answered]

    @property
    def _unclear_texts(self) -> list[str]:
        typed = str(self["typed"].value() or "")
        is_searched = self.has_labels and len(typed) <= _MAX_TYPED
        return [text.strip() for text in typed.split(";") if text.strip()] if is_searched else []

    @override
    def has_changed(self) -> bool:
        """Return whether the condition is filled in: an operator alone is none, since a select always sends one."""
        return bool(self.chosen_subject or self["typed"].value())

    @override
    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        subject, typed = self.cleaned_data["subject"], self.cleaned_data["typed"]
        if self.has_labels and typed:
            self.add_error("typed", self._unclear_error(typed))
            return self.cleaned_data
        codes = (value.rpartition(" ")[2] for value in self.cleaned_data["codes"])
        values = list(codes) if self.has_labels else typed_values(subject, typed)
        try:
            self.cleaned_data["condition"] = Condition.of(subject, self.cleaned_data["operator"] or "in", values)
        except ConditionError as exc:
            self.add_error("typed", condition_error(exc))
        return self.cleaned_data

    def _unclear_error(self, typed: str) -> ValidationError:
        text = "; ".join(self.texts_without_suggestion) or typed
        if self.search.budget.is_used_up:
            message = _(
                "“%(text)s” was not searched: this page has reached its limit of work. Search fewer texts at once."
            )
            return ValidationError(message, "budget_used_up", {"text": text})
        return ValidationError(_("“%(text)s” is neither a code nor a label."), "access_code_unknown", {"text": text})


def code_checkboxes(subject: str, codes: Iterable[str]) -> list[str]:
    """Return the value of each code's checkbox. It names the subject, since another subject has other codes."""
    return [f"{subject} {code}" for code in codes]


def initial_condition(condition: Condition) -> dict[str, Any]:
    """Return the values that the page shows of a stored condition."""
    shown = {"subject": condition.subject, "operator": condition.operator}
    if condition.subject in CHOSEN:
        return {**shown, "codes": code_checkboxes(condition.subject, condition.values)}
    return {**shown, "typed": ", ".join(condition.values)}


def _checkbox_label(value: str) -> str:
    subject, _space, code = value.rpartition(" ")
    words = code_in_words(subject, code)
    return str(_("%(code)s, no longer assigned") % {"code": words}) if is_closed(subject, code) else words


def _placeholder(subject: str) -> Any:
    if not subject:
        return _("Value, or label to search")
    return _("Search by name") if subject in CHOSEN else _("Values, with commas between them")


ConditionFormSet = formset_of(ConditionForm, forms.BaseFormSet, max_num=MAX_CONDITIONS)
