"""System checks of the code tables with which a site replaces the shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core import checks
from django.utils.translation import gettext as _

from psc_connect import conf
from psc_connect.professional.nomenclatures import PROBLEMS, TableError, read_replacement, shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@checks.register(checks.Tags.files)
def check_nomenclatures(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not conf.raw("NOMENCLATURE_DIR"):
        return
    folder = conf.nomenclature_dir()
    names = _table_names(folder) if folder else None
    if folder is None or names is None:
        yield checks.Warning(
            _("PSC_CONNECT_NOMENCLATURE_DIR is not the absolute path of a readable folder."),
            hint=_(
                "Create the folder, readable by the site, or correct its path. Until then the shipped tables are used."
            ),
            id="psc_connect.W010",
        )
        return
    for name in names:
        yield from _check_table(name, folder)


def _table_names(folder: Path) -> list[str] | None:
    try:
        return sorted(path.stem for path in folder.iterdir() if path.suffix == ".json")
    # ValueError: the path contains NUL.
    except (OSError, ValueError):
        return None


def _check_table(name: str, folder: Path) -> Iterator[checks.CheckMessage]:
    try:
        replacement = read_replacement(name, folder)
    except TableError as exc:
        yield checks.Warning(
            _("%(file)s, in PSC_CONNECT_NOMENCLATURE_DIR, is not used: %(code)s.")
            % {"file": f"{name}.json", "code": exc.code},
            hint=_(PROBLEMS[exc.code]),
            id="psc_connect.W011",
        )
        return
    if replacement is not None and replacement.version < shipped(name).version:
        yield checks.Warning(
            _(
                "%(file)s, in PSC_CONNECT_NOMENCLATURE_DIR, is dated %(day)s: the shipped table, of %(shipped)s, "
                "is newer."
            )
            % {"file": f"{name}.json", "day": replacement.version, "shipped": shipped(name).version},
            hint=_("Delete the file, or replace it with a newer table: %(command)s")
            % {"command": "manage.py psc_nomenclatures replace FILE"},
            id="psc_connect.W012",
        )
