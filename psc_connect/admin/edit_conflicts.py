"""Edit conflicts of two administrators: the second sees what the first has saved before replacing it.

A page carries the version of the provider that it shows. Where the stored version is newer, and both have changed the
same thing, the page is shown again with the new version, so that the next save goes through.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from psc_connect.admin.people import shown_person

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest

    from psc_connect.models import DeclarationChange, Provider


def digest(value: Any) -> str:
    """Return what a page carries of a value, so that what is confirmed is what was shown."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def changed_since(provider: Provider, version: str, names: Collection[str]) -> set[str]:
    """Return which of these names were changed after this version; none if it is not a version."""
    is_version = version.isascii() and version.isdigit() and len(version) < 10
    if not is_version or int(version) >= provider.version:
        return set()
    changes = [*provider.changes.filter(version__gt=int(version)).order_by("version")]
    versions = [int(version), *(change.version for change in changes)]
    before = [*(change.version_before for change in changes), provider.version]
    if versions != before:
        # The site's own code has written since, which leaves no entry in the audit log: anything may have changed.
        return {*names}
    return {name for change in changes for name in _changed_names(change)} & {*names}


def who_changed(provider: Provider, names: Collection[str], *, request: HttpRequest) -> str:
    """Return who has changed these fields last, as a sentence for the user of the request."""
    newest = provider.changes.select_related("made_by")[:20]
    last = next((change for change in newest if _changed_names(change) & {*names}), None)
    if last is None or not last.made_by_name:
        return _("This provider has been changed meanwhile.")
    if last.made_by_name == request.user.get_username():
        return _("You have changed this provider yourself meanwhile, in another window.")
    name = shown_person(last.made_by, last.made_by_name)
    return _("This provider has been changed meanwhile by %(name)s.") % {"name": name}


def _changed_names(change: DeclarationChange) -> set[str]:
    return {name.partition(".")[0] for name, *_values in change.changes}
