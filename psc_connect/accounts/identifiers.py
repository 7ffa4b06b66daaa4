"""By what an account is found again besides its ``sub``: the identifiers that the provider gives of a person, as rows.

A ``sub`` of Pro Santé Connect has the national identifier in it, and changes with it.
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
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

    from psc_connect.professional.professional import Professional

logger = logging.getLogger("psc_connect")

# The kind of a row that is a former `sub`; no provider gives one, and every account is found again by its own.
SUB: Final = "sub"
# The origin of the identifier that is the person's main one: its form alone says what it is of.
MAIN: Final = "SubjectNameID"
# The claims that are in both answers of Pro Santé Connect, and say the same.
COMPARED: Final = (MAIN, "preferred_username")
TRUSTABLE: Final = frozenset(kind.value for kind in Kind if kind is not Kind.UNKNOWN)
MAX_KEPT: Final = 50
_ROW: Final = ("id", "kind", "number", "origin", "quality", "match_key")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier as the provider gives it, or as a row keeps it. ``quality`` 1 is the best; 0: none was sent."""

    kind: str
    number: str = field(repr=False)
    origin: str = ""
    quality: int = 0

    @property
    def is_vouched_for(self) -> bool:
        """Whether its origin says that it is of this kind: what only looks like an RPPS number proves nothing."""
        return self.origin == MAIN or register_of(self.origin) == self.kind.upper()

    @property
    def is_trusted(self) -> bool:
        """Whether an account is found again by it: a former ``sub``, or what PSC_CONNECT_TRUSTED_IDENTIFIERS names."""
        return self.kind == SUB or (self.is_vouched_for and self.kind in conf.trusted_identifiers() & TRUSTABLE)


def identifiers_of(professional: Professional) -> tuple[Identifier, ...]:
    """Return what the userinfo gives, each once, what is vouched for first; what no row can keep is left out."""
    found: dict[tuple[str, str], Identifier] = {}
    for each in _given(professional):
        known = found.get((each.kind, each.number))
        # Given twice: as the register has it, with its quality; as the main one; as something else.
        if known is None or not known.is_vouched_for or (known.origin == MAIN and each.is_vouched_for):
            found[each.kind, each.number] = each
    return tuple(sorted(found.values(), key=lambda each: not each.is_vouched_for))


