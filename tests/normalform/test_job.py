"""The job in the sandbox: reports what is wrong with what the code wrote, whatever it wrote."""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from d4cbuild.normalform.job import main

from .pyarrows import run

INT = {"kind": "int64"}


def output(name: str = "out", **more: Any) -> dict[str, Any]:
    columns = [{"name": "c", "type": INT, "nullable": True}]
    return {"name": name, "columns": columns, "sort_by": ["c"]} | more


def job(folder: Path, *outputs: dict[str, Any], threads: int = 2) -> Path:
    (folder / "written").mkdir(exist_ok=True)
    (folder / "made").mkdir(exist_ok=True)
    record = {
        "written": str(folder / "written"),
        "made": str(folder / "made"),
        "threads": threads,
        "outputs": list(outputs or [output()]),
    }
    path = folder / "job.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def report(folder: Path, *outputs: dict[str, Any], threads: int = 2) -> dict[str, Any]:
    assert main([str(job(folder, *outputs, threads=threads))]) == 0
    found: dict[str, Any] = json.loads((folder / "made" / "report.json").read_text("utf-8"))
    return found


def put(folder: Path, table: pa.Table, name: str = "out", **options: Any) -> None:
    (folder / "written").mkdir(exist_ok=True)
    pq.write_table(table, folder / "written" / f"{name}.parquet", **options)


def test_a_job_writes_the_files_and_says_what_is_in_them(tmp_path: Path) -> None:
    columns = [
        {"name": "id", "type": INT, "nullable": False, "unique": True},
        {"name": "name", "type": {"kind": "string"}, "nullable": True},
        {"name": "shape", "type": {"kind": "geometry"}, "nullable": False},
    ]
    shapes = shapely.to_wkb(shapely.points([1.0, 2.0], [3.0, 4.0]))
    put(tmp_path, pa.table({"id": [2, 1], "name": [None, "a"], "shape": shapes}), "places")
    put(tmp_path, pa.table({"c": [3, 1, None]}))
    found = report(tmp_path, output("places", columns=columns, sort_by=["id"]), output())
    assert found["violations"] == []
    assert list(found["outputs"]) == ["out", "places"]
    places = found["outputs"]["places"]
    assert places["rows"] == 2
    assert places["columns"] == [
        {"name": "id", "type": "int64", "nullable": False, "nulls": 0},
        {"name": "name", "type": "string", "nullable": True, "nulls": 1},
        {"name": "shape", "type": "geometry", "nullable": False, "nulls": 0},
    ]
    assert places["geometry"]["primary_column"] == "shape"
    assert places["repaired"] == 0
    assert places["content"].startswith("blake3:")
    assert found["outputs"]["out"]["geometry"] is None
    assert found["outputs"]["out"]["repaired"] is None
    made = pq.ParquetFile(tmp_path / "made" / "places.parquet")
    assert made.read()["id"].to_pylist() == [1, 2]
    names = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert names == ["out.parquet", "places.parquet", "report.json"]


def test_the_module_runs_and_gives_the_same_in_a_process_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, pa.table({"c": np.arange(300_000)[::-1]}), row_group_size=1000)
    here = report(tmp_path, threads=1)
    digest = hashlib.sha256((tmp_path / "made" / "out.parquet").read_bytes()).hexdigest()
    run("d4cbuild.normalform.job", str(job(tmp_path, threads=2)))
    assert json.loads((tmp_path / "made" / "report.json").read_text("utf-8")) == here
    again = hashlib.sha256((tmp_path / "made" / "out.parquet").read_bytes()).hexdigest()
    assert again == digest


def only_violation(found: dict[str, Any]) -> dict[str, Any]:
    assert found["outputs"] == {}
    (violation,) = found["violations"]
    assert violation["output"] == "out"
    assert violation["message"]
    return dict(violation)


def whole_file() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"c": list(range(1000))}), sink)
    return bytes(sink.getvalue())


