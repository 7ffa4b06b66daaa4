"""Databases made before the first release: they are not upgraded, and ``migrate`` says so."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.db import connections, router
from django.utils.translation import gettext as _


def refuse_old_database(using: str, **_kwargs: Any) -> None:
    """Stop ``migrate`` where the tables are those of a development version. Raises CommandError.

    Such a database says that ``0001_initial`` is applied, but its providers have no version.
    """
    if not router.allow_migrate(using, "psc_connect"):
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        if "psc_connect_provider" not in connection.introspection.table_names(cursor):
            return
        columns = connection.introspection.get_table_description(cursor, "psc_connect_provider")
    if "version" in {column.name for column in columns}:
        return
    if connection.vendor == "sqlite":
        text = _(
            "This database was made by a version of psc_connect before its first release and cannot be upgraded: "
            "delete the file %(name)s, then run the command again."
        )
    else:
        text = _(
            "This database was made by a version of psc_connect before its first release and cannot be upgraded: "
            "create a new database in place of %(name)s, then run the command again."
        )
    raise CommandError(text % {"name": connection.settings_dict["NAME"]})
