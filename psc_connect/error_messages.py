"""What is wrong with a document, in words that an administrator can act on: the protocol's codes, and broken JSON."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from psc_connect.oidc.error_codes import sentence
from psc_connect.oidc.errors import MetadataError, OIDCError
from psc_connect.oidc.strict_json import StrictJSONError, loads_strict

# What Python's reader of JSON and ours say of a broken text, by the beginning of it.
REASONS = {
    "Expecting value": _("a value is expected"),
    "Expecting property name": _("a name in double quotes is expected"),
    "Expecting ':'": _("“:” is expected"),
    "Expecting ','": _("“,” is expected"),
    "Illegal trailing comma": _("a comma stands before the end"),
    "Extra data": _("something follows the end"),
    "Unterminated string": _("a text is not closed"),
    "Invalid control character": _("a text holds a line break or a control character"),
    "Invalid \\": _("a backslash is followed by a wrong character"),
    "duplicate key": _("a name stands there twice"),
    "number out of range": _("a number is too large"),
    "not a number": _("NaN and Infinity are no JSON"),
    "NUL in a text": _("a text holds a character that no database can hold"),
    "nested too deeply": _("it is nested too deeply"),
}


def _in_words(reason: str) -> str:
    """Return a reason in the active language, in brackets; nothing for one that is not known."""
    said = next((text for beginning, text in REASONS.items() if reason.startswith(beginning)), None)
    return f" ({said})" if said else ""


def explain(code: str) -> str:
    """Say what a code of the protocol means and what to do, in the administrator's language."""
    return sentence(code, gettext)


def labelled(name: str, text: str) -> str:
    """Put a name before what is said of it, with the colon of the administrator's language."""
    return gettext("%(name)s: %(text)s") % {"name": name, "text": text}


def form_errors_of(exc: OIDCError) -> list[ValidationError]:
    """Turn an error of the protocol into form errors, one for each problem, each with its code."""
    if not isinstance(exc, MetadataError):
        return [ValidationError(explain(exc.code), code=exc.code)]
    return [
        ValidationError(
            labelled(problem.field, explain(problem.code)) if problem.field else explain(problem.code),
            code=problem.code,
        )
        for problem in exc.problems
    ]


@sensitive_variables()
def load_document(text: str) -> object:
    """Parse strict JSON; text that is no JSON at all comes back as it is, for its reader to say what it looks like.

    Raises ValidationError that names the line and the column.
    """
    try:
        return loads_strict(text, refuse_nul=True)
    except StrictJSONError as exc:
        if text.lstrip()[:1] not in ("{", "["):
            return text
        raise _syntax_error(text, str(exc)) from None


@sensitive_variables("text")
def _syntax_error(text: str, reason: str) -> ValidationError:
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        return ValidationError(
            _("This is not JSON: line %(line)s, column %(column)s%(reason)s."),
            code="json_invalid",
            params={"line": exc.lineno, "column": exc.colno, "reason": _in_words(exc.msg)},
        )
    except (ValueError, RecursionError):
        pass
    # JSON that Python reads and others would read differently: the strict reader knows why it refused.
    return ValidationError(
        _("This JSON is ambiguous or out of bounds%(reason)s."),
        code="json_not_strict",
        params={"reason": _in_words(reason)},
    )
