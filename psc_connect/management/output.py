"""What the commands write: nothing that stands in a document steers the terminal of whoever reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psc_connect.document import escaped

if TYPE_CHECKING:
    from collections.abc import Callable


def telling(write: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what writes one line, whatever is in it."""
    return lambda line: write(escaped(line))


def readable_json(document: object) -> str:
    """Return JSON with indents that reads back as the document, its letters as they are."""
    lines = json.dumps(document, ensure_ascii=False, indent=2).split("\n")
    return "\n".join(escaped(line) for line in lines)
