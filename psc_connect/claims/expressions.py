"""JMESPath expressions (https://jmespath.org/specification.html), evaluated with a limited number of steps.

Administrators write the expressions and the provider sends the data; neither may block a worker. JMESPath cannot read
files, the network or the environment, but a result can grow exponentially, as with ``[@,@][]|[@,@][]|…``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any, Final

import jmespath
from jmespath import ast
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.lexer import Lexer
from jmespath.visitor import Options, TreeInterpreter
from typing_extensions import override

from psc_connect.claims.budget import TooSlow, current_budget

# The max_length of the model fields that store an expression.
MAX_CHARACTERS: Final = 255
# Tokens after which the parser or the interpreter may recurse, with up to five Python calls each.
MAX_NESTING: Final = 50
_BRACKETS: Final = ("lbracket", "filter", "lparen", "lbrace", "flatten")
_OPERATORS: Final = ("star", "not", "expref", "pipe", "or", "and", "eq", "ne", "lt", "lte", "gt", "gte")
_NESTING: Final = frozenset((*_BRACKETS, *_OPERATORS))
# Half of a login's steps, so that no row takes all of them. Copying a userinfo with 500 activities takes a third.
EVALUATION_STEPS: Final = 50_000
# Handling this many characters counts as one step.
_CHARACTERS_PER_STEP: Final = 64
# Length of a non-ASCII character in JSON, such as ``\u00e9``.
_ESCAPED_CHARACTERS: Final = 6
_OPTIONS: Final = Options(custom_functions=Functions())


class TooDeep(JMESPathError):
    """The expression is too long or nested too deeply."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. ``names`` are the name chains in it, such as ``("activity", "mode", "label")``."""

    tree: Any
    names: frozenset[tuple[str, ...]]


@lru_cache(maxsize=512)
def compiled(path: str) -> Expression:
    """Compile an expression, cached. Raises JMESPathError, or its subclass TooDeep."""
    if len(path) > MAX_CHARACTERS or sum(token["type"] in _NESTING for token in Lexer().tokenize(path)) > MAX_NESTING:
        raise TooDeep
    try:
        tree = jmespath.compile(path).parsed
    # MAX_NESTING levels fit, unless the caller has used most of the stack.
    except RecursionError:
        raise TooDeep from None
    return Expression(tree, frozenset(_names(tree)))


def _names(tree: Any) -> Iterator[tuple[str, ...]]:
    """Yield every name chain that may start at the root. Some may not: a missed one would be an error."""
    pending = [tree]
    while pending:
        node = pending.pop()
        children = [child for child in node["children"] if isinstance(child, dict)]
        if node["type"] == "field":
            yield (node["value"],)
        elif node["type"] == "subexpression":
            if children[0]["type"] == "current":
                del children[0]
            chain = tuple(child["value"] for child in takewhile(lambda child: child["type"] == "field", children))
            if chain:
                yield chain
            del children[: len(chain)]
        pending += children


class Evaluation(TreeInterpreter):
    """Evaluates expressions with ``EVALUATION_STEPS`` together, or with what is left of the current budget."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._budget = current_budget()
        # An attribute of its own, because it is counted for every step.
        self.steps_left = min(EVALUATION_STEPS, self._budget.steps_left)

    def value_of(self, expression: Expression, claims: dict[str, Any]) -> Any:
        """Return the result as plain JSON types, or None if the expression does not fit the claims. Raises TooSlow."""
        before = self.steps_left
        try:
            return self._checked(self.visit(expression.tree, claims))
        except RecursionError:
            raise TooSlow from None
        # jmespath does not wrap all Python errors for data of unexpected types.
        except (JMESPathError, TypeError, ValueError, ArithmeticError):
            return None
        finally:
            self._budget.steps_left -= before - max(self.steps_left, 0)

    @override
    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        # Without super().visit() and _spend(), because this is called for every step.
        self.steps_left -= 1
        if self.steps_left < 0:
            raise TooSlow
        return getattr(self, "visit_" + node["type"])(node, *args, **kwargs)

    @override
    def visit_comparator(self, node: Any, value: Any) -> Any:
        return super().visit_comparator(self._evaluate_operands(node, value), value)

    @override
    def visit_function_expression(self, node: Any, value: Any) -> Any:
        evaluated = self._evaluate_operands(node, value)
        self._spend_on_text(node["value"], [operand["value"] for operand in evaluated["children"]])
        return super().visit_function_expression(evaluated, value)

    @override
    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, list):
            self._spend(sum(len(member) for member in base if isinstance(member, list)))
        return super().visit_flatten(_with_operands(node, [base]), value)

    @override
    def visit_slice(self, node: Any, value: Any) -> Any:
        members = super().visit_slice(node, value)
        self._spend(len(members or ()))
        return members

    def _evaluate_operands(self, node: Any, value: Any) -> Any:
        """Return the node with its operands replaced by their values, after spending steps for their whole size.

        The function or comparison may traverse them completely. ``[@,@]|[@,@]|…`` is cheap to build and expensive to
        traverse.
        """
        operands = [self.visit(child, value) for child in node["children"]]
        for _leaf in self._leaves(operands):
            pass
        return _with_operands(node, operands)

    def _spend_on_text(self, function: str, operands: list[Any]) -> None:
        """Spend steps for a text that will be longer than the operands, before it is built. Raises TooSlow.

        Raises JMESPathError for to_string of an expression reference, which would show a memory address.
        """
        match function, operands:
            case "join", [str(separator), list(texts)]:
                self._spend(len(separator) * len(texts) // _CHARACTERS_PER_STEP)
            case "to_string", [operand]:
                for leaf in self._leaves(operand):
                    if isinstance(leaf, str):
                        self._spend((1 if leaf.isascii() else _ESCAPED_CHARACTERS) * len(leaf) // _CHARACTERS_PER_STEP)
                    elif leaf is not None and not isinstance(leaf, (int, float)):
                        raise JMESPathError

    def _checked(self, result: Any) -> Any:
        """Return the result if it can be stored: JSON types only, no text that a database refuses."""
        for leaf in self._leaves(result):
            if isinstance(leaf, str):
                _check_text(leaf)
            elif isinstance(leaf, float):
                if not math.isfinite(leaf):
                    raise JMESPathError
            elif leaf is not None and not isinstance(leaf, int):
                raise JMESPathError
        return result

    def _leaves(self, value: Any) -> Iterator[Any]:
        """Yield every key and simple value in ``value``, spending steps for each."""
        pending = [value]
        while pending:
            current = pending.pop()
            if isinstance(current, dict):
                self._spend(len(current))
                pending += (*current, *current.values())
            elif isinstance(current, list):
                self._spend(len(current))
                pending += current
            else:
                if isinstance(current, str):
                    self._spend(len(current) // _CHARACTERS_PER_STEP)
                yield current

    def _spend(self, steps: int) -> None:
        self.steps_left -= steps
        if self.steps_left < 0:
            raise TooSlow


def _with_operands(node: Any, values: Iterable[Any]) -> Any:
    return {**node, "children": [ast.literal(value) for value in values]}


def _check_text(text: str) -> None:
    """Refuse lone surrogates and NUL, which a literal can contain and PostgreSQL cannot store."""
    if not text.isascii():
        text.encode()
    if "\x00" in text:
        raise JMESPathError