def kept_of(given: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """Return those that an account keeps, and by which it is looked for: bounded, those that prove something first."""
    if len(given) > MAX_KEPT:
        logger.warning("userinfo.identifiers_too_many count=%s", len(given))
    return given[:MAX_KEPT]


def _given(professional: Professional) -> Iterator[Identifier]:
    main = professional.national_identifier
    if _can_be_kept(main, professional.national_identifier_sent):
        yield Identifier(main.kind.value, main.number, MAIN)
    for each in professional.identifiers:
        if _can_be_kept(each.identifier, each.sent):
            yield Identifier(each.identifier.kind.value, each.identifier.number, _origin(each.origin), each.quality)


def _origin(sent: str) -> str:
    """Return an origin as a row keeps it: cut, it vouches for nothing any more; ours nobody can send."""
    cut = f"{sent[:63]}…" if len(sent) > 64 else sent
    return "" if cut == MAIN else cut


def _can_be_kept(identifier: NationalIdentifier, sent: str) -> bool:
    is_cut = identifier.kind is Kind.UNKNOWN and len(sent) > MAX_CHARACTERS
    if is_cut:
        logger.warning("userinfo.identifier_too_long kind=%s", identifier.kind.value)
    return bool(identifier) and not is_cut


def rpps_of(given: Iterable[Identifier]) -> str:
    """Return the RPPS number that is vouched for, or "". A person has one, for life.

    Raises LoginRefused ``userinfo_identifiers_contradict`` where there are two.
    """
    numbers = {each.number for each in given if each.kind == Kind.RPPS and each.is_vouched_for}
    if len(numbers) > 1:
        raise LoginRefused("userinfo_identifiers_contradict")
    return next(iter(numbers), "")


def check_answers_agree(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> None:
    """Compare the national identifier of both answers, however each writes it, where both have one.

    Raises LoginRefused ``userinfo_identifier_mismatch``.
    """
    for name in COMPARED:
        one, other = (_text(answer.get(name)) for answer in (id_token, userinfo))
        if one and other and NationalIdentifier.read(one) != NationalIdentifier.read(other):
            raise LoginRefused("userinfo_identifier_mismatch")


def check_one_rpps(id_token: Mapping[str, Any], userinfo: Mapping[str, Any], given: Iterable[Identifier]) -> None:
    """Of RPPS numbers there is one in all that both answers say of the person, in whatever claim, in the ``sub`` too.

    Raises LoginRefused ``userinfo_identifier_mismatch``.
    """
    said = [_text(answer.get(name)) for answer in (id_token, userinfo) for name in COMPARED]
    # ``f:<uuid>:<identifier>``
    said.append(_text(id_token.get("sub")).rpartition(":")[2])
    # In the national form alone: eleven digits may be anything.
    read = {each.number for text in said if (each := NationalIdentifier.read(text)).national == text and _is_rpps(each)}
    if len(read | {each for each in (rpps_of(given),) if each}) > 1:
        raise LoginRefused("userinfo_identifier_mismatch")


def check_same_person(account: Account, given: Iterable[Identifier]) -> None:
    """Refuse whoever comes by a ``sub`` or a number of the account with another RPPS number than its own.

    Raises LoginRefused ``account_identifiers_conflict``.
    """
    try:
        rpps_of((*map(as_identifier, account.known_identifiers), *given))
    except LoginRefused:
        raise LoginRefused("account_identifiers_conflict") from None


def _is_rpps(identifier: NationalIdentifier) -> bool:
    return identifier.kind is Kind.RPPS


def _text(value: object) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def key_of(account: Account, identifier: Identifier) -> str:
    """Return what no other row has: of an identifier that is trusted, no row of another account either."""
    return shared_key(account.issuer, identifier) if identifier.is_trusted else own_key(account.pk, identifier)


def shared_key(issuer: str, identifier: Identifier) -> str:
    """Return the key by which a row leads to its account."""
    return _digest("issuer", issuer, identifier.kind, identifier.number)


def own_key(account: int, identifier: Identifier) -> str:
    """Return the key of a row that leads nowhere."""
    return _digest("account", str(account), identifier.kind, identifier.number)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def leading_to(accounts: QuerySet[Account], issuer: str, subject: str, given: Iterable[Identifier]) -> list[Account]:
    """Return, of these accounts, those of the issuer to which the ``sub`` or a trusted identifier leads.

    In one statement, and with their rows (``known_identifiers``). A ``sub`` is compared exactly, whatever the
    database's collation.
    """
    keys = {shared_key(issuer, each) for each in (*given, Identifier(SUB, subject)) if each.is_trusted}
    by_key = AccountIdentifier.objects.order_by().filter(match_key__in=keys).values("account")
    rows = accounts.annotate(**{f"identifier_{name}": F(f"identifiers__{name}") for name in _ROW})
    found: dict[int, Account] = {}
    identifiers: dict[int, dict[int, AccountIdentifier]] = {}
    # Not one condition with an "or": no index would serve it.
    by_sub, others = rows.filter(issuer=issuer, subject=subject), rows.exclude(issuer=issuer, subject=subject)
    for row in by_sub.union(others.filter(pk__in=by_key), all=True):
        account = found.setdefault(row.pk, row)
        values = {name: getattr(row, f"identifier_{name}") for name in _ROW}
        if values["id"] is not None:
            identifiers.setdefault(row.pk, {})[values["id"]] = AccountIdentifier(account=account, **values)
    for account in found.values():
        account.known_identifiers = tuple(identifiers.get(account.pk, {}).values())
    return [each for each in found.values() if _is_led_to(each, (issuer, subject), keys)]


def _is_led_to(account: Account, identity: tuple[str, str], keys: set[str]) -> bool:
    return (account.issuer, account.subject) == identity or bool(
        keys & {r.match_key for r in account.known_identifiers}
    )


def keep(account: Account, given: Iterable[Identifier], *, subject: str) -> str:
    """Bring the rows of an account up to date with what was given at a login under this ``sub``.

    What is of a known kind stays for good. Return the ``sub`` that the account had, where it was another; the account
    is moved, unsaved.
    """
    former = account.subject if account.subject != subject else ""
    if former:
        account.move_to(subject)
    known = {(row.kind, row.number): row for row in account.known_identifiers}
    new, changed = [], []
    for each in (*given, *([Identifier(SUB, former)] if former else [])):
        row = known.pop((each.kind, each.number), None)
        if row is None:
            new.append(row_of(account, each))
        elif _take_over(row, each):
            changed.append(row)
    # Of no known kind and given no longer: a provider that gives ever new ones does not fill the table.
    if gone := [row.pk for row in known.values() if row.kind == Kind.UNKNOWN.value]:
        AccountIdentifier.objects.filter(pk__in=gone).delete()
        known = {name: row for name, row in known.items() if row.pk not in gone}
    # Given no longer: it may lose the trust that it had, and gains none unseen.
    changed += [row for row in known.values() if not (own := as_identifier(row)).is_trusted and _take_over(row, own)]
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


def _take_over(row: AccountIdentifier, identifier: Identifier) -> bool:
    """Put what is given on a row, unsaved; return whether it says something else now."""
    before = (row.origin, row.quality, row.match_key)
    after = (identifier.origin, identifier.quality, key_of(row.account, identifier))
    row.origin, row.quality, row.match_key = after
    return before != after
