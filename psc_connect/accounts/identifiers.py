"""The national identifiers of a person, and the rows that keep them, by which an account is found besides its ``sub``.

A ``sub`` of Pro Santé Connect contains the national identifier, and changes with it.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F

from psc_connect import conf
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account, AccountIdentifier
from psc_connect.professional.identifiers import MAX_CHARACTERS, Kind, NationalIdentifier, register_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from psc_connect.professional.professional import Professional

logger = logging.getLogger("psc_connect")

# The kind of a row with a former `sub`. No provider sends this kind.
SUB: Final = "sub"
# The origin of the person's main identifier. Its kind is known from its form.
MAIN: Final = "SubjectNameID"
# Claims that the ID token and the userinfo both have, with the same identifier.
COMPARED: Final = (MAIN, "preferred_username")
# A person has one number of each kind for life. Numbers of other kinds change with the employer or the department.
LIFELONG: Final = frozenset({Kind.RPPS.value, Kind.PSI.value})
TRUSTABLE: Final = frozenset(kind.value for kind in Kind if kind is not Kind.UNKNOWN)
MAX_IDENTIFIERS: Final = 50
_ROW: Final = ("id", "kind", "number", "origin", "quality", "match_key")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier as the provider sends it, or as a row keeps it. ``quality``: 1 is the best, 0 was not sent."""

    kind: str
    number: str = field(repr=False)
    origin: str = ""
    quality: int = 0

    @property
    def is_vouched_for(self) -> bool:
        """Whether its origin confirms its kind. A number that only looks like an RPPS number proves nothing."""
        return self.origin == MAIN or register_of(self.origin) == self.kind.upper()

    @property
    def is_trusted(self) -> bool:
        """Whether accounts are looked up by it: a former ``sub``, or a kind of PSC_CONNECT_TRUSTED_IDENTIFIERS."""
        return self.kind == SUB or (self.is_vouched_for and self.kind in conf.trusted_identifiers() & TRUSTABLE)


def identifiers_of(professional: Professional) -> tuple[Identifier, ...]:
    """Return each identifier of the userinfo once, those vouched for first. Skip those that no row can keep.

    Among them, RPPS numbers and PSI are first: ``limit`` must not drop what tells two people apart.
    """
    identifiers: dict[tuple[str, str], Identifier] = {}
    for identifier in _sent_identifiers(professional):
        known = identifiers.get((identifier.kind, identifier.number))
        # If sent twice, prefer the one with the register's origin and quality, then the main one, then any other.
        if known is None or not known.is_vouched_for or (known.origin == MAIN and identifier.is_vouched_for):
            identifiers[identifier.kind, identifier.number] = identifier
    return tuple(sorted(identifiers.values(), key=lambda each: (not each.is_vouched_for, each.kind not in LIFELONG)))


