"""Claim paths (JMESPath expressions): evaluate, compare, explain step by step, and propose from a sample."""

from __future__ import annotations

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

from psc_connect.claims.budget import TooSlow, current_budget, shared_budget
from psc_connect.claims.claims import Claims
from psc_connect.claims.expressions import EVALUATION_STEPS, MAX_CHARACTERS, Evaluation, TooDeep, compiled
from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.claims.similarity import most_similar
from psc_connect.professional.computed import COMPUTED, ROOTS

# Tokens at which a path is split into steps, outside of brackets.
_SEPARATORS = ("dot", "lbracket", "flatten", "filter", "pipe")
_OPENING = ("lbracket", "filter", "lparen", "lbrace")
_CLOSING = ("rbracket", "rparen", "rbrace")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# As many as a person can read in a list.
_MAX_PROPOSALS = 300
# For explaining a path: each of its steps is an evaluation.
_EXPLANATION_STEPS = 10 * EVALUATION_STEPS
# Of compiling an expression. Only the administration spends them: a login evaluates stored rows.
_STEPS_PER_CHARACTER = 4


def validate_claim_path(path: str) -> None:
    """Validate that ``path`` is a JMESPath expression that can be evaluated on the samples in time."""
    try:
        _spend_on_compiling(path)
        compiled(path)
        evaluation = Evaluation()
        for claims in _samples():
            _evaluate(path, claims, evaluation)
    except TooDeep as exc:
        message = _("This expression is nested too deeply or has too many parts.")
        raise ValidationError(message, code="attribute_claim_too_deep") from exc
    except TooSlow as exc:
        if current_budget().is_used_up:
            message = _("Not checked: this page has reached its limit of work. Enter fewer new rows at once.")
            raise ValidationError(message, code="budget_used_up") from exc
        message = _("This expression takes too long to evaluate, even on the samples shipped with the package.")
        raise ValidationError(message, code="attribute_claim_too_slow") from exc
    except JMESPathError as exc:
        position = getattr(exc, "lex_position", None)
        raise ValidationError(
            _("This is not a JMESPath expression (error at character %(position)s)."),
            code="attribute_claim_invalid",
            params={"position": "?" if position is None else position + 1},
        ) from exc


def _spend_on_compiling(path: str) -> None:
    """Spend the steps of compiling a path, cached or not, so that a page takes the same each time. Raises TooSlow."""
    current_budget().spend(_STEPS_PER_CHARACTER * min(len(path), MAX_CHARACTERS))


@lru_cache(maxsize=1)
def _samples() -> tuple[Claims, ...]:
    return tuple(Claims(load_sample(name)) for name in SAMPLES)


def _evaluate(path: str, claims: Claims, evaluation: Evaluation) -> Any:
    """Return the value of a path, None if the path is not valid. Raises TooSlow."""
    try:
        expression = compiled(path)
    except JMESPathError:
        return None
    return evaluation.value_of(expression, claims.with_computed(expression.names))


def claim_value(path: str, claims: Mapping[str, Any]) -> Any:
    """Return the value of ``path`` in the claims and the values computed from them, or None.

    ``""``, ``[]`` and ``{}`` count as None: PSC sends them for unknown values. Raises TooSlow.
    """
    value = _evaluate(path, Claims.wrap(claims), Evaluation())
    return None if value in ("", [], {}) else value


def claim_matches(path: str, equals: str, claims: Mapping[str, Any]) -> bool:
    """Return whether a claim equals ``equals`` or is a list that contains it. Empty ``equals``: whether it is true.

    Raises TooSlow.
    """
    return value_matches(claim_value(path, claims), equals)


def value_matches(value: Any, equals: str) -> bool:
    """Return what ``claim_matches`` returns, for the value of a claim."""
    if not equals:
        return value is True
    return equals in {_as_text(member) for member in (value if isinstance(value, list) else [value])}


def _as_text(value: Any) -> str | None:
    """Return a text unchanged, a number or boolean in JSON, and None for other values."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, int, float)) else None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a path and what it selects.

    ``kind`` is ``object``, ``list``, ``value``, ``empty``, ``nothing`` or ``too_slow``. ``names`` are the members of an
    object, or of the first object in a list. ``size`` is the length of a list.
    """

    path: str
    kind: str
    names: tuple[str, ...] = ()
    size: int = 0
    # For ``nothing``: the member of the previous step with the most similar name.
    nearest: str = ""


