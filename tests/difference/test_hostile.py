"""Files that are broken, strange or made to do harm: an answer, or an error one understands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.errors import Exit, InputError
from d4cbuild.normalform.thrift import I64, decode, encode
from tests.difference.tables import changed, table

REPOSITORY = Path(__file__).parent.parent.parent


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "d4cbuild", "diff", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def corrupt_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4:40] = b"\xff" * 36
    path.write_bytes(bytes(data))


def corrupt_footer(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-60:-20] = b"\xff" * 40
    path.write_bytes(bytes(data))


def garble_writer(path: Path) -> None:
    """Leave the footer whole, but for who wrote the file, which is not UTF-8."""
    path.write_bytes(path.read_bytes().replace(b"parquet-cpp", b"parquet-\xe9pp"))


def claim_rows(path: Path) -> None:
    """Say in the footer that there are 10**15 rows, in the file and in its row group."""
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    footer = decode(data[-8 - length : -8])
    footer.set(3, I64, 10**15)
    footer.get(4).values[0].set(3, I64, 10**15)
    written = encode(footer)
    path.write_bytes(data[: -8 - length] + written + len(written).to_bytes(4, "little") + b"PAR1")


def claim_other_rows(path: Path) -> None:
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little")
    footer = decode(data[-8 - length : -8])
    footer.set(3, I64, 41)
    written = encode(footer)
    path.write_bytes(data[: -8 - length] + written + len(written).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize(
    "harm",
    [cut, corrupt_page, corrupt_footer, garble_writer, claim_rows, claim_other_rows],
    ids=lambda f: f.__name__,
)
def test_a_broken_parquet_file_is_named(harm: Callable[[Path], None], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    pq.write_table(table(), good)
    pq.write_table(changed("name", 1, "X"), bad, compression="none")
    harm(bad)
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(InputError) as caught:
            compare(*pair, DiffOptions(key=("id",)))
        assert caught.value.where == str(bad)
        assert caught.value.hint is not None


def test_an_error_has_no_traceback_and_its_exit_code(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    pq.write_table(table(), good)
    pq.write_table(table(), bad)
    cut(bad)
    done = run(good, bad)
    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr.startswith("error: the Parquet file cannot be read\n")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_command_answers_as_text_json_and_a_page(tmp_path: Path) -> None:
    a, b, page = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "why.html"
    pq.write_table(table(), a)
    pq.write_table(changed("name", 4, "Toronto"), b)
    text = run(a, b, "--key", "id", "--memory", "16MiB", "--html", page)
    assert (text.returncode, text.stderr) == (12, "")
    assert 'id=4: "Montréal 4" → "Toronto"' in text.stdout
    assert "Toronto" in page.read_text()
    record = json.loads(run(a, b, "--json").stdout)
    assert (record["verdict"], record["exit_code"]) == ("different", 12)
    assert record["rows"]["cells"] == 1
    assert run(a, a).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "nothing"), "No such file"),
        ((REPOSITORY / "README.md", REPOSITORY / "tests"), "a file and a folder"),
        (
            (REPOSITORY / "README.md", REPOSITORY / "LICENSE", "--memory", "1KiB"),
            "too little memory",
        ),
        ((REPOSITORY / "README.md", REPOSITORY / "LICENSE", "--memory", "much"), "not a size"),
    ],
)
def test_what_cannot_be_compared_exits_64(arguments: tuple[str | Path, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == Exit.BAD_INPUT
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = pa.table([[1, 2], [3, 4]], names=["x", "x"])
    pq.write_table(twice, tmp_path / "a")
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "b")
    with pytest.raises(InputError, match="same name"):
        compare(tmp_path / "a", tmp_path / "b", DiffOptions())


@pytest.mark.parametrize("rows", [0, 3])
def test_tables_without_rows_or_columns_are_tables(rows: int, tmp_path: Path) -> None:
    full = pa.table({"x": list(range(rows)), "y": ["a"] * rows}, schema=SCHEMA)
    pq.write_table(full, tmp_path / "full")
    pq.write_table(full.slice(0, 0), tmp_path / "empty")
    pq.write_table(full.select([]), tmp_path / "bare")
    empty = compare(tmp_path / "full", tmp_path / "empty", DiffOptions())
    assert (empty.verdict == "identical") == (rows == 0)
    assert empty.rows is None or empty.rows.removed == rows
    bare = compare(tmp_path / "full", tmp_path / "bare", DiffOptions())
    assert bare.exit_code == Exit.NOT_IDENTICAL | Exit.NOT_EQUIVALENT
    assert {e.where for e in bare.findings[0].examples} == {"column x", "column y"}


SCHEMA = pa.schema({"x": pa.int64(), "y": pa.string()})


def test_a_file_that_is_no_parquet_is_compared_as_what_it_is(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_text("no Parquet at all\n")
    found = compare(tmp_path / "a.parquet", tmp_path / "b.parquet", DiffOptions())
    assert found.exit_code == Exit.NOT_IDENTICAL | Exit.NOT_EQUIVALENT
    layers = {layer.name: layer.says for layer in found.layers}
    assert layers["kind"] == "parquet against text"


def test_types_that_cannot_be_compared_are_told(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "x": [[1], [2]]}), tmp_path / "a")
    pq.write_table(pa.table({"id": [1, 2], "x": ["1", "2"]}), tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b", DiffOptions())
    (example,) = found.findings[0].examples
    assert (found.findings[0].name, example.note) == ("schema", "the cells cannot be compared")


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, None], pa.time64("ns")),
        pa.array([1, 2, None], pa.timestamp("ns", "America/Toronto")),
        pa.array([None, None, None], pa.null()),
        pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.array([b"ab", b"cd", None], pa.binary(2)),
        pa.array([1.5, 2.5, None], pa.float16()),
        pa.array(["1.5", "2.5", None]).cast(pa.decimal256(60, 2)),
        pa.array([{"a": [{"b": 1}]}, None, {"a": None}]),
        pa.array([10**15, -(10**15), None], pa.timestamp("s")),
    ],
    ids=lambda values: str(values.type),
)
def test_columns_of_any_type_are_compared(values: pa.Array, tmp_path: Path) -> None:
    before = pa.table({"id": [1, 2, 3], "x": values})
    after = before.take([1, 0, 2]).set_column(0, "id", pa.array([1, 2, 3]))
    pq.write_table(before, tmp_path / "a")
    pq.write_table(before, tmp_path / "same", compression="gzip")
    pq.write_table(after, tmp_path / "b")
    assert compare(tmp_path / "a", tmp_path / "same", DiffOptions()).exit_code == Exit.NOT_IDENTICAL
    found = compare(tmp_path / "a", tmp_path / "b", DiffOptions(key=("id",)))
    expected = 0 if values.null_count == 3 else 2
    assert found.rows is None or found.rows.cells == expected
