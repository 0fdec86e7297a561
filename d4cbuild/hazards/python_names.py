"""What names mean in a Python module: imports, scopes, and which value a name holds where."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.Module, ast.ClassDef, *FUNCTIONS, *COMPREHENSIONS)
BUILTINS = frozenset(dir(builtins))
NAMED = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
)
_DEPTH = 20

Position = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Binding:
    """One place where a name gets a meaning.

    Attributes:
        scope: The module, function, class or comprehension whose name it is.
        node: What binds it: a target, a parameter, a definition.
        value: The expression it then stands for, if there is one.
        after: Where it begins to hold.
        imported: The dotted name, for an import.
    """

    scope: ast.AST
    node: ast.AST
    value: ast.expr | None
    after: Position
    imported: str | None = None


class Names:
    """The names of a module.

    Args:
        tree: The module.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in self.nodes:
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
        self._bound: dict[tuple[ast.AST, str], list[Binding]] = defaultdict(list)
        self._stars: list[str] = []
        for node in self.nodes:
            self._bind(node)
        for bindings in self._bound.values():
            bindings.sort(key=lambda binding: binding.after)
        self._loads: dict[str, list[ast.Name]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._loads[node.id].append(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node is in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def scope_of(self, node: ast.AST) -> ast.AST:
        """The innermost scope a node is in."""
        return next((above for above in self.above(node) if isinstance(above, SCOPES)), self.tree)

    def binding_of(self, name: ast.Name) -> Binding | None:
        """Where a name that is read got its value."""
        own = self.scope_of(name)
        scope: ast.AST | None = own
        while scope is not None:
            bindings = self._bound.get((scope, name.id))
            # A class's names are not seen from within its functions.
            if bindings and (scope is own or not isinstance(scope, ast.ClassDef)):
                if scope is not own and not isinstance(own, COMPREHENSIONS):
                    return bindings[-1]
                here = (name.lineno, name.col_offset)
                earlier = [binding for binding in bindings if binding.after <= here]
                return earlier[-1] if earlier else bindings[-1]
            scope = self.scope_of(scope) if scope is not self.tree else None
        return None

    def uses(self, binding: Binding) -> list[ast.Name]:
        """Every place that reads the value of a binding."""
        return [
            name for name in self._loads[_bound_name(binding)] if self.binding_of(name) is binding
        ]

    def binding_at(self, node: ast.AST) -> Binding | None:
        """The binding that a target or a definition makes."""
        for name in (getattr(node, "id", None), getattr(node, "name", None)):
            scope = self.scope_of(node)
            for binding in self._bound.get((scope, name), []) if name else []:
                if binding.node is node:
                    return binding
        return None

    def value_of(self, node: ast.expr) -> ast.expr:
        """What a name stands for, as far as it can be followed; else the node itself."""
        for _ in range(_DEPTH):
            if not isinstance(node, ast.Name):
                break
            binding = self.binding_of(node)
            if binding is None or binding.value is None:
                break
            node = binding.value
        return node

    def qualified(self, node: ast.AST, depth: int = 0) -> str | None:
        """The dotted name of what is imported or built in, such as ``os.listdir`` or ``sorted``."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Attribute):
            owner = self.qualified(node.value, depth + 1)
            return None if owner is None else f"{owner}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        binding = self.binding_of(node)
        if binding is None:
            if node.id in BUILTINS or not self._stars:
                return node.id if node.id in BUILTINS else None
            return f"{self._stars[-1]}.{node.id}"
        if binding.imported is not None:
            return binding.imported
        if isinstance(binding.value, ast.Name | ast.Attribute):
            return self.qualified(binding.value, depth + 1)
        return None

    def called(self, node: ast.AST) -> str | None:
        """The dotted name of the function a call calls."""
        return self.qualified(node.func) if isinstance(node, ast.Call) else None

    def _add(
        self, scope: ast.AST, name: str, node: ast.AST, value: ast.expr | None, after: Position
    ) -> None:
        self._bound[scope, name].append(Binding(scope, node, value, after))

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._bind_import(node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            self._bind_target(node)
        elif isinstance(node, ast.arg):
            self._add(self.scope_of(node), node.arg, node, None, (node.lineno, node.col_offset))
        elif isinstance(node, NAMED) and node.name:
            self._add(self.scope_of(node), node.name, node, None, (node.lineno, node.col_offset))

    def _bind_target(self, node: ast.Name) -> None:
        parent = self.parents[node]
        scope = self.scope_of(node)
        value: ast.expr | None = None
        after = (node.lineno, node.col_offset)
        if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            value = parent.value
            after = _end(parent)
        elif isinstance(parent, ast.withitem):
            value = parent.context_expr
        elif isinstance(parent, ast.AugAssign):
            return  # the name keeps what it holds, and more is added
        if isinstance(parent, ast.NamedExpr):
            while isinstance(scope, COMPREHENSIONS):
                scope = self.scope_of(scope)
        self._add(scope, node.id, node, value, after)

    def _bind_import(self, node: ast.Import | ast.ImportFrom) -> None:
        scope = self.scope_of(node)
        after = (node.lineno, node.col_offset)
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                if alias.name == "*":
                    self._stars.append(node.module or "")
                    continue
                name = alias.asname or alias.name
                dotted = f"{'.' * node.level}{node.module or ''}.{alias.name}"
            else:
                name = alias.asname or alias.name.split(".")[0]
                dotted = alias.name if alias.asname else name
            self._bound[scope, name].append(Binding(scope, alias, None, after, dotted))


def _bound_name(binding: Binding) -> str:
    node = binding.node
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.alias):
        return node.asname or node.name.split(".")[0]
    return str(getattr(node, "name", ""))


def _end(node: ast.stmt | ast.expr) -> Position:
    return (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
