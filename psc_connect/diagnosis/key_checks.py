"""Check of the signing keys that the provider publishes, compared with the stored ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from psc_connect.administrator_messages import explain
from psc_connect.diagnosis.findings import Finding, Status, failure
from psc_connect.providers.keys import refresh_due_at
from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psc_connect.models import Provider
    from psc_connect.oidc.errors import OIDCError
    from psc_connect.oidc.jwks import SigningKey
    from psc_connect.providers.key_management import KeyChanges


def check_keys(provider: Provider, changes: KeyChanges) -> Iterator[Finding]:
    if changes.found.has_private:
        yield Finding("keys", Status.FAILED, "jwks_key_private", explain("jwks_key_private"))
    if changes.pinned_gone:
        text = _("The provider no longer publishes these pinned keys: %(names)s. Sign-ins go on accepting them.")
        advice = _("To stop it: “Signing keys”, “Unpin” or “Retire”.")
        names = _names_of(changes.pinned_gone)
        yield Finding("keys", Status.WARNING, "keys_pinned_gone", text % {"names": names}, advice)
    if changes.has_any:
        yield _differing(provider, changes)
    elif not changes.pinned_gone:
        count = len(changes.same)
        text = ngettext(
            "%(count)s signing key, the same as stored here.", "%(count)s signing keys, the same as stored here.", count
        )
        yield Finding("keys", Status.PASSED, "keys", text % {"count": count})


def _differing(provider: Provider, changes: KeyChanges) -> Finding:
    groups = [
        (_("new: %(names)s"), changes.new),
        (_("another key with the same name: %(names)s"), changes.changed),
        (_("removed: %(names)s"), changes.gone),
    ]
    parts = [text % {"names": _names_of(keys)} for text, keys in groups if keys]
    text = _("The provider's signing keys differ from the stored ones (%(changes)s).") % {"changes": " · ".join(parts)}
    advice = []
    if changes.new or changes.changed:
        advice.append(_("Sign-ins fetch new keys automatically, unless all are pinned."))
    if changes.gone:
        advice.append(_use_of_removed_keys(provider))
    advice.append(_("To fetch the keys now: “Signing keys”, “Import”."))
    return Finding("keys", Status.WARNING, "keys_changed", text, " ".join(advice))


def _use_of_removed_keys(provider: Provider) -> str:
    due_at = refresh_due_at(provider)
    if due_at is None or due_at <= timezone.now():
        return _("Removed keys are accepted until the next sign-in: it fetches the keys.")
    text = _(
        "Removed keys are still accepted until the first sign-in after %(time)s, or until a sign-in with an unknown "
        "key: these fetch the keys."
    )
    return text % {"time": date_format(timezone.localtime(due_at), "SHORT_DATETIME_FORMAT")}


def _names_of(keys: Iterable[SigningKey]) -> str:
    return ", ".join(escape_control_characters(key.kid or key.thumbprint) for key in keys)


def keys_not_fetched(provider: Provider, exc: OIDCError) -> Finding:
    """Return the finding for a failed fetch; it passes if the provider publishes no keys and some were pasted."""
    if exc.code == "jwks_uri_missing" and provider.jwks:
        text = _("The provider publishes no keys (its metadata has no jwks_uri): the pasted ones are used.")
        return Finding("keys", Status.PASSED, "keys_pasted", text)
    return failure("keys", exc)