def explain_path(path: str, claims: Mapping[str, Any]) -> tuple[Step, ...]:
    """Evaluate a path step by step on a sample, up to the first step that selects nothing."""
    sample = Claims.wrap(claims)
    steps: list[Step] = []
    with shared_budget(_EXPLANATION_STEPS):
        for prefix in _prefixes(path):
            try:
                step = _step(prefix, _evaluate(prefix, sample, Evaluation()))
            except TooSlow:
                step = Step(prefix, "too_slow")
            if step.kind == "nothing":
                nearest = _nearest(prefix, steps[-1].names) if steps else _nearest_first(prefix, sample)
                step = Step(prefix, "nothing", nearest=nearest)
            steps.append(step)
            if step.kind in {"nothing", "empty", "too_slow"}:
                break
    return tuple(steps)


def _prefixes(path: str) -> Iterator[str]:
    try:
        tokens = list(Lexer().tokenize(path))
    except JMESPathError:
        return
    depth = 0
    for token in tokens:
        if token["type"] in _SEPARATORS and not depth:
            prefix = path[: token["start"]].rstrip()
            if prefix and _is_expression(prefix):
                yield prefix
        depth += (token["type"] in _OPENING) - (token["type"] in _CLOSING)
    yield path


def _is_expression(path: str) -> bool:
    try:
        _spend_on_compiling(path)
        compiled(path)
    except JMESPathError:
        return False
    except TooSlow:
        # Its evaluation finds no steps left either.
        return True
    return True


def _step(path: str, value: Any) -> Step:
    if isinstance(value, dict):
        return Step(path, "object", names=tuple(value))
    if isinstance(value, list):
        members = next((tuple(member) for member in value if isinstance(member, dict)), ())
        return Step(path, "list" if value else "empty", names=members, size=len(value))
    if value is None:
        return Step(path, "nothing")
    return Step(path, "value" if value != "" else "empty")


def _nearest(path: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    name = re.split(r"[.\[\]|\s]+", path.rstrip("] "))[-1].strip('"')
    return most_similar(name, names, cutoff=cutoff)


def _nearest_first(name: str, claims: Claims) -> str:
    # A higher cutoff, because many claims begin with Subject… and look alike.
    return _nearest(name, (*ROOTS, *claims), cutoff=0.75) if _PLAIN_NAME.fullmatch(name) else ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A path in a sample, and its value."""

    path: str
    value: Any


def proposals(claims: Mapping[str, Any]) -> list[Proposal]:
    """Return the path of every simple value of a sample, in its order; 300 at most."""
    found: list[Proposal] = []
    pending: list[tuple[str, Any]] = [("", claims)]
    while pending and len(found) < _MAX_PROPOSALS:
        path, value = pending.pop()
        if isinstance(value, Mapping):
            members = [
                (f"{path}.{path_of_name(key)}" if path else path_of_name(key), member) for key, member in value.items()
            ]
            pending += reversed(members)
        elif isinstance(value, list):
            pending += reversed([(f"{path}[{number}]", member) for number, member in enumerate(value)])
        else:
            found.append(Proposal(path, value))
    return found


def computed_proposals(claims: Mapping[str, Any]) -> list[Proposal]:
    """Return the computed values and what each is for these claims, without those that a claim hides."""
    wrapped = Claims.wrap(claims)
    names = [name for name in COMPUTED if name.partition(".")[0] not in wrapped]
    return [Proposal(name, _value_or_none(name, wrapped)) for name in names]


def _value_or_none(path: str, claims: Claims) -> Any:
    """Return the value of a path, None if it is not valid or no steps are left."""
    try:
        return _evaluate(path, claims, Evaluation())
    except TooSlow:
        return None


def path_of_name(key: str) -> str:
    """Return the path of a member: its name, quoted if necessary."""
    return key if _PLAIN_NAME.fullmatch(key) else json.dumps(key)
