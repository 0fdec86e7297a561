"""Listings that are not sorted, and orders taken from sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_flow import Flow
from d4cbuild.hazards.python_module import PythonModule

LISTINGS = frozenset(
    {
        *("os.listdir", "os.scandir", "os.walk", "os.fwalk", "glob.glob", "glob.iglob"),
        *("pathlib.Path.glob", "pathlib.Path.rglob", "pathlib.Path.iterdir", "pathlib.Path.walk"),
    }
)
PATH_METHODS = frozenset({"glob", "rglob", "iterdir"})
MADE_SETS = frozenset({"set", "frozenset"})
SET_RESULTS = frozenset(
    {"union", "intersection", "difference", "symmetric_difference", "issuperset"}
)
SET_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet", "MutableSet"})


def order_spots(module: PythonModule) -> Iterator[Spot]:
    """Find them."""
    flow = Flow(module.names)
    has_polars = any(_imports_polars(node) for node in module.names.nodes)
    for node in module.names.nodes:
        if isinstance(node, ast.Call):
            if has_polars and _is_unordered_frame(module, node):
                message = f"the rows of {_shown(node)} come without maintain_order=True"
                yield module.spot("unordered-rows", node, message)
            yield from _listing(module, flow, node)
        if _is_set(module, node):
            for sink in flow.sinks(node, "set"):
                message = f"the order of the set {_shown(node)} is used here"
                yield module.spot("set-order", sink, message)


def _imports_polars(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(each.name.partition(".")[0] == "polars" for each in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "polars"


def _is_unordered_frame(module: PythonModule, call: ast.Call) -> bool:
    """Whether polars is asked for groups or distinct rows whose order nobody puts right."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = {word.arg: word.value for word in call.keywords}
    distinct = method == "unique" and bool(given.keys() & {"subset", "keep"})
    kept = given.get("maintain_order", ast.Constant(False))
    is_kept = not isinstance(kept, ast.Constant) or kept.value is not False
    if is_kept or not (method == "group_by" or distinct):
        return False
    for above in module.names.above(call):
        if isinstance(above, ast.Attribute) and above.attr == "sort":
            return False
        if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
            return not _is_sorted_later(module, above.targets[0].id)
    return True


def _is_sorted_later(module: PythonModule, name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "sort"
        and any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node.value))
        for node in module.names.nodes
    )


def _listing(module: PythonModule, flow: Flow, call: ast.Call) -> Iterator[Spot]:
    name = module.names.called(call)
    if name not in LISTINGS:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method not in PATH_METHODS or name is not None:
            return
        name = f"Path.{method}"
    if name in {"os.walk", "os.fwalk", "pathlib.Path.walk"}:
        if not _walk_is_sorted(module, flow, call):
            message = f"{name}() visits folders and files in the order of the disk"
            yield module.spot("unordered-listing", call, message)
        return
    for _ in flow.sinks(call, "list"):
        message = f"{name}() gives names in the order of the disk"
        yield module.spot("unordered-listing", call, message)
        return


def _walk_is_sorted(module: PythonModule, flow: Flow, call: ast.Call) -> bool:
    if next(flow.sinks(call, "list"), None) is None:
        return True
    loop = module.names.parents[call]
    if not (isinstance(loop, ast.For) and isinstance(loop.target, ast.Tuple)):
        return False
    if len(loop.target.elts) < 3:
        return False
    folders, files = loop.target.elts[1:3]
    return (
        isinstance(folders, ast.Name)
        and isinstance(files, ast.Name)
        and _is_sorted_in_place(loop, folders.id)
        and _is_sorted_somehow(module, flow, files, loop)
    )


def _is_sorted_in_place(loop: ast.For, name: str) -> bool:
    for node in ast.walk(loop):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == name:
                return node.func.attr in {"sort", "clear"}
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0].value
            if isinstance(target, ast.Name) and target.id == name:
                return "sorted(" in ast.unparse(node.value)
    return False


def _is_sorted_somehow(module: PythonModule, flow: Flow, files: ast.Name, loop: ast.For) -> bool:
    if _is_sorted_in_place(loop, files.id):
        return True
    binding = module.names.binding_at(files)
    uses = [] if binding is None else module.names.uses(binding)
    return all(next(flow.sinks(use, "list"), None) is None for use in uses)


def _is_set(module: PythonModule, node: ast.AST) -> bool:
    """Whether a node makes a set, or names a parameter that is declared to be one."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        return module.names.called(node) in MADE_SETS or _is_method_of_set(module, node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.BitAnd | ast.BitOr):
        return _is_keys(node.left) or _is_keys(node.right)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        binding = module.names.binding_of(node)
        declared = None if binding is None else binding.node
        return isinstance(declared, ast.arg) and _is_set_type(declared.annotation)
    return False


def _is_method_of_set(module: PythonModule, call: ast.Call) -> bool:
    # What is known to be a set is followed anyway; this is set.union(*several).
    name = module.names.called(call) or ""
    owner, _, method = name.rpartition(".")
    return owner in MADE_SETS and method in SET_RESULTS


def _is_keys(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"keys", "items"}
        and not node.args
    )


def _is_set_type(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    if isinstance(annotation, ast.Attribute):
        return annotation.attr in SET_TYPES
    return isinstance(annotation, ast.Name) and annotation.id in SET_TYPES


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else f"{text[:37]}…"
