"""Files in normal form, read by others: equal tables, and sound GeoParquet.

What a library read is brought to normal form again, by the same declaration. Casts there are exact
or refused, so the same bytes mean the same table.
"""

import io
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from d4cbuild.normalform import Declaration, write_table
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from d4cbuild.tables.read import read_any
from tests.conftest import REPOSITORY

from . import readers
from .golden_tables import cases
from .test_geometry import KINDS, declaration, table_of, wkb

RECIPES = ("statcan-odhf", "statcan-cma-2016", "elections-canada-pollresults")
RAW = {
    "toronto_schools.geojson": ["hilbert(geometry)", "SCHOOL_ID"],
    "winnipeg_road_network_wkt.csv": ["segment_id"],
    "quebec_mrc_bdga1m.gml": ["fid"],
}
GEOPARQUET = readers.HERE / "geoparquet.json"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class NormalFile:
    """A file in normal form.

    Attributes:
        path: The file.
        declaration: What it holds.
    """

    path: Path
    declaration: Declaration

    @classmethod
    def of(cls, path: Path, sort_by: list[str]) -> Self:
        """Declare a file as it is."""
        return cls(path, read_any(path).declared(tuple(sort_by)))

    @property
    def has_shapes(self) -> bool:
        """Whether it is GeoParquet."""
        return self.declaration.geometry is not None


