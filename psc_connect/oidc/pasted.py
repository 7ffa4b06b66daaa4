"""What an administrator pasted instead of the document that was asked for."""

from __future__ import annotations

from typing import Final

# What the text of a document begins with → what it is, the same words for metadata and for key sets.
_BEGINNINGS: Final = (
    ("<", "looks_like_html"),
    ("-----begin", "looks_like_certificate"),
    ("bag attributes", "looks_like_certificate"),
    ("https://", "looks_like_url"),
    ("http://", "looks_like_url"),
)


def looks_like(document: object) -> str:
    """The end of an error code (`looks_like_html` …, `not_json` for other text); empty for what is no text at all."""
    if isinstance(document, bytes):
        document = document.decode(errors="replace")
    if not isinstance(document, str):
        return ""
    beginning = document[:200].lstrip("\ufeff \t\r\n").lower()
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            return kind
    return "not_json"
