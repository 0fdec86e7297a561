"""The content digest: of the table, and of nothing else."""

import math
import struct
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform.content import RUN_ROWS, ContentDigest, content_digest

from .slow_digest import Column, slow_digest
from .tables import arrow_table, other_storage, tables, with_garbage


@settings(max_examples=80, deadline=None)
@given(tables())
def test_the_fast_and_the_slow_implementation_agree(made: list[Column]) -> None:
    assert content_digest(arrow_table(made)) == slow_digest(made)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_storage_types_chunks_and_offsets_do_not_matter(data: st.DataObject) -> None:
    made = data.draw(tables())
    other = data.draw(other_storage(made))
    assert content_digest(other) == slow_digest(made)


@settings(max_examples=30, deadline=None)
@given(tables(), st.lists(st.integers(0, 12), max_size=4))
def test_pieces_of_any_size_give_one_digest(made: list[Column], cuts: list[int]) -> None:
    table = arrow_table(made)
    digest = ContentDigest(table.schema)
    edges = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    for start, end in pairwise(edges):
        digest.update(table.slice(start, end - start))
    assert digest.hexdigest() == content_digest(table)


@pytest.mark.parametrize("rows", [RUN_ROWS - 1, RUN_ROWS, RUN_ROWS + 1, 2 * RUN_ROWS + 5])
def test_many_runs_agree_with_the_slow_implementation(rows: int) -> None:
    made: list[Column] = [
        ("id", {"kind": "int32"}, False, list(range(rows))),
        (
            "text",
            {"kind": "string"},
            True,
            [None if i % 7 == 0 else str(i % 99) for i in range(rows)],
        ),
    ]
    table = arrow_table(made)
    assert content_digest(table) == slow_digest(made)
    digest = ContentDigest(table.schema)
    for start in range(0, rows, 50_000):
        digest.update(table.slice(start, 50_000))
    assert digest.hexdigest() == slow_digest(made)


@pytest.mark.parametrize("arrow", [pa.int8(), pa.int64(), pa.float32(), pa.float64(), pa.date32()])
def test_what_lies_in_null_slots_does_not_matter(arrow: pa.DataType) -> None:
    mask = [False, True, False, True, True]
    one = with_garbage(pa.array([1, 2, 3, 4, 5], pa.int32()).cast(arrow, safe=False), mask)
    other = with_garbage(pa.array([1, 9, 3, 8, 7], pa.int32()).cast(arrow, safe=False), mask)
    assert content_digest(pa.table({"c": one})) == content_digest(pa.table({"c": other}))


def test_what_lies_behind_null_lists_does_not_matter() -> None:
    offsets = pa.array([0, 2, 4, 5], pa.int32())
    values = pa.array([1, 2, 3, 4, 5])
    lists = pa.ListArray.from_arrays(offsets, values, mask=pa.array([False, True, False]))
    assert lists.values.to_pylist() == [1, 2, 3, 4, 5]
    clean = pa.array([[1, 2], None, [5]])
    assert content_digest(pa.table({"c": lists})) == content_digest(pa.table({"c": clean}))


def test_what_lies_behind_null_structures_does_not_matter() -> None:
    children = [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    mask = pa.array([False, True, False])
    hidden = pa.StructArray.from_arrays(children, ["x", "y"], mask=mask)
    clean = pa.array([{"x": 1, "y": "a"}, None, {"x": 3, "y": "c"}])
    assert content_digest(pa.table({"c": hidden})) == content_digest(pa.table({"c": clean}))


def test_every_nan_is_one_nan_and_both_zeros_are_one() -> None:
    odd = struct.pack("<4d", -0.0, -math.nan, 1.0, math.nan)[:24] + b"\x01\0\0\0\0\0\xf0\xff"
    one = pa.table({"c": np.frombuffer(odd, "<f8")})
    other = pa.table({"c": [0.0, math.nan, 1.0, math.nan]})
    assert content_digest(one) == content_digest(other)


def differing() -> list[tuple[str, pa.Table, pa.Table]]:
    base = pa.table({"a": [1, 2, None]})
    strict = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    return [
        ("a value", base, pa.table({"a": [1, 3, None]})),
        ("the row order", base, pa.table({"a": [2, 1, None]})),
        ("a null for a zero", base, pa.table({"a": [1, 2, 0]})),
        ("a name", base, base.rename_columns(["b"])),
        ("a type", base, base.cast(pa.schema([("a", pa.int32())]))),
        ("nullability", base.slice(0, 2), base.slice(0, 2).cast(strict)),
        ("a row more", base, pa.table({"a": [1, 2, None, None]})),
        ("an empty text for a null", pa.table({"a": ["", "x"]}), pa.table({"a": [None, "x"]})),
        ("where texts part", pa.table({"a": ["ab", "c"]}), pa.table({"a": ["a", "bc"]})),
        ("an empty list for a null", pa.table({"a": [[1], []]}), pa.table({"a": [[1], None]})),
        ("where lists part", pa.table({"a": [[1, 2], [3]]}), pa.table({"a": [[1], [2, 3]]})),
        ("text for bytes", pa.table({"a": ["x"]}), pa.table({"a": [b"x"]})),
        ("scale", pa.table({"a": [Decimal("1.0")]}), pa.table({"a": [Decimal("10")]})),
    ]  # fmt: skip


@pytest.mark.parametrize("what", [what for what, _, _ in differing()])
def test_a_change_changes_the_digest(what: str) -> None:
    ((one, other),) = [tables for name, *tables in differing() if name == what]
    assert content_digest(one) != content_digest(other)


def test_curious_field_names_are_told_apart_from_several_fields() -> None:
    one = pa.table({"c": pa.array([], pa.struct([("a:int8,b", pa.int8())]))})
    other = pa.table({"c": pa.array([], pa.struct([("a", pa.int8()), ("b", pa.int8())]))})
    assert content_digest(one) != content_digest(other)


def test_a_table_without_columns_and_rows_has_a_digest() -> None:
    assert content_digest(pa.table({})) == slow_digest([])


@pytest.mark.parametrize(
    "arrow", [pa.duration("s"), pa.float16(), pa.null(), pa.decimal256(50, 1), pa.struct([])]
)
def test_a_type_without_a_normal_form_is_refused(arrow: pa.DataType) -> None:
    with pytest.raises(ValueError, match="has no normal form"):
        content_digest(pa.table({"c": pa.nulls(1, arrow)}))


def test_a_time_stamp_finer_than_microseconds_is_refused() -> None:
    table = pa.table({"c": pa.array([1], pa.timestamp("ns"))})
    with pytest.raises(ValueError, match="lose data"):
        content_digest(table)
