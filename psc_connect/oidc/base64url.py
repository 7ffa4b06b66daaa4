"""base64url as JOSE writes it (RFC 7515 2): no padding, one spelling only for the same bytes (RFC 4648 3.5)."""

from __future__ import annotations

import base64
import re
from typing import Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_strict(text: str) -> bytes:
    """ValueError for padding, line ends, foreign characters, and unused bits that are not zero."""
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not the canonical spelling")
    return data
