"""Rows that belong to a provider: typed on one page, and saved as the list that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from psc_connect import declaration, history
from psc_connect.admin import concurrency
from psc_connect.admin.history import value_in_words
from psc_connect.admin.inputs import name_inputs
from psc_connect.admin.page import ProviderPage, administrator
from psc_connect.document import ROWS, label_of, row_as_json, rows_as_json
from psc_connect.models import DeclarationChange, Provider

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

    _BaseFormSet = forms.BaseFormSet[forms.ModelForm[Any]]
else:
    _BaseFormSet = forms.BaseFormSet

EMPTY_ROWS = 3
MAX_ROWS = 100


class RowFormSet(_BaseFormSet):
    """The rows of one kind; three more are empty."""

    # What no two rows may have in common, and how it is said.
    unique: ClassVar[tuple[str, ...]] = ()
    twice: ClassVar[tuple[str, _StrPromise | str]] = ("row_twice", _("Two rows say the same."))

    @override
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form)

    @override
    def clean(self) -> None:
        known = set()
        for form in self.kept_forms:
            key = tuple(form.cleaned_data.get(name) for name in self.unique)
            if None not in key and key in known:
                code, message = self.twice
                raise ValidationError(message, code=code, params={"name": key[0]})
            known.add(key)

    @property
    def kept_forms(self) -> list[Any]:
        """The rows that are typed and not to be deleted, of a page that was sent."""
        return [form for form in self.forms if form.has_changed() and form not in self.deleted_forms]

    @property
    def rows(self) -> list[Any]:
        return [form.instance for form in self.kept_forms]


def formset_of(form: type[forms.ModelForm[Any]], formset: type[RowFormSet]) -> Any:
    return forms.formset_factory(
        form, formset=formset, extra=EMPTY_ROWS, can_delete=True, max_num=MAX_ROWS, validate_max=True
    )


class RowsPage(ProviderPage):
    """A page of one or more lists; ``lists`` names them as a declaration does (``document.ROWS``)."""

    for_who_may = "view"
    lists: ClassVar[tuple[str, ...]] = ()
    saved: ClassVar[_StrPromise | str] = ""

    def present(self) -> dict[str, list[dict[str, Any]]]:
        return {name: rows_as_json(self.provider, name) for name in self.lists}

    def seen(self, request: HttpRequest) -> str:
        """What the page carries of the rows that it showed first."""
        return request.POST.get("seen") or concurrency.digests(self.present())

    def save(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        """Put the rows in the place of those before; return what keeps them from being saved, or nothing."""
        with transaction.atomic():
            # Of two who save in the same instant, the second sees what the first has saved.
            Provider.objects.select_for_update().get(pk=self.provider.pk)
            if problem := self.problem(request, rows):
                return problem
            with history.recorded(self.provider, origin=DeclarationChange.Origin.ADMIN, by=administrator(request)):
                for name, wanted in rows.items():
                    declaration.replace_rows(self.provider, name, wanted)
        changed = {"changed": {"fields": [label_of(name) for name in self.lists]}}
        self.model_admin.log_change(request, self.provider, [changed])
        messages.success(request, self.saved)
        return {}

    def problem(self, request: HttpRequest, rows: dict[str, list[Model]]) -> dict[str, Any]:
        """Return what keeps valid rows from being saved, for the page; nothing where nothing does."""
        present = self.present()
        wanted = {name: [row_as_json(row, ROWS[name]) for row in each] for name, each in rows.items()}
        changed = concurrency.changed_since(concurrency.read_digests(request.POST.get("seen")), present)
        acknowledgement = concurrency.digest(present)
        if not changed or wanted == present or request.POST.get("acknowledged") == acknowledgement:
            return {}
        text = gettext("Nothing of yours has been saved yet, and nothing is lost. To replace these rows, save again:")
        return {
            "problem": f"{concurrency.told(self.provider, changed, reader=request.user.get_username())} {text}",
            "present": [
                {"text": value_in_words(name, row), "is_changed": row not in wanted[name]}
                for name in self.lists
                if name in changed
                for row in present[name]
            ],
            "acknowledged": acknowledgement,
        }


# What `rows_problem.html` shows where there is nothing to tell.
NO_PROBLEM: dict[str, Any] = {"problem": "", "present": [], "acknowledged": ""}
