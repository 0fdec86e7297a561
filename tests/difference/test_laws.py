"""Laws that hold for any table: nothing is found where nothing is, and all of what is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
LEAVES = [
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float64(), st.floats(allow_nan=False).map(lambda x: x + 0.0)),
    (pa.float32(), st.floats(width=32, allow_nan=False).map(lambda x: x + 0.0)),
    (pa.string(), TEXTS),
    (pa.binary(), st.binary(max_size=4)),
    (pa.bool_(), st.booleans()),
    (pa.list_(pa.string()), st.lists(st.none() | TEXTS, max_size=3)),
    (pa.list_(pa.list_(pa.int8())), st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2)),
    (
        pa.struct({"x": pa.int16(), "y": pa.string()}),
        st.fixed_dictionaries({"x": st.none() | st.integers(0, 9), "y": st.none() | TEXTS}),
    ),
]


@st.composite
def tables(draw: Any) -> tuple[pa.Schema, dict[str, list[Any]], dict[str, Any]]:
    """A schema, columns with a key ``id``, and what each column's values are drawn from."""
    rows = draw(st.integers(1, 30))
    chosen = draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=4))
    schema = pa.schema({"id": pa.int64(), **{f"c{i}": kind for i, (kind, _) in enumerate(chosen)}})
    values = {f"c{i}": st.none() | drawn for i, (_, drawn) in enumerate(chosen)}
    columns: dict[str, list[Any]] = {"id": list(range(rows))}
    for name, drawn in values.items():
        columns[name] = draw(st.lists(drawn, min_size=rows, max_size=rows))
    return schema, columns, values


def differ(a: pa.Table, b: pa.Table, **options: Any) -> Difference:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "a"), Path(folder, "b")
        pq.write_table(a, first, compression="none")
        pq.write_table(b, second, row_group_size=options.pop("group", 1000))
        return compare(first, second, DiffOptions(key=("id",), examples=10_000, **options))


@settings(max_examples=30, deadline=None)
@given(
    tables(), st.integers(1, 40), st.randoms(use_true_random=False), st.sampled_from([1, 1 << 28])
)
def test_a_table_has_no_difference_to_itself_however_written_and_ordered(
    drawn: Any, group: int, chance: Any, memory: int
) -> None:
    schema, columns, _ = drawn
    table = pa.table(columns, schema=schema)
    assert differ(table, table, group=group, memory=memory).verdict in ("equivalent", "identical")
    order = list(range(table.num_rows))
    chance.shuffle(order)
    found = differ(table, table.take(order), group=group, memory=memory)
    assert {f.name for f in found.findings} <= {"row-order", "encoding", "footer"}
    assert (found.rows is None or found.rows.moved > 0) == (order != sorted(order))


@settings(max_examples=80, deadline=None)
@given(st.data(), tables(), st.booleans(), st.sampled_from([1, 1 << 28]))
def test_the_cells_that_were_changed_are_those_that_are_named(
    data: Any, drawn: Any, shuffled: bool, memory: int
) -> None:
    schema, columns, values = drawn
    before = pa.table(columns, schema=schema)
    changed = set()
    for name, strategy in values.items():
        rows = data.draw(st.sets(st.integers(0, before.num_rows - 1), max_size=4))
        for row in rows:
            value = data.draw(strategy)
            if value != columns[name][row]:
                columns = {**columns, name: [*columns[name]]}
                columns[name][row] = value
                changed.add((name, row))
    gone = data.draw(st.sets(st.integers(0, before.num_rows - 1), max_size=2))
    kept = [row for row in range(before.num_rows) if row not in gone]
    if shuffled:
        kept = data.draw(st.permutations(kept))
    after = pa.table(columns, schema=schema).take(pa.array(kept, pa.int64()))
    found = differ(before, after, memory=memory)
    named = {(f.column, e.row_a) for f in found.findings if f.of == "cells" for e in f.examples}
    assert named == {(name, row) for name, row in changed if row not in gone}
    assert found.rows is not None
    assert found.rows.cells == len(named)
    assert (found.rows.removed, found.rows.added) == (len(gone), 0)
    rows = {(e.row_a, kept[e.row_b]) for f in found.findings if f.of == "cells" for e in f.examples
            if e.row_b is not None}  # fmt: skip
    assert all(a == b for a, b in rows)
