"""Results taken as threads finish, and threads that write to what others write to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_flow import Flow, Kind
from d4cbuild.hazards.python_module import PythonModule
from d4cbuild.hazards.python_names import FUNCTIONS, Binding

AS_FINISHED: Final = frozenset(
    {"concurrent.futures.as_completed", "asyncio.as_completed", "concurrent.futures.wait"}
)
STARTERS: Final = frozenset(
    {"threading.Thread", "multiprocessing.Process", "threading.Timer", "_thread.start_new_thread"}
)
POOL_METHODS: Final = frozenset(
    {"submit", "apply_async", "map", "map_async", "starmap", "starmap_async", "imap"}
)
WRITES: Final = frozenset(
    {
        *("append", "appendleft", "extend", "insert", "update", "add", "put", "put_nowait"),
        *("write", "writelines", "writerow", "writerows", "writestr", "addfile"),
        *("write_table", "write_batch", "executemany", "setdefault"),
    }
)
# Which argument of a function is the mode of the file it opens.
_OPENERS: Final = {"open": 1, "io.open": 1, "gzip.open": 1, "bz2.open": 1, "lzma.open": 1}
_KEYED: Final = frozenset({"dict", "collections.OrderedDict", "collections.defaultdict"})
_DEPTH = 3


def thread_spots(module: PythonModule) -> Iterator[Spot]:
    """Find them."""
    for node in module.names.nodes:
        if isinstance(node, ast.Call):
            yield from _of_call(module, node)


def _of_call(module: PythonModule, call: ast.Call) -> Iterator[Spot]:
    name = module.names.called(call) or ""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in AS_FINISHED:
        yield module.spot("thread-order", call, f"{name}() gives results as they finish")
    elif method == "imap_unordered":
        yield module.spot("thread-order", call, "imap_unordered() gives results as they finish")
    elif method == "add_done_callback":
        yield module.spot("thread-order", call, "callbacks come as tasks finish")
    elif name in STARTERS:
        target = _target(name, call)
        if target is None or _Writer(module).writes(target, unknown=True):
            yield module.spot("thread-order", call, f"{name}() starts something that writes")
    else:
        given = _given_to_others(module, name, method, call)
        if given is not None and _Writer(module).writes(given, unknown=False):
            message = f"what {method or name}() starts writes to something that others write to"
            yield module.spot("thread-order", call, message)


def _target(name: str, call: ast.Call) -> ast.expr | None:
    word = "function" if name == "threading.Timer" else "target"
    named = next((k.value for k in call.keywords if k.arg == word), None)
    place = 0 if name.startswith("_") else 1
    return named or (call.args[place] if len(call.args) > place else None)


def _given_to_others(
    module: PythonModule, name: str, method: str, call: ast.Call
) -> ast.expr | None:
    """The function that a call hands to another thread, if it is such a call."""
    if name == "asyncio.to_thread":
        return call.args[0] if call.args else None
    if method == "run_in_executor":
        return call.args[1] if len(call.args) > 1 else None
    if method in POOL_METHODS and isinstance(call.func, ast.Attribute) and call.args:
        return call.args[0] if _is_pool(module, call.func.value) else None
    return None


def _is_pool(module: PythonModule, owner: ast.expr) -> bool:
    made = module.names.called(module.names.value_of(owner)) or ""
    if not made and isinstance(owner, ast.Name):
        binding = module.names.binding_of(owner)
        declared = None if binding is None else binding.node
        if isinstance(declared, ast.arg) and declared.annotation is not None:
            made = module.names.qualified(declared.annotation) or ""
    return made.endswith(("Executor", "Pool"))


class _Writer:
    """Tells whether a function changes something that is not its own.

    Args:
        module: Where it is.
    """

    def __init__(self, module: PythonModule) -> None:
        self.module = module
        self.flow = Flow(module.names)

    def writes(self, target: ast.expr, unknown: bool, depth: int = 0) -> bool:
        """Look at a function, and at those of the module that it calls.

        Args:
            target: What names the function.
            unknown: The answer where it is not to be seen.
            depth: How many calls led here.
        """
        node: ast.AST = target
        if isinstance(target, ast.Name):
            binding = self.module.names.binding_of(target)
            if binding is not None:
                node = binding.node if binding.value is None else binding.value
        if isinstance(node, ast.Call) and node.args:
            made = self.module.names.called(node) or ""
            if made == "functools.partial":
                return self.writes(node.args[0], unknown, depth)
        if isinstance(node, ast.Attribute):
            return node.attr in WRITES or unknown
        if not isinstance(node, FUNCTIONS):
            return unknown
        return any(self._is_write(inner, node, depth) for inner in ast.walk(node))

    def _is_write(self, node: ast.AST, function: ast.AST, depth: int) -> bool:
        if isinstance(node, ast.Global | ast.Nonlocal):
            return True
        if isinstance(node, ast.AugAssign):
            target = node.target
            return not isinstance(target, ast.Name) and self._is_outer(target, function)
        if isinstance(node, ast.Assign):
            return any(self._is_new_key(target, function) for target in node.targets)
        return isinstance(node, ast.Call) and self._is_writing_call(node, function, depth)

    def _is_writing_call(self, call: ast.Call, function: ast.AST, depth: int) -> bool:
        if _appends_to_file(self.module, call):
            return True
        if isinstance(call.func, ast.Attribute) and call.func.attr in WRITES:
            return self._is_outer(call.func.value, function)
        if self.module.names.called(call) == "print":
            file = next((k.value for k in call.keywords if k.arg == "file"), None)
            return file is not None and self._is_outer(file, function, streams=False)
        if isinstance(call.func, ast.Name) and depth < _DEPTH:
            return self.writes(call.func, unknown=False, depth=depth + 1)
        return False

    def _is_new_key(self, target: ast.expr, function: ast.AST) -> bool:
        """Whether an assignment may add a key to a dictionary outside, which keeps its order."""
        if not (isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)):
            return False
        made = self.module.names.value_of(target.value)
        keyed = isinstance(made, ast.Dict) or self.module.names.called(made) in _KEYED
        return keyed and self._is_outer(target.value, function)

    def _is_outer(self, owner: ast.expr, function: ast.AST, streams: bool = True) -> bool:
        while isinstance(owner, ast.Attribute | ast.Subscript):
            if not streams and self.module.names.qualified(owner) in {"sys.stderr", "sys.stdout"}:
                return False
            owner = owner.value
        if not isinstance(owner, ast.Name):
            return False
        binding = self.module.names.binding_of(owner)
        if binding is None:
            return True
        if binding.scope is function or function in self.module.names.above(binding.scope):
            return False
        return not self._is_put_in_order(binding, function)

    def _is_put_in_order(self, binding: Binding, function: ast.AST) -> bool:
        """Whether what is collected is used elsewhere, and nowhere for its order."""
        names = self.module.names
        uses = [use for use in names.uses(binding) if function not in names.above(use)]
        kind: Kind = "list" if isinstance(binding.value, ast.List) else "dict"
        attributes = [names.parents[use] for use in uses]
        if any(isinstance(each, ast.Attribute) and each.attr == "sort" for each in attributes):
            return True
        return bool(uses) and all(next(self.flow.sinks(u, kind), None) is None for u in uses)


def _appends_to_file(module: PythonModule, call: ast.Call) -> bool:
    place = _OPENERS.get(module.names.called(call) or "")
    if place is None:
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "open"):
            return False
        place = 0
    named = next((k.value for k in call.keywords if k.arg == "mode"), None)
    mode = named or (call.args[place] if len(call.args) > place else None)
    text = module.text_of(mode)
    return text is not None and len(text) < 4 and text.startswith("a")
