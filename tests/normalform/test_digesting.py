"""The content digest of files, our own and others'."""

import io
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.normalform import Declaration, content_digest, digest_file, write_table
from d4cbuild.normalform.reading import Unreadable, in_equal_pieces

from .golden_tables import cases
from .test_geometry import declaration, table_of, wkb


@pytest.mark.parametrize("name", sorted(cases()))
@pytest.mark.parametrize("workers", [1, 3])
def test_the_digest_of_a_written_file_is_the_one_reported(
    name: str, workers: int, tmp_path: Path
) -> None:
    table, keys = cases()[name]
    wanted = Declaration.of_schema(table.schema, keys)
    written = write_table(table, tmp_path / "t.parquet", wanted)
    found = digest_file(tmp_path / "t.parquet", workers)
    assert found.digest == written.content
    assert found.rows == written.rows
    assert found.columns == tuple((c.name, c.type_name, c.nullable) for c in wanted.columns)


def test_a_file_of_another_writer_with_the_same_table_has_the_same_digest(tmp_path: Path) -> None:
    table, keys = cases()["types"]
    written = write_table(table, io.BytesIO(), Declaration.of_schema(table.schema, keys))
    pq.write_table(table, tmp_path / "arrow.parquet", row_group_size=7, compression="gzip")
    assert digest_file(tmp_path / "arrow.parquet").digest == written.content
    path = tmp_path / "duckdb.parquet"
    duckdb.connect().register("given", table).execute(f"copy given to '{path}'")
    assert digest_file(path).digest == written.content


def test_shapes_and_their_boxes_are_known_by_the_geo_record(tmp_path: Path) -> None:
    table = table_of(*wkb("POINT (1 2)", None).to_pylist())
    written = write_table(table, tmp_path / "ours.parquet", declaration())
    ours = pq.read_table(tmp_path / "ours.parquet")
    assert digest_file(tmp_path / "ours.parquet").digest == written.content
    pq.write_table(ours, tmp_path / "copied.parquet", compression="none")
    assert digest_file(tmp_path / "copied.parquet").digest == written.content
    bare = ours.replace_schema_metadata(None)
    pq.write_table(bare, tmp_path / "bare.parquet")
    assert digest_file(tmp_path / "bare.parquet").digest == content_digest(bare)


@pytest.mark.parametrize("geo", ["", "[]", '{"columns": {"shape": 5}}', '{"columns": []}'])
def test_a_geo_record_that_makes_no_sense_is_passed_over(geo: str, tmp_path: Path) -> None:
    table = table_of(None).replace_schema_metadata({"geo": geo})
    pq.write_table(table, tmp_path / "t.parquet")
    assert digest_file(tmp_path / "t.parquet").digest == content_digest(table)


def test_geometry_that_is_not_wkb_is_what_it_is(tmp_path: Path) -> None:
    table = pa.table({"shape": [{"x": 1.0, "y": 2.0}]})
    record = {"columns": {"shape": {"encoding": "point"}}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(record)}), tmp_path / "t")
    assert digest_file(tmp_path / "t").columns == (("shape", "struct<x:float64,y:float64>", True),)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"no")
    with pytest.raises(Unreadable):
        digest_file(tmp_path / "t")


def test_a_type_without_a_normal_form_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": pa.array([1], pa.duration("s"))}), tmp_path / "t")
    with pytest.raises(ValueError, match="has no normal form"):
        digest_file(tmp_path / "t")


@pytest.mark.parametrize("sizes", [[], [0], [5], [3, 0, 4], [10, 1], [1] * 7, [20]])
def test_pieces_are_cut_anew(sizes: list[int]) -> None:
    total = sum(sizes)
    table = pa.table({"c": pa.array(range(total), pa.int64())})
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    pieces = [table.slice(start, size) for start, size in zip(starts, sizes, strict=True)]
    found = list(in_equal_pieces(pieces, 3))
    assert [piece.num_rows for piece in found] == [3] * (total // 3) + [total % 3] * (total % 3 > 0)
    assert [value for piece in found for value in piece["c"].to_pylist()] == list(range(total))
