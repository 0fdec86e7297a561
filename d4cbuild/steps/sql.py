"""SQL over tables, so that the answer does not depend on threads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from .refusal import refuse, some
from .shapes import marked, shape_columns

_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "preserve_insertion_order": True,
    # Nothing but the tables: no file, no network, no extension.
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def run_sql(tables: Mapping[str, pa.Table], query: str, parameters: Mapping[str, Any]) -> pa.Table:
    """Ask a question.

    Args:
        tables: Known to the query by their names.
        query: One statement, in the SQL of DuckDB.
        parameters: The recipe's parameters; ``$name`` in the query stands for one.

    Returns:
        The answer. Its columns of shapes are those that have the name of one in a table.
    """
    import duckdb

    used = sorted(set(_PARAMETER.findall(query)))
    if unknown := [name for name in used if name not in parameters]:
        refuse(
            "the query names parameters that are not there",
            expected=some(parameters) or "none are declared",
            found=some(unknown),
            hint="declare them under [parameters]",
        )
    with duckdb.connect(config=_SETTINGS) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        try:
            statements = connection.extract_statements(query)
            if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
                refuse("a query is one SELECT", found=query[:80], hint="a sql step for each")
            answer = connection.sql(query, params={name: parameters[name] for name in used})
            found = answer.to_arrow_table()
        except duckdb.Error as error:
            refuse("the query cannot be answered", found=str(error), hint=f"tables: {some(tables)}")
    return marked(found, _shapes(tables))


def _shapes(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in tables.values():
        for name, crs in shape_columns(table).items():
            # Of two columns with one name nobody knows which the query meant.
            found[name] = crs if found.get(name, crs) == crs else "unknown"
    return found
