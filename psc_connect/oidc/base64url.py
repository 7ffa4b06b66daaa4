"""base64url as JOSE writes it (RFC 7515 2): no padding, one spelling only for the same bytes (RFC 4648 3.5)."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_strict(text: str) -> bytes:
    """ValueError for padding, line ends, foreign characters, and unused bits that are not zero."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Python skips what is not of the alphabet and takes several spellings; only one comes out again.
    if encode(data) != text:
        raise ValueError("not the canonical spelling")
    return data
