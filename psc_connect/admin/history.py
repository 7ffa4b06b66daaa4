"""The audit log page of a provider: every change with the old and the new values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.base import ProviderPage
from psc_connect.admin.people import identifiers_of, shown_person
from psc_connect.admin.sentences import rule_in_words
from psc_connect.administrator_messages import labelled
from psc_connect.models import Provider
from psc_connect.providers.audit import REPLACED
from psc_connect.providers.serialization import ORDERED_ROWS, ROWS, Difference, key_names, label_of
from psc_connect.text import to_single_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import DeclarationChange

MAX_SHOWN = 200
MAX_CHARACTERS = 300
# A row is not shortened like other values: the end may be the group that it gives.
MAX_CHARACTERS_OF_ROW = 1000
# More members than that are folded.
MAX_MEMBERS = 3
STORED = "stored"
EMPTY: tuple[Any, ...] = (None, "", [], {})
DECISIONS = ("jwks_pinned", "jwks_retired")


@dataclass(frozen=True, slots=True)
class ShownDifference:
    label: str
    member: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One save, and each difference in words; ``folded`` are those of a whole metadata document."""

    row: DeclarationChange
    made_by: str
    diff: tuple[ShownDifference, ...]
    folded: tuple[ShownDifference, ...] = ()

    @property
    def height(self) -> int:
        """How many rows of a table it takes."""
        return len(self.diff) + bool(self.folded)


def shown_changes(provider: Provider, *, only: Collection[str] = ()) -> list[ShownChange]:
    """Put the newest changes of a provider into words; ``only`` those of these fields."""
    kids = key_names(provider.jwks)
    changes = provider.changes.select_related("made_by").prefetch_related(*identifiers_of("made_by"))
    shown = [_shown_change(row, only, kids) for row in changes[:MAX_SHOWN]]
    return [each for each in shown if each.height]


def _shown_change(row: DeclarationChange, only: Collection[str], kids: Mapping[str, str]) -> ShownChange:
    # An option that was and stays empty has not changed.
    told = [each for each in row.changes if not (each[1] in EMPTY and each[2] in EMPTY)]
    told = [each for each in told if not only or each[0].partition(".")[0] in only]
    if any(name == "slug" and old is None for name, old, _new in row.changes):
        # A new provider had no secret to replace.
        told = [[name, old, STORED if new == REPLACED else new] for name, old, new in told]
    members = [each for each in told if each[0].startswith("metadata.")]
    folded = members if len(members) > MAX_MEMBERS else []
    return ShownChange(
        row,
        made_by=shown_person(row.made_by, row.made_by_name),
        diff=tuple(_differences([each for each in told if each not in folded], kids)),
        folded=tuple(_differences(folded, kids)),
    )


def _differences(changes: Iterable[list[Any]], kids: Mapping[str, str]) -> Iterator[ShownDifference]:
    for name, old, new in changes:
        head, _dot, member = name.partition(".")
        if head in DECISIONS:
            before, after = (_keys_in_words(each, kids) for each in (old, new))
            yield ShownDifference(label_of(head), member, before, after)
        elif head == "jwks":
            # The values are the `kid`, which says more than the thumbprint.
            before, after = (gettext("kept") if each is not None else "" for each in (old, new))
            yield ShownDifference(label_of(head), _key_in_words(str(old or new or ""), member), before, after)
        else:
            yield shown_difference(Difference(name, old, new))


def shown_difference(difference: Difference) -> ShownDifference:
    """Return a difference in words, with the member of the field; without it for a row that its values name."""
    head, _dot, member = difference.name.partition(".")
    has_key = head in ORDERED_ROWS or "user_field" in ROWS.get(head, ("user_field",))
    old, new = value_in_words(head, difference.old), value_in_words(head, difference.new)
    return ShownDifference(label_of(head), member if has_key else "", old, new)


def _key_in_words(kid: str, thumbprint: str) -> str:
    """Return the `kid` and the thumbprint of a key; one of them if they are the same."""
    told = [labelled("kid", kid)] if kid else []
    if thumbprint != kid:
        told.append(labelled(gettext("thumbprint"), thumbprint))
    return " · ".join(told)


def _keys_in_words(thumbprints: Any, kids: Mapping[str, str]) -> str:
    """Return keys by `kid`, if they are still stored, and by thumbprint."""
    listed = thumbprints if isinstance(thumbprints, list) else []
    return ", ".join(
        f"{kids[each]} ({each})" if kids.get(each) not in (None, "", each) else str(each) for each in listed
    )


def value_in_words(name: str, value: Any) -> str:
    """Return a serialized value in words, by its field or kind of row."""
    if name == "access_rules" and isinstance(value, dict):
        return to_single_line(rule_in_words(value), MAX_CHARACTERS)
    if name in ROWS and isinstance(value, dict):
        model: Any = Provider._meta.get_field(name).related_model
        told = (
            labelled(label_of(member, model), _in_words(model, member, each))
            for member, each in value.items()
            if each != ""
        )
        return to_single_line(", ".join(told), MAX_CHARACTERS_OF_ROW)
    return to_single_line(_in_words(Provider, name, value), MAX_CHARACTERS)


def _in_words(model: Any, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value in (REPLACED, STORED):
        return gettext("replaced") if value == REPLACED else gettext("stored")
    try:
        choices = dict(model._meta.get_field(name).flatchoices)
    # A member of a document, a kind of row.
    except (FieldDoesNotExist, AttributeError):
        choices = {}
    return str(choices.get(value, value)) if isinstance(value, str) else to_single_line(value, MAX_CHARACTERS)


class HistoryPage(ProviderPage):
    """Replaces Django's history page, which shows fields without values."""

    name = "history"
    title = _("History")
    permission = "view"
    template_name = "admin/psc_connect/provider/history.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render(request, changes=shown_changes(self.provider), max_shown=MAX_SHOWN)