def limit(identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """Return the first ``MAX_IDENTIFIERS``, those that an account keeps and is found by. Log if there are more."""
    if len(identifiers) > MAX_IDENTIFIERS:
        logger.warning("userinfo.identifiers_too_many count=%s", len(identifiers))
    return identifiers[:MAX_IDENTIFIERS]


def _sent_identifiers(professional: Professional) -> Iterator[Identifier]:
    main = professional.national_identifier
    if _can_be_kept(main, professional.national_identifier_sent):
        yield Identifier(main.kind.value, main.number, MAIN)
    for other in professional.identifiers:
        if _can_be_kept(other.identifier, other.sent):
            yield Identifier(other.identifier.kind.value, other.identifier.number, _origin(other.origin), other.quality)


def _origin(sent: str) -> str:
    """Return an origin as a row keeps it. A shortened one vouches for nothing, and ``MAIN`` cannot be sent."""
    shortened = f"{sent[:63]}…" if len(sent) > 64 else sent
    return "" if shortened == MAIN else shortened


def _can_be_kept(identifier: NationalIdentifier, sent: str) -> bool:
    is_too_long = identifier.kind is Kind.UNKNOWN and len(sent) > MAX_CHARACTERS
    if is_too_long:
        logger.warning("userinfo.identifier_too_long kind=%s", identifier.kind.value)
    return bool(identifier) and not is_too_long


def lifelong_numbers(identifiers: Iterable[Identifier]) -> dict[str, str]:
    """Return the RPPS number and the PSI that are vouched for, by kind, whether or not the settings trust them.

    Raises LoginRefused ``userinfo_identifiers_contradict`` if there are two of a kind.
    """
    numbers: dict[str, str] = {}
    for identifier in identifiers:
        if identifier.kind not in LIFELONG or not identifier.is_vouched_for:
            continue
        if numbers.setdefault(identifier.kind, identifier.number) != identifier.number:
            raise LoginRefused("userinfo_identifiers_contradict")
    return numbers


def rpps_of(identifiers: Iterable[Identifier]) -> str:
    """Return the RPPS number that is vouched for, or "". Raises as ``lifelong_numbers``."""
    return lifelong_numbers(identifiers).get(Kind.RPPS.value, "")


def check_answers_agree(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> None:
    """Compare the national identifiers of the ID token and the userinfo, in whatever form each writes them.

    Raises LoginRefused ``userinfo_identifier_mismatch`` if both have one and they differ.
    """
    for name in COMPARED:
        from_id_token, from_userinfo = _text(id_token.get(name)), _text(userinfo.get(name))
        if not (from_id_token and from_userinfo):
            continue
        if NationalIdentifier.read(from_id_token) != NationalIdentifier.read(from_userinfo):
            raise LoginRefused("userinfo_identifier_mismatch")


def check_one_rpps(id_token: Mapping[str, Any], userinfo: Mapping[str, Any], identifiers: Iterable[Identifier]) -> None:
    """Check that the ID token and the userinfo contain one RPPS number at most, in any claim, including ``sub``.

    Raises LoginRefused ``userinfo_identifier_mismatch``.
    """
    texts = [_text(answer.get(name)) for answer in (id_token, userinfo) for name in COMPARED]
    # The form of a `sub` is `f:<uuid>:<identifier>`.
    texts.append(_text(id_token.get("sub")).rpartition(":")[2])
    numbers = {number for text in texts if (number := _rpps_in(text))}
    if rpps := rpps_of(identifiers):
        numbers.add(rpps)
    if len(numbers) > 1:
        raise LoginRefused("userinfo_identifier_mismatch")


def contradict(known: Iterable[Identifier], identifiers: Iterable[Identifier]) -> bool:
    """Return whether both together have two RPPS numbers or two PSI that are vouched for."""
    try:
        lifelong_numbers((*known, *identifiers))
    except LoginRefused:
        return True
    return False


def is_same_person(account: Account, identifiers: Collection[Identifier], *, subject: str) -> bool:
    """Return whether the account that a login has found belongs to the person of the login.

    A ``sub`` that contains a staff number is issued again when its holder leaves. RPPS numbers and PSI that the account
    and the login both have must be equal. A former ``sub`` proves nothing without an equal number.
    """
    known = [as_identifier(row) for row in account.known_identifiers]
    if contradict(known, identifiers):
        return False
    if account.subject == subject or _shared_keys(account.issuer, identifiers) & _keys_of_rows(account):
        return True
    return bool(lifelong_numbers(known).items() & lifelong_numbers(identifiers).items())


def _rpps_in(text: str) -> str:
    """Return the RPPS number in the text, or "". Only the national form counts: eleven digits may be anything."""
    identifier = NationalIdentifier.read(text)
    return identifier.number if identifier.kind is Kind.RPPS and identifier.national == text else ""


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def key_of(account: Account, identifier: Identifier) -> str:
    """Return the row's unique ``match_key``. A trusted identifier can have one row, over all accounts of the issuer."""
    return shared_key(account.issuer, identifier) if identifier.is_trusted else own_key(account.pk, identifier)


def shared_key(issuer: str, identifier: Identifier) -> str:
    """Return the key of a trusted identifier, which leads to its account."""
    return _digest("issuer", issuer, identifier.kind, identifier.number)


def own_key(account: int, identifier: Identifier) -> str:
    """Return the key of an identifier that is not trusted, unique within its account."""
    return _digest("account", str(account), identifier.kind, identifier.number)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def find_accounts(
    accounts: QuerySet[Account], issuer: str, subject: str, identifiers: Iterable[Identifier]
) -> list[Account]:
    """Return those of ``accounts`` with this ``sub``, now or formerly, or a trusted identifier, in one SQL query.

    ``known_identifiers`` is set on each. The ``sub`` is compared in Python too: the database's collation may be less
    strict.
    """
    keys = _shared_keys(issuer, (*identifiers, Identifier(SUB, subject)))
    by_key = AccountIdentifier.objects.order_by().filter(match_key__in=keys).values("account")
    rows = accounts.annotate(**{f"identifier_{name}": F(f"identifiers__{name}") for name in _ROW})
    found: dict[int, Account] = {}
    known_identifiers: dict[int, dict[int, AccountIdentifier]] = {}
    # A union rather than OR, so that the database uses its indexes.
    by_sub, others = rows.filter(issuer=issuer, subject=subject), rows.exclude(issuer=issuer, subject=subject)
    for row in by_sub.union(others.filter(pk__in=by_key), all=True):
        account = found.setdefault(row.pk, row)
        values = {name: getattr(row, f"identifier_{name}") for name in _ROW}
        if values["id"] is not None:
            known_identifiers.setdefault(row.pk, {})[values["id"]] = AccountIdentifier(account=account, **values)
    for account in found.values():
        account.known_identifiers = tuple(known_identifiers.get(account.pk, {}).values())
    return [account for account in found.values() if _matches(account, (issuer, subject), keys)]


def _matches(account: Account, identity: tuple[str, str], keys: set[str]) -> bool:
    return (account.issuer, account.subject) == identity or bool(_keys_of_rows(account) & keys)


def _shared_keys(issuer: str, identifiers: Iterable[Identifier]) -> set[str]:
    return {shared_key(issuer, identifier) for identifier in identifiers if identifier.is_trusted}


def _keys_of_rows(account: Account) -> set[str]:
    return {row.match_key for row in account.known_identifiers}


def update_rows(account: Account, identifiers: Iterable[Identifier], *, subject: str) -> str:
    """Update the identifier rows of an account after a login under this ``sub``, and ``account.subject``, unsaved.

    Rows of a known kind are never deleted. Return the previous ``sub`` of the account if it was another one, else "".
    """
    former = account.subject if account.subject != subject else ""
    if former:
        account.move_to(subject)
    known = {(row.kind, row.number): row for row in account.known_identifiers}
    new, changed = [], []
    for identifier in (*identifiers, *([Identifier(SUB, former)] if former else [])):
        row = known.pop((identifier.kind, identifier.number), None)
        if row is None:
            new.append(row_of(account, identifier))
        elif _update_row(row, identifier):
            changed.append(row)
    # Of an unknown kind and no longer sent: deleted, so that a provider that sends new ones each time cannot fill the
    # table.
    if gone := [row.pk for row in known.values() if row.kind == Kind.UNKNOWN.value]:
        AccountIdentifier.objects.filter(pk__in=gone).delete()
        known = {name: row for name, row in known.items() if row.pk not in gone}
    # No longer sent: a row may lose trust that it had (the setting has changed), but never gains it.
    changed += [row for row in known.values() if not (own := as_identifier(row)).is_trusted and _update_row(row, own)]
    if new:
        AccountIdentifier.objects.bulk_create(new)
    if changed:
        AccountIdentifier.objects.bulk_update(changed, ("origin", "quality", "match_key"))
    return former


def row_of(account: Account, identifier: Identifier) -> AccountIdentifier:
    return AccountIdentifier(
        account=account,
        kind=identifier.kind,
        number=identifier.number,
        origin=identifier.origin,
        quality=identifier.quality,
        match_key=key_of(account, identifier),
    )


def as_identifier(row: AccountIdentifier) -> Identifier:
    return Identifier(row.kind, row.number, row.origin, row.quality)


def _update_row(row: AccountIdentifier, identifier: Identifier) -> bool:
    """Copy an identifier to its row, without saving; return whether the row has changed."""
    before = (row.origin, row.quality, row.match_key)
    after = (identifier.origin, identifier.quality, key_of(row.account, identifier))
    row.origin, row.quality, row.match_key = after
    return before != after
