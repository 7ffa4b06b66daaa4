"""The history of a provider: every change of its declaration, with what was before and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.page import ProviderPage
from psc_connect.document import label_of
from psc_connect.history import REPLACED
from psc_connect.models import DeclarationChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MAX_SHOWN = 200
MAX_CHARACTERS = 300


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
            yield ShownDifference(label_of(head), member, value_in_words(old), value_in_words(new))


def value_in_words(value: Any) -> str:
    """Return a value of a declaration as a person reads it; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value == REPLACED:
        return gettext("replaced")
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {value_in_words(each)}" for name, each in value.items())
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


class HistoryPage(ProviderPage):
    """In the place of Django's, which tells the fields and not the values."""

    name = "history"
    title = _("History")
    for_who_may = "view"
    template_name = "admin/psc_connect/provider/history.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = DeclarationChange.objects.filter(provider=self.provider)
        return self.render(request, changes=shown_changes(rows), max_shown=MAX_SHOWN)
