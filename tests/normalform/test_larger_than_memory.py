"""What does not fit into memory goes by way of files, and comes out the same."""

import hashlib
import io
import json
import math
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform import Declaration, DeclarationBroken, write_table
from d4cbuild.normalform.order import KeySorter, Runs
from d4cbuild.normalform.reading import ParquetSource, TableSource
from d4cbuild.normalform.scatter import Partitions
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.normalform.write import ROW_GROUP_ROWS
from tests.memory import PEAK_KB

from .golden_tables import cases
from .pyarrows import ROOT
from .slow_digest import Column
from .tables import arrow_table, declared, tables

NOTHING = 1
"""So few bytes of memory that everything goes by way of files."""


def result_of(rows: Any, declaration: Declaration, **options: Any) -> tuple[str, Any]:
    out = io.BytesIO()
    written = write_table(rows, out, declaration, **options)
    return hashlib.sha256(out.getvalue()).hexdigest(), written


@pytest.mark.parametrize("name", sorted(cases()))
@pytest.mark.parametrize("workers", [1, 3])
def test_golden_tables_come_out_the_same_by_way_of_files(
    name: str, workers: int, tmp_path: Path
) -> None:
    table, keys = cases()[name]
    declaration = Declaration.of_schema(table.schema, keys)
    rows = np.random.default_rng(5).permutation(table.num_rows)
    shuffled = table.take(pa.array(rows))
    small = result_of(shuffled, declaration, memory=NOTHING, workers=workers, scratch=tmp_path)
    assert small == result_of(table, declaration)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_table_comes_out_the_same_by_way_of_files(data: st.DataObject) -> None:
    made: list[Column] = data.draw(tables())
    places = data.draw(st.permutations(range(len(made[0][3]))))
    table = arrow_table(made)
    shuffled = table.take(pa.array(places, pa.int64()))
    small = result_of(shuffled, declared(made), memory=NOTHING)
    assert small == result_of(table, declared(made))


def big_table(rows: int) -> pa.Table:
    ids = np.random.default_rng(1).permutation(rows)
    return pa.table(
        {
            "id": ids,
            "text": [f"t{i % 5000}" for i in ids],
            "v": pa.array(ids / 7, mask=ids % 9 == 0),
        }
    )


@pytest.mark.parametrize("rows", [1, ROW_GROUP_ROWS, 3 * ROW_GROUP_ROWS + 17])
def test_many_row_groups_come_out_the_same_from_a_table_and_from_a_file(
    rows: int, tmp_path: Path
) -> None:
    table = big_table(rows)
    declaration = Declaration.of_schema(table.schema, ("id",))
    wanted = result_of(table, declaration)
    path = tmp_path / "in.parquet"
    pq.write_table(table, path, row_group_size=50_000)
    for source in (table, path, ParquetSource(path), TableSource(table)):
        for memory in (NOTHING, 8 << 20, 1 << 30):
            assert result_of(source, declaration, memory=memory, workers=2) == wanted


@pytest.mark.parametrize(("most", "files"), [(1, 1), (2, 2), (3, 2), (4, 4), (256, 4)])
def test_where_there_are_too_many_row_groups_a_file_has_several(
    most: int, files: int, tmp_path: Path
) -> None:
    rows = 3 * ROW_GROUP_ROWS + 17
    table = big_table(rows)
    order = np.argsort(table.column("id").to_numpy())
    partitions = Partitions(tmp_path, table.schema, order, most)
    for start in range(0, rows, 50_000):
        partitions.add(table.slice(start, 50_000))
    partitions.close()
    assert len(list(tmp_path.iterdir())) == files
    groups = [group() for group in partitions.row_groups()]
    assert [group.num_rows for group in groups] == [*[ROW_GROUP_ROWS] * 3, 17]
    assert pa.concat_tables(groups).equals(table.take(pa.array(order)))
    assert list(tmp_path.iterdir()) == []


def test_rows_already_in_order_come_out_the_same(tmp_path: Path) -> None:
    table = big_table(2 * ROW_GROUP_ROWS + 5).sort_by("id")
    declaration = Declaration.of_schema(table.schema, ("id",))
    small = result_of(table, declaration, memory=NOTHING, scratch=tmp_path, workers=2)
    assert small == result_of(table, declaration)


def violations_of(table: pa.Table, declaration: Declaration, memory: int) -> list[Any]:
    with pytest.raises(DeclarationBroken) as caught:
        result_of(table, declaration, memory=memory)
    return caught.value.violations


