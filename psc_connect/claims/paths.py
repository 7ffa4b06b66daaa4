"""A claim by its path, a JMESPath expression (https://jmespath.org/specification.html): find, explain, propose."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from jmespath.exceptions import JMESPathError
from jmespath.lexer import Lexer

from psc_connect.claims.claims import Claims
from psc_connect.claims.expressions import BUDGET, Evaluation, TooDeep, TooSlow, compiled
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.professional.computed import COMPUTED, ROOTS

# Where a path can be cut into steps, outside of brackets.
_CUTS = ("dot", "lbracket", "flatten", "filter", "pipe")
_OPENING = ("lbracket", "filter", "lparen", "lbrace")
_CLOSING = ("rbracket", "rparen", "rbrace")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What a picker can show, and a person can read.
_MAX_PROPOSALS = 300
# As many as it may take to explain a path: each of its steps is one.
_MAX_EVALUATIONS = 10


def validate_claim_path(path: str) -> None:
    """Refuse what is no JMESPath expression, and what is too much of one already for the samples."""
    try:
        compiled(path)
        _try_on_samples(path)
    except TooDeep as exc:
        message = _("This expression is nested too deeply or has too many parts.")
        raise ValidationError(message, code="attribute_claim_too_deep") from exc
    except TooSlow as exc:
        message = _("This expression takes too long to evaluate, even on the samples shipped with the package.")
        raise ValidationError(message, code="attribute_claim_too_slow") from exc
    except JMESPathError as exc:
        position = getattr(exc, "lex_position", None)
        raise ValidationError(
            _("This is not a JMESPath expression (error at character %(position)s)."),
            code="attribute_claim_invalid",
            params={"position": "?" if position is None else position + 1},
        ) from exc


def _try_on_samples(path: str) -> None:
    evaluation = Evaluation()
    for claims in _samples():
        _evaluated(path, claims, evaluation)


@lru_cache(maxsize=1)
def _samples() -> tuple[Claims, ...]:
    return tuple(Claims(load_sample(name)) for name in SAMPLES)


def _evaluated(path: str, claims: Claims, evaluation: Evaluation) -> Any:
    """Raises TooSlow."""
    try:
        expression = compiled(path)
    except JMESPathError:
        return None
    return evaluation.value_of(expression, claims.document(expression.names))


def claim_value(path: str, claims: Mapping[str, Any]) -> Any:
    """Return what ``path`` finds in the claims and in what is computed of them (``Claims``), or None.

    PSC writes what it does not know as ``""`` or ``[]``. Raises TooSlow.
    """
    value = _evaluated(path, Claims.wrap(claims), Evaluation())
    return None if value in ("", [], {}) else value


def claim_matches(path: str, equals: str, claims: Mapping[str, Any]) -> bool:
    """Whether a claim is ``equals``, or a list that has it; with an empty ``equals``, whether it is true itself.

    Raises TooSlow.
    """
    value = claim_value(path, claims)
    if not equals:
        return value is True
    return equals in {_as_text(each) for each in (value if isinstance(value, list) else [value])}


def _as_text(value: Any) -> str | None:
    """A number or a truth value as JSON writes it; no text for what has parts, nor for nothing."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, int, float)) else None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path and what lies there. ``names``: the members of an object; ``size``: of a list.

    ``kind`` is ``object``, ``list``, ``value``, ``empty``, ``nothing`` or ``too_slow``.
    """

    path: str
    kind: str
    names: tuple[str, ...] = ()
    size: int = 0
    # A member of the step before whose name is nearly the one that was not found.
    nearest: str = ""


def explain_path(path: str, claims: Mapping[str, Any]) -> tuple[Step, ...]:
    """Follow a path through a sample, up to the first step at which nothing lies."""
    sample, spent = Claims.wrap(claims), 0
    steps: list[Step] = []
    for prefix in _prefixes(path):
        evaluation = Evaluation()
        try:
            step = _step(prefix, _evaluated(prefix, sample, evaluation))
        except TooSlow:
            step = Step(prefix, "too_slow")
        if step.kind == "nothing":
            nearest = _nearest(prefix, steps[-1].names) if steps else _nearest_first(prefix, sample)
            step = Step(prefix, "nothing", nearest=nearest)
        steps.append(step)
        spent += BUDGET - evaluation.left
        if step.kind in {"nothing", "empty", "too_slow"} or spent > _MAX_EVALUATIONS * BUDGET:
            break
    return tuple(steps)


def _prefixes(path: str) -> Iterator[str]:
    try:
        tokens = list(Lexer().tokenize(path))
    except JMESPathError:
        return
    depth = 0
    for token in tokens:
        if token["type"] in _CUTS and not depth:
            prefix = path[: token["start"]].rstrip()
            if prefix and _is_expression(prefix):
                yield prefix
        depth += (token["type"] in _OPENING) - (token["type"] in _CLOSING)
    yield path


def _is_expression(path: str) -> bool:
    try:
        compiled(path)
    except JMESPathError:
        return False
    return True


def _step(path: str, value: Any) -> Step:
    if isinstance(value, dict):
        return Step(path, "object", names=tuple(value))
    if isinstance(value, list):
        members = next((tuple(each) for each in value if isinstance(each, dict)), ())
        return Step(path, "list" if value else "empty", names=members, size=len(value))
    if value is None:
        return Step(path, "nothing")
    return Step(path, "value" if value != "" else "empty")


def _nearest(path: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    wanted = re.split(r"[.\[\]|\s]+", path.rstrip("] "))[-1].strip('"')
    return next(iter(difflib.get_close_matches(wanted, list(names), n=1, cutoff=cutoff)), "")


def _nearest_first(name: str, claims: Claims) -> str:
    # Many claims begin with Subject…: these are not meant for one another.
    return _nearest(name, (*ROOTS, *claims), cutoff=0.75) if _PLAIN_NAME.fullmatch(name) else ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A path that a sample has, and what lies there."""

    path: str
    value: Any


def proposals(claims: Mapping[str, Any]) -> list[Proposal]:
    """Return the path of every value of a sample that is neither an object nor a list, in its order; 300 at most."""
    found: list[Proposal] = []
    pending: list[tuple[str, Any]] = [("", claims)]
    while pending and len(found) < _MAX_PROPOSALS:
        path, value = pending.pop()
        if isinstance(value, Mapping):
            members = [
                (f"{path}.{path_of_name(key)}" if path else path_of_name(key), each) for key, each in value.items()
            ]
            pending += reversed(members)
        elif isinstance(value, list):
            pending += reversed([(f"{path}[{number}]", each) for number, each in enumerate(value)])
        else:
            found.append(Proposal(path, value))
    return found


def computed_proposals(claims: Mapping[str, Any]) -> list[Proposal]:
    """Return what can be named beside the claims, with what each is of these, "" where nothing was sent."""
    seen = Claims.wrap(claims)
    return [
        Proposal(name, _evaluated(name, seen, Evaluation()))
        for name in COMPUTED
        # What a claim hides is found among the claims.
        if name.partition(".")[0] not in seen
    ]


def path_of_name(key: str) -> str:
    """Return the path of one member, in quotes where its name needs them."""
    return key if _PLAIN_NAME.fullmatch(key) else json.dumps(key)
