"""The file: read back by others, with indexes and statistics that are right."""

import io
import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from d4cbuild.normalform import Declaration, DeclarationBroken, content_digest, write_table
from d4cbuild.normalform.encoding import (
    DECIMAL_MINIMUM,
    FIRST_DISTINCT,
    ZSTD_LEVEL,
    column_encodings,
)
from d4cbuild.normalform.footer import CREATED_BY, EncodedGroup
from d4cbuild.normalform.thrift import Struct, decode
from d4cbuild.normalform.write import ROW_GROUP_ROWS

from .slow_digest import Column
from .tables import arrow_table, declared, tables

MANY = np.arange(DECIMAL_MINIMUM)


def written(table: pa.Table, *sort_by: str, workers: int = 1) -> bytes:
    out = io.BytesIO()
    keys = sort_by or (table.column_names[0],)
    write_table(table, out, Declaration.of_schema(table.schema, keys), workers)
    return out.getvalue()


def read(data: bytes) -> pa.Table:
    return pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True).read()


def metadata(data: bytes) -> Any:
    return pq.ParquetFile(io.BytesIO(data)).metadata


def thrift_footer(data: bytes) -> Struct:
    return EncodedGroup(memoryview(data)).metadata()


def column_chunk(data: bytes, group: int, leaf: int) -> Struct:
    chunk: Struct = thrift_footer(data).get(4).values[group].get(1).values[leaf]
    return chunk


def pages(data: bytes, group: int, leaf: int) -> list[tuple[int, int, int]]:
    """Offset, size and first row of each page, by the offset index."""
    chunk = column_chunk(data, group, leaf)
    start, length = chunk.get(4), chunk.get(5)
    locations = decode(data[start : start + length]).get(1).values
    return [(place.get(1), place.get(2), place.get(3)) for place in locations]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_any_table_is_read_back_equal(made: list[Column]) -> None:
    out = io.BytesIO()
    result = write_table(arrow_table(made), out, declared(made))
    back = read(out.getvalue())
    assert back.schema.equals(arrow_table(made).schema, check_metadata=False)
    assert content_digest(back) == result.content == content_digest(arrow_table(made))


@settings(max_examples=30, deadline=None)
@given(tables())
def test_normalising_a_file_again_gives_the_same_file(made: list[Column]) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write_table(arrow_table(made), first, declared(made))
    write_table(read(first.getvalue()), second, declared(made))
    assert second.getvalue() == first.getvalue()


def wide_table(rows: int) -> pa.Table:
    ids = np.arange(rows, dtype=np.int64)
    lists = pa.ListArray.from_arrays(
        pa.array(np.minimum(np.arange(rows + 1) * 3, rows * 3), pa.int32()),
        pa.array(np.arange(rows * 3) % 1000, pa.int64()),
    )
    return pa.table(
        {
            "id": ids,
            "group": pa.array([f"g{i % 10}" for i in range(rows)]),
            "text": pa.array([f"text {i * 7919 % rows}" for i in range(rows)]),
            "value": pa.array(ids / 3, mask=ids % 11 == 0),
            "bytes": pa.array([b"%d" % i for i in range(rows)]),
            "parts": lists,
            "inner": pa.StructArray.from_arrays([pa.array(ids), lists], ["a", "b"]),
        }
    )


@pytest.fixture(scope="module")
def big() -> tuple[pa.Table, bytes]:
    table = wide_table(2 * ROW_GROUP_ROWS + 7)
    return table, written(table)


def test_row_groups_are_full_but_the_last(big: tuple[pa.Table, bytes]) -> None:
    found = metadata(big[1])
    sizes = [found.row_group(i).num_rows for i in range(found.num_row_groups)]
    assert sizes == [ROW_GROUP_ROWS, ROW_GROUP_ROWS, 7]


