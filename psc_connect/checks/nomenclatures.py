"""What ``manage.py check`` says of the code tables that a site puts in the place of the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as Caution
from django.utils.translation import gettext as _

from psc_connect import conf
from psc_connect.professional.nomenclatures import PROBLEMS, TABLES, TableError, read_replacement, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@register(Tags.files)
def check_nomenclatures(**_kwargs: Any) -> Iterator[CheckMessage]:
    if not conf.raw("NOMENCLATURE_DIR"):
        return
    folder = conf.nomenclature_dir()
    names = _tables_in(folder) if folder else None
    if folder is None or names is None:
        yield Caution(
            _("PSC_CONNECT_NOMENCLATURE_DIR is not the absolute path of a folder that can be read."),
            hint=_("Create the folder, readable by the site, or correct its path. The shipped tables serve meanwhile."),
            id="psc_connect.W010",
        )
        return
    for name in names:
        yield from _check_table(name, folder)


def _tables_in(folder: Path) -> list[str] | None:
    try:
        return sorted(path.stem for path in folder.iterdir() if path.suffix == ".json")
    # ValueError: a path that no folder can have.
    except (OSError, ValueError):
        return None


def _check_table(name: str, folder: Path) -> Iterator[CheckMessage]:
    found, problem = None, "" if name in TABLES else "table_unknown"
    try:
        found = None if problem else read_replacement(name, folder)
    except TableError as exc:
        problem = exc.code
    if problem:
        yield Caution(
            _("%(file)s, in PSC_CONNECT_NOMENCLATURE_DIR, is not used: %(code)s.")
            % {"file": f"{name}.json", "code": problem},
            hint=_(PROBLEMS[problem]),
            id="psc_connect.W011",
        )
    if found is not None and found.version < shipped(name).version:
        yield Caution(
            _("%(file)s, in PSC_CONNECT_NOMENCLATURE_DIR, is of %(day)s: older than the shipped table of %(shipped)s.")
            % {"file": f"{name}.json", "day": found.version, "shipped": shipped(name).version},
            hint=_("Delete the file, or replace it by a newer table: %(command)s")
            % {"command": "manage.py psc_nomenclatures replace FILE"},
            id="psc_connect.W012",
        )
