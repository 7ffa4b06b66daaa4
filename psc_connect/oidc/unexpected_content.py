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


def classify_content(document: object) -> str:
    """The end of an error code (`looks_like_html` …, `not_json` for other text); empty for what is no text at all."""
    if isinstance(document, bytes):
        document = document.decode(errors="replace")
    if not isinstance(document, str):
        return ""
    beginning = document[:200].lstrip("\ufeff \t\r\n").lower()
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            is_key = kind == "looks_like_certificate" and "PRIVATE KEY-----" in document
            return "looks_like_private_key" if is_key else kind
    return "not_json"
