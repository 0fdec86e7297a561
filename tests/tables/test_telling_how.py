"""``normalise`` of files that do not say how they are to be read."""

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from d4cbuild.tables.delimited import CsvFile
from tests.tables.test_reading import run


def refused(source: Path, *options: str, key: str = "code") -> str:
    """Normalise in vain, and give what is said."""
    target = source.parent / "refused.parquet"
    answer = run("normalise", source, "-o", target, "--sort-by", key, *options)
    assert answer.status == 64
    assert "Traceback" not in answer.err
    assert not target.exists()
    return answer.err


def rows(source: Path, *options: str, key: str = "code") -> list[dict[str, object]]:
    """Normalise, and read what was made."""
    target = source.parent / "out.parquet"
    answer = run("normalise", source, "-o", target, "--sort-by", key, *options)
    assert answer.status == 0, answer.err
    return pq.read_table(target).to_pylist()


def test_the_first_line_of_another_encoding_is_named(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes("code,name\n1,Ottawa\n2,Montréal\n".encode("cp1252"))
    said = refused(source)
    assert "line 3 is not UTF-8" in said
    assert "0xe9" in said
    assert f"{source}:3" in said
    assert "--encoding cp1252" in said
    expected = [{"code": "1", "name": "Ottawa"}, {"code": "2", "name": "Montréal"}]
    assert rows(source, "--encoding", "windows-1252") == expected
    source.write_bytes("code,name\n1,Ottawa\n2,Montréal\n".encode("utf-16"))
    assert rows(source, "--encoding", "utf-16") == expected
    assert "line 3 is not ASCII" in refused_ascii(tmp_path)
    assert "no such encoding" in refused(source, "--encoding", "cp125")


def refused_ascii(folder: Path) -> str:
    source = folder / "ascii.csv"
    source.write_text("code,name\n1,Ottawa\n2,Montréal\n", encoding="utf-8")
    return refused(source, "--encoding", "ascii")


def test_names_of_columns_in_another_encoding_are_named_too(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes("code,été\n1,2\n".encode("latin-1"))
    assert "line 1 is not UTF-8" in refused(source)
    assert rows(source, "--encoding", "latin-1") == [{"code": "1", "été": "2"}]


def test_lines_before_the_names_of_the_columns_are_noticed_and_skipped(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    # One column without a name is usual where rows are numbered; two are no header.
    source.write_text("Published 2017,,\n,,\ncode,name,\n1,x,\n")
    said = refused(source)
    assert "line 1 does not have a name of its own for each column" in said
    assert "--skip-lines" in said
    assert rows(source, "--skip-lines", "2") == [{"code": "1", "name": "x", "": None}]


def test_a_ragged_row_is_named(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("Published\ncode,name\n1,x\n2,y,z\n3,w\n")
    said = refused(source)
    assert "row 2 has another number of fields" in said
    assert "--skip-lines" in said
    said = refused(source, "--skip-lines", "1")
    assert "row 4 has another number of fields" in said
    assert "3: 2,y,z" in said


def test_another_delimiter_is_noticed_and_taken(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("code;name\n1;x\n")
    assert "--delimiter ';'" in refused(source)
    assert rows(source, "--delimiter", ";") == [{"code": "1", "name": "x"}]
    assert rows(source, "--delimiter", ",", key="code;name") == [{"code;name": "1;x"}]
    assert "a delimiter is one character" in refused(source, "--delimiter", ";;")
    source.write_text("code\tname\n1\tx\n")
    assert "--delimiter 'tab'" in refused(source)
    assert rows(source, "--delimiter", "tab") == [{"code": "1", "name": "x"}]
    assert rows(source.rename(tmp_path / "in.tsv")) == [{"code": "1", "name": "x"}]


def test_line_ends_within_values_are_kept(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text('code,name\n1,"x\ny"\n')
    assert rows(source) == [{"code": "1", "name": "x\ny"}]


GML = """<c:all xmlns:c="urn:c" xmlns:gml="http://www.opengis.net/gml"><gml:featureMember>
<c:road fid="1"><c:code>roads</c:code><c:place><gml:Point srsName="EPSG:4617">
<gml:coordinates>-75,45</gml:coordinates></gml:Point></c:place></c:road>
</gml:featureMember></c:all>"""


def layered(path: Path, *layers: str, crs: str = "EPSG:4617", **options: str) -> Path:
    """A file with layers of one point each, whose code is the name of its layer."""
    points = pa.array([shapely.to_wkb(shapely.Point(-75, 45))], pa.binary())
    for number, name in enumerate(layers):
        table = pa.table({"code": [name], "geometry": points})
        pyogrio.write_arrow(
            table,
            path,
            layer=name,
            geometry_name="geometry",
            geometry_type="Point",
            crs=crs,
            append=number > 0,
            **options,
        )
    return path


@pytest.mark.parametrize(("name", "driver"), [("in.gpkg", "GPKG"), ("in.gdb", "OpenFileGDB")])
def test_of_several_layers_one_is_named(name: str, driver: str, tmp_path: Path) -> None:
    source = layered(tmp_path / name, "roads", "trails", driver=driver)
    said = refused(source)
    assert "the file has several layers" in said
    assert "roads, trails" in said
    assert "--layer 'roads'" in said
    assert [row["code"] for row in rows(source, "--layer", "trails")] == ["trails"]
    assert "there is no such layer" in refused(source, "--layer", "lakes")


def test_nothing_is_left_beside_gml(tmp_path: Path) -> None:
    source = tmp_path / "in.gml"
    source.write_text(GML)
    assert [row["code"] for row in rows(source)] == ["roads"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.gml", "out.parquet"]


def test_the_only_layer_needs_no_name(tmp_path: Path) -> None:
    source = layered(tmp_path / "in.gdb", "roads", driver="OpenFileGDB")
    assert source.is_dir()
    assert [row["code"] for row in rows(source)] == ["roads"]


def test_a_folder_that_is_no_geodatabase_is_an_error(tmp_path: Path) -> None:
    for name in ("in.csv", "in.gdb", "in"):
        (tmp_path / name).mkdir()
        assert refused(tmp_path / name)


def test_a_crs_without_a_normal_form_is_named_with_what_to_type(tmp_path: Path) -> None:
    source = layered(tmp_path / "in.gpkg", "roads", crs="EPSG:26917", driver="GPKG")
    said = refused(source)
    assert "EPSG:26917" in said
    assert "EPSG:3347" in said
    assert "ogr2ogr -t_srs" in said


@pytest.mark.parametrize("option", ["--layer", "--encoding", "--delimiter"])
def test_what_means_nothing_for_a_format_is_refused(option: str, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"code": ["1"]}), source)
    assert f"{option} means nothing for this format" in refused(source, option, "x")


class LetGo:
    """A handler that notes which thread lets go of it."""

    def __init__(self, threads: set[int]) -> None:
        self._threads = threads

    def __call__(self, row: object) -> str:
        return "error"

    def __del__(self) -> None:
        self._threads.add(threading.get_ident())


def test_no_thread_is_left_with_what_looks_for_a_ragged_row(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("code,name\n1,x\n2,y,z\n3,w\n")
    file = CsvFile(source, "utf-8", 0, ",", is_delimiter_given=False)
    threads: set[int] = set()
    for _ in range(500):
        file.read_until(LetGo(threads))
    assert threads == {threading.get_ident()}
