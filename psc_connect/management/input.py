"""Input of commands: files and standard input, and the exit status of a wrong one."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from psc_connect.administrator_messages import labelled, load_json

# Exit status; 1 is that of --check if something would change.
REFUSED = 2


def read_json(path: str) -> object:
    """Return the JSON of a file, or of standard input for ``-``. Raises CommandError with line and column."""
    try:
        return load_json(read_text(path))
    except ValidationError as exc:
        raise CommandError(labelled(path, " ".join(exc.messages)), returncode=REFUSED) from None


def read_text(path: str) -> str:
    """Return the text of a file, or of standard input for ``-``. Raises CommandError."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = _("it is not text in UTF-8") if isinstance(exc, UnicodeDecodeError) else exc.strerror
        text = _("%(file)s cannot be read: %(reason)s") % {"file": path, "reason": reason}
        raise CommandError(text, returncode=REFUSED) from None
