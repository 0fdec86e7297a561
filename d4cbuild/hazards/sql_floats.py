"""Sums over floating-point numbers: their last bits depend on how threads share the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.sql_statement import Statement

SUMS: Final = (exp.Sum,)
# These work in floating point whatever they are given.
ALWAYS: Final = (
    *(exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop),
    *(exp.Corr, exp.CovarPop, exp.CovarSamp, exp.ApproxQuantile),
)
ALWAYS_NAMES: Final = frozenset(
    {
        *("fsum", "kahan_sum", "sumkahan", "favg", "geomean", "product", "skewness", "kurtosis"),
        *("entropy", "stddev", "var_samp", "regr_slope", "regr_intercept", "regr_r2"),
        *("reservoir_quantile", "approx_quantile", "approx_top_k"),
    }
)
EXACT: Final = frozenset(
    {
        *("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT", "USMALLINT", "UINT"),
        *("UBIGINT", "UINT128", "DECIMAL", "BOOLEAN", "HUGEINT", "UHUGEINT", "INTERVAL"),
    }
)
EXACT_NAMES: Final = frozenset({"length", "strlen", "year", "month", "day", "epoch_ms", "hash"})
EXACT_FUNCTIONS: Final = (exp.Count, exp.Length, exp.Sign, exp.DateDiff, exp.CountIf)
TRUTH: Final = (exp.Predicate, exp.Not, exp.And, exp.Or, exp.Boolean, exp.Between, exp.In)


def float_spots(statement: Statement) -> Iterator[Spot]:
    """Find them in a statement."""
    exact = _exact_columns(statement.tree)
    for node in statement.tree.walk():
        name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, exp.Sum | exp.Avg):
            if node.find(exp.Order) or _is_exact(node.this, exact):
                continue
            shown = " ".join(node.sql(dialect="duckdb").split())[:60]
            message = f"{shown} adds in the order of the threads, unless the numbers are exact"
        elif isinstance(node, ALWAYS) or name in ALWAYS_NAMES:
            if node.find(exp.Order):
                continue
            message = f"{name or node.key}() adds floating-point numbers in the order of threads"
        else:
            continue
        yield statement.spot("float-sum", statement.offset(node), message)


def _exact_columns(tree: exp.Expr) -> set[str]:
    """Columns that the statement itself says are exact: by a cast, a declaration or a count."""
    found: set[str] = set()
    inexact: set[str] = set()
    for node in tree.walk():
        if isinstance(node, exp.ColumnDef) and node.kind is not None:
            (found if _is_exact_type(node.kind) else inexact).add(node.name.lower())
        elif isinstance(node, exp.PropertyEQ) and isinstance(node.expression, exp.Literal):
            # read_csv(…, columns = {'a': 'BIGINT'})
            kind = node.expression.name.split("(")[0].upper()
            aliases = {"INTEGER": "INT", "NUMERIC": "DECIMAL"}
            (found if aliases.get(kind, kind) in EXACT else inexact).add(node.this.name.lower())
    for node in tree.find_all(exp.Alias):
        if not _is_in_aggregate(node):
            (found if _is_exact(node.this, found) else inexact).add(node.alias.lower())
    return found - inexact


def _is_in_aggregate(node: exp.Expr) -> bool:
    return node.find_ancestor(exp.AggFunc) is not None


def _is_exact_type(kind: exp.Expr) -> bool:
    return isinstance(kind, exp.DataType) and kind.this.name in EXACT


def _is_exact(node: exp.Expr | None, columns: set[str]) -> bool:
    """Whether an expression is plainly made of numbers that add up exactly."""
    if node is None:
        return False
    if isinstance(node, exp.Cast):
        return _is_exact_type(node.to)
    if isinstance(node, exp.Literal):
        # A decimal literal is a DECIMAL; with an exponent it is not.
        return not node.is_string and "e" not in node.name.lower()
    if isinstance(node, exp.Column):
        return node.name.lower() in columns
    if isinstance(node, (*TRUTH, *EXACT_FUNCTIONS)):
        return True
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in EXACT_NAMES
    if isinstance(node, exp.Null):
        return True
    return _is_exact_whole(node, columns)


def _is_exact_whole(node: exp.Expr, columns: set[str]) -> bool:
    if isinstance(node, exp.Case):
        branches = [*(each.args["true"] for each in node.args["ifs"]), node.args.get("default")]
        return all(_is_exact(each, columns) for each in branches if each is not None)
    if isinstance(node, exp.If):
        branches = [node.args["true"], node.args.get("false")]
        return all(_is_exact(each, columns) for each in branches if each is not None)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.IntDiv):
        return _is_exact(node.left, columns) and _is_exact(node.right, columns)
    if isinstance(node, exp.Coalesce):
        return all(_is_exact(each, columns) for each in (node.this, *node.expressions))
    if isinstance(node, exp.Paren | exp.Neg | exp.Abs | exp.Distinct | exp.Sum | exp.Max | exp.Min):
        inner = node.expressions[0] if isinstance(node, exp.Distinct) else node.this
        return _is_exact(inner, columns)
    return False