def test_a_big_file_is_read_back_equal_by_pyarrow_and_duckdb(
    big: tuple[pa.Table, bytes], tmp_path: Path
) -> None:
    table, data = big
    assert read(data).cast(table.schema).equals(table)
    path = tmp_path / "big.parquet"
    path.write_bytes(data)
    back = duckdb.sql(f"select * from '{path}' order by id").to_arrow_table()
    assert content_digest(back.cast(table.schema)) == content_digest(table)


def test_duckdb_finds_the_same_rows_by_filters_on_every_column(
    big: tuple[pa.Table, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "big.parquet"
    path.write_bytes(big[1])
    rows = big[0].num_rows
    for where, wanted in (
        ("id = 150000", 1),
        ("id >= 122870 and id < 122890", 20),
        (f"id >= {rows}", 0),
        ("\"group\" = 'g3' and id < 100", 10),
        ("\"group\" = 'h'", 0),
        ("text = 'text 7919'", 1),
        ("value is null and id < 110", 10),
        ("value = 4.0 / 3", 1),
        ('"inner".a = 200000', 1),
    ):
        found = duckdb.sql(f"select count(*) from '{path}' where {where}").fetchall()
        assert found == [(wanted,)], where


def test_a_column_of_a_row_group_is_one_page_whatever_the_nesting(
    big: tuple[pa.Table, bytes],
) -> None:
    for group in range(3):
        for leaf in range(metadata(big[1]).row_group(group).num_columns):
            starts = [first for _, _, first in pages(big[1], group, leaf)]
            assert starts == [0], (group, leaf)


def test_the_offset_index_points_at_data_pages(big: tuple[pa.Table, bytes]) -> None:
    _, data = big
    for group in range(3):
        for leaf in range(metadata(data).row_group(group).num_columns):
            for offset, size, _ in pages(data, group, leaf):
                header = decode(data[offset : offset + size])
                assert header.get(1) == 0  # DATA_PAGE
                assert header.get(4) is not None  # its checksum
            first = pages(data, group, leaf)[0][0]
            assert first == column_chunk(data, group, leaf).get(3).get(9)


def test_the_column_index_brackets_every_page(big: tuple[pa.Table, bytes]) -> None:
    table, data = big
    for group in range(3):
        chunk = column_chunk(data, group, 0)
        start, length = chunk.get(6), chunk.get(7)
        index = decode(data[start : start + length])
        low, high = index.get(2).values, index.get(3).values
        first = group * ROW_GROUP_ROWS
        last = min(first + ROW_GROUP_ROWS, table.num_rows) - 1
        assert [int.from_bytes(value, "little") for value in low] == [first]
        assert [int.from_bytes(value, "little") for value in high] == [last]


def test_statistics_are_those_of_the_rows(big: tuple[pa.Table, bytes]) -> None:
    table, data = big
    found = metadata(data)
    for group in range(3):
        part = table.slice(group * ROW_GROUP_ROWS, ROW_GROUP_ROWS)
        ids = found.row_group(group).column(0).statistics
        assert (ids.min, ids.max) == (part["id"][0].as_py(), part["id"][-1].as_py())
        assert found.row_group(group).column(3).statistics.null_count == part["value"].null_count


def test_the_footer_says_nothing_of_who_wrote_it(big: tuple[pa.Table, bytes]) -> None:
    found = metadata(big[1])
    assert found.created_by == CREATED_BY.decode()
    assert found.metadata is None
    assert found.format_version == "2.6"
    assert b"ARROW:schema" not in big[1]
    assert b"parquet-cpp" not in big[1]


def test_the_order_is_recorded(big: tuple[pa.Table, bytes]) -> None:
    for group in range(3):
        (order,) = metadata(big[1]).row_group(group).sorting_columns
        assert (order.column_index, order.descending, order.nulls_first) == (0, False, False)


def test_the_recorded_order_counts_leaf_columns() -> None:
    inner = pa.array([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    table = pa.table({"inner": inner, "n": [1, 1], "id": [2, 1]})
    data = written(table, "n", "id")
    orders = metadata(data).row_group(0).sorting_columns
    assert [order.column_index for order in orders] == [2, 3]


def test_encodings_follow_the_rule(big: tuple[pa.Table, bytes]) -> None:
    found = metadata(big[1]).row_group(0)
    encodings = {
        found.column(i).path_in_schema: found.column(i).encodings for i in range(found.num_columns)
    }
    assert "DELTA_BINARY_PACKED" in encodings["id"]
    assert "RLE_DICTIONARY" in encodings["group"]
    assert "DELTA_LENGTH_BYTE_ARRAY" in encodings["text"]
    assert encodings["bytes"] == ("RLE", "PLAIN")
    assert "BYTE_STREAM_SPLIT" in encodings["value"]
    assert "RLE_DICTIONARY" in encodings["parts.list.element"]
    assert "DELTA_BINARY_PACKED" in encodings["inner.a"]
    assert "RLE_DICTIONARY" in encodings["inner.b.list.element"]
    assert {found.column(i).compression for i in range(found.num_columns)} == {"ZSTD"}


@pytest.mark.parametrize(
    ("distinct", "rows", "arrow", "wanted"),
    [
        (12_500, 100_000, pa.int64(), True),
        (12_501, 100_000, pa.int64(), False),
        (12_500, 100_000, pa.string(), True),
        (12_501, 100_000, pa.string(), False),
        (12_500, 100_000, pa.float64(), True),
        (12_501, 100_000, pa.float64(), False),
        (15_360, ROW_GROUP_ROWS, pa.string(), True),
        (15_361, ROW_GROUP_ROWS, pa.string(), False),
        (1, 1, pa.string(), False),
        (1, 7, pa.string(), False),
        (1, 8, pa.string(), True),
        (1, 7, pa.int8(), False),
        (1, 8, pa.int8(), True),
        (1, 7, pa.float32(), False),
        (1, 8, pa.float32(), True),
        (2, 100, pa.bool_(), False),
    ],
)
def test_dictionaries_are_for_columns_with_few_distinct_values(
    distinct: int, rows: int, arrow: pa.DataType, wanted: bool
) -> None:
    values = pa.array(np.sort(np.arange(rows) % distinct))
    values = values.cast(pa.bool_()) if pa.types.is_boolean(arrow) else values.cast(arrow)
    data = written(pa.table({"id": np.arange(rows), "c": values}))
    assert ("RLE_DICTIONARY" in metadata(data).row_group(0).column(1).encodings) is wanted


def test_first_values_that_hardly_repeat_mean_no_dictionary() -> None:
    ids = np.arange(100_000)
    for distinct, wanted in ((FIRST_DISTINCT, True), (FIRST_DISTINCT + 1, False)):
        data = written(pa.table({"id": ids, "c": [f"{i % distinct}" for i in ids]}))
        assert ("RLE_DICTIONARY" in metadata(data).row_group(0).column(1).encodings) is wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (MANY / 1e6, "PLAIN"),
        (-MANY / 1e6 - 75.5, "PLAIN"),
        (MANY[1:] / 1e6, "BYTE_STREAM_SPLIT"),
        (MANY / 1e7, "BYTE_STREAM_SPLIT"),
        (MANY * 1.0, "BYTE_STREAM_SPLIT"),
        (np.append(MANY, 0.5), "PLAIN"),
        (np.append(MANY + 0.5, math.inf), "BYTE_STREAM_SPLIT"),
        (np.append(MANY + 0.5, math.nan), "BYTE_STREAM_SPLIT"),
        (np.append(MANY + 0.5, 2.0**53 / 1e6), "PLAIN"),
        (np.append(MANY + 0.5, 2.0**54 / 1e6), "BYTE_STREAM_SPLIT"),
        (np.sqrt(MANY), "BYTE_STREAM_SPLIT"),
        ((MANY + 0.5).astype(np.float32), "BYTE_STREAM_SPLIT"),
    ],
)
def test_many_decimal_fractions_are_left_whole_and_other_floats_split(
    values: Any, wanted: str
) -> None:
    data = written(pa.table({"id": np.arange(len(values)), "c": values}))
    assert metadata(data).row_group(0).column(1).encodings == ("RLE", wanted)


@pytest.mark.parametrize(
    ("values", "short"),
    [
        ([f"{i:08}" for i in range(1000)], True),
        ([f"{i:09}" for i in range(1000)], False),
        ([f"{i:08}" for i in range(1000)] + [None] * 9, True),
        ([b"%032d" % i for i in range(1000)], True),
        ([b"%033d" % i for i in range(1000)], False),
        ([None, None], True),
    ],
)
def test_short_texts_and_bytes_are_not_searched_for_long(values: list[Any], short: bool) -> None:
    kind = pa.binary() if isinstance(values[0], bytes) else pa.string()
    table = pa.table({"c": pa.array(values, kind)})
    assert (column_encodings(table).levels["c"] < ZSTD_LEVEL) is short


def test_bytes_have_neither_minimum_nor_maximum_and_texts_have() -> None:
    table = pa.table({"id": [1, 2], "text": ["a", "b"], "bytes": [b"a", b"b"]})
    found = metadata(written(table)).row_group(0)
    assert [found.column(i).is_stats_set for i in range(3)] == [True, True, False]


def test_nulls_do_not_count_towards_a_dictionary() -> None:
    eight = pa.array(["a"] * 8 + [None] * 2)
    seven = pa.array(["a"] * 7 + [None] * 3)
    data = written(pa.table({"id": range(10), "eight": eight, "seven": seven}))
    encodings = [metadata(data).row_group(0).column(i).encodings for i in (1, 2)]
    assert ["RLE_DICTIONARY" in found for found in encodings] == [True, False]


def test_distinct_values_after_the_first_rows_count_for_a_dictionary_too() -> None:
    values = np.concatenate([np.zeros(20_000), np.arange(40_000)])
    late = written(pa.table({"id": np.arange(60_000), "c": values}))
    early = written(pa.table({"id": np.arange(60_000), "c": values[::-1].copy()}))
    few = written(pa.table({"id": np.arange(60_000), "c": np.minimum(values, 7_000)}))
    found = [metadata(data).row_group(0).column(1).encodings for data in (late, early, few)]
    assert ["RLE_DICTIONARY" in encodings for encodings in found] == [False, False, True]


def test_a_table_without_rows_is_a_file_without_row_groups() -> None:
    table = wide_table(5).slice(0, 0)
    data = written(table)
    assert metadata(data).num_row_groups == 0
    assert read(data).cast(table.schema).equals(table)


@pytest.mark.parametrize(
    "arrow",
    [pa.int8(), pa.float64(), pa.string(), pa.bool_(), pa.date32(), pa.decimal128(38, 5),
     pa.list_(pa.int64()), pa.struct([("a", pa.string())]), pa.map_(pa.string(), pa.bool_())],
    ids=str,
)  # fmt: skip
def test_a_column_of_nothing_but_nulls_is_read_back(arrow: pa.DataType, tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2, 3], "c": pa.nulls(3, arrow)})
    data = written(table)
    assert read(data)["c"].null_count == 3
    (tmp_path / "n.parquet").write_bytes(data)
    found = duckdb.sql(f"select count(*) from '{tmp_path}/n.parquet' where c is null").fetchall()
    assert found == [(3,)]