@pytest.mark.parametrize("keys", [["id"], ["name", "id"], ["hilbert(shape)"], ["gone"]])
def test_what_is_wrong_is_said_the_same(keys: list[str]) -> None:
    rows = ROW_GROUP_ROWS + 100
    columns = [
        {"name": "id", "type": {"kind": "int32"}, "unique": True, "max": rows - 50},
        {"name": "name", "type": {"kind": "string"}, "unique": True, "pattern": "[a-z]*"},
        {
            "name": "shape",
            "type": {"kind": "geometry"},
            "nullable": True,
            "geometry_types": ["Point"],
        },
        {"name": "short", "type": {"kind": "int8"}, "nullable": True},
    ]
    wanted = {"name": "o", "columns": columns, "sort_by": keys, "rows": {"max": 5}}
    ids = np.arange(rows)
    ids[7], ids[9] = 5, ids[100_000]
    point = b"\x01\x01\0\0\0" + bytes(16)
    line = b"\x01\x02\0\0\0\x02\0\0\0" + bytes(16) + b"\0\0\0\0\0\0\xf0\x3f" * 2
    table = pa.table(
        {
            "id": ids,
            "name": pa.array([None if i % 3 == 0 else f"n{i % 70_000}" for i in range(rows)]),
            "shape": [point, line, None, b"x"] * (rows // 4),
            "short": np.arange(rows) % 200,
        }
    )
    declaration = Declaration.from_json(wanted)
    whole = violations_of(table, declaration, 1 << 30)
    assert violations_of(table, declaration, NOTHING) == whole
    assert {violation.rule for violation in whole} >= {"unique", "pattern", "geometry", "rows.max"}


def test_rows_that_share_a_key_are_found_by_way_of_files() -> None:
    table = pa.table({"a": [2, 1, 2, 1, 2], "b": ["x", None, "x", None, "y"], "c": range(5)})
    declaration = Declaration.of_schema(table.schema, ("a", "b"))
    (violation,) = violations_of(table, declaration, NOTHING)
    assert violation.count == 2
    assert violation.examples == ("1, null occurs 2 times", '2, "x" occurs 2 times')


SORTABLE: dict[str, list[Any]] = {
    "texts": ["b", None, "Z", "é", "a", "\U0001f600", "\uffff", "", "a\0", "a\0b"],
    "numbers": [math.nan, None, -1.0, math.inf, 0.5, -math.inf, 0.0],
    "bytes": [b"\xff", b"", None, b"\0", b"a", b"\x7f", b"\x80"],
    "truths": [True, None, False],
}


@pytest.mark.parametrize("what", sorted(SORTABLE))
def test_duckdb_and_arrow_put_values_into_one_order(what: str) -> None:
    keys = pa.table({"0": SORTABLE[what], "1": range(len(SORTABLE[what]))})
    orders = []
    for memory in (0, 1 << 30):
        with Scratch() as scratch:
            sorter = KeySorter(memory, scratch)
            sorter.add(keys.slice(0, 2))
            sorter.add(keys.slice(2))
            orders.append(sorter.finish().tolist())
    assert orders[0] == orders[1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([None, 1, 2, 3]), max_size=20), st.integers(1, 5), st.booleans())
def test_repeated_keys_are_counted_across_pieces(
    values: list[int | None], step: int, with_nulls: bool
) -> None:
    ordered = sorted(values, key=lambda value: (value is None, value))
    runs = Runs(1, with_nulls)
    keys = pa.table({"0": pa.array(ordered, pa.int8())})
    for start in range(0, len(ordered), step):
        runs.add(keys.slice(start, step))
    counts = {value: ordered.count(value) for value in ordered if value is not None or with_nulls}
    repeated = [((value,), count) for value, count in counts.items() if count > 1]
    assert runs.examples == repeated
    assert runs.extra == sum(count - 1 for _, count in repeated)


def test_a_full_scratch_says_how_much_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "written" / "out.parquet"
    path.parent.mkdir()
    (tmp_path / "made").mkdir()
    pq.write_table(pa.table({"c": np.random.default_rng(1).permutation(400_000)}), path)
    record = {
        "written": str(path.parent),
        "made": str(tmp_path / "made"),
        "threads": 1,
        "memory": 8 << 20,
        "outputs": [
            {"name": "out", "sort_by": ["c"], "columns": [{"name": "c", "type": {"kind": "int64"}}]}
        ],
    }
    (tmp_path / "job.json").write_text(json.dumps(record), encoding="utf-8")

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    command = [sys.executable, "-m", "d4cbuild.normalform.job", str(tmp_path / "job.json")]
    subprocess.run(command, cwd=ROOT, check=True, preexec_fn=small_files)
    found = json.loads((tmp_path / "made" / "report.json").read_text(encoding="utf-8"))
    (violation,) = found["violations"]
    assert violation["rule"] == "disk"
    assert "takes about 13 MB" in violation["message"]
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["report.json"]


MEASURED = f"""
import sys
from pathlib import Path
from d4cbuild.normalform import Declaration, write_table
import pyarrow as pa, pyarrow.parquet as pq
schema = pq.read_schema(sys.argv[1])
pa.set_cpu_count(2)
write_table(Path(sys.argv[1]), Path(sys.argv[2]), Declaration.of_schema(schema, ("id",)), 2,
            memory=128 << 20, scratch=Path(sys.argv[3]))
print({PEAK_KB} // 1024)
"""


@pytest.mark.slow
def test_a_table_of_one_gigabyte_is_written_in_far_less(tmp_path: Path) -> None:
    rows = 200_000
    path = tmp_path / "in.parquet"
    chance = np.random.default_rng(3)
    schema = pa.schema([("id", pa.int64()), *((f"c{i}", pa.string()) for i in range(4))])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, 20 * rows, rows):
            texts = pa.array(chance.integers(0, 1 << 60, rows)).cast(pa.string())
            texts = pa.compute.binary_join_element_wise(texts, texts, texts, "-")
            ids = pa.array((np.arange(start, start + rows) * 7919) % (20 * rows))
            writer.write_table(pa.table([ids, *[texts] * 4], schema=schema))
    command = [sys.executable, "-c", MEASURED, str(path), str(tmp_path / "out"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert pq.read_metadata(tmp_path / "out").num_rows == 20 * rows
    assert int(done.stdout) < 800  # MB, of which the libraries take about 150
