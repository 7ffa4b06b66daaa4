"""Masks for identifiers of people, shown until an administrator reveals them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

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


def masked(text: str) -> str:
    """Return a text with dots except for its first two and last two characters; a short text is all dots."""
    if len(text) < _SHORTEST_SECRET:
        return DOT * len(text)
    return text[:_SHOWN] + DOT * (len(text) - 2 * _SHOWN) + text[-_SHOWN:]


def masker(claims: Any) -> Callable[[Any], Any]:
    """Return a function that masks every identifier of these claims, in them and in values made from them."""
    identifiers = _identifiers(claims)
    return lambda value: _masked_value(value, identifiers)


def _identifiers(value: Any) -> set[str]:
    """Return every identifier, the national one inside ``f:<uuid>:<identifier>``, and the number inside that."""
    found: set[str] = set()
    if isinstance(value, dict):
        for name, item in value.items():
            if name in IDENTIFYING and isinstance(item, (str, int)):
                text = str(item)
                inner = text.rpartition(":")[2]
                # The last one: in the form of a username (users.acceptable_username).
                found |= {text, inner, NationalIdentifier.read(inner).number, re.sub(r"[^\w.@+-]", "-", text)}
            found |= _identifiers(item)
    elif isinstance(value, list):
        for item in value:
            found |= _identifiers(item)
    return {text for text in found if len(text) >= _SHORTEST_SECRET}


def _masked_value(value: Any, identifiers: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: masked(str(item))
            if name in IDENTIFYING and isinstance(item, (str, int))
            else _masked_value(item, identifiers)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_masked_value(item, identifiers) for item in value]
    if isinstance(value, str):
        for identifier in sorted(identifiers, key=len, reverse=True):
            value = value.replace(identifier, masked(identifier))
    return value
