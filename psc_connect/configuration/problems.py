"""Problems of a configuration, and the checks that fields and rows of a declaration share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from psc_connect.claims.budget import current_budget
from psc_connect.claims.similarity import most_similar
from psc_connect.providers.serialization import field_of
from psc_connect.validators import can_be_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of reading one name.
_NAME_STEPS = 20
# Of one declaration: after so many problems, names are no longer compared.
_MAX_SUGGESTIONS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason why a declaration cannot be applied, and its place in the configuration."""

    where: str
    text: str


class ConfigurationError(Exception):
    """The configuration cannot be read or applied."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class Problems:
    """The problems of one declaration; ``place`` is where it is in the configuration."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.found: list[Problem] = []

    def add(self, where: str, *texts: str) -> None:
        self.found += [Problem(_joined(self.place, where), text) for text in texts]

    def check_names(self, given: Mapping[str, Any], known: tuple[str, ...], where: str = "") -> None:
        """Add a problem for each unknown name. Raises TooSlow."""
        for name in given:
            current_budget().spend(_NAME_STEPS)
            if name not in known:
                nearest = most_similar(str(name), known) if len(self.found) < _MAX_SUGGESTIONS else ""
                hint = " " + _("Do you mean %(nearest)s?") % {"nearest": nearest} if nearest else ""
                self.add(_joined(where, str(name)), _("This name does not exist here.") + hint)

    def has_valid_type(self, model: type[models.Model], name: str, given: Mapping[str, Any], where: str = "") -> bool:
        """Check that a JSON value has the type and length of a model field, because Django converts any value to text.

        Add a problem if it has not.
        """
        field: Any = field_of(name, model)
        value, max_length = given[name], getattr(field, "max_length", None)
        json_type, description = _json_type(field)
        if value is None and field.null:
            return True
        if not isinstance(value, json_type) or (json_type is not bool and isinstance(value, bool)):
            text = _("Expected here: %(kind)s.") % {"kind": description}
        elif isinstance(value, str) and max_length and len(value) > max_length:
            text = _("Expected here: at most %(count)s characters.") % {"count": max_length}
        elif not can_be_stored(value):
            text = _("It contains a character that a database cannot store.")
        else:
            return True
        self.add(_joined(where, name), text)
        return False

    def add_errors(self, model: type[models.Model], exc: ValidationError, where: str = "") -> None:
        """Add the errors of a model's ``full_clean``; an error may have the rest of its place in ``params``."""
        for name, errors in exc.error_dict.items():
            for error in errors:
                rest = (getattr(error, "params", None) or {}).get("place", "")
                self.add(_joined(where, name) + rest, *_messages(model, name, error))


def _joined(*places: str) -> str:
    return ".".join(place for place in places if place)


def _messages(model: type[models.Model], name: str, error: ValidationError) -> list[str]:
    """Return the messages of an error; for an invalid choice, one that lists the choices."""
    if error.code != "invalid_choice":
        return error.messages
    field: Any = field_of(name, model)
    choices = ", ".join(str(value) for value, _label in field.flatchoices if value)
    return [_("Expected here: one of %(choices)s.") % {"choices": choices}]


def _json_type(field: Any) -> tuple[type, str]:
    """Return the type that a field has in JSON, and its name in the active language."""
    if isinstance(field, models.BooleanField):
        return bool, _("true or false")
    if isinstance(field, models.IntegerField):
        return int, _("a whole number")
    if isinstance(field, models.JSONField):
        return (list, _("a list")) if field.default is list else (dict, _("an object"))
    return str, _("text")