def test_a_column_of_nothing_but_nan_is_read_back() -> None:
    rows = ROW_GROUP_ROWS + 5
    values = np.full(rows, math.nan)
    values[:5] = 1.0
    table = pa.table({"id": np.arange(rows), "all": np.full(rows, math.nan), "most": values})
    back = read(written(table))
    assert np.isnan(back["all"].to_numpy()).all()
    assert np.isnan(back["most"].to_numpy()).sum() == rows - 5


def test_nan_does_not_hide_rows_from_duckdb(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2, 3], "c": [1.0, math.nan, 3.0]})
    (tmp_path / "f.parquet").write_bytes(written(table))
    for where, wanted in (("c = 3", [3]), ("isnan(c)", [2]), ("c < 2", [1])):
        rows = duckdb.sql(f"select id from '{tmp_path}/f.parquet' where {where}").fetchall()
        assert [row for (row,) in rows] == wanted, where


def test_very_long_texts_are_read_back(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2, 3], "c": ["é" * 5_000_000, "", "z" * 9_000]})
    data = written(table)
    assert read(data).equals(table)
    (tmp_path / "l.parquet").write_bytes(data)
    query = f"select id from '{tmp_path}/l.parquet' where c = repeat('z', 9000)"
    assert duckdb.sql(query).fetchall() == [(3,)]


