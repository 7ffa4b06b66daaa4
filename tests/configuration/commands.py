"""Calls of the configuration commands, with their output and exit status."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError, call_command

from psc_connect.models import DeclarationChange, Provider

if TYPE_CHECKING:
    from pathlib import Path

# Control characters with which a hostile configuration could change what a terminal shows.
STEERING = "\x1b[2K\r\n\u2028\u202e\x9b8m\x85all is well"


@dataclass
class Called:
    """The output and exit status of a command."""

    text: str
    status: int = 0


def call(name: str, *arguments: str) -> Called:
    out = StringIO()
    try:
        call_command(name, *arguments, stdout=out)
    except CommandError as exc:
        return Called(out.getvalue() + str(exc), exc.returncode)
    except SystemExit as exc:
        return Called(out.getvalue(), int(exc.code or 0))
    return Called(out.getvalue())


def steering(text: str) -> set[str]:
    """Return the characters that move a terminal's cursor, hide text, change its direction or start a line."""
    return {letter for letter in text if letter != "\n" and unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}}


def configure(*arguments: str) -> Called:
    return call("psc_configure", *arguments)


def write(folder: Path, *declarations: dict[str, Any]) -> str:
    file = folder / "providers.json"
    file.write_text(json.dumps({"psc_connect": 1, "providers": declarations}))
    return str(file)


def export(*slugs: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(call("psc_export", *slugs).text)
    return document


def everything() -> tuple[Any, ...]:
    """Return every row that a configuration can change, to compare before and after."""
    tables: tuple[Any, ...] = (
        Provider.objects,
        DeclarationChange.objects,
        *(relation.related_model._default_manager for relation in Provider._meta.related_objects),
    )
    return tuple(list(table.order_by("pk").values()) for table in tables)
