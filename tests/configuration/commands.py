"""The commands of a configuration, as a person or a deployment calls them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management import CommandError, call_command

from psc_connect.models import DeclarationChange, Provider

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Called:
    """What a command said, and the exit status that a shell sees."""

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
    """Every row that a configuration could touch, to be compared before and after."""
    tables: tuple[Any, ...] = (
        Provider.objects,
        DeclarationChange.objects,
        *(relation.related_model._default_manager for relation in Provider._meta.related_objects),
    )
    return tuple(list(table.order_by("pk").values()) for table in tables)