Files = dict[str, NormalFile]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Every type, in tables of every shape; and every kind of geometry."""
    folder = tmp_path_factory.mktemp("made")
    tables = {
        name: (table, Declaration.of_schema(table.schema, keys))
        for name, (table, keys) in cases().items()
    }
    shapes = wkb(*KINDS, None).to_pylist()
    tables["shapes"] = (table_of(*shapes), declaration())
    tables["ordered shapes"] = (table_of(*shapes), declaration("hilbert(shape)", "id"))
    tables["Lambert"] = (table_of(*shapes), declaration(crs="EPSG:3347"))
    files = {}
    for name, (table, declared) in tables.items():
        files[name] = NormalFile(folder / f"{name.replace(' ', '_')}.parquet", declared)
        write_table(table, files[name].path, declared)
    return files


@pytest.fixture(scope="module")
def real(
    tmp_path_factory: pytest.TempPathFactory,
    geo_image: Image,
    shared_store: Store,
    raw_files: Path | None,
) -> Files:
    """What recipes make; and, where the raw files are, what ``normalise`` makes of some."""
    folder = tmp_path_factory.mktemp("real")
    found: Files = {}
    mirror = [] if raw_files is None else ["--mirror", str(raw_files)]
    for name in RECIPES[: None if raw_files is not None else 2]:
        dist = folder / name
        d4cbuild("build", "--dist", str(dist), *mirror, f"recipes/{name}", store=shared_store)
        recipe = tomllib.loads((REPOSITORY / "recipes" / name / "recipe.toml").read_text("utf-8"))
        (path,) = dist.rglob("*.parquet")
        found[name] = NormalFile.of(path, recipe["outputs"][0]["sort_by"])
    for name, keys in RAW.items() if raw_files is not None else ():
        path = folder / f"{name}.parquet"
        given = f"{raw_files}/{name}"
        d4cbuild("normalise", given, "-o", str(path), "--sort-by", ",".join(keys))
        found[name] = NormalFile.of(path, keys)
    return found


def d4cbuild(*arguments: str, store: Store | None = None) -> None:
    variables = {} if store is None else {"D4CBUILD_STORE": str(store.root)}
    command = [sys.executable, "-m", "d4cbuild", *arguments]
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def files(made: Files, real: Files) -> Files:
    return {**made, **real}


@pytest.mark.parametrize("library", readers.LIBRARIES)
def test_another_library_finds_an_equal_table(library: str, files: Files, tmp_path: Path) -> None:
    pairs = {name: (file.path, tmp_path / f"{name}.arrow") for name, file in files.items()}
    readers.read_with(library, list(pairs.values()))
    different = [name for name, (_, read) in pairs.items() if not _is_equal(files[name], read)]
    assert different == []


def _is_equal(file: NormalFile, read: Path) -> bool:
    table = pa.ipc.open_file(read).read_all()
    out = io.BytesIO()
    write_table(table.select(file.declaration.column_names), out, file.declaration)
    return out.getvalue() == file.path.read_bytes()


def geo_files(files: Files) -> dict[str, Path]:
    return {name: file.path for name, file in files.items() if file.has_shapes}


def complaints_of_gdal(*paths: Path) -> dict[Path, list[str]]:
    ran = readers.run_with_gdal(readers.HERE / "validate_geoparquet.py", GEOPARQUET, *paths)
    assert ran.returncode == 0, ran.stderr
    return {Path(path): said for path, said in json.loads(ran.stdout).items()}


def test_gdals_validate_geoparquet_has_no_complaints(files: Files) -> None:
    found = complaints_of_gdal(*geo_files(files).values())
    assert len(found) > 4
    assert {path.name: said for path, said in found.items() if said} == {}


def test_gdals_validate_geoparquet_takes_points_with_heights_for_points(
    tmp_path: Path,
) -> None:
    path = tmp_path / "heights.parquet"
    write_table(table_of(*wkb("POINT Z (1 2 3)").to_pylist()), path, declaration())
    assert complaints_of_gdal(path)[path] == [
        f"{path}: Geometry at row 0 is of type Point, but not listed in geometry_types[]"
    ]


def test_gdals_validate_geoparquet_would_complain(tmp_path: Path) -> None:
    path = tmp_path / "wrong.parquet"
    table = table_of(*wkb("POINT (1 2)", "LINESTRING (0 0, 1 1)").to_pylist())
    column = {"encoding": "WKB", "geometry_types": ["Point"], "bbox": [5, 5, 0, 0], "x": 1}
    record = {"version": "1.1.0", "primary_column": "shape", "columns": {"shape": column}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(record)}), path)
    schema, bbox, row = complaints_of_gdal(path)[path]
    assert "fails to validate its schema" in schema
    assert bbox.endswith("bbox[3] < bbox[1]")
    assert "row 1 is of type LineString, but not listed" in row


def test_gpio_check_fails_nothing(files: Files) -> None:
    # It warns of a CRS other than that of longitude and latitude, and rightly so.
    passed = re.compile(r"Spec Validation:\s+(✓ \d+ checks passed|⚠ \d+ passed, 1 warn)")
    failed = {}
    for name, path in geo_files(files).items():
        ran = readers.run_in_environment("gpio", "check", "all", path)
        if ran.returncode or not passed.search(ran.stdout):
            failed[name] = ran.stdout + ran.stderr
    assert failed == {}


FIELDS = """
import json, sys
from osgeo import ogr
ogr.UseExceptions()
opened = ogr.Open(sys.argv[1])
layer = opened.GetLayer(0)
fields = layer.GetLayerDefn()
fields = [fields.GetFieldDefn(i) for i in range(fields.GetFieldCount())]
print(json.dumps({field.GetName(): field.GetTypeName() for field in fields}))
"""
NARROWED = {
    "uint64": "Real",
    "decimal": "Real",
    "time": "Integer64",
    "timestamp": "DateTime",
    "map": "String",
    "struct.a": "Integer64",
}


def test_gdals_features_hold_some_types_as_others(made: Files) -> None:
    ran = readers.run_with_gdal("-c", FIELDS, made["types"].path)
    found = json.loads(ran.stdout)
    assert {name: found[name] for name in NARROWED} == NARROWED
    assert "struct.b" not in found
    assert "Field struct.b of unhandled type" in ran.stderr
    same = {"int64": "Integer64", "double": "Real", "string": "String", "date": "Date"}
    assert {name: found[name] for name in same} == same
