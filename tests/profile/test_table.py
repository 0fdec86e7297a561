"""What is said of tables is so: compared with what is counted plainly."""

from __future__ import annotations

import decimal
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.errors import InputError
from d4cbuild.profile.distinct import MOST_DISTINCT
from d4cbuild.profile.record import ColumnProfile, TableProfile
from d4cbuild.profile.table import profile_table
from tests.memory import PEAK_KB

ROWS = 1_000


def profiled(folder: Path, columns: dict[str, Any], **options: Any) -> TableProfile:
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return profile_table(path)


def of(values: Any, folder: Path, **options: Any) -> ColumnProfile:
    (column,) = profiled(folder, {"column": values}, **options).columns
    return column


def test_numbers_are_counted_bounded_and_put_into_bars(tmp_path: Path) -> None:
    values = [n * n % 97 for n in range(ROWS)]
    column = of(pa.array([*values, None], pa.int16()), tmp_path, row_group_size=90)
    assert (column.type, column.nulls, column.distinct) == ("int16", 1, len(set(values)))
    assert (column.least, column.greatest) == (str(min(values)), str(max(values)))
    assert column.mean == pytest.approx(sum(values) / ROWS)
    counts = Counter(values)
    for bar in column.bars:
        within = range(int(bar.low), int(bar.high) + 1)
        assert bar.count == sum(counts[value] for value in within)
    assert sum(bar.count for bar in column.bars) == ROWS
    assert column.bars[-1].high == column.greatest


@pytest.mark.parametrize(
    "values",
    [
        [1.5, -2.25, 1e300, -1e300],
        [float("nan"), float("inf"), 3.0],
        [5e-324, 0.0, -0.0],
        [1.7e308, -1.7e308, 1.7e308, 1.7e308],
        [2**63 - 1, -(2**63), 0],
        [decimal.Decimal("1.10"), decimal.Decimal("-99.99")],
        [date(1, 1, 1), date(9999, 12, 31), date(2020, 2, 29)],
        [datetime(2020, 1, 1, tzinfo=UTC), datetime(1900, 5, 5, tzinfo=UTC)],
        [time(1, 2, 3), time(23, 59, 59, 999999)],
        [7],
        [float("nan")],
    ],
    ids=str,
)
def test_every_value_that_has_a_place_is_in_one_bar(values: list[Any], tmp_path: Path) -> None:
    column = of(pa.array([*values, None]), tmp_path)
    assert sum(bar.count for bar in column.bars) == len(values) - column.not_finite
    assert column.nulls == 1
    assert len(column.bars) <= 24


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=50))
def test_bars_of_whole_numbers_hold_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, values: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("bars")
    column = of(pa.array(values, pa.int32()), folder)
    for bar in column.bars:
        assert bar.count == sum(int(bar.low) <= value <= int(bar.high) for value in values)
    assert sum(bar.count for bar in column.bars) == len(values)


def test_the_most_frequent_texts_come_first_with_their_counts(tmp_path: Path) -> None:
    values = ["b"] * 5 + ["a"] * 5 + ["ç"] * 9 + ["rare", None, ""]
    column = of(values, tmp_path)
    top = [(each.value, each.count) for each in column.top]
    assert top == [("ç", 9), ("a", 5), ("b", 5), ('""', 1), ("rare", 1)]
    assert (column.shortest, column.longest, column.distinct) == (0, 4, 5)


def test_texts_that_are_nearly_all_different_have_examples_instead(tmp_path: Path) -> None:
    column = of([f"name {n}" for n in range(ROWS)], tmp_path)
    assert column.top == ()
    assert column.distinct == ROWS
    assert len(column.examples) == 3


def test_a_sparse_column_still_has_examples(tmp_path: Path) -> None:
    values: list[str | None] = [None] * ROWS
    values[ROWS - 1] = "the only one"
    assert of(values, tmp_path, row_group_size=10).examples == ("the only one",)


def test_too_many_different_values_are_not_counted_wrongly(tmp_path: Path) -> None:
    exact = of(np.arange(MOST_DISTINCT), tmp_path)
    assert exact.distinct == MOST_DISTINCT
    more = of(np.arange(MOST_DISTINCT + 1), tmp_path)
    assert more.distinct is None


def test_columns_of_every_kind_can_be_shown(tmp_path: Path) -> None:
    columns = {
        "list": pa.array([[1, None], None, []], pa.list_(pa.int8())),
        "struct": pa.array([{"a": 1}, None, {"a": None}]),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int8())),
        "binary": pa.array([b"\x00\xff", b"", None]),
        "dictionary": pa.array(["x", None, "x"]).dictionary_encode(),
        "large": pa.array(["x", None, "y"], pa.large_string()),
        "null": pa.nulls(3),
        "duration": pa.array([1, None, 3], pa.duration("s")),
        "nanoseconds": pa.array([1, 2, None], pa.timestamp("ns")),
        "half": pa.array([np.float16(1.5), None, np.float16(2.5)]),
        "boolean": pa.array([True, False, None]),
    }
    found = {column.name: column for column in profiled(tmp_path, columns).columns}
    assert list(found) == list(columns)
    assert {name: column.nulls for name, column in found.items()} == {
        name: array.null_count for name, array in columns.items()
    }
    assert [each.value for each in found["boolean"].top] == []
    assert found["dictionary"].top[0].count == 2


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_table_and_one_row_can_be_shown(rows: int, tmp_path: Path) -> None:
    columns = {"n": pa.array([1] * rows, pa.int8()), "t": pa.array(["x"] * rows, pa.string())}
    found = profiled(tmp_path, columns)
    assert found.rows == rows
    assert [column.distinct for column in found.columns] == [rows, rows]


def test_row_groups_and_bytes_are_those_of_the_footer(tmp_path: Path) -> None:
    found = profiled(tmp_path, {"a": range(ROWS), "b.c": ["x"] * ROWS}, row_group_size=300)
    assert [group.rows for group in found.layout.groups] == [300, 300, 300, 100]
    whole = sum(group.size for group in found.layout.groups)
    assert whole == sum(column.stored.size for column in found.columns)
    assert min(column.stored.size for column in found.columns) > 0


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": range(ROWS)}), path)
    path.write_bytes(path.read_bytes()[:200] + b"\xff" * 40 + path.read_bytes()[240:])
    with pytest.raises(InputError) as caught:
        profile_table(path)
    assert caught.value.where == str(path)


PROFILING = f"""
import sys
from pathlib import Path
from d4cbuild.profile.table import profile_table
found = profile_table(Path(sys.argv[1]), draw=True)
assert found.rows == int(sys.argv[2])
print({PEAK_KB} // 1024)
"""


def peak_mib(path: Path, rows: int) -> int:
    command = [sys.executable, "-c", PROFILING, str(path), str(rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_file_larger_than_what_is_held_takes_no_more_memory(tmp_path: Path) -> None:
    row = pa.table({"text": ["x" * 4_000], "number": [1.5], "list": [[1] * 500]})
    small, large = tmp_path / "small", tmp_path / "large"
    for path, groups in ((small, 4), (large, 50)):
        chunk = pa.concat_tables([row] * 1_000).combine_chunks()
        with pq.ParquetWriter(path, row.schema, use_dictionary=False) as writer:
            for _ in range(groups):
                writer.write_table(chunk)
    # 32 MB and 400 MB once they are decoded.
    assert peak_mib(large, 50_000) < peak_mib(small, 4_000) + 100
