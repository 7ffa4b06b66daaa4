"""The move of an issuer: its accounts are those of another declared provider from now on.

A provider whose host or scheme changes has another issuer, and accounts belong to an issuer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.accounts.matching import is_superuser
from psc_connect.accounts.moving import AccountsToMove, find_accounts_to_move, lock_accounts, move_accounts
from psc_connect.models import Provider
from psc_connect.providers import audit
from psc_connect.providers.serialization import MOVED_ACCOUNTS, Difference

if TYPE_CHECKING:
    from django.contrib.auth.models import User

REFUSALS = {
    "move_provider_unknown": _("No provider has the identifier or the issuer “%(name)s”."),
    "move_provider_several": _("Several providers have the issuer “%(name)s”: give the identifier of one."),
    "move_same_issuer": _("Both providers have the same issuer: its accounts are already those of both."),
    "move_issuer_missing": _("A provider without metadata has no issuer."),
    "move_other_environment": _(
        "The two providers are of two environments, whose people are not the same: no account can move."
    ),
    "move_conflicts": _(
        "The same person has an account at both issuers: unlink one of the two, as a rule that of the new issuer, then "
        "move the others."
    ),
    "move_changed": _(
        "Nothing has been moved: something has changed meanwhile, or the database is busy. Please start again."
    ),
}


class MoveRefused(Exception):
    """The accounts cannot be moved; ``code`` is one of ``REFUSALS``."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code, self.params = code, params

    @property
    def text(self) -> str:
        return str(REFUSALS[self.code]) % self.params


@dataclass(frozen=True, slots=True)
class IssuerMove:
    """The plan of a move of all accounts of the issuer of ``old`` to that of ``new``."""

    old: Provider
    new: Provider
    found: AccountsToMove

    @property
    def count(self) -> int:
        return len(self.found.accounts)

    @property
    def conflicts(self) -> tuple[tuple[int, int], ...]:
        return self.found.conflicts

    @property
    def changes_path(self) -> bool:
        """Whether more than scheme and host differ: another realm of one server has other people."""
        return urlsplit(self.old.issuer).path != urlsplit(self.new.issuer).path

    @property
    def advice(self) -> str:
        """What is left to do after the move, or ""."""
        texts = []
        if self.count and self.old.enabled:
            text = gettext("Disable “%(slug)s”: a sign-in there would create a second account.")
            texts.append(text % {"slug": self.old.slug})
        if self.count and not self.new.enabled:
            text = gettext("Enable “%(slug)s”, so that people can sign in there.")
            texts.append(text % {"slug": self.new.slug})
        return " ".join(texts)

    @property
    def fingerprint(self) -> str:
        """A digest of what is decided on. Accounts that sign-ins create meanwhile do not change it."""
        administrators = [[account.pk, is_superuser(account.user)] for account in self.found.of_administrators]
        decided: list[Any] = [self.old.pk, self.old.issuer, self.new.pk, self.new.issuer, administrators]
        return hashlib.sha256(json.dumps(decided).encode()).hexdigest()


def find_provider(name: str) -> Provider:
    """Return the provider with this identifier (slug) or issuer. Raises MoveRefused."""
    found = list(Provider.objects.filter(slug=name)) or Provider.of_issuer(name)
    if len(found) != 1:
        raise MoveRefused("move_provider_several" if found else "move_provider_unknown", name=name)
    return found[0]


def can_move(old: Provider, new: Provider) -> bool:
    """Return whether accounts of the old provider can become those of the new one, but for conflicts."""
    return not _why_not(old, new)


def _why_not(old: Provider, new: Provider) -> str:
    if not (old.issuer and new.issuer):
        return "move_issuer_missing"
    if old.issuer == new.issuer:
        return "move_same_issuer"
    return "move_other_environment" if old.environment != new.environment else ""


def plan_move(old: Provider, new: Provider) -> IssuerMove:
    """Return the plan, without changing anything; it can have conflicts. Raises MoveRefused."""
    if code := _why_not(old, new):
        raise MoveRefused(code)
    return IssuerMove(old, new, find_accounts_to_move(old.issuer, new.issuer))


def carry_out(planned: IssuerMove, *, source: str, by: User | None = None) -> IssuerMove:
    """Move the accounts, all or none, and return the plan that was carried out. Raises MoveRefused."""
    try:
        with transaction.atomic():
            move = _locked(planned)
            move_accounts(move.found, to=move.new, by=by)
            _record(move, source=source, by=by)
    # The database refuses a move that meets a sign-in which creates the same account, as a deadlock or a duplicate.
    except (IntegrityError, OperationalError) as exc:
        raise MoveRefused("move_changed") from exc
    return move


def _locked(planned: IssuerMove) -> IssuerMove:
    """Lock what is moved and return the plan made of it. Raises MoveRefused if it is not the same one."""
    # The accounts first, as a login does.
    lock_accounts(planned.old.issuer)
    providers = Provider.objects.select_for_update().order_by("pk").in_bulk([planned.old.pk, planned.new.pk])
    if len(providers) < 2:
        raise MoveRefused("move_changed")
    move = plan_move(providers[planned.old.pk], providers[planned.new.pk])
    if move.conflicts:
        raise MoveRefused("move_conflicts")
    if move.fingerprint != planned.fingerprint:
        raise MoveRefused("move_changed")
    return move


def _record(move: IssuerMove, *, source: str, by: User | None) -> None:
    change = Difference(MOVED_ACCOUNTS, move.old.issuer, f"{move.new.issuer} ({move.count})")
    for provider in (move.old, move.new):
        # Raises the version, by which entries are ordered.
        Provider.objects.filter(pk=provider.pk).update()
        audit.record(provider, [change], version_before=provider.version, source=source, by=by)
