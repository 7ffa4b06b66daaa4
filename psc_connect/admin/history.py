"""The history of a provider: every change of its declaration, with what was before and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.access_words import rule_in_words
from psc_connect.admin.page import ProviderPage
from psc_connect.document import ORDERED_ROWS, ROWS, in_one_line, label_of
from psc_connect.history import REPLACED
from psc_connect.models import DeclarationChange, Provider
from psc_connect.problems import labelled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MAX_SHOWN = 200
MAX_CHARACTERS = 300
# A row is shown whole: what is cut off might be the group that it gives.
MAX_CHARACTERS_OF_ROW = 1000


@dataclass(frozen=True, slots=True)
class ShownDifference:
    label: str
    member: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One save, and each difference in words."""

    row: DeclarationChange
    differences: tuple[ShownDifference, ...]


def shown_changes(rows: QuerySet[DeclarationChange], *, only: Collection[str] = ()) -> list[ShownChange]:
    """Put the newest changes into words; ``only`` those of these fields."""
    shown = [ShownChange(row, tuple(_differences(row, only))) for row in rows[:MAX_SHOWN]]
    return [each for each in shown if each.differences]


def _differences(row: DeclarationChange, only: Collection[str]) -> Iterator[ShownDifference]:
    for name, old, new in row.changes:
        head, _dot, member = name.partition(".")
        if only and head not in only:
            continue
        if head == "jwks":
            # Here the values are the key's name, which says more than its thumbprint.
            before, after = (gettext("kept") if each is not None else "" for each in (old, new))
            yield ShownDifference(label_of(head), f"{old or new or ''} {member}".strip(), before, after)
        else:
            shown = member_in_words(head, member)
            yield ShownDifference(label_of(head), shown, value_in_words(head, old), value_in_words(head, new))


def member_in_words(name: str, member: str) -> str:
    """Return which member of a field differs; of a row its name says nothing that its values do not."""
    told_apart = name in ORDERED_ROWS or "user_field" in ROWS.get(name, ("user_field",))
    return member if told_apart else ""


def value_in_words(name: str, value: Any) -> str:
    """Return a value of a declaration as a person reads it, by the field, or the kind of row, that has it."""
    if name == "access_rules" and isinstance(value, dict):
        return in_one_line(rule_in_words(value), MAX_CHARACTERS)
    if name in ROWS and isinstance(value, dict):
        model = Provider._meta.get_field(name).related_model
        told = (labelled(member, _in_words(model, member, each)) for member, each in value.items() if each != "")
        return in_one_line(", ".join(told), MAX_CHARACTERS_OF_ROW)
    return in_one_line(_in_words(Provider, name, value), MAX_CHARACTERS)


def _in_words(model: Any, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value == REPLACED:
        return gettext("replaced")
    try:
        choices = dict(model._meta.get_field(name).flatchoices)
    # A member of a document, a kind of row.
    except (FieldDoesNotExist, AttributeError):
        choices = {}
    return str(choices.get(value, value)) if isinstance(value, str) else in_one_line(value, MAX_CHARACTERS)


class HistoryPage(ProviderPage):
    """In the place of Django's, which tells the fields and not the values."""

    name = "history"
    title = _("History")
    for_who_may = "view"
    template_name = "admin/psc_connect/provider/history.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = DeclarationChange.objects.filter(provider=self.provider)
        return self.render(request, changes=shown_changes(rows), max_shown=MAX_SHOWN)
