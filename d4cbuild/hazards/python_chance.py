"""Random numbers without a seed, and sums in 32 bits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.python_module import PythonModule

ALWAYS: Final = frozenset({"os.urandom", "os.getrandom", "random.SystemRandom"})
MAKERS: Final = frozenset(
    {
        *("random.Random", "numpy.random.default_rng", "numpy.random.RandomState"),
        *("numpy.random.SeedSequence", "numpy.random.PCG64", "numpy.random.MT19937"),
        *("numpy.random.Philox", "numpy.random.SFC64"),
    }
)
HARMLESS: Final = frozenset(
    {"seed", "Random", "Generator", "getstate", "setstate", "get_state", "set_state"}
)
TOTALS: Final = frozenset({"sum", "mean", "cumsum", "std", "var", "prod", "cumprod", "nansum"})
NARROW: Final = frozenset({"float32", "f4", "<f4", "single", "float16", "half", "f2", "Float32"})


def chance_spots(module: PythonModule) -> Iterator[Spot]:
    """Find them."""
    seeded = _seeded(module)
    for node in module.names.nodes:
        if isinstance(node, ast.Call):
            yield from _random(module, node, seeded)
            yield from _narrow_total(module, node)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = module.names.qualified(node) or ""
            if name in ALWAYS or name.startswith("secrets."):
                yield module.spot("unseeded-random", node, f"{name} is chance itself")


def _seeded(module: PythonModule) -> set[str]:
    """Which of the generators that a whole process shares are given a seed."""
    found = set()
    for node in module.names.nodes:
        name = module.names.called(node) or ""
        is_seed = name in {"random.seed", "numpy.random.seed"}
        if is_seed and isinstance(node, ast.Call) and _has_seed(node):
            found.add(name.removesuffix(".seed"))
    return found


def _has_seed(call: ast.Call) -> bool:
    given = [*call.args, *(k.value for k in call.keywords)]
    return any(not (isinstance(g, ast.Constant) and g.value is None) for g in given)


def _random(module: PythonModule, call: ast.Call, seeded: set[str]) -> Iterator[Spot]:
    name = module.names.called(call) or ""
    owner, _, function = name.rpartition(".")
    if name in MAKERS:
        if not _has_seed(call):
            yield module.spot("unseeded-random", call, f"{name}() is given no seed")
    elif owner in {"random", "numpy.random"} and function not in HARMLESS:
        if owner not in seeded and name not in ALWAYS and function[:1].islower():
            yield module.spot("unseeded-random", call, f"{name}() without a seed")
    elif not name and isinstance(call.func, ast.Attribute):
        method = call.func.attr
        keywords = {k.arg for k in call.keywords}
        if method not in {"sample", "sample_points"} or keywords & {"random_state", "rng", "seed"}:
            return
        made = module.names.called(module.names.value_of(call.func.value))
        if made not in MAKERS and (len(call.args) < 2 or method == "sample_points"):
            message = f".{method}() without a seed"
            yield module.spot("unseeded-random", call, message)


def _narrow_total(module: PythonModule, call: ast.Call) -> Iterator[Spot]:
    if isinstance(call.func, ast.Attribute):
        function, owner = call.func.attr, call.func.value
    elif isinstance(call.func, ast.Name):
        function, owner = call.func.id, call.func
    else:
        return
    name = module.names.called(call) or ""
    if (name.rpartition(".")[2] or function) not in TOTALS:
        return
    width = next((k.value for k in call.keywords if k.arg == "dtype"), None)
    if width is not None:
        narrow = _is_narrow_type(width)
    else:
        narrow = _is_narrow(module, owner) or any(_is_narrow(module, a) for a in call.args[:1])
    if narrow:
        yield module.spot("float-sum", call, f"{function}() adds numbers of 32 bits or fewer")


def _is_narrow(module: PythonModule, node: ast.expr) -> bool:
    """Whether an expression is plainly an array of narrow floating-point numbers."""
    value = module.names.value_of(node)
    if not isinstance(value, ast.Call):
        return False
    method = value.func.attr if isinstance(value.func, ast.Attribute) else ""
    given = [k.value for k in value.keywords if k.arg in {"dtype", "type"}]
    if method in {"astype", "cast", "view", "array", "asarray", "zeros", "fromiter"}:
        given += value.args[:2]
    return any(_is_narrow_type(each) for each in given)


def _is_narrow_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Constant):
        return node.value in NARROW
    return isinstance(node, ast.Attribute | ast.Name) and (
        (node.attr if isinstance(node, ast.Attribute) else node.id) in NARROW
    )
