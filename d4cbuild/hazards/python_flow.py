"""Where things without an order go: whether anything depends on the order they happen to have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from d4cbuild.hazards.python_names import FUNCTIONS, Names

Kind = Literal["set", "list", "dict"]

# The result is the same whatever the order of what they are given.
ORDER_FREE = frozenset(
    {
        *("sorted", "min", "max", "len", "any", "all", "set", "frozenset", "sum", "bool"),
        *("isinstance", "type", "id", "math.fsum", "statistics.fmean"),
        *("numpy.unique", "numpy.sort", "collections.Counter", "natsort.natsorted"),
    }
)
# The result has the order of what they are given.
PASSING = frozenset(
    {
        *("list", "tuple", "iter", "map", "filter", "reversed"),
        *("itertools.chain", "itertools.chain.from_iterable", "itertools.filterfalse"),
        *("tqdm.tqdm", "tqdm.auto.tqdm"),
    }
)
# Given a set, or a dictionary made in an unknown order, they make an order of it.
ARRANGING = frozenset(
    {
        *("enumerate", "zip", "next", "str", "repr", "format", "print", "json.dumps", "json.dump"),
        *("collections.deque", "numpy.array", "numpy.asarray", "numpy.fromiter"),
        *("pandas.Series", "pandas.DataFrame", "pandas.concat", "pyarrow.array", "pyarrow.table"),
        *("polars.Series", "polars.DataFrame", "itertools.islice", "itertools.batched"),
    }
)
SET_METHODS = frozenset(
    {"union", "intersection", "difference", "symmetric_difference", "copy", "keys", "items"}
)
HARMLESS_METHODS = frozenset(
    {"add", "append", "discard", "extend", "get", "remove", "sort", "update", "clear", "count"}
    | {"issubset", "issuperset", "isdisjoint", "setdefault", "insert"}
)
LOGGING = frozenset({"print", "exit", "quit", "sys.exit", "SystemExit", "warnings.warn"})


class Flow:
    """Follows values through a module.

    Args:
        names: The module.
    """

    def __init__(self, names: Names) -> None:
        self.names = names

    def sinks(
        self, node: ast.AST, kind: Kind, seen: frozenset[int] = frozenset()
    ) -> Iterator[ast.AST]:
        """The places where the order of a value decides something.

        Args:
            node: An expression with such a value.
            kind: ``set``: its order shows only where one goes through it. ``list``: it is already
                arranged, in an order that means nothing. ``dict``: the same of its keys.
            seen: Nodes that were met on the way here.
        """
        if id(node) in seen or node not in self.names.parents:
            return
        seen |= {id(node)}
        parent = self.names.parents[node]
        if isinstance(parent, ast.Call):
            yield from self._call(node, parent, kind, seen)
        elif isinstance(parent, ast.Attribute):
            yield from self._attribute(node, parent, kind, seen)
        elif isinstance(parent, ast.comprehension):
            yield from self._comprehension(node, parent, seen)
        elif isinstance(parent, ast.For | ast.AsyncFor):
            yield from self._loop(node, parent, seen)
        elif isinstance(parent, ast.Return | ast.Yield | ast.YieldFrom):
            yield from self._returned(node, parent, kind, seen)
        elif isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            yield from self._assigned(node, parent, kind, seen)
        else:
            yield from self._expression(node, parent, kind, seen)

    def _expression(
        self, node: ast.AST, parent: ast.AST, kind: Kind, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        if isinstance(parent, ast.BinOp | ast.IfExp | ast.BoolOp | ast.Await | ast.keyword):
            if isinstance(parent, ast.IfExp) and parent.test is node:
                return
            if isinstance(parent, ast.keyword):
                call = self.names.parents[parent]
                if isinstance(call, ast.Call):
                    yield from self._call(node, call, kind, seen)
                return
            yield from self.sinks(parent, kind, seen)
        elif isinstance(parent, ast.Starred):
            yield from self._starred(node, parent, seen)
        elif isinstance(parent, ast.FormattedValue):
            if not self.is_message(parent):
                yield node
        elif isinstance(parent, ast.Subscript):
            if kind == "list" and parent.value is node:
                yield node
        elif isinstance(parent, ast.withitem):
            if isinstance(parent.optional_vars, ast.Name):
                yield from self._bound(parent.optional_vars, kind, seen)
        elif kind == "list" and isinstance(parent, ast.List | ast.Tuple | ast.Dict | ast.Lambda):
            yield node

    def is_message(self, node: ast.AST) -> bool:
        """Whether an expression only ends in an error or in what is printed to the log."""
        for above in self.names.above(node):
            if isinstance(above, ast.Raise | ast.Assert):
                return True
            if isinstance(above, ast.Call):
                name = self.names.called(above) or ""
                owner = above.func.value if isinstance(above.func, ast.Attribute) else None
                is_log = isinstance(owner, ast.Name) and owner.id in {"log", "logger", "LOG"}
                if name in LOGGING and not any(k.arg == "file" for k in above.keywords):
                    return True
                if is_log or name.startswith("logging.") or name.endswith(("Error", "Exception")):
                    return True
            if isinstance(above, ast.stmt):
                return False
        return False

    def _call(
        self, node: ast.AST, call: ast.Call, kind: Kind, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        name = self.names.called(call)
        if call.func is node or name in ORDER_FREE or self.is_message(node):
            return
        if isinstance(call.func, ast.Attribute):
            if call.func.attr == "join":
                yield node
                return
            if call.func.attr in HARMLESS_METHODS | SET_METHODS and kind != "list":
                return
            if call.func.attr in {"update", "issubset", "issuperset", "isdisjoint", "union"}:
                return
        if name == "next" and isinstance(call.args[0], ast.Call):
            yield node
        elif name in PASSING:
            yield from self.sinks(call, "list", seen)
        elif name == "dict":
            yield from self.sinks(call, "dict", seen)
        elif name in ARRANGING:
            if not any(keyword.arg == "sort_keys" for keyword in call.keywords):
                yield node
        elif kind == "list":
            yield node

    def _attribute(
        self, node: ast.AST, attribute: ast.Attribute, kind: Kind, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        call = self.names.parents.get(attribute)
        if not (isinstance(call, ast.Call) and call.func is attribute):
            return
        if kind == "dict" and attribute.attr in {"items", "keys", "values"}:
            yield from self.sinks(call, "dict", seen)
        elif kind == "set" and attribute.attr in SET_METHODS:
            yield from self.sinks(call, "set", seen)
        elif attribute.attr in {"pop", "popitem"} or (kind == "list" and attribute.attr == "index"):
            if kind != "dict" or attribute.attr == "popitem":
                yield node
        elif kind == "list" and attribute.attr in {"copy", "__iter__"}:
            yield from self.sinks(call, "list", seen)

    def _comprehension(
        self, node: ast.AST, generator: ast.comprehension, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        if generator.iter is not node:
            return
        whole = self.names.parents[generator]
        if isinstance(whole, ast.SetComp):
            return
        kind: Kind = "dict" if isinstance(whole, ast.DictComp) else "list"
        yield from self._at(node, self.sinks(whole, kind, seen))

    def _at(self, node: ast.AST, sinks: Iterator[ast.AST]) -> Iterator[ast.AST]:
        # What is told is where the order was taken, not where it went.
        if any(True for _ in sinks):
            yield node

    def _loop(
        self, node: ast.AST, loop: ast.For | ast.AsyncFor, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        if loop.iter is not node:
            return
        grown: list[tuple[ast.Name, Kind]] = []
        if not all(_is_order_free(statement, grown) for statement in loop.body):
            yield node
            return
        for name, kind in grown:
            binding = self.names.binding_of(name)
            if binding is None or self._arrives(name, kind, seen):
                yield node
                return

    def _arrives(self, name: ast.Name, kind: Kind, seen: frozenset[int]) -> bool:
        return any(True for _ in self._of_binding(name, kind, seen))

    def _of_binding(self, name: ast.Name, kind: Kind, seen: frozenset[int]) -> Iterator[ast.AST]:
        binding = (
            self.names.binding_at(name)
            if isinstance(name.ctx, ast.Store)
            else self.names.binding_of(name)
        )
        if binding is None:
            return
        uses = self.names.uses(binding)
        if kind == "list" and any(self._sorts(use) for use in uses):
            return
        for use in uses:
            if use is not name:
                yield from self.sinks(use, kind, seen)

    def _bound(self, target: ast.Name, kind: Kind, seen: frozenset[int]) -> Iterator[ast.AST]:
        yield from self._of_binding(target, kind, seen)

    def _sorts(self, use: ast.Name) -> bool:
        parent = self.names.parents[use]
        return isinstance(parent, ast.Attribute) and parent.attr == "sort"

    def _assigned(
        self,
        node: ast.AST,
        parent: ast.Assign | ast.AnnAssign | ast.NamedExpr,
        kind: Kind,
        seen: frozenset[int],
    ) -> Iterator[ast.AST]:
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield from self._bound(target, kind, seen)
            elif isinstance(target, ast.Tuple | ast.List):
                # A single target takes the only one there is, or fails.
                if len(target.elts) > 1 or isinstance(target.elts[0], ast.Starred):
                    yield node
            elif kind == "list":
                yield node
        if isinstance(parent, ast.NamedExpr):
            yield from self.sinks(parent, kind, seen)

    def _returned(
        self, node: ast.AST, parent: ast.AST, kind: Kind, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        function = next((a for a in self.names.above(parent) if isinstance(a, FUNCTIONS)), None)
        binding = None if function is None else self.names.binding_at(function)
        uses = [] if binding is None else self.names.uses(binding)
        calls = [self.names.parents[use] for use in uses]
        if kind == "list" and not calls:
            yield node
        for call in calls:
            if isinstance(call, ast.Call):
                found = self.sinks(call, kind, seen)
                yield from self._at(node, found) if kind == "list" else found

    def _starred(
        self, node: ast.AST, starred: ast.Starred, seen: frozenset[int]
    ) -> Iterator[ast.AST]:
        holder = self.names.parents[starred]
        if isinstance(holder, ast.Set):
            return
        if isinstance(holder, ast.Call):
            name = self.names.called(holder)
            method = holder.func.attr if isinstance(holder.func, ast.Attribute) else ""
            if name in ORDER_FREE or method in SET_METHODS or self.is_message(node):
                return
            yield node
            return
        yield from self._at(node, self.sinks(holder, "list", seen))


def _is_order_free(statement: ast.stmt, grown: list[tuple[ast.Name, Kind]]) -> bool:
    """Whether a statement of a loop does the same in whatever order the loop goes.

    Args:
        statement: The statement.
        grown: Receives the lists and dictionaries it adds to, whose order then means nothing.
    """
    if isinstance(statement, ast.Pass | ast.Continue | ast.Raise | ast.Assert):
        return True
    if isinstance(statement, ast.If):
        return all(_is_order_free(inner, grown) for inner in [*statement.body, *statement.orelse])
    if isinstance(statement, ast.For):
        return all(_is_order_free(inner, grown) for inner in statement.body)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            grown.append((target.value, "dict"))
            return True
        return isinstance(target, ast.Name)
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, int)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        method = statement.value.func
        if isinstance(method, ast.Attribute) and isinstance(method.value, ast.Name):
            if method.attr in {"append", "extend"}:
                grown.append((method.value, "list"))
                return True
            return method.attr in {"add", "discard", "unlink", "mkdir"}
    return False
