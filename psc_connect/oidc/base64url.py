"""base64url without padding, as JOSE uses it (RFC 7515 2)."""

from __future__ import annotations

import base64


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_strict(text: str) -> bytes:
    """Decode `text`, accepting only the canonical encoding (RFC 4648 3.5).

    Raises ValueError for padding, line breaks, characters outside the alphabet, and unused bits that are not zero.
    """
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Python ignores foreign characters and accepts several encodings of the same bytes.
    if encode(data) != text:
        raise ValueError("not the canonical encoding")
    return data