def test_long_lists_are_read_back() -> None:
    rows = ROW_GROUP_ROWS + 100
    lengths = np.arange(rows) % 5
    lengths[7] = 60_000
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = pa.array(np.arange(offsets[-1]), pa.int64())
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    table = pa.table({"id": np.arange(rows), "c": lists})
    data = written(table)
    assert read(data).cast(table.schema).equals(table)
    assert [first for _, _, first in pages(data, 0, 1)] == [0]


def test_a_failed_write_leaves_neither_a_file_nor_half_of_one(tmp_path: Path) -> None:
    where = tmp_path / "t.parquet"
    where.write_bytes(b"what was there before")
    table = pa.table({"c": [1, 1]})
    with pytest.raises(DeclarationBroken):
        write_table(table, where, Declaration.of_schema(table.schema, ("c",)))
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
    assert where.read_bytes() == b"what was there before"
    write_table(table.slice(1), where, Declaration.of_schema(table.schema, ("c",)))
    assert pq.read_table(where).num_rows == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_columns_whose_names_hold_dots_keep_their_own_encodings() -> None:
    rows = 100
    table = pa.table({"a.b": [f"{i}" for i in range(rows)], "a": ["x"] * rows})
    found = metadata(written(table)).row_group(0)
    assert "RLE_DICTIONARY" not in found.column(0).encodings
    assert "RLE_DICTIONARY" in found.column(1).encodings