HOSTILE = {
    "empty": b"",
    "text": b"c\n1\n2\n",
    "magic only": b"PAR1PAR1",
    "cut at the end": whole_file()[:-20],
    "cut at the start": whole_file()[30:],
    "footer length of nonsense": whole_file()[:-8] + b"\xff\xff\xff\x7fPAR1",
    "zeros": b"PAR1" + bytes(500) + struct.pack("<I", 400) + b"PAR1",
    "rows of nonsense": b"PAR1" + b"\xff" * 300 + whole_file()[304:],
}


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_a_file_that_is_not_readable_is_a_violation(what: str, tmp_path: Path) -> None:
    (tmp_path / "written").mkdir()
    (tmp_path / "written" / "out.parquet").write_bytes(HOSTILE[what])
    violation = only_violation(report(tmp_path))
    assert violation["rule"] == "format"
    assert violation["message"].startswith("not readable as Parquet: ")


def test_a_file_that_was_not_written_is_a_violation(tmp_path: Path) -> None:
    assert only_violation(report(tmp_path))["rule"] == "format"


def test_a_folder_in_the_place_of_a_file_is_a_violation(tmp_path: Path) -> None:
    (tmp_path / "written" / "out.parquet").mkdir(parents=True)
    assert only_violation(report(tmp_path))["rule"] == "format"


def test_a_broken_output_does_not_hide_another(tmp_path: Path) -> None:
    put(tmp_path, pa.table({"c": ["x"]}), "a")
    put(tmp_path, pa.table({"c": [1]}), "b")
    found = report(tmp_path, output("a"), output("b"), output("gone"))
    assert [(v["output"], v["rule"]) for v in found["violations"]] == [
        ("a", "type"),
        ("gone", "format"),
    ]
    assert list(found["outputs"]) == ["b"]
    assert not (tmp_path / "made" / "a.parquet").exists()


def deep(levels: int) -> pa.Array:
    array = pa.array([1])
    for _ in range(levels):
        array = pa.ListArray.from_arrays([0, 1], array)
    return array


ODD: dict[str, tuple[pa.Table, str]] = {
    "another column": (pa.table({"d": [1]}), "columns"),
    "one column twice": (pa.Table.from_arrays([pa.array([1])] * 2, names=["c", "c"]), "columns"),
    "nested too deeply": (pa.table({"c": deep(40)}), "type"),
    "an extension type": (pa.table({"c": pa.array([b"0" * 16], pa.uuid())}), "type"),
    "a type of its own": (pa.table({"c": pa.array([5], pa.duration("s"))}), "type"),
    "broken text": (pa.table({"c": pa.array([b"\xff"]).view(pa.string())}), "type"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(ODD))
def test_an_odd_table_is_a_violation(what: str, tmp_path: Path) -> None:
    table, rule = ODD[what]
    put(tmp_path, table)
    kind = "string" if what == "broken text" else "int64"
    columns = [{"name": "c", "type": {"kind": kind}, "nullable": True}]
    found = report(tmp_path, output(columns=columns))
    assert found["outputs"] == {}
    assert rule in {violation["rule"] for violation in found["violations"]}


def test_an_extension_type_over_what_is_declared_is_that(tmp_path: Path) -> None:
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8()))
    put(tmp_path, pa.table({"c": flags}))
    columns = [{"name": "c", "type": {"kind": "int8"}, "nullable": True}]
    found = report(tmp_path, output(columns=columns))
    assert found["violations"] == []
    assert found["outputs"]["out"]["rows"] == 2


def test_geometry_of_parquets_own_type_is_read(tmp_path: Path) -> None:
    field = pa.field("c", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    shapes = pa.array(shapely.to_wkb(shapely.points([1.0, 2.0], [3.0, 4.0])))
    put(tmp_path, pa.Table.from_arrays([shapes], schema=pa.schema([field])))
    columns = [{"name": "c", "type": {"kind": "geometry"}, "nullable": True}]
    found = report(tmp_path, output(columns=columns))
    assert found["violations"] == []


def test_the_report_is_plain_ascii_whatever_the_values(tmp_path: Path) -> None:
    put(tmp_path, pa.table({"c": ["é\x1b[31m\u202e", "ok"]}))
    columns = [{"name": "c", "type": {"kind": "string"}, "pattern": "[a-z]+"}]
    found = report(tmp_path, output(columns=columns))
    text = (tmp_path / "made" / "report.json").read_bytes()
    assert text.isascii()
    (example,) = only_violation(found)["examples"]
    assert example == 'row 0: "\\u00e9\\u001b[31m\\u202e"'
