"""Masks for identifiers of people, shown until an administrator reveals them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final

from psc_connect.claims.budget import TooSlow, current_budget
from psc_connect.professional.identifiers import NationalIdentifier

DOT: Final = "•"
# Identifiers of PSC and of OpenID Connect, in any object.
IDENTIFYING: Final = frozenset(
    {
        "SubjectNameID",
        "at_hash",
        "email",
        "identifiant",
        "jti",
        "nonce",
        "phone_number",
        "preferred_username",
        "session_state",
        "sid",
        "sub",
    }
)
_SHOWN: Final = 2
_SHORTEST_SECRET: Final = 6
# A shorter one is masked where it is the whole text only: parts of other words may equal it.
_SHORTEST_PART: Final = 4
# Searching a text for one identifier is one step, and one more for each of so many characters.
_CHARACTERS_PER_STEP: Final = 64
# All but letters and digits.
_SEPARATOR: Final = re.compile(r"[\W_]")
# A PSI number; RPPS, ADELI, EDIT, and the number of a structure with that of its staff, in the forms of usernames too.
_FORM: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?:ANS)?(?:[0-9]{9,}|[0-9]{1,2}[AB][0-9]{7})(?:[/-]?[A-Z0-9]{1,40})?",
    re.IGNORECASE | re.ASCII,
)


def masked(text: str) -> str:
    """Return a text with dots except for its first two and last two characters; a short text is all dots."""
    if len(text) < _SHORTEST_SECRET:
        return DOT * len(text)
    return text[:_SHOWN] + DOT * (len(text) - 2 * _SHOWN) + text[-_SHOWN:]


def mask_identifiers(text: str, identifiers: Iterable[str]) -> str:
    """Return a text about a person with their identifiers masked, in whatever form and case.

    What has the form of a national identifier is masked too: its account may have been deleted.
    """
    forms = {form for identifier in identifiers for form in _forms(identifier)}
    if text.casefold() in {form.casefold() for form in forms}:
        return masked(text)
    parts = sorted((form for form in forms if len(form) >= _SHORTEST_PART), key=len, reverse=True)
    if parts:
        text = re.sub("|".join(map(re.escape, parts)), lambda found: masked(found[0]), text, flags=re.IGNORECASE)
    shown = _FORM.sub(lambda found: masked(found[0]), text)
    return masked(text) if _is_spelled_otherwise(shown, forms) else shown


def _is_spelled_otherwise(text: str, forms: Iterable[str]) -> bool:
    """Return whether a text has an identifier with separators, in other digits or in other forms of its characters."""
    plain = _plain(text)
    known = {_SEPARATOR.sub("", _plain(form)) for form in forms}
    joined = _SEPARATOR.sub("", plain)
    if any(form in joined for form in known if len(form) >= _SHORTEST_SECRET):
        return True
    return plain != text.casefold() and bool(_FORM.search(plain))


def _plain(text: str) -> str:
    """Return a text with compatible characters and decimal digits of other scripts as ASCII, in small letters."""
    characters = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(each, each)) for each in characters).casefold()


def _forms(identifier: str) -> set[str]:
    """Return an identifier as it may be written: whole, and what a ``sub`` ``f:<uuid>:<identifier>`` ends with."""
    inner = identifier.rpartition(":")[2]
    written = {identifier, inner, NationalIdentifier.read(inner).number}
    # In the two forms of a username (mapping.attributes.acceptable_username).
    characters = {re.sub(r"[^\w.@+-]", "-", text) for text in written}
    letters = {re.sub(r"[^a-z0-9]", "", text.lower()) for text in written}
    return {text for text in written | characters | letters if text}


def masker(claims: Any) -> Callable[[Any], Any]:
    """Return a function that masks every identifier of these claims, in them and in values made from them.

    Texts are masked whole once the page has used all its steps.
    """
    identifiers = sorted(_identifiers(claims), key=len, reverse=True)
    return lambda value: _masked_value(value, identifiers)


def _identifiers(value: Any) -> set[str]:
    """Return every identifier in the claims, in each of its forms."""
    found: set[str] = set()
    if isinstance(value, dict):
        for name, item in value.items():
            if name in IDENTIFYING and isinstance(item, (str, int)):
                found |= _forms(str(item))
            found |= _identifiers(item)
    elif isinstance(value, list):
        for item in value:
            found |= _identifiers(item)
    return {text for text in found if len(text) >= _SHORTEST_SECRET}


def _masked_value(value: Any, identifiers: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: masked(str(item))
            if name in IDENTIFYING and isinstance(item, (str, int))
            else _masked_value(item, identifiers)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_masked_value(item, identifiers) for item in value]
    return _masked_text(value, identifiers) if isinstance(value, str) else value


def _masked_text(text: str, identifiers: list[str]) -> str:
    try:
        current_budget().spend(len(identifiers) * (1 + len(text) // _CHARACTERS_PER_STEP))
    except TooSlow:
        return masked(text)
    for identifier in identifiers:
        text = text.replace(identifier, masked(identifier))
    return text
