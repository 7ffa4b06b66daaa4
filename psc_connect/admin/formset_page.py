"""Pages with lists of rows of a provider, each saved as a whole."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect.admin import edit_conflicts
from psc_connect.admin.base import ModelForm, ProviderPage, administrator
from psc_connect.admin.history import value_in_words
from psc_connect.admin.widgets import name_inputs
from psc_connect.administrator_messages import labelled
from psc_connect.claims.budget import current_budget
from psc_connect.models import DeclarationChange, Provider
from psc_connect.providers import audit, validation
from psc_connect.providers.serialization import label_of, serialize_rows, stored_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrPromise

    _BaseFormSet = forms.BaseFormSet[ModelForm[Any]]
else:
    _BaseFormSet = forms.BaseFormSet

MAX_ROWS = 100


class RowFormSet(_BaseFormSet):
    """The rows of one kind, and three empty ones."""

    # The fields in which two rows must differ, if there are any, and the error.
    unique: ClassVar[tuple[str, ...]] = ()
    twice: ClassVar[tuple[str, _StrPromise | str]] = ("row_twice", _("Two rows say the same."))

    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form)

    @override
    def clean(self) -> None:
        known = set()
        for form in self.kept_forms if self.unique else ():
            key = tuple(form.cleaned_data.get(name) for name in self.unique)
            if None not in key and key in known:
                code, message = self.twice
                raise ValidationError(message, code=code, params={"name": key[0]})
            known.add(key)

    @property
    def kept_forms(self) -> list[Any]:
        """The submitted rows that are filled in and not marked for deletion."""
        return [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]

    @property
    def rows(self) -> list[Any]:
        return [form.instance for form in self.kept_forms]


def formset_of(form: type[forms.BaseForm], formset: Any, *, max_num: int = MAX_ROWS, **options: Any) -> Any:
    """Return Django's class of formsets with at most ``max_num`` forms."""
    # ``min_num`` with ``validate_min`` refuses a negative number of forms, which Django would read as an empty list.
    limits = {"min_num": 0, "validate_min": True, "max_num": max_num, "validate_max": True, "absolute_max": max_num}
    return forms.formset_factory(form, formset=formset, **limits, **options)  # type: ignore[arg-type]


class RowsPage(ProviderPage):
    """A page of one or more lists; ``lists`` are their names in ``serialization.ROWS``."""

    permission = "view"
    lists: ClassVar[tuple[str, ...]] = ()
    # Fields of the provider on the same page, and their submitted values.
    fields: ClassVar[tuple[str, ...]] = ()
    values: Mapping[str, Any] = MappingProxyType({})
    saved: ClassVar[_StrPromise | str] = ""

    def present(self) -> dict[str, Any]:
        rows = {name: stored_rows(self.provider, name) for name in self.lists}
        return rows | {name: getattr(self.provider, name) for name in self.fields}

    @override
    def render(self, request: HttpRequest, **context: Any) -> HttpResponse:
        version = request.POST.get("version") or str(self.provider.version)
        common = {"version": version, "problem": "", "present": [], "budget": current_budget()}
        return super().render(request, **{**common, **context})

    def save(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        """Replace the stored rows; return the problem that keeps them from being saved, or {}."""
        with transaction.atomic():
            # The second of two simultaneous saves waits, and sees the rows of the first.
            self.provider = Provider.objects.select_for_update().get(pk=self.provider.pk)
            if problem := self.problem(request, rows):
                return problem
            with audit.recorded(self.provider, source=DeclarationChange.Source.ADMIN, by=administrator(request)):
                for name, wanted in rows.items():
                    validation.replace_rows(self.provider, name, wanted)
                if any(getattr(self.provider, name) != value for name, value in self.values.items()):
                    Provider.objects.filter(pk=self.provider.pk).update(**self.values)
        # Django stores names in English and translates them when it shows its log.
        with translation.override(None):
            changed = {"changed": {"fields": [str(label_of(name)) for name in (*self.lists, *self.fields)]}}
        self.model_admin.log_change(request, self.provider, [changed])
        messages.success(request, self.saved)
        return {}

    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        """Return the problem that keeps valid rows from being saved, for the page; {} if there is none."""
        present = self.present()
        typed = {name: serialize_rows(name, each) for name, each in rows.items()}
        wanted = {**typed, **self.values}
        changed = edit_conflicts.changed_since(self.provider, request.POST.get("version", ""), present.keys())
        if not changed or wanted == present:
            return {}
        text = gettext("Nothing of yours has been saved yet, and nothing is lost. To replace these rows, save again:")
        who = edit_conflicts.who_changed(self.provider, changed, request=request)
        return {
            "problem": f"{who} {text}",
            "present": list(self._in_words(present, wanted, changed)),
            "version": str(self.provider.version),
        }

    def _in_words(
        self, present: Mapping[str, Any], wanted: Mapping[str, Any], names: Collection[str]
    ) -> Iterator[dict[str, Any]]:
        for name in present:
            if name in names and name in self.lists:
                for row in present[name]:
                    yield {"text": value_in_words(name, row), "is_changed": row not in wanted[name]}
            elif name in names:
                yield {"text": labelled(label_of(name), value_in_words(name, present[name])), "is_changed": True}
