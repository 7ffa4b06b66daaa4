"""Validation of a userinfo that a tester pasted as JSON, for example from ANS's page “essaie ta e-CPS”."""

from __future__ import annotations

import json
from typing import Any

from psc_connect.simulator.people import Person, practice_labels
from psc_connect.simulator.person_form import Problem, RefusedError

MAX_JSON_LENGTH = 200_000  # characters; twice as many as a userinfo of fifty activities, one leaf per line
_MAX_DEPTH = 20  # nested objects and lists; a userinfo has six
_REQUIRED = ("sub", "SubjectNameID", "preferred_username", "given_name", "family_name")


def read_json(text: str) -> Person:
    """Return the person with this userinfo; its `authMode` says how they authenticate. Raises RefusedError."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    if not text.strip():
        raise _refused("json_empty")
    if len(text) > MAX_JSON_LENGTH:
        raise _refused("json_too_long")
    claims = _parse(text)
    missing = [name for name in _REQUIRED if name not in claims]
    if missing:
        raise _refused("json_incomplete", names=", ".join(missing))
    if not isinstance(claims["sub"], str) or not claims["sub"].strip():
        raise _refused("json_sub")
    label_fr, label_en = practice_labels(claims)
    return Person.of(claims, label_fr=label_fr, label_en=label_en)


def _parse(text: str) -> dict[str, Any]:
    try:
        claims = json.loads(text)
        if _is_deeper_than(claims, _MAX_DEPTH):
            raise _refused("json_too_deep", levels=str(_MAX_DEPTH))
        # NaN, 1e999 and lone surrogates (\ud800) cannot be sent as JSON.
        json.dumps(claims, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as exc:
        raise _refused("json_malformed", line=str(exc.lineno), column=str(exc.colno), near=_near(exc)) from None
    except RecursionError:
        raise _refused("json_too_deep", levels=str(_MAX_DEPTH)) from None
    except ValueError:
        raise _refused("json_unsendable") from None
    if not isinstance(claims, dict):
        raise _refused("json_no_object")
    return claims


def _near(error: json.JSONDecodeError) -> str:
    """Return the text around an error on its line, or the text before it if the line is empty."""
    line, column = error.doc.split("\n")[error.lineno - 1], error.colno - 1
    return (line[max(column - 20, 0) : column + 20] or error.doc[: error.pos][-20:]).strip()


def _is_deeper_than(value: object, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper_than(item, levels - 1) for item in items)


def _refused(reason: str, **details: str) -> RefusedError:
    return RefusedError(Problem("json", reason, details))
