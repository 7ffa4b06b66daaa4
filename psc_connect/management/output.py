"""Output of commands: help with examples, and readable JSON."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class CommandWithExamples(BaseCommand):
    """A command whose help keeps its line breaks, for examples."""

    @override
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)


def readable_json(value: object) -> str:
    """Return a value as indented JSON with control characters escaped and other letters unchanged."""
    lines = json.dumps(value, ensure_ascii=False, indent=2).split("\n")
    return "\n".join(escape_control_characters(line) for line in lines)
