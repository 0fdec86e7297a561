"""SQL that Python hands to an engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.python_flow import ORDER_FREE
from d4cbuild.hazards.python_module import PythonModule
from d4cbuild.hazards.python_text import placed_text
from d4cbuild.hazards.sql import OFF, looks_like_sql, read_sql

TAKERS: Final = frozenset(
    {"sql", "execute", "executemany", "query", "executescript", "from_query", "read_sql"}
    | {"read_sql_query", "query_df", "sql_query"}
)
ORDERING: Final = frozenset({"order", "sort", "sort_values", "sort_by", "sort_index"})


@dataclass(frozen=True)
class _Query:
    call: ast.Call
    text: PlacedText


@dataclass(frozen=True)
class PythonSql:
    """What was found in the SQL of a module.

    Attributes:
        spots: Hazards.
        comments: Comments in the SQL.
        unread: Places of SQL that could not be parsed, each with the reason.
    """

    spots: tuple[Spot, ...]
    comments: tuple[Comment, ...]
    unread: tuple[tuple[int, int, str], ...]


def sql_in(module: PythonModule) -> PythonSql:
    """Read all SQL of a module."""
    queries = list(_queries(module))
    single = _configures_one_thread(module) or any(
        read_sql(query.text).single_thread for query in queries
    )
    spots = list(_settings(module))
    comments: list[Comment] = []
    unread = []
    for query in queries:
        ordered = _is_ordered(module, query, queries)
        reading = read_sql(query.text, ordered=ordered, single_thread=single)
        spots += reading.spots
        comments += reading.comments
        if reading.unread is not None:
            unread.append(reading.unread)
    return PythonSql(tuple(spots), tuple(comments), tuple(unread))


def _queries(module: PythonModule) -> Iterator[_Query]:
    for node in module.names.nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in TAKERS:
            continue
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg in {"query", "sql"})]
        for argument in given[:1]:
            text = placed_text(module, argument)
            if text is not None and looks_like_sql(text.text):
                yield _Query(node, text)


def _settings(module: PythonModule) -> Iterator[Spot]:
    """``duckdb.connect(config={"preserve_insertion_order": False})``."""
    for node in module.names.nodes:
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if not (isinstance(key, ast.Constant) and isinstance(value, ast.Constant)):
                    continue
                is_setting = key.value == "preserve_insertion_order"
                if is_setting and str(value.value).lower() in OFF:
                    message = "preserve_insertion_order is turned off"
                    yield module.spot("insertion-order", key, message)


def _configures_one_thread(module: PythonModule) -> bool:
    return any(
        isinstance(key, ast.Constant)
        and key.value == "threads"
        and isinstance(value, ast.Constant)
        and str(value.value) == "1"
        for node in module.names.nodes
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
    )


def _is_ordered(module: PythonModule, query: _Query, queries: list[_Query]) -> bool:
    """Whether the rows are put in order later, or their order is not used."""
    node: ast.AST = query.call
    for above in module.names.above(query.call):
        if isinstance(above, ast.Attribute) and above.attr in ORDERING:
            return True
        if isinstance(above, ast.Call) and module.names.called(above) in ORDER_FREE:
            return True
        if isinstance(above, ast.SetComp):
            return True
        if not isinstance(above, ast.expr | ast.comprehension):
            break
        node = above
    statement = module.names.parents.get(node)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    # DuckDB takes the names of relations from the code: another query may order these rows.
    target = statement.targets[0]
    words = [set(_words(each.text.text)) for each in queries if each is not query]
    binding = module.names.binding_at(target)
    uses = [] if binding is None else module.names.uses(binding)
    return any(target.id in each for each in words) or any(_orders(module, use) for use in uses)


def _orders(module: PythonModule, use: ast.Name) -> bool:
    for above in module.names.above(use):
        if isinstance(above, ast.Attribute) and above.attr in ORDERING:
            return True
        if isinstance(above, ast.Call) and module.names.called(above) == "sorted":
            return True
        if not isinstance(above, ast.expr):
            return False
    return False


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
