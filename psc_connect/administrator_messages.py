"""Error messages for administrators: the protocol's error codes and syntax errors in JSON."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.oidc.error_codes import sentence
from psc_connect.oidc.errors import MetadataError, OIDCError
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict

# Translations of the messages of ``json`` and ``oidc.strict_json``, by their first words.
JSON_ERRORS = {
    "Expecting value": _("a value is expected"),
    "Expecting property name": _("a name in double quotes is expected"),
    "Expecting ':'": _("“:” is expected"),
    "Expecting ','": _("“,” is expected"),
    "Illegal trailing comma": _("there is a comma before the end"),
    "Extra data": _("there is text after the end"),
    "Unterminated string": _("a text is not closed"),
    "Invalid control character": _("a text contains a line break or a control character"),
    "Invalid \\": _("a backslash is followed by a wrong character"),
    "duplicate key": _("a name appears twice"),
    "number out of range": _("a number is too large"),
    "not a number": _("NaN and Infinity are not JSON"),
    "NUL in a text": _("a text contains a character that a database cannot store"),
    "nested too deeply": _("it is nested too deeply"),
}


def _translated(message: str) -> str:
    """Return a message of ``JSON_ERRORS`` in the active language and in brackets; "" for an unknown one."""
    text = next((text for start, text in JSON_ERRORS.items() if message.startswith(start)), None)
    return f" ({text})" if text else ""


def explain(code: str) -> str:
    """Return what an error code of the protocol means and what to do, in the active language."""
    return sentence(code, gettext)


def explained(exc: OIDCError) -> str:
    """Return the URL that was requested, if there was one, and what the error means."""
    text = explain(exc.code)
    return f"{exc.url} – {text}" if exc.url else text


def labelled(name: str, text: str) -> str:
    """Return ``name: text``, with the colon as the active language writes it."""
    return gettext("%(name)s: %(text)s") % {"name": name, "text": text}


def form_errors_of(exc: OIDCError) -> list[ValidationError]:
    """Return the form errors for an error of the protocol: one for each problem, with its code."""
    if not isinstance(exc, MetadataError):
        return [ValidationError(explained(exc), code=exc.code)]
    return [
        ValidationError(
            labelled(problem.field, explain(problem.code)) if problem.field else explain(problem.code),
            code=problem.code,
        )
        for problem in exc.problems
    ]


@sensitive_variables()
def load_json(text: str) -> object:
    """Parse strict JSON. Return the text itself if it does not look like JSON, so that the caller can name what it is.

    Raises ValidationError with line and column.
    """
    try:
        return loads_strict(text, refuse_nul=True)
    except StrictJSONError as exc:
        if text.lstrip()[:1] not in ("{", "["):
            return text
        raise _syntax_error(text, str(exc)) from None


def _syntax_error(text: str, reason: str) -> ValidationError:
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        return ValidationError(
            _("This is not JSON: line %(line)s, column %(column)s%(reason)s."),
            code="json_invalid",
            params={"line": exc.lineno, "column": exc.colno, "reason": _translated(exc.msg)},
        )
    except (ValueError, RecursionError):
        pass
    # The standard parser accepts it: the message of the strict parser says why it refused.
    return ValidationError(
        _("This JSON is ambiguous or exceeds the limits%(reason)s."),
        code="json_not_strict",
        params={"reason": _translated(reason)},
    )
