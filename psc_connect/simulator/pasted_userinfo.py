"""A userinfo pasted as JSON, such as ANS's page “essaie ta e-CPS” shows: read, or refused with the reason."""

from __future__ import annotations

import json
from typing import Any

from psc_connect.simulator.forms import Problem, RefusedError
from psc_connect.simulator.own_people import labels_of
from psc_connect.simulator.people import Person

JSON_LIMIT = 200_000  # characters; a userinfo of fifty activities, one leaf a line, has half as many
_DEEPEST = 20  # objects and lists in one another; a userinfo has six
_NEEDED = ("sub", "SubjectNameID", "preferred_username", "given_name", "family_name")


def read_json(text: str) -> Person:
    """The person whose userinfo this is; `authMode` says by which means. Raises RefusedError."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    if not text.strip():
        raise _refused("json_empty")
    if len(text) > JSON_LIMIT:
        raise _refused("json_too_long")
    claims = _parse(text)
    missing = [name for name in _NEEDED if name not in claims]
    if missing:
        raise _refused("json_incomplete", names=", ".join(missing))
    if not isinstance(claims["sub"], str) or not claims["sub"].strip():
        raise _refused("json_sub")
    label_fr, label_en = labels_of(claims)
    return Person.of(claims, label_fr=label_fr, label_en=label_en)


def _parse(text: str) -> dict[str, Any]:
    try:
        claims = json.loads(text)
        if _deeper_than(claims, _DEEPEST):
            raise _refused("json_too_deep", levels=str(_DEEPEST))
        # What JSON has no word for (NaN, 1e999) and half a character (\ud800) could not be sent.
        json.dumps(claims, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as exc:
        raise _refused("json_malformed", line=str(exc.lineno), column=str(exc.colno), near=_near(exc)) from None
    except RecursionError:
        raise _refused("json_too_deep", levels=str(_DEEPEST)) from None
    except ValueError:
        raise _refused("json_unsendable") from None
    if not isinstance(claims, dict):
        raise _refused("json_no_object")
    return claims


def _near(error: json.JSONDecodeError) -> str:
    """What stands around an error on its line, or before it where the line is empty."""
    line, place = error.doc.split("\n")[error.lineno - 1], error.colno - 1
    return (line[max(place - 20, 0) : place + 20] or error.doc[: error.pos][-20:]).strip()


def _deeper_than(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper_than(each, levels - 1) for each in inside)


def _refused(reason: str, **details: str) -> RefusedError:
    return RefusedError(Problem("json", reason, details))
