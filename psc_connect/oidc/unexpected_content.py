"""Recognition of content pasted instead of the provider's metadata or key set."""

from __future__ import annotations

from typing import Final

# Beginning of a text → end of an error code.
_BEGINNINGS: Final = (
    ("<", "looks_like_html"),
    ("-----begin", "looks_like_certificate"),
    ("bag attributes", "looks_like_certificate"),
    ("https://", "looks_like_url"),
    ("http://", "looks_like_url"),
)


def classify_content(content: object) -> str:
    """Return the end of an error code: `looks_like_html` …, `not_json` for other text, "" if it is not text."""
    if isinstance(content, bytes):
        content = content.decode(errors="replace")
    if not isinstance(content, str):
        return ""
    beginning = content[:200].lstrip("\ufeff \t\r\n").lower()
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            is_key = kind == "looks_like_certificate" and "PRIVATE KEY-----" in content
            return "looks_like_private_key" if is_key else kind
    return "not_json"
