"""One table, one file: whatever it comes in, whoever writes it, wherever."""

import hashlib
import io
import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform import Declaration, write_table
from d4cbuild.normalform.write import ROW_GROUP_ROWS

from .golden_tables import every_type
from .pyarrows import VERSIONS, installed, run
from .readers import read_with
from .slow_digest import Column
from .tables import arrow_table, declared, other_storage, tables
from .test_golden import GOLDEN

MODULE = "tests.normalform.golden_tables"
MATRIX = "tests.normalform.sameness_matrix"


def file_of(table: pa.Table, declaration: Declaration, workers: int = 1) -> str:
    out = io.BytesIO()
    write_table(table, out, declaration, workers)
    return hashlib.sha256(out.getvalue()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_pyarrow_writes_the_golden_files(version: str) -> None:
    made = json.loads(run(MODULE, "2", path=installed(version)).stdout)
    assert made["pyarrow"] == version
    assert made["digests"] == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def from_engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The table of every type as each engine holds it, in Arrow files."""
    folder = tmp_path_factory.mktemp("engines")
    path = folder / "types.parquet"
    pq.write_table(every_type(), path)
    found = {}
    for engine in ("pyarrow", "duckdb", "polars", "geopandas"):
        found[engine] = folder / f"{engine}.arrow"
        read_with(engine, [(path, found[engine])])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_engines_chunks_threads_storage_and_row_order_do_not_matter_to_any_pyarrow(
    version: str, from_engines: dict[str, Path]
) -> None:
    paths = {engine: str(path) for engine, path in from_engines.items()}
    made = json.loads(run(MATRIX, *paths.values(), path=installed(version)).stdout)
    assert made["pyarrow"] == version
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["types"]["sha256"]
    assert made["digests"] == {path: [golden] for path in paths.values()}


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Chatham", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "77", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
        {"OMP_NUM_THREADS": "1", "PYTHONOPTIMIZE": "1", "COLUMNS": "20"},
    ],
    ids=["Chatham", "St John's", "one thread"],
)
def test_neither_hash_seed_nor_zone_nor_locale_matters(environment: dict[str, str]) -> None:
    made = json.loads(run(MODULE, "1", **environment).stdout)
    assert made["digests"] == json.loads(GOLDEN.read_text(encoding="utf-8"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_storage_chunks_row_order_and_column_order_do_not_matter(data: st.DataObject) -> None:
    made: list[Column] = data.draw(tables())
    wanted = file_of(arrow_table(made), declared(made))
    places = data.draw(st.permutations(range(len(made[0][3]))))
    shuffled = [(n, t, null, [cells[place] for place in places]) for n, t, null, cells in made]
    other = data.draw(other_storage(shuffled))
    other = other.select(data.draw(st.permutations(other.column_names)))
    assert file_of(other, declared(made)) == wanted


@pytest.fixture(scope="module")
def big() -> tuple[pa.Table, str]:
    rows = 3 * ROW_GROUP_ROWS + 11
    table = pa.table(
        {
            "id": pa.array(range(rows), pa.int32()),
            "text": [f"{i * 7919 % 50_000}" for i in range(rows)],
            "value": [None if i % 13 == 0 else i / 7 for i in range(rows)],
            "parts": pa.array([[i, i + 1][: i % 3] for i in range(rows)], pa.list_(pa.int64())),
        }
    )
    return table, file_of(table, Declaration.of_schema(table.schema, ("id",)))


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_number_of_workers_does_not_matter(big: tuple[pa.Table, str], workers: int) -> None:
    table, wanted = big
    assert file_of(table, Declaration.of_schema(table.schema, ("id",)), workers) == wanted


@pytest.mark.parametrize("seed", range(5))
def test_random_chunks_and_shuffled_rows_do_not_matter(
    big: tuple[pa.Table, str], seed: int
) -> None:
    table, wanted = big
    chance = random.Random(seed)
    order = list(range(table.num_rows))
    chance.shuffle(order)
    table = table.take(pa.array(order))
    pieces = []
    while table.num_rows:
        size = chance.choice([1, 1000, 4096, 100_000, ROW_GROUP_ROWS])
        pieces.append(table.slice(0, size))
        table = table.slice(size)
    table = pa.concat_tables(pieces)
    assert file_of(table, Declaration.of_schema(table.schema, ("id",)), 2) == wanted


def through_duckdb(table: pa.Table) -> pa.Table:
    connection = duckdb.connect()
    connection.execute("set timezone = 'America/Halifax'")
    connection.register("given", table)
    return connection.sql("select * from given order by hash(id)").to_arrow_table()


def through_ipc(table: pa.Table) -> pa.Table:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=17)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


@pytest.mark.parametrize("engine", [through_duckdb, through_ipc])
def test_the_engine_a_table_comes_from_does_not_matter(engine: Any) -> None:
    table = every_type()
    declaration = Declaration.of_schema(table.schema, ("id",))
    assert file_of(engine(table), declaration) == file_of(table, declaration)
