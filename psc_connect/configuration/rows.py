"""Reading of the rows of a declaration: exported attributes and groups, provider selection rules, access rules."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from psc_connect.access.groups import users_have_groups
from psc_connect.claims.budget import current_budget
from psc_connect.models import ExportedAttribute, Provider
from psc_connect.models.access import MAX_RULES
from psc_connect.providers.serialization import ROWS, serialize_rows

if TYPE_CHECKING:
    from django.db import models

    from psc_connect.configuration.problems import Problems

MAX_ROWS = 2000  # of one kind
_ROW_STEPS = 400  # most of them for finding its group


def read_rows(name: str, given: object, problems: Problems) -> list[models.Model]:
    """Return unsaved rows of a kind of ``ROWS``; add to ``problems`` whatever is wrong with them. Raises TooSlow."""
    if not isinstance(given, list) or not all(isinstance(values, dict) for values in given):
        problems.add(name, _("A list of objects is expected here."))
        return []
    if len(given) > MAX_ROWS:
        problems.add(name, _("At most %(max)s rows are read here.") % {"max": MAX_ROWS})
        return []
    valid = [_read_row(name, f"{name}[{number}]", values, problems) for number, values in enumerate(given)]
    rows = [row for row in valid if row is not None]
    _check_duplicates(name, rows, problems)
    if any(getattr(row, "group", None) for row in rows) and not users_have_groups():
        problems.add(name, _("The users of this site have no groups."))
    if name == "access_rules" and len(rows) > MAX_RULES:
        problems.add(name, _("A provider has at most %(max)s access rules.") % {"max": MAX_RULES})
    return rows


def _check_duplicates(name: str, rows: list[models.Model], problems: Problems) -> None:
    fields = Counter(row.user_field for row in rows if isinstance(row, ExportedAttribute))
    for field in sorted(field for field, count in fields.items() if count > 1):
        problems.add(name, _("Two rows fill the field “%(name)s”.") % {"name": field})
    if len({json.dumps(values, sort_keys=True) for values in serialize_rows(name, rows)}) < len(rows):
        problems.add(name, _("Two rows are the same."))


def _read_row(name: str, where: str, given: dict[str, Any], problems: Problems) -> models.Model | None:
    current_budget().spend(_ROW_STEPS)
    problems.check_names(given, ROWS[name], where)
    model: Any = Provider._meta.get_field(name).related_model
    values = {key: value for key, value in given.items() if key in ROWS[name]}
    has_group = "group" not in ROWS[name] or _replace_group(name, where, values, problems)
    have_valid_types = [problems.has_valid_type(model, key, values, where) for key in values if key != "group"]
    if not all(have_valid_types) or not has_group:
        return None
    row: models.Model = model(**values)
    try:
        row.full_clean(exclude=["provider", "group"], validate_unique=False, validate_constraints=False)
    except ValidationError as exc:
        problems.add_errors(model, exc, where)
    return row


def _replace_group(name: str, where: str, values: dict[str, Any], problems: Problems) -> bool:
    """Replace the group's name in ``values`` with the group; return whether the row can be made.

    An access rule needs a group only if its outcome is one; ``null`` is a group that was deleted.
    """
    given = values.get("group", "")
    is_optional = name == "access_rules" and (given is None or values.get("outcome") != "group")
    values["group"] = Group.objects.filter(name=str(given)).first() if given else None
    if values["group"] is None and (given or not is_optional):
        problems.add(f"{where}.group", _("This site has no group of that name: create it first."))
        return False
    return True
