"""Rows without an order, and what depends on the order they happen to have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.sql_statement import Statement

PICKING: Final = (exp.First, exp.Last, exp.AnyValue, exp.ArrayAgg, exp.GroupConcat)
PICKING_NAMES: Final = frozenset({"arbitrary", "list", "string_agg", "array_agg", "group_concat"})
NUMBERING: Final = (
    exp.RowNumber,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Ntile,
)
ALONGSIDE: Final = (exp.Unnest, exp.Lateral)


def order_spots(statement: Statement, ordered: bool) -> Iterator[Spot]:
    """Find them in a statement.

    Args:
        statement: The statement.
        ordered: Whether whoever takes the rows puts them in order.
    """
    for node in statement.tree.walk():
        if isinstance(node, exp.Query):
            yield from _limit(statement, node)
            yield from _distinct_on(statement, node)
        elif isinstance(node, PICKING) or _is_named(node, PICKING_NAMES):
            yield from _pick(statement, node)
        elif isinstance(node, exp.Window):
            yield from _window(statement, node)
        elif isinstance(node, exp.TableSample) and not node.args.get("seed"):
            offset = statement.word_before(node, "sample", "tablesample")
            yield statement.spot("unseeded-random", offset, "a sample without REPEATABLE (seed)")
    if not ordered:
        yield from _result(statement)


def _is_named(node: exp.Expr, names: frozenset[str]) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in names


def _limit(statement: Statement, query: exp.Query) -> Iterator[Spot]:
    limit = query.args.get("limit") or query.args.get("offset")
    if limit is None or query.args.get("order") or isinstance(query.parent, exp.Exists):
        return
    count = limit.args.get("expression")
    if isinstance(count, exp.Literal) and count.name == "0":
        return
    why = _unordered_because(query)
    if why is not None:
        offset = statement.word_before(limit, "limit", "offset", "fetch")
        message = f"LIMIT takes some of the rows of {why}, without ORDER BY"
        yield statement.spot("unordered-pick", offset, message)


def _distinct_on(statement: Statement, query: exp.Query) -> Iterator[Spot]:
    distinct = query.args.get("distinct")
    if (
        isinstance(distinct, exp.Distinct)
        and distinct.args.get("on")
        and not query.args.get("order")
    ):
        offset = statement.word_before(distinct, "distinct")
        message = "DISTINCT ON keeps one row of each group, without ORDER BY"
        yield statement.spot("unordered-pick", offset, message)


def _pick(statement: Statement, node: exp.Expr) -> Iterator[Spot]:
    if node.find(exp.Order) or _in_ordered_window(node) or _takes_ordered_rows(node):
        return
    name = node.key if not isinstance(node, exp.Anonymous) else str(node.this)
    shown = {"arrayagg": "list", "groupconcat": "string_agg", "anyvalue": "any_value"}
    message = f"{shown.get(name.lower(), name.lower())}() without ORDER BY in it"
    yield statement.spot("unordered-pick", statement.offset(node), message)


def _in_ordered_window(node: exp.Expr) -> bool:
    window = node.parent
    while isinstance(window, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        window = window.parent
    return isinstance(window, exp.Window) and _has_order(window)


def _takes_ordered_rows(node: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    source = select.args.get("from_") if select is not None else None
    inner = source.this if isinstance(source, exp.From) else None
    if isinstance(inner, exp.Subquery) and not (select and select.args.get("joins")):
        return bool(inner.this.args.get("order"))
    return False


def _has_order(window: exp.Window) -> bool:
    # A window that is named elsewhere is looked up there.
    if window.args.get("order"):
        return True
    name = window.args.get("alias")
    if name is None:
        return False
    select = window.find_ancestor(exp.Select)
    named = select.args.get("windows") if select is not None else None
    return any(w.name.lower() == name.name.lower() and w.args.get("order") for w in named or [])


def _window(statement: Statement, window: exp.Window) -> Iterator[Spot]:
    function = window.this
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    if isinstance(function, NUMBERING) and not _has_order(window):
        name = function.sql_names()[0].lower()
        message = f"{name}() OVER () without ORDER BY in the window"
        yield statement.spot("unordered-pick", statement.offset(function), message)


def _result(statement: Statement) -> Iterator[Spot]:
    """The rows a statement hands out, to the code or to a file."""
    tree = statement.tree
    query = tree.this if isinstance(tree, exp.Copy) else tree
    while isinstance(query, exp.Subquery) and not query.args.get("order"):
        query = query.this
    if not isinstance(query, exp.Query) or query.args.get("limit") is not None:
        return
    why = _unordered_because(query)
    if why is not None:
        message = f"the rows of {why} come without ORDER BY"
        offset = statement.tokens[0].start
        yield statement.spot("unordered-rows", offset, message)


def _unordered_because(query: exp.Expr, depth: int = 0) -> str | None:
    """What takes the order away from the rows of a query; ``None`` if they have one."""
    if query.args.get("order") or depth > 20:
        return None
    if isinstance(query, exp.Subquery):
        return _unordered_because(query.this, depth + 1)
    if isinstance(query, exp.SetOperation):
        if isinstance(query, exp.Union) and not query.args.get("distinct"):
            sides = [_unordered_because(each, depth + 1) for each in (query.left, query.right)]
            return next((why for why in sides if why), None)
        return query.key.upper()
    if not isinstance(query, exp.Select) or _is_one_row(query):
        return None
    if query.args.get("group"):
        return "GROUP BY"
    if query.args.get("distinct"):
        return "DISTINCT"
    if any(not isinstance(join.this, ALONGSIDE) for join in query.args.get("joins") or []):
        return "a join"
    return _of_source(query, depth)


def _is_one_row(query: exp.Select) -> bool:
    if query.args.get("group") or not query.expressions:
        return False
    return all(
        each.find(exp.AggFunc) is not None and each.find(exp.Window) is None
        for each in query.expressions
    )


def _of_source(query: exp.Select, depth: int) -> str | None:
    source = query.args.get("from_")
    inner = source.this if isinstance(source, exp.From) else None
    if isinstance(inner, exp.Subquery):
        return _unordered_because(inner, depth + 1)
    if isinstance(inner, exp.Table) and inner.name:
        common = _common_table(query, inner.name)
        return None if common is None else _unordered_because(common, depth + 1)
    return None


def _common_table(query: exp.Expr, name: str) -> exp.Expr | None:
    """The query that WITH gives a name."""
    above: exp.Expr | None = query
    while above is not None:
        for common in (above.args.get("with_") or exp.With()).expressions:
            if common.alias.lower() == name.lower() and common.this is not query:
                found: exp.Expr = common.this
                return found
        above = above.parent
    return None
