"""Static analysis: which error codes the source code can raise.

The argument of every `raise` is followed through assignments, loops over a table, return values and arguments of calls.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import cast

import psc_connect
from psc_connect.oidc.authorization import AUTHENTICATION_EXPIRED
from psc_connect.oidc.error_codes import AUTHORIZATION_ERRORS
from psc_connect.oidc.errors import IDTokenError, OIDCError, UserinfoError

PACKAGE = Path(psc_connect.__file__).parent
# Attributes with a value known only at run time, and the values they can have.
ATTRIBUTES = {
    "stage": {IDTokenError.stage, UserinfoError.stage},
    "error": {*AUTHORIZATION_ERRORS, AUTHENTICATION_EXPIRED},
}
# Records that hold a code, and the position of the code in their arguments.
RECORDS = {"MetadataProblem": 1, "IgnoredKey": 2}
# Functions called through a member of a record, and their position in its arguments.
MEMBERS = {"broken": ("Rule", 2)}


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


class Sources:
    """Parsed source texts, and what each name in them is bound to."""

    def __init__(self, texts: list[str]) -> None:
        self.nodes: list[ast.AST] = []
        self.scopes: dict[ast.AST, ast.AST] = {}
        for text in texts:
            module = ast.parse(text)
            self._place(module, module)
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        # Two modules may have a function of one name.
        self.functions: dict[str, list[ast.FunctionDef]] = {}
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef):
                self.functions.setdefault(node.name, []).append(node)
        self._open: set[ast.AST] = set()
        self._bindings: dict[ast.AST, dict[str, list[ast.AST]]] = {}

    def _place(self, node: ast.AST, scope: ast.AST) -> None:
        self.nodes.append(node)
        self.scopes[node] = scope
        inner = node if isinstance(node, ast.FunctionDef) else scope
        for child in ast.iter_child_nodes(node):
            self._place(child, inner)

    def raised(self) -> set[str]:
        codes: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                codes |= self.texts(node.exc.args[0])
            elif isinstance(node, ast.Call) and called(node) in RECORDS:
                codes |= self.texts(node.args[RECORDS[called(node)]])
        return codes

    def texts(self, node: ast.AST) -> set[str]:
        """Return every text that an expression can evaluate to."""
        if node in self._open:
            return set()
        self._open.add(node)
        try:
            if isinstance(node, ast.Constant):
                return {node.value} if isinstance(node.value, str) else set()
            if isinstance(node, ast.JoinedStr):
                return {"".join(parts) for parts in product(*map(self.texts, node.values))}
            if isinstance(node, ast.Attribute):
                return ATTRIBUTES.get(node.attr, set())
            return {text for source in self._sources(node) for text in self.texts(source)}
        finally:
            self._open.discard(node)

    def _sources(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.IfExp):
            yield from (node.body, node.orelse)
        elif isinstance(node, ast.FormattedValue):
            yield node.value
        elif isinstance(node, (ast.BoolOp, ast.Tuple, ast.Dict)):
            yield from node.values if not isinstance(node, ast.Tuple) else node.elts
        elif isinstance(node, ast.GeneratorExp):
            yield from (each.iter for each in node.generators)
        elif isinstance(node, ast.Call):
            yield from self._returned(node)
        elif isinstance(node, ast.Name):
            yield from self._bound(node.id, self.scopes[node])

    def _returned(self, call: ast.Call) -> Iterator[ast.AST]:
        name = called(call)
        if name in {"get", "next"}:  # a table, and the default for a missing entry
            yield from (call.func.value, *call.args[1:]) if isinstance(call.func, ast.Attribute) else call.args
            return
        names = {name} & self.functions.keys()
        if not names:  # a function taken from a table or a record
            record, place = MEMBERS.get(name, ("", 0))
            kept = [each.args[place] for each in self.calls if record and called(each) == record]
            tables = kept or self._bound(name, self.scopes[call])
            tables = (value for table in tables for value in self._followed(table))
            names = {each.id for table in tables for each in ast.walk(table) if isinstance(each, ast.Name)}
        for function in (function for each in names & self.functions.keys() for function in self.functions[each]):
            yield from (node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value)

    def _followed(self, node: ast.AST) -> Iterator[ast.AST]:
        yield node
        if isinstance(node, ast.Name):
            yield from self._bound(node.id, self.scopes[node])

    def _bound(self, name: str, scope: ast.AST) -> Iterator[ast.AST]:
        bound = self._bindings_of(scope).get(name, [])
        found = bool(bound)
        yield from bound
        if isinstance(scope, ast.FunctionDef):
            parameters = [each.arg for each in (*scope.args.posonlyargs, *scope.args.args) if each.arg != "self"]
            if name in parameters:
                position = parameters.index(name)
                calls = [call for call in self.calls if called(call) == scope.name and len(call.args) > position]
                yield from (call.args[position] for call in calls)
            elif not found:
                yield from self._bound(name, self.scopes[scope])

    def _bindings_of(self, scope: ast.AST) -> dict[str, list[ast.AST]]:
        """Return the values that each name of a scope is bound to, computed once."""
        if scope not in self._bindings:
            found: dict[str, list[ast.AST]] = {}
            for node in ast.walk(scope):
                for name, value in self._bound_by(node):
                    found.setdefault(name, []).append(value)
            self._bindings[scope] = found
        return self._bindings[scope]

    def _bound_by(self, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        if isinstance(node, ast.ExceptHandler) and node.name and isinstance(node.type, ast.Name):
            raised = (call.args[0] for call in self.calls if called(call) == node.type.id and call.args)
            yield from ((node.name, value) for value in raised)
            return
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = node.iter if isinstance(node, (ast.For, ast.comprehension)) else getattr(node, "value", None)
        for target in targets if value is not None else []:
            names = (each.id for each in ast.walk(target) if isinstance(each, ast.Name)) if target else ()
            yield from ((name, cast("ast.AST", value)) for name in names)


def package_texts() -> list[str]:
    """Return the sources of psc_connect.oidc, without the table of codes, and of other files that raise its errors."""
    modules = (path for path in PACKAGE.rglob("*.py") if "simulator" not in path.parts)
    paths = sorted(path for path in modules if path.name != "error_codes.py")
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    names = "|".join(each.__name__ for each in OIDCError.__subclasses__())
    errors = re.compile(rf'\b({names})\(|\bLoginRefused\(f"authorization_')
    return [text for path, text in texts.items() if "oidc" in path.parts or errors.search(text)]
