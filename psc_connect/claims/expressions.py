"""JMESPath (https://jmespath.org/specification.html): compiled once, and evaluated within bounds.

An administrator types the expression and a provider sends the data: neither may hold a worker. No function of the
language reads a file, the network or the environment; what an expression can do is grow, as ``[@,@][]|[@,@][]|…`` does.
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

# As wide as the columns that hold one.
MAX_CHARACTERS: Final = 255
# Signs after which the parser or the interpreter may go one level deeper: up to five calls of Python each.
MAX_NESTING: Final = 50
_BRACKETS: Final = ("lbracket", "filter", "lparen", "lbrace", "flatten")
_OPERATORS: Final = ("star", "not", "expref", "pipe", "or", "and", "eq", "ne", "lt", "lte", "gt", "gte")
_NESTING: Final = frozenset((*_BRACKETS, *_OPERATORS))
# Steps of one evaluation, 25 ms of them: three times what it takes to hand on a whole userinfo with 500 activities.
BUDGET: Final = 50_000
# A step is also what handling so many characters costs.
_CHARACTERS_A_STEP: Final = 64
# ``\u00e9``: what a character of a text in JSON takes at the most, but for those of two halves.
_ESCAPED: Final = 6
_OPTIONS: Final = Options(custom_functions=Functions())


class TooDeep(JMESPathError):
    """An expression that is longer or nested deeper than anybody needs."""


class TooSlow(JMESPathError):
    """An expression whose evaluation on these data is over the budget. Holds nothing of either."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``tree`` is the library's. ``names``: each chain of names in it, such as ``("activity", "mode", "label")``."""

    tree: Any
    names: frozenset[tuple[str, ...]]


@lru_cache(maxsize=512)
def compiled(path: str) -> Expression:
    """Raises JMESPathError, or TooDeep, which is one."""
    if len(path) > MAX_CHARACTERS or sum(token["type"] in _NESTING for token in Lexer().tokenize(path)) > MAX_NESTING:
        raise TooDeep
    try:
        tree = jmespath.compile(path).parsed
    # Fifty levels fit, unless whoever calls is near the end of the stack already.
    except RecursionError:
        raise TooDeep from None
    return Expression(tree, frozenset(_names(tree)))


def _names(tree: Any) -> Iterator[tuple[str, ...]]:
    """Yield every chain that may begin at the root: rather one that does not than to miss one."""
    pending = [tree]
    while pending:
        node = pending.pop()
        children = [each for each in node["children"] if isinstance(each, dict)]
        if node["type"] == "field":
            yield (node["value"],)
        elif node["type"] == "subexpression":
            if children[0]["type"] == "current":
                del children[0]
            chain = tuple(each["value"] for each in takewhile(lambda each: each["type"] == "field", children))
            if chain:
                yield chain
            del children[: len(chain)]
        pending += children


class Evaluation(TreeInterpreter):
    """Evaluates expressions that share one budget. What it counts are steps, not seconds: the same on every machine."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self.left = BUDGET

    def value_of(self, expression: Expression, document: dict[str, Any]) -> Any:
        """Return what an expression finds in a document, as plain JSON; None where it does not fit. Raises TooSlow."""
        try:
            return self._checked(self.visit(expression.tree, document))
        except TooSlow:
            raise
        except RecursionError:
            raise TooSlow from None
        # The library lets some errors of Python through, where the data have other types than the expression supposes.
        except (JMESPathError, TypeError, ValueError, ArithmeticError):
            return None

    @override
    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        # Not super().visit(), nor _spend(): this is called for every step.
        self.left -= 1
        if self.left < 0:
            raise TooSlow
        return getattr(self, "visit_" + node["type"])(node, *args, **kwargs)

    @override
    def visit_comparator(self, node: Any, value: Any) -> Any:
        return super().visit_comparator(self._read(node, value), value)

    @override
    def visit_function_expression(self, node: Any, value: Any) -> Any:
        read = self._read(node, value)
        self._pay_for_text(node["value"], [each["value"] for each in read["children"]])
        return super().visit_function_expression(read, value)

    @override
    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, list):
            self._spend(sum(len(each) for each in base if isinstance(each, list)))
        return super().visit_flatten(_with_operands(node, [base]), value)

    @override
    def visit_slice(self, node: Any, value: Any) -> Any:
        found = super().visit_slice(node, value)
        self._spend(len(found or ()))
        return found

    def _read(self, node: Any, value: Any) -> Any:
        """Return the node with its operands evaluated and paid for: what follows may read them from end to end.

        Lists that hold one another twice each, ``[@,@]|[@,@]|…``, cost nothing to make and all the more to compare.
        """
        operands = [self.visit(child, value) for child in node["children"]]
        for _leaf in self._leaves(operands):
            pass
        return _with_operands(node, operands)

    def _pay_for_text(self, function: str, operands: list[Any]) -> None:
        """Pay for what is longer than all that was read for it, before it is made. Raises TooSlow.

        JMESPathError: the reference to an expression, which has no text but its address in memory.
        """
        match function, operands:
            case "join", [str(separator), list(texts)]:
                self._spend(len(separator) * len(texts) // _CHARACTERS_A_STEP)
            case "to_string", [given]:
                for leaf in self._leaves(given):
                    if isinstance(leaf, str):
                        self._spend((1 if leaf.isascii() else _ESCAPED) * len(leaf) // _CHARACTERS_A_STEP)
                    elif leaf is not None and not isinstance(leaf, (int, float)):
                        raise JMESPathError

    def _checked(self, found: Any) -> Any:
        """Return a result that can be shown and saved: of JSON's types, no text that a database refuses."""
        for leaf in self._leaves(found):
            if isinstance(leaf, str):
                _check_text(leaf)
            elif isinstance(leaf, float):
                if not math.isfinite(leaf):
                    raise JMESPathError
            elif leaf is not None and not isinstance(leaf, int):
                raise JMESPathError
        return found

    def _leaves(self, value: Any) -> Iterator[Any]:
        pending = [value]
        while pending:
            each = pending.pop()
            if isinstance(each, dict):
                self._spend(len(each))
                pending += (*each, *each.values())
            elif isinstance(each, list):
                self._spend(len(each))
                pending += each
            else:
                if isinstance(each, str):
                    self._spend(len(each) // _CHARACTERS_A_STEP)
                yield each

    def _spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooSlow


def _with_operands(node: Any, values: Iterable[Any]) -> Any:
    return {**node, "children": [ast.literal(each) for each in values]}


def _check_text(text: str) -> None:
    """UTF-8 holds no half of a surrogate pair, PostgreSQL no NUL; a literal of an expression can have either."""
    if not text.isascii():
        text.encode()
    if "\x00" in text:
        raise JMESPathError
