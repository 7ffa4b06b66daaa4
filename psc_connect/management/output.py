"""What the commands write: nothing that stands in a document steers the terminal of whoever reads it."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from psc_connect.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.management.base import CommandParser


class CommandWithExamples(BaseCommand):
    """Its help has examples, whose lines stay as they are."""

    @override
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)


def telling(write: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what writes one line, whatever is in it."""
    return lambda line: write(escaped(line))


def readable_json(document: object) -> str:
    """Return JSON with indents that reads back as the document, its letters as they are."""
    lines = json.dumps(document, ensure_ascii=False, indent=2).split("\n")
    return "\n".join(escaped(line) for line in lines)
