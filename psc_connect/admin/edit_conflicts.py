"""Two administrators at one declaration: the second is told what the first has saved, and neither loses anything.

A page carries a digest of every value that it showed. What an administrator did not touch is not written; where
somebody else has saved meanwhile, the page is shown once more, with what was typed and what has changed.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from psc_connect.models import DeclarationChange

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from psc_connect.models import Provider

FIELD: Final = "seen"
_CHARACTERS: Final = 12
# Some thirty names with their digests are 2,000; far less than it takes to exhaust a parser.
_LONGEST: Final = 10_000


def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_CHARACTERS]


def digests(values: Mapping[str, Any]) -> str:
    """Return what a page carries of the values that it shows."""
    return json.dumps({name: digest(value) for name, value in values.items()}, separators=(",", ":"))


def read_digests(text: object) -> dict[str, str]:
    """Return what a page carried; nothing for what no page of ours ever carried."""
    try:
        seen = json.loads(str(text or "{}")[:_LONGEST])
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in seen.items()} if isinstance(seen, dict) else {}


def changed_since(seen: Mapping[str, str], present: Mapping[str, Any]) -> set[str]:
    """Return the names whose value is no longer what the page showed."""
    return {name for name, value in present.items() if name in seen and digest(value) != seen[name]}


def told(provider: Provider, names: Collection[str], *, reader: str) -> str:
    """Say who has changed these fields last, for the page that is shown to ``reader`` once more."""
    # Inputs of the page that are two halves of one field.
    names = {"translations" if name in ("button_texts", "button_tooltips") else name for name in names}
    changes = DeclarationChange.objects.filter(provider=provider)[:20]
    last = next(
        (each for each in changes if any(name.partition(".")[0] in names for name, *_rest in each.changes)), None
    )
    if last is None or not last.made_by_name:
        return _("This provider has been changed meanwhile.")
    if last.made_by_name == reader:
        return _("You have changed this provider yourself meanwhile, in another window.")
    return _("This provider has been changed meanwhile by %(name)s.") % {"name": last.made_by_name}
