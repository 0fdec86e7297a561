"""``digest`` and ``normalise``: files of any writer and format, by the command line."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import shapely

from tests.conftest import REPOSITORY
from tests.project import Answer

TABLE = pa.table({"id": pa.array([2, 1, 3], pa.int32()), "name": ["b", "a", None]})


def run(*arguments: object) -> Answer:
    command = [sys.executable, "-m", "d4cbuild", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    return Answer(done.returncode, done.stdout, done.stderr)


def digest(path: Path) -> dict:
    answer = run("digest", "--json", path)
    assert answer.status == 0, answer.err
    (result,) = answer.json["results"]
    return result


def normalise(source: Path, sort_by: str) -> dict:
    answer = run(
        "normalise", source, "-o", source.with_suffix(".nf"), "--sort-by", sort_by, "--json"
    )
    assert answer.status == 0, answer.err
    return answer.json


def test_one_table_by_different_writers_has_one_content_digest(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.parquet" for name in ("plain", "small", "duckdb", "large")]
    pq.write_table(TABLE, paths[0])
    pq.write_table(TABLE, paths[1], row_group_size=1, compression="none", use_dictionary=False)
    rows = TABLE  # noqa: F841 - DuckDB finds it by its name
    duckdb.sql(f"copy (select * from rows) to '{paths[2]}' (format parquet)")
    pq.write_table(TABLE.set_column(1, "name", TABLE["name"].cast(pa.large_string())), paths[3])
    found = [digest(path) for path in paths]
    assert len({one["content"] for one in found}) == 1
    assert len({one["sha256"] for one in found}) == 4


def test_a_manifests_content_digest_is_that_of_its_file(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(TABLE, source)
    made = normalise(source, "id")
    again = Path(made["file"]).rename(tmp_path / "again.parquet")
    found = digest(again)
    assert (found["content"], found["sha256"]) == (made["content"], made["sha256"])


def test_a_file_that_is_no_parquet_has_no_content_digest() -> None:
    found = digest(REPOSITORY / "LICENSE")
    assert found["content"] is None
    assert found["no_content_because"] == "not a Parquet file"
    sums = subprocess.run(["sha256sum", REPOSITORY / "LICENSE"], capture_output=True, text=True)
    assert found["sha256"] == f"sha256:{sums.stdout.split()[0]}"


def test_a_damaged_parquet_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(TABLE, path)
    data = path.read_bytes()
    path.write_bytes(data[:40] + b"PAR1")
    answer = run("digest", path)
    assert answer.status == 64
    assert "cannot be read" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("form", ["parquet", "arrow", "stream.ipc", "jsonl"])
def test_every_form_of_one_table_gives_one_file(tmp_path: Path, form: str) -> None:
    table = TABLE.set_column(0, "id", TABLE["id"].cast(pa.int64()))
    source = tmp_path / f"in.{form}"
    if form == "parquet":
        pq.write_table(table, source)
    elif form == "arrow":
        pyarrow.feather.write_feather(table, source)
    elif form == "stream.ipc":
        with pa.ipc.new_stream(source, table.schema) as writer:
            writer.write_table(table)
    else:
        source.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    reference = tmp_path / "reference.parquet"
    pq.write_table(table.take([1, 0, 2]), reference)
    assert normalise(source, "id")["sha256"] == normalise(reference, "id")["sha256"]


def test_csv_is_read_as_text(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("code,name\n0123,\n0007,Gander\n")
    made = normalise(source, "code")
    assert pq.read_table(made["file"]).to_pylist() == [
        {"code": "0007", "name": "Gander"},
        {"code": "0123", "name": None},
    ]


def test_geojson_becomes_geoparquet(tmp_path: Path) -> None:
    feature = (
        '{"type":"Feature","properties":{"n":%d},"geometry":{"type":"Point","coordinates":[%d,45]}}'
    )
    source = tmp_path / "in.geojson"
    features = ",".join(feature % (n, -70 - n) for n in (2, 1))
    source.write_text('{"type":"FeatureCollection","features":[' + features + "]}")
    made = normalise(source, "hilbert(geometry),n")
    table = pq.read_table(made["file"])
    assert {shapely.from_wkb(wkb).wkt for wkb in table["geometry"].to_pylist()} == {
        "POINT (-71 45)",
        "POINT (-72 45)",
    }
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point"]
    again = Path(made["file"]).rename(tmp_path / "again.parquet")
    assert digest(again)["content"] == made["content"]
    assert normalise(again, "hilbert(geometry),n")["sha256"] == made["sha256"]


def test_a_key_that_is_no_column_and_one_that_is_not_total_are_errors(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,1\n1,2\n")
    target = tmp_path / "out.parquet"
    answer = run("normalise", source, "-o", target, "--sort-by", "c")
    assert answer.status == 64
    assert "one of a, b" in answer.err
    answer = run("normalise", source, "-o", target, "--sort-by", "a")
    assert answer.status == 64
    assert "not a total order" in answer.err
    assert list(tmp_path.iterdir()) == [source]


def test_an_unknown_ending_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    source = tmp_path / "in.doc"
    source.write_text("x")
    assert (
        "not known by this ending"
        in run("normalise", source, "-o", tmp_path / "o", "--sort-by", "a").err
    )
    answer = run("normalise", tmp_path / "no.csv", "-o", tmp_path / "o", "--sort-by", "a")
    assert answer.status == 64
    assert "Traceback" not in answer.err


def test_rows_that_share_a_key_are_shown_with_what_to_type(tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_text("a,b\nx,1\nx,2\n", encoding="utf-8")
    answer = run("normalise", source, "-o", tmp_path / "x.parquet", "--sort-by", "a")
    assert answer.status == 64
    assert '"x" occurs 2 times' in answer.err
    assert "--sort-by KEY,COLUMN" in answer.err