def test_columns_with_one_path_are_refused() -> None:
    table = pa.table({"id": [1], "a.b": [1], "a": [{"b": 2}]})
    with pytest.raises(DeclarationBroken, match=r"its path a\.b is also that of column a\.b"):
        written(table)


def test_only_row_groups_with_nan_go_without_statistics() -> None:
    rows = ROW_GROUP_ROWS + 10
    values = np.arange(rows, dtype=np.float64)
    values[rows - 1] = math.nan
    inner = pa.StructArray.from_arrays([pa.array(values), pa.array(values[::-1])], ["a", "b"])
    data = written(pa.table({"id": np.arange(rows), "inner": inner}))
    found = metadata(data)
    statistics = {
        (group, found.row_group(group).column(leaf).path_in_schema): found.row_group(group)
        .column(leaf)
        .is_stats_set
        for group in range(2)
        for leaf in range(3)
    }
    assert [key for key, there in statistics.items() if not there] == [
        (0, "inner.b"),
        (1, "inner.a"),
    ]
    assert column_chunk(data, 1, 1).get(6) is None
    assert column_chunk(data, 1, 1).get(4) is not None


def test_texts_of_more_than_4096_bytes_are_no_minimum_or_maximum() -> None:
    for length, stated in ((4096, True), (4097, False)):
        data = written(pa.table({"id": [1, 2], "c": ["z" * length, "a"]}))
        chunk = column_chunk(data, 0, 1)
        found = chunk.get(3).get(12)
        assert found.get(6) == b"a"
        assert (found.get(5) is not None) is stated
        assert (chunk.get(6) is not None) is stated
